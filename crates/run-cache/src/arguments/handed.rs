//! Words that a driver hands on: `-Wp,…` to the preprocessor and `-Wa,…` to the assembler.

use crate::arguments::Arguments;
use crate::call::is_special;
use crate::reason::Reason;

/// Words of the assembler that change the object alone.
const ASSEMBLER: &[&str] = &[
    "--noexecstack",
    "--execstack",
    "--32",
    "--64",
    "--x32",
    "-W",
    "--no-warn",
    "--warn",
    "--fatal-warnings",
    "-L",
    "--keep-locals",
    "-n",
    "-Z",
    "-K",
    "-R",
    "-EL",
    "-EB",
    "--strip-local-absolute",
    "--no-pad-sections",
    "--compress-debug-sections",
    "--nocompress-debug-sections",
    "--reduce-memory-overheads",
    "-mimplicit-it=always",
    "-mimplicit-it=thumb",
];

/// Beginnings of such words, whose value is no path.
const ASSEMBLER_BEGINNINGS: &[&str] = &[
    "-m",
    "-march=",
    "-mtune=",
    "--compress-debug-sections=",
    "--generate-missing-build-notes=",
    "--elf-stt-common=",
    "--hash-size=",
    "--size-check=",
];

/// Takes the words of `-Wa,`.
pub(crate) fn to_assembler(read: &mut Arguments, words: &str) -> Result<(), Reason> {
    let mut words = words.split(',');
    while let Some(word) = words.next() {
        if (word.starts_with("-g") || word.starts_with("--g")) && !word.contains('=') {
            (read.tells_directory, read.tells_output) = (true, true);
        } else if word == "--defsym" {
            words.next().ok_or(Reason::MissingValue)?;
        } else if let Some(dir) = word.strip_prefix("-I") {
            let dir = if dir.is_empty() { words.next().ok_or(Reason::MissingValue)? } else { dir };
            if is_special(dir) {
                return Err(Reason::Descriptor);
            }
            read.assembler_dirs.push(dir.to_owned());
        } else {
            let begins = |known: &&str| word.starts_with(*known) && !word.contains('/');
            if !ASSEMBLER.contains(&word) && !ASSEMBLER_BEGINNINGS.iter().any(begins) {
                return Err(Reason::UnknownArgument);
            }
        }
    }
    Ok(())
}

/// Takes the words of `-Wp,`, into the key as well.
pub(crate) fn to_preprocessor(read: &mut Arguments, words: &str) -> Result<(), Reason> {
    let mut words = words.split(',');
    while let Some(word) = words.next() {
        match word {
            // Here the name of the depfile is a value of its own.
            "-MD" | "-MMD" => {
                let path = words.next().ok_or(Reason::MissingValue)?;
                read.key(&format!("-Wp,{word}"), None);
                read.ask_for_depfile(word == "-MD")?;
                read.name_depfile(path)?;
            }
            "-MP" => {
                read.speak_of_depfile();
                read.key("-Wp,-MP", None);
            }
            "-MT" | "-MQ" => {
                let target = words.next().ok_or(Reason::MissingValue)?;
                read.speak_of_depfile().has_target = true;
                read.key(&format!("-Wp,{word}"), Some(target));
            }
            "-D" | "-U" => {
                let value = words.next().ok_or(Reason::MissingValue)?;
                read.key(&format!("-Wp,{word}"), Some(value));
                read.definitions.extend((word == "-D").then(|| value.to_owned()));
            }
            word if word.starts_with("-D") || word.starts_with("-U") => {
                read.key(&format!("-Wp,{word}"), None);
                read.definitions.extend(word.strip_prefix("-D").map(str::to_owned));
            }
            _ => return Err(Reason::UnknownArgument),
        }
    }
    Ok(())
}
