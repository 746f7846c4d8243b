//! Programs that run on behalf of a client.

use std::{
    ffi::OsStr,
    io,
    os::windows::{io::AsRawHandle, process::CommandExt},
    path::Path,
    process::{Child, Command, ExitStatus},
};

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::{
        Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler},
        JobObjects::{JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK},
        Threading::{CREATE_SUSPENDED, PROCESS_SET_QUOTA, PROCESS_SUSPEND_RESUME, PROCESS_TERMINATE},
    },
};

use super::{job::Job, process::open};
use crate::Pid;

#[link(name = "ntdll")]
unsafe extern "system" {
    /// Resumes every thread of a process. `ResumeThread` needs a thread handle, which `Child` does not show.
    fn NtResumeProcess(process: HANDLE) -> i32;
}

/// Makes `command` start its program without running it: [`Group::of`] lets it run, once it is in its job.
pub(crate) fn lead_group(command: &mut Command) {
    command.creation_flags(CREATE_SUSPENDED);
}

/// A job whose processes end with its last handle: when this value is dropped, or this process ends.
#[derive(Debug)]
pub(crate) struct Group(Job);

impl Group {
    /// Puts the process `first` into a job of its own, and lets it run.
    pub(crate) fn of(first: Pid) -> io::Result<Self> {
        let rights = PROCESS_SET_QUOTA | PROCESS_TERMINATE | PROCESS_SUSPEND_RESUME;
        let process = open(first, rights)?;
        let job = Job::new(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)?;
        job.add(process.as_raw_handle())?;
        // SAFETY: the handle is open and may be used to resume the process; no memory is touched.
        match unsafe { NtResumeProcess(process.as_raw_handle()) } {
            0.. => Ok(Self(job)),
            status => Err(io::Error::other(format!("the system cannot resume the process: {status:#x}"))),
        }
    }

    /// Kills every process of the job: this system has no signal that asks a process to end.
    pub(crate) fn end(&self, _by_force: bool) -> io::Result<()> {
        self.0.end()
    }

    /// Lets the remaining processes run on after the job's end.
    pub(crate) fn let_go(self) -> io::Result<()> {
        self.0.limit(0)
    }
}

/// Suffixes that the name of a program may lack, in the system's order. Other scripts need an interpreter.
pub(crate) const PROGRAM_SUFFIXES: &[&str] = &["", ".com", ".exe", ".bat", ".cmd"];

/// Returns true if there is a file at `path` with the suffix of a program.
pub(crate) fn is_executable(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let is_program =
        |suffix: &&str| suffix.strip_prefix('.').is_some_and(|suffix| suffix.eq_ignore_ascii_case(ending));
    PROGRAM_SUFFIXES.iter().any(|suffix| is_program(&suffix)) && path.is_file()
}

/// See [`crate::is_same_file`]; a hard link counts as another file.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Does nothing: the starter lets the daemon inherit only its standard streams.
pub(crate) fn keep_descriptors_back() -> io::Result<()> {
    Ok(())
}

/// See [`crate::has_standard_streams`].
pub(crate) const fn has_standard_streams() -> bool {
    true
}

/// See [`crate::run_instead`].
pub(crate) fn run_instead(command: &mut Command) -> io::Result<ExitStatus> {
    let mut child = spawn_as_called(command)?;
    wait_as_called(&mut child)
}

/// See [`crate::spawn_as_called`]: the console sends its events to both processes, and the child answers them.
pub(crate) fn spawn_as_called(command: &mut Command) -> io::Result<Child> {
    // SAFETY: the handler touches no memory, and stays in place until this process ends.
    unsafe { SetConsoleCtrlHandler(Some(leave_to_the_child), 1) };
    let child = command.spawn()?;
    // The job ends the child with this process, as if the child had replaced it. The child's own children may
    // outlive it: compilers start servers that other compilers use.
    let limits = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    // If the system has no such job, the child runs without one.
    if let Ok(job) = Job::new(limits)
        && job.add(child.as_raw_handle()).is_ok()
    {
        // The system closes the job's handle when this process ends.
        std::mem::forget(job);
    }
    Ok(child)
}

/// See [`crate::wait_as_called`].
pub(crate) fn wait_as_called(child: &mut Child) -> io::Result<ExitStatus> {
    let status = child.wait();
    // SAFETY: removes the handler; no memory is touched.
    unsafe { SetConsoleCtrlHandler(Some(leave_to_the_child), 0) };
    status
}

/// Keeps this process alive at Ctrl-C and Ctrl-Break, so that it can return the child's exit code.
unsafe extern "system" fn leave_to_the_child(event: u32) -> i32 {
    i32::from(matches!(event, CTRL_C_EVENT | CTRL_BREAK_EVENT))
}

/// See [`crate::end_as`]; there are no signals.
pub(crate) fn end_as(status: ExitStatus) -> ! {
    std::process::exit(shell_code(status))
}

/// See [`crate::name_itself`]; it has no effect here.
pub(crate) fn name_itself(_: &mut Command, _: &OsStr) {}

/// See [`crate::default_path`]; this system has no such path.
pub(crate) fn default_path() -> Option<&'static OsStr> {
    None
}

/// See [`crate::shell_code`]; there are no signals, and all 32 bits count.
pub(crate) fn shell_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(1)
}

/// See [`crate::exit_code`].
pub(crate) fn exit_code(code: i32) -> i32 {
    code
}
