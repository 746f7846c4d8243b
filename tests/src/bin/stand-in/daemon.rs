//! Daemons that do not serve.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::beside;

/// Writes a line to its log and returns an exit code.
pub(crate) fn end_early(arguments: &[String]) -> io::Result<u32> {
    let log = arguments.iter().skip_while(|argument| *argument != "--log-file").nth(1);
    let log = log.ok_or_else(|| io::Error::other("no --log-file"))?;
    let mut log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
    log.write_all(b"no room left\n")?;
    Ok(3)
}

/// Notes its start in the file `starts` beside itself, and fails 2 s later.
pub(crate) fn fail(own: &Path) -> io::Result<u32> {
    let starts = std::fs::OpenOptions::new().create(true).append(true).open(beside(own, "starts"));
    starts?.write_all(b"once\n")?;
    std::thread::sleep(Duration::from_secs(2)); // its clients gather meanwhile
    Ok(3)
}

/// Time after which a process ends if its test did not end it.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

/// Writes its arguments, variables, directory and process id to files beside itself, and ends when `pid` is removed.
pub(crate) fn never_answer(own: &Path, arguments: &[String]) -> io::Result<u32> {
    std::fs::write(beside(own, "args"), lines(arguments.iter().cloned()))?;
    std::fs::write(beside(own, "env"), lines(std::env::vars().map(|(name, _)| name)))?;
    std::fs::write(beside(own, "cwd"), lines([std::env::current_dir()?.display().to_string()]))?;
    std::fs::write(beside(own, "pid"), lines([std::process::id().to_string()]))?;
    let began = Instant::now();
    while own.with_file_name("pid").exists() && began.elapsed() < LONGEST {
        std::thread::sleep(Duration::from_millis(10)); // between two looks
    }
    Ok(0)
}

/// Starts `never-answers` beside itself and waits for it.
pub(crate) fn start_another(own: &Path) -> io::Result<u32> {
    let name = format!("never-answers{}", std::env::consts::EXE_SUFFIX);
    std::process::Command::new(beside(own, &name)).status()?;
    Ok(0)
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}
