//! Compares the files that another process sees with our own.

use crate::{Pid, os};

/// The view that another process has of the file system, compared with ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The same mounts, below the same root directory.
    Same,
    /// Another mount namespace or root directory: one path may name two files.
    Other,
    /// The process is gone, or the system does not tell its view.
    Unknown,
}

/// Compares the file system view of the process `pid` with this process's view.
#[must_use]
pub fn view_of(pid: Pid) -> View {
    os::view_of(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surroundings_equal_those_of_the_process() {
        let own = Pid::new(std::process::id()).unwrap();
        assert_ne!(view_of(own), View::Other);
        #[cfg(target_os = "linux")]
        assert_eq!(view_of(own), View::Same);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_in_another_mount_namespace_sees_other_files() {
        let child = std::process::Command::new("unshare")
            .args(["-m", "sh", "-c", "echo ready; read line"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn();
        // Some systems and some users cannot make a namespace.
        let Ok(mut child) = child else { return };
        let mut ready = [0; 5];
        let stdout = child.stdout.as_mut().unwrap();
        let is_ready = std::io::Read::read_exact(stdout, &mut ready).is_ok();
        let view = view_of(Pid::new(child.id()).unwrap());
        drop(child.stdin.take());
        child.wait().unwrap();
        if is_ready {
            assert_eq!(view, View::Other);
        }
    }
}
