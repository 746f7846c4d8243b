//! Writes everything of the archive that is not a program: `cargo xtask dist` runs it.
#![forbid(unsafe_code)]

mod checksums;
mod pages;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Parser;

/// Write man pages, completions, service files and texts into a directory, and the checksums of all its files
#[derive(Debug, Parser)]
struct Arguments {
    /// The directory; its `bin` has the programs
    directory: PathBuf,
    /// The root of the repository
    #[arg(long)]
    repository: PathBuf,
}

/// The texts of the repository that the archive has.
const TEXTS: &[&str] = &[
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "CHANGELOG.md",
    "docs/install.md",
    "docs/cli.md",
    "docs/compiling.md",
    "docs/daemon.md",
    "docs/environment.md",
];

/// The service files, with their places.
const SERVICES: &[(&str, &str)] = &[
    ("share/systemd/user/zccache-daemon.service", include_str!("../files/zccache-daemon.service")),
    ("share/launchd/zccache-daemon.plist", include_str!("../files/zccache-daemon.plist")),
];

fn main() -> Result<()> {
    let Arguments { directory, repository } = Arguments::parse();
    pages::write(&directory)?;
    for (path, text) in SERVICES {
        write(&directory.join(path), text.as_bytes())?;
    }
    for text in TEXTS {
        let from = repository.join(text);
        let name = Path::new(text).file_name().context("a text has a name")?;
        let contents = fs::read(&from).with_context(|| from.display().to_string())?;
        write(&directory.join("share/doc/zccache-ipc").join(name), &contents)?;
    }
    checksums::write(&directory)
}

/// Writes a file, and makes its directory.
fn write(path: &Path, contents: &[u8]) -> Result<()> {
    let directory = path.parent().context("a file is in a directory")?;
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    fs::write(path, contents).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_in_the_repository() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for text in TEXTS {
            assert!(root.join(text).is_file(), "{text}");
        }
    }

    #[test]
    fn the_manual_shows_the_unit_of_the_archive() {
        let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating.md");
        let manual = fs::read_to_string(manual).unwrap();
        let (path, unit) = SERVICES[0];
        assert!(path.ends_with(".service") && manual.contains(&format!("```ini\n{unit}```")), "{path}");
    }

    #[test]
    fn the_service_files_start_a_program_of_the_archive_with_options_that_it_has() {
        use clap::Parser as _;
        for (path, text) in SERVICES {
            let words: Vec<String> = match path.ends_with(".service") {
                true => text
                    .lines()
                    .find_map(|line| line.strip_prefix("ExecStart="))
                    .unwrap()
                    .split(' ')
                    .map(str::to_owned)
                    .collect(),
                false => {
                    let arguments = text.split("<key>ProgramArguments</key>").nth(1).unwrap();
                    let arguments = arguments.split("</array>").next().unwrap();
                    let strings = arguments.split("<string>").skip(1);
                    strings.map(|rest| rest.split("</string>").next().unwrap().to_owned()).collect()
                }
            };
            assert!(words[0].ends_with("/zccache-daemon"), "{path}: {words:?}");
            assert!(zccache_daemon::Args::try_parse_from(&words).is_ok(), "{path}: {words:?}");
        }
    }

    #[test]
    fn each_program_has_a_page_and_each_shell_a_script() {
        let directory = tempfile::tempdir().unwrap();
        pages::write(directory.path()).unwrap();
        for program in ["zccache-ipc", "zccache-wrap", "zccache-daemon", "zccache-download-daemon"] {
            for file in [
                format!("share/man/man1/{program}.1"),
                format!("share/bash-completion/completions/{program}"),
                format!("share/zsh/site-functions/_{program}"),
                format!("share/fish/vendor_completions.d/{program}.fish"),
                format!("share/elvish/lib/{program}.elv"),
                format!("share/powershell/{program}.ps1"),
            ] {
                let text = fs::read_to_string(directory.path().join(&file)).unwrap();
                assert!(text.contains(program.trim_start_matches("zccache-")), "{file}");
            }
        }
        let verb = directory.path().join("share/man/man1/zccache-ipc-certify.1");
        assert!(fs::read_to_string(verb).unwrap().contains("docs/spec"));
        checksums::write(directory.path()).unwrap();
        let sums = fs::read_to_string(directory.path().join("SHA256SUMS")).unwrap();
        assert!(sums.lines().any(|line| line.ends_with("  share/man/man1/zccache-ipc.1")), "{sums}");
    }
}
