//! Signal settings of a daemon, and the duties of process 1 for orphaned processes.

use std::{
    io,
    mem::MaybeUninit,
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus},
    ptr,
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

/// The signals that the first process of a container passes on.
const PASSED_ON: [i32; 6] =
    [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, libc::SIGUSR2];

/// Signals that stay ignored: with them a failed write is an error, and without them it ends the process.
const KEPT: [i32; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// See [`crate::reset_signals`].
pub(crate) fn reset_signals() -> io::Result<()> {
    // The range of real-time signals has no fixed end; `sigaction` fails for numbers that do not exist.
    for signal in 1..=64 {
        if ignored(signal) && !KEPT.contains(&signal) {
            // SAFETY: the default action is valid, and `sigaction` has just accepted `signal`.
            let before = unsafe { libc::signal(signal, libc::SIG_DFL) };
            if before == libc::SIG_ERR {
                return Err(io::Error::last_os_error());
            }
        }
    }
    if !ignored(libc::SIGXFSZ) {
        // A handler, and not an ignored signal: an exec resets it, so that tools have the default action.
        let handler = nothing as extern "C" fn(i32);
        // SAFETY: the handler does nothing, which is allowed at any moment.
        let before = unsafe { libc::signal(libc::SIGXFSZ, handler as libc::sighandler_t) };
        if before == libc::SIG_ERR {
            return Err(io::Error::last_os_error());
        }
    }
    set_mask(libc::SIG_SETMASK, &[])
}

/// Handles a signal: the write that caused it fails with an error of its own.
extern "C" fn nothing(_signal: i32) {}

/// Returns true if `signal` exists and this process ignores it.
fn ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: reads only, into a live local of the type that the call fills.
    let result = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) };
    // SAFETY: all zeros are a valid value, and a successful call has filled it.
    let action = unsafe { action.assume_init() };
    result == 0 && action.sa_sigaction == libc::SIG_IGN
}

/// Changes this thread's signal mask by `signals`.
fn set_mask(how: i32, signals: &[i32]) -> io::Result<()> {
    let set = set_of(signals);
    // SAFETY: `set` is a live, initialised set, and a null pointer for the old mask is allowed.
    let error = unsafe { libc::pthread_sigmask(how, &raw const set, ptr::null_mut()) };
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

fn set_of(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: initialises the set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the line above initialised it.
    let mut set = unsafe { set.assume_init() };
    for signal in signals {
        // SAFETY: the set is initialised; an invalid number is an error and changes nothing.
        unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

/// See [`crate::run_below_init`].
pub(crate) fn run_below_init(command: &mut Command) -> io::Result<ExitStatus> {
    let mut awaited = PASSED_ON.to_vec();
    awaited.push(libc::SIGCHLD);
    // The signals are blocked before the child starts, so that neither its end nor a request to end it is
    // missed. The standard library starts programs with an empty mask.
    set_mask(libc::SIG_BLOCK, &awaited)?;
    let child = command.spawn()?;
    let child = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    let set = set_of(&awaited);
    loop {
        while let Some((pid, status)) = wait(WaitOptions::NOHANG)? {
            if pid == child {
                return Ok(ExitStatus::from_raw(status.as_raw()));
            }
        }
        let mut signal = 0;
        // SAFETY: both point to live locals, and the signals of the set are blocked.
        let error = unsafe { libc::sigwait(&raw const set, &raw mut signal) };
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error));
        }
        if let Some(signal) = Signal::from_named_raw(signal).filter(|signal| *signal != Signal::CHILD) {
            // The call fails if the child has ended, which the next round notices.
            let _ = kill_process(child, signal);
        }
    }
}
