//! `SHA256SUMS`: the checksum of each file, in the form of `sha256sum`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

const NAME: &str = "SHA256SUMS";

/// Writes the checksums of every file below `directory`, sorted by path.
pub(crate) fn write(directory: &Path) -> Result<()> {
    let mut files = Vec::new();
    collect(directory, &mut files)?;
    files.sort();
    let mut sums = String::new();
    for file in files {
        let path = file.strip_prefix(directory).context("every file is below the directory")?;
        let path = path.to_str().context("every path is UTF-8")?.replace('\\', "/");
        if path != NAME {
            let contents = fs::read(&file).with_context(|| path.clone())?;
            sums.push_str(&format!("{}  {path}\n", hex::encode(Sha256::digest(&contents))));
        }
    }
    fs::write(directory.join(NAME), sums).context(NAME)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
