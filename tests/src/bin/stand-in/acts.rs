//! A program whose arguments are its actions, for tests that would else need a shell.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::daemon::LONGEST;
use crate::variable;

/// Performs the actions in order, and returns the exit code.
///
/// An action is `VERB=VALUE`. An argument that starts with `--` has no effect.
pub(crate) fn run(own: &Path, actions: &[String]) -> io::Result<u32> {
    for action in actions.iter().filter(|action| !action.starts_with("--")) {
        let (verb, value) = action.split_once('=').unwrap_or((action, ""));
        let (file, text) = value.split_once('=').unwrap_or((value, ""));
        match verb {
            "out" => print(value.as_bytes())?,
            "err" => io::stderr().write_all(value.as_bytes())?,
            // Bytes as hexadecimal digits.
            "bytes" => print(&bytes(value)?)?,
            "variable" => print(variable(value).unwrap_or_default().as_bytes())?,
            "directory" => print(std::env::current_dir()?.to_string_lossy().as_bytes())?,
            "input" => drop(io::copy(&mut io::stdin().lock(), &mut io::stdout().lock())?),
            "show" => print(&fs::read(file)?)?,
            "zeros" => drop(io::copy(&mut io::repeat(0).take(number(value)?), &mut io::stdout().lock())?),
            "write" => fs::write(file, text)?,
            "append" => append(file, text.as_bytes())?,
            "extend" => append(file, &fs::read(text)?)?,
            "fill" => drop(io::copy(&mut io::repeat(0).take(number(text)?), &mut fs::File::create(file)?)?),
            "leave" => leave(own, file)?,
            "wait" => wait(file),
            "exit" => return value.parse().map_err(|_| unknown(action)),
            _ => return Err(unknown(action)),
        }
    }
    Ok(0)
}

fn unknown(action: &str) -> io::Error {
    io::Error::other(format!("no action: {action}"))
}

fn number(text: &str) -> io::Result<u64> {
    text.parse().map_err(|_| unknown(text))
}

fn bytes(digits: &str) -> io::Result<Vec<u8>> {
    let pairs = (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2));
    pairs
        .map(|pair| pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(|| unknown(digits)))
        .collect()
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}

fn append(file: &str, bytes: &[u8]) -> io::Result<()> {
    fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(bytes)
}

/// Starts another process, which holds the standard output while `file` exists.
fn leave(own: &Path, file: &str) -> io::Result<()> {
    fs::write(file, "")?;
    Command::new(own).arg(format!("wait={file}")).stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
    Ok(())
}

/// Waits until `file` is removed.
fn wait(file: &str) {
    let began = Instant::now();
    while Path::new(file).exists() && began.elapsed() < LONGEST {
        std::thread::sleep(std::time::Duration::from_millis(10)); // between two looks
    }
}
