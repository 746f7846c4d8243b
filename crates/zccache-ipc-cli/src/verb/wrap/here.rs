//! Running the compiler in the place of the daemon.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::process::{self, Stdio};

use zccache_ipc::endpoint::{run_instead, shell_code};

use super::reason::Reason;
use super::{Command, DOES_NOT_RUN, NOT_FOUND, say};

/// Runs `command` here, says that and why, and returns its exit code; on Unix it takes this program's place.
pub(super) fn run(command: &Command, reason: &Reason) -> i32 {
    if !reason.is_ordinary() {
        let mut why = reason.to_string();
        let mut source = reason.source();
        while let Some(error) = source {
            // Writing to a string does not fail.
            let _ = write!(why, ": {error}");
            source = error.source();
        }
        say(&format!("{why}; {} runs without it", command.name));
    }
    let mut child = process::Command::new(&command.program);
    child.args(&command.args);
    let ran = match &command.stdin {
        None => run_instead(&mut child),
        Some(read) => with_input(&mut child, read),
    };
    match ran {
        Ok(status) => shell_code(status),
        Err(error) => {
            say(&format!("cannot run {}: {error}", command.program.display()));
            if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { DOES_NOT_RUN }
        }
    }
}

/// Runs `child` with what was read already as its standard input, and then the rest.
fn with_input(child: &mut process::Command, read: &[u8]) -> io::Result<process::ExitStatus> {
    let mut child = child.stdin(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take();
    let read = read.to_vec();
    // Ends with this program where the tool has ended before it has read everything.
    std::thread::spawn(move || {
        let Some(input) = &mut input else { return };
        // A tool need not read what it is given.
        let _ = input.write_all(&read).and_then(|()| {
            let mut rest = io::stdin().lock();
            io::copy(&mut rest.by_ref(), input)
        });
    });
    child.wait()
}
