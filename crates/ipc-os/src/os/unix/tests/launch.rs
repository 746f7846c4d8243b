//! Programs that outlive their starter.

use std::{fs, io::Read, path::Path, sync::mpsc, thread, time::Duration};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

use super::{Home, helper::Part, soon, watched};
use crate::{Launch, LaunchError, Launched, Pid, process_alive, raise_fd_limit};

/// Kills the program at the end of the test.
struct Ended(Option<Launched>);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(launched) = self.0.take() {
            let _ = launched.kill();
        }
    }
}

fn wait_for_file(path: &Path) -> String {
    let deadline = soon();
    loop {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with("end\n") => return text,
            _ => assert!(std::time::Instant::now() < deadline, "the program wrote nothing"),
        }
        thread::sleep(Duration::from_millis(5)); // the pause between two looks, up to the deadline
    }
}

#[test]
fn a_launched_program_holds_nothing_of_its_starter() {
    watched(|| {
        // An inheritable descriptor, like one that this process itself may have inherited.
        let (mut read, write) = std::io::pipe().unwrap();
        fcntl_setfd(&write, FdFlags::empty()).unwrap();
        let launched = Launch::new("/bin/sleep", "/").arg("60").spawn().unwrap();
        let pid = launched.pid();
        let mut ended = Ended(Some(launched));

        assert!(!fcntl_getfd(&write).unwrap().contains(FdFlags::CLOEXEC), "it is as it was");
        drop(write);
        let (done, end_of_file) = mpsc::channel();
        thread::spawn(move || done.send(read.read_to_end(&mut Vec::new()).unwrap()));
        assert_eq!(end_of_file.recv_timeout(Duration::from_secs(10)), Ok(0));
        assert!(process_alive(pid), "the reader was done before the program");
        assert!(ended.0.as_mut().unwrap().try_wait().unwrap().is_none());
        ended.0.take().unwrap().kill().unwrap();
        assert!(!process_alive(pid));
    });
}

#[test]
fn a_launched_program_has_the_listed_environment_and_directory_and_no_streams() {
    watched(|| {
        let home = Home::new();
        let script =
            r#"{ env; echo "args=$*"; readlink /proc/self/fd/0 || echo /dev/null; echo end; } > out"#;
        let launched = Launch::new("/bin/sh", home.directory.path())
            .args(["-c", script, "sh", "a b"])
            .arg("c")
            .env("ZCCACHE_CACHE_DIR", "/c")
            .spawn()
            .unwrap();
        let _ended = Ended(Some(launched));
        let said = wait_for_file(&home.path("out"));
        let lines: Vec<_> = said.lines().collect();
        for expected in ["ZCCACHE_CACHE_DIR=/c", "args=a b c", "/dev/null"] {
            assert!(lines.contains(&expected), "{said}");
        }
        // The shell adds these variables itself; there are no others.
        let variables = lines.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        for name in variables {
            assert!(["ZCCACHE_CACHE_DIR", "args", "PWD", "OLDPWD", "SHLVL", "_"].contains(&name), "{said}");
        }
    });
}

#[test]
fn a_program_is_named_by_an_absolute_path() {
    for launch in [Launch::new("sleep", "/"), Launch::new("/bin/sleep", "here")] {
        assert!(matches!(launch.spawn().unwrap_err(), LaunchError::Relative(_)));
    }
    let home = Home::new();
    let missing = Launch::new(home.path("missing"), "/").spawn().unwrap_err();
    assert!(matches!(&missing, LaunchError::Start { program, .. } if *program == home.path("missing")));
}

#[test]
fn a_program_that_detaches_leads_a_session_and_may_say_so_twice() {
    watched(|| {
        let mut part = Part::play("a_session_leader", &[]);
        assert_eq!(part.says(), "true true true");
    });
}

#[test]
fn a_program_that_leads_only_its_group_cannot_detach() {
    watched(|| {
        let mut part = Part::play("a_group_leader", &[]);
        assert_eq!(part.says(), "Err(PermissionDenied)");
    });
}

#[test]
fn a_process_is_alive_until_it_exits() {
    assert!(process_alive(Pid::current()));
    // A zombie: it has exited, and this process does not wait for it.
    #[cfg(target_os = "linux")]
    {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let pid = Pid::new(child.id()).unwrap();
        let deadline = soon();
        while process_alive(pid) {
            assert!(std::time::Instant::now() < deadline, "it still runs");
            thread::sleep(Duration::from_millis(1)); // between two looks, up to the deadline
        }
        assert!(child.wait().unwrap().success());
    }
    assert!(process_alive(Pid::new(1).unwrap()));
    assert!(!process_alive(Pid::new(i32::MAX as u32).unwrap()));
}

#[test]
fn the_limit_of_open_files_is_raised_to_the_most_there_is() {
    let raised = raise_fd_limit().unwrap();
    assert_eq!(raise_fd_limit().unwrap(), raised);
    assert!(raised.is_none_or(|limit| limit >= 256));
}
