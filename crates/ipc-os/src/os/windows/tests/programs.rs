//! Programs that are started, and ended together.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::windows::io::AsRawHandle,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use windows_sys::Win32::{
    Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation},
    System::JobObjects::{JOB_OBJECT_LIMIT_BREAKAWAY_OK, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE},
};

use super::{
    super::job::Job,
    helper::{Part, arguments, none_starts, own_program, start},
    soon,
};
use crate::{Launch, LaunchError, Pid, ProcessGroup, process_alive, shell_code};

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = soon();
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(5)); // between two looks, up to the deadline
    }
}

#[test]
fn a_process_is_alive_until_it_ended_even_if_a_handle_keeps_its_id() {
    assert!(process_alive(Pid::current()));
    assert!(!process_alive(Pid::new(0x7fff_fff0).unwrap()));
    let mut child = start(Command::new(own_program()).args(["--list"]).stdout(Stdio::null()));
    child.wait().unwrap();
    assert!(!process_alive(Pid::new(child.id()).unwrap()), "its handle is open here");
}

#[test]
fn a_parent_is_the_process_that_started_it() {
    assert_eq!(Part::play("a_child", &[]).says(), format!("Some({})", std::process::id()));
}

#[test]
fn all_32_bits_of_an_exit_code_are_kept() {
    for code in [0_u32, 1, 255, 256, 0xC000_0100] {
        let mut command = Command::new(own_program());
        command.args(arguments("an_end")).env("CODE", code.to_string()).stdout(Stdio::null());
        let status = crate::run_instead(&mut command).unwrap();
        assert_eq!(shell_code(status), code.cast_signed());
        assert_eq!(crate::exit_code(code.cast_signed()), code.cast_signed());
    }
}

#[test]
fn a_group_runs_inside_its_job_and_ends_with_its_processes() {
    let mut command = Command::new(own_program());
    command.args(arguments("a_starter_of_sleepers")).stdout(Stdio::piped());
    ProcessGroup::lead(&mut command);
    let mut child = start(&mut command);
    let group = ProcessGroup::of(Pid::new(child.id()).unwrap()).unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    let grandchild = loop {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0);
        if let Some((_, pid)) = line.split_once("SAYS ") {
            break Pid::parse(pid).unwrap();
        }
    };
    assert!(process_alive(grandchild));
    group.kill().unwrap();
    child.wait().unwrap();
    wait_until("the grandchild ends", || !process_alive(grandchild));
}

#[test]
fn a_launched_program_gets_the_listed_variables_and_no_other_handle() {
    let home = TempDir::new().unwrap();
    let _turn = none_starts();
    let (mut read, write) = std::io::pipe().unwrap();
    // An inheritable handle, like one that this process itself may have inherited.
    let handle = write.as_raw_handle();
    // SAFETY: the handle is open; no memory is touched.
    assert_ne!(unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) }, 0);
    let out = home.path().join("out");
    let root = std::env::var_os("SystemRoot").unwrap();
    let launched = Launch::new(own_program(), home.path())
        .args(arguments("a_witness"))
        .env("OUT", &out)
        .env("SystemRoot", root)
        .env("ZCCACHE_CACHE_DIR", r"C:\ä b")
        .spawn()
        .unwrap();
    let pid = launched.pid();
    wait_until("it writes", || fs::read_to_string(&out).is_ok_and(|text| text.ends_with("end\n")));
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.contains("ZCCACHE_CACHE_DIR=C:\\ä b\n"), "{text}");
    assert!(!text.to_uppercase().contains("\nPATH="), "{text}");
    drop(write);
    assert_eq!(read.read_to_end(&mut Vec::new()).unwrap(), 0);
    assert!(process_alive(pid), "the reader was done before the program");
    let status = launched.kill().unwrap();
    assert!(!status.success());
    assert!(!process_alive(pid));
}

#[test]
fn a_launched_program_leaves_the_job_of_its_starter() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    // Terminals and CI runners end everything in such a job.
    let job = Job::new(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK).unwrap();
    let mut starter = Part::play("a_launcher", &[file.to_str().unwrap()]);
    assert_eq!(starter.says(), "ready");
    job.add(starter.handle()).unwrap();
    starter.go_on();
    let launched = Pid::parse(&starter.says()).unwrap();
    drop(job);
    wait_until("the starter ends", || !process_alive(Pid::new(starter.pid()).unwrap()));
    assert!(process_alive(launched));
    fs::remove_file(&file).unwrap();
    wait_until("the launched program ends", || !process_alive(launched));
}

#[test]
fn a_program_is_named_by_an_absolute_path() {
    let root = std::env::current_dir().unwrap().ancestors().last().unwrap().to_owned();
    let relative = Launch::new("sleep", &root).spawn().unwrap_err();
    assert!(matches!(relative, LaunchError::Relative(_)));
    let missing = Launch::new(root.join("missing.exe"), &root).spawn().unwrap_err();
    assert!(matches!(missing, LaunchError::Start { .. }), "{missing:?}");
}
