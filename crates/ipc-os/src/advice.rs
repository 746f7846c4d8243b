//! Commands that a person can paste into a shell: `sh` on Unix, `cmd` on Windows.

use std::path::Path;

use crate::Pid;

/// Returns `text` as one word of the shell.
///
/// ```
/// # if cfg!(unix) {
/// assert_eq!(ipc_os::shell_word("/run/sock"), "/run/sock");
/// assert_eq!(ipc_os::shell_word("/a b"), "'/a b'");
/// # }
/// ```
#[must_use]
pub fn shell_word(text: &str) -> String {
    word(SHELL, text)
}

/// Returns a command that shows the type and the owner of the file at `path`.
#[must_use]
pub fn show_file(path: &Path) -> String {
    file(SHELL, path)
}

/// Returns a command that shows the processes `pids`.
#[must_use]
pub fn show_processes(pids: &[Pid]) -> String {
    processes(SHELL, pids)
}

/// Returns a command that gives its user all rights to the file at `path`.
///
/// On Unix the mode becomes `mode`.
#[must_use]
pub fn allow_owner(path: &Path, mode: &str) -> String {
    allow(SHELL, path, mode)
}

/// Returns a command that makes the directory `path` for its user alone.
#[must_use]
pub fn make_directory(path: &Path) -> String {
    directory(SHELL, path)
}

#[derive(Clone, Copy)]
enum Shell {
    Sh,
    Cmd,
}

const SHELL: Shell = if cfg!(windows) { Shell::Cmd } else { Shell::Sh };

fn word(shell: Shell, text: &str) -> String {
    // No name of the system holds a NUL, and no shell takes one.
    let text = text.replace('\0', "");
    match shell {
        Shell::Sh => shlex::try_quote(&text).map_or_else(|_| text.clone(), std::borrow::Cow::into_owned),
        // No name of Windows holds a double quote.
        Shell::Cmd
            if !text.is_empty() && !text.contains([' ', '&', '(', ')', '^', ';', ',', '=', '%', '\'']) =>
        {
            text
        }
        Shell::Cmd => format!("\"{}\"", text.replace('"', "")),
    }
}

fn path_word(shell: Shell, path: &Path) -> String {
    word(shell, &path.to_string_lossy())
}

fn file(shell: Shell, path: &Path) -> String {
    let path = path_word(shell, path);
    match shell {
        Shell::Sh => format!("ls -ld {path}"),
        Shell::Cmd => format!("dir /q {path}"),
    }
}

fn processes(shell: Shell, pids: &[Pid]) -> String {
    let numbers: Vec<String> = pids.iter().map(Pid::to_string).collect();
    match shell {
        Shell::Sh => format!("ps -p {}", numbers.join(",")),
        Shell::Cmd => {
            let one = |number: &String| format!("tasklist /fi \"pid eq {number}\"");
            numbers.iter().map(one).collect::<Vec<_>>().join(" & ")
        }
    }
}

fn allow(shell: Shell, path: &Path, mode: &str) -> String {
    let path = path_word(shell, path);
    match shell {
        Shell::Sh => format!("chmod {mode} {path}"),
        Shell::Cmd => format!("icacls {path} /grant \"%USERNAME%\":F"),
    }
}

fn directory(shell: Shell, path: &Path) -> String {
    let word = path_word(shell, path);
    match shell {
        Shell::Sh => format!("mkdir -p {word} && {}", allow(shell, path, "700")),
        // It makes missing parents too, and the access list follows from the parent's.
        Shell::Cmd => format!("mkdir {word}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_gets_its_own_commands() {
        let path = Path::new("/a b");
        let pids = [Pid::new(1).unwrap(), Pid::new(2).unwrap()];
        assert_eq!(file(Shell::Sh, path), "ls -ld '/a b'");
        assert_eq!(file(Shell::Cmd, path), "dir /q \"/a b\"");
        assert_eq!(processes(Shell::Sh, &pids), "ps -p 1,2");
        assert_eq!(processes(Shell::Cmd, &pids), "tasklist /fi \"pid eq 1\" & tasklist /fi \"pid eq 2\"");
        assert_eq!(allow(Shell::Sh, path, "700"), "chmod 700 '/a b'");
        assert_eq!(allow(Shell::Cmd, path, "700"), "icacls \"/a b\" /grant \"%USERNAME%\":F");
        assert_eq!(directory(Shell::Sh, path), "mkdir -p '/a b' && chmod 700 '/a b'");
        assert_eq!(directory(Shell::Cmd, path), "mkdir \"/a b\"");
        assert_eq!(word(Shell::Cmd, r"\\.\pipe\zccache-a"), r"\\.\pipe\zccache-a");
        assert_eq!(word(Shell::Cmd, r"C:\R&D"), "\"C:\\R&D\"");
    }
}
