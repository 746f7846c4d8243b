//! Signal and descriptor state that the caller of this process set up, handed on to the tool that replaces
//! it.
//!
//! The runtime of Rust changes three things before `main`: it ignores `SIGPIPE`, opens `/dev/null` for a closed
//! standard stream, and a command that it starts gets an empty signal mask.

use std::{
    io,
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::process::CommandExt,
    },
    process::Command,
    sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering},
};

use rustix::fs::FileType;

/// True if the caller ignored `SIGPIPE`.
static IGNORES_PIPE: AtomicBool = AtomicBool::new(false);

/// True if the caller ignored `SIGCHLD`, as some supervisors do.
static IGNORES_CHILDREN: AtomicBool = AtomicBool::new(false);

/// Standard streams that the caller had closed, one bit each.
static CLOSED: AtomicU8 = AtomicU8::new(0);

/// Process that gets the signals of this one; 0 before it is started.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// Signal that came before the child was started; 0 for none.
static EARLY: AtomicI32 = AtomicI32::new(0);

/// Number of the device `/dev/full` on Linux.
const FULL: u64 = (1 << 8) | 7;

/// Signals that end a build, which the child must get too.
const FORWARDED: [i32; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

#[used]
#[cfg_attr(any(target_os = "macos", target_os = "ios"), unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(any(target_os = "macos", target_os = "ios")), unsafe(link_section = ".init_array"))]
static NOTE_AT_START: extern "C" fn() = note;

/// Reads the state before the runtime of Rust changes it.
extern "C" fn note() {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: reads the disposition of one signal into memory of the right size.
    if unsafe { libc::sigaction(libc::SIGPIPE, std::ptr::null(), action.as_mut_ptr()) } == 0 {
        // SAFETY: the call succeeded, and has written all of it.
        let action = unsafe { action.assume_init() };
        IGNORES_PIPE.store(action.sa_sigaction == libc::SIG_IGN, Ordering::Relaxed);
    }
    for stream in 0..3 {
        // SAFETY: reads the flags of a descriptor and no memory; one that is closed is an error.
        if unsafe { libc::fcntl(stream, libc::F_GETFD) } == -1 {
            CLOSED.fetch_or(1 << stream, Ordering::Relaxed);
        }
    }
}

/// Returns true if the caller left all three standard streams open, and none that fails every write.
pub(super) fn has_streams() -> bool {
    let is_full = |stream: BorrowedFd<'_>| {
        let is_device =
            |stat: &rustix::fs::Stat| FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
        rustix::fs::fstat(stream).is_ok_and(|stat| is_device(&stat) && stat.st_rdev == FULL)
    };
    let fails = is_full(io::stdout().as_fd()) || is_full(io::stderr().as_fd());
    CLOSED.load(Ordering::Relaxed) == 0 && !(cfg!(target_os = "linux") && fails)
}

/// Makes `command` start its program with the state that the caller of this process set up.
pub(super) fn as_called(command: &mut Command) {
    let mask = mask();
    let ignores_pipe = IGNORES_PIPE.load(Ordering::Relaxed);
    let ignores_children = IGNORES_CHILDREN.load(Ordering::Relaxed);
    let closed = CLOSED.load(Ordering::Relaxed);
    if !ignores_pipe && !ignores_children && closed == 0 && is_empty(&mask) {
        return; // the standard library's own start suffices, without a fork
    }
    let restore = move || {
        if ignores_pipe {
            // SAFETY: sets the disposition of one signal; no handler is involved.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        }
        if ignores_children {
            // SAFETY: sets the disposition of one signal; no handler is involved.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        }
        for stream in (0..3).filter(|stream| closed & (1 << stream) != 0) {
            // SAFETY: after a fork or right before an exec, no code uses the `/dev/null` behind these
            // numbers.
            unsafe { libc::close(stream) };
        }
        // SAFETY: the mask was read by the same call, and lives as long as this one.
        match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, std::ptr::null_mut()) } {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    };
    // SAFETY: the closure makes system calls that are safe after a fork, and allocates nothing.
    unsafe { command.pre_exec(restore) };
}

/// Lets this process wait for its children where the caller ignored `SIGCHLD`: the kernel then forgets
/// each child's exit status.
pub(super) fn keep_children() {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: reads the disposition of one signal into memory of the right size.
    if unsafe { libc::sigaction(libc::SIGCHLD, std::ptr::null(), action.as_mut_ptr()) } != 0 {
        return;
    }
    // SAFETY: the call succeeded, and has written all of it.
    let action = unsafe { action.assume_init() };
    if action.sa_sigaction == libc::SIG_IGN {
        IGNORES_CHILDREN.store(true, Ordering::Relaxed);
        // SAFETY: sets the disposition of one signal; no handler is involved.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    }
}

/// Passes signals that end this process on to the process that [`child_is`] names later.
///
/// A signal that the caller ignored stays ignored.
pub(super) fn forward_signals() {
    for signal in FORWARDED {
        let mut old = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: reads the disposition of one signal into memory of the right size.
        if unsafe { libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr()) } != 0 {
            continue;
        }
        // SAFETY: the call succeeded, and has written all of it.
        let mut action = unsafe { old.assume_init() };
        if action.sa_sigaction == libc::SIG_IGN {
            continue; // it stays ignored
        }
        action.sa_sigaction = forward as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        // SAFETY: the handler makes one system call that is safe in a handler, and touches atomics only.
        unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
    }
}

/// Sets the process that gets the signals, and forwards a signal that came earlier.
pub(super) fn child_is(pid: u32) {
    CHILD.store(i32::try_from(pid).unwrap_or(0), Ordering::SeqCst);
    let early = EARLY.swap(0, Ordering::SeqCst);
    if early != 0 {
        forward(early);
    }
}

/// Ends the forwarding: signals end this process again, also a signal that came since the child ended.
pub(super) fn child_is_gone() {
    CHILD.store(0, Ordering::SeqCst);
    for signal in FORWARDED {
        // SAFETY: reads and sets the disposition of one signal; no handler is involved.
        let before = unsafe { libc::signal(signal, libc::SIG_DFL) };
        if before == libc::SIG_IGN {
            // SAFETY: as above.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
    }
    let late = EARLY.swap(0, Ordering::SeqCst);
    if late != 0 {
        raise(late);
    }
}

/// Ends this process by `signal`, as the child ended; returns if the signal does not end a process.
pub(super) fn raise(signal: i32) {
    // The child has already written a core file, if the user wants one.
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads one structure that lives as long as the call.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core) };
    // SAFETY: sets the disposition of one signal; no handler is involved.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    let mut only = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: initialises the set.
    unsafe { libc::sigemptyset(only.as_mut_ptr()) };
    // SAFETY: the set is initialised.
    unsafe { libc::sigaddset(only.as_mut_ptr(), signal) };
    // SAFETY: the set is initialised and lives as long as the call.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, only.as_ptr(), std::ptr::null_mut()) };
    // SAFETY: sends a signal to this thread; its disposition is the default.
    unsafe { libc::raise(signal) };
}

extern "C" fn forward(signal: i32) {
    match CHILD.load(Ordering::SeqCst) {
        0 => EARLY.store(signal, Ordering::SeqCst),
        // SAFETY: sends a signal, and touches no memory. `CHILD` is not waited for yet, so its id is not
        // reused.
        child => drop(unsafe { libc::kill(child, signal) }),
    }
}

/// Returns the signal mask of this thread, which the caller set.
fn mask() -> libc::sigset_t {
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: initialises the set.
    unsafe { libc::sigemptyset(mask.as_mut_ptr()) };
    // SAFETY: reads the mask into memory of the right size.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), mask.as_mut_ptr()) };
    // SAFETY: it was initialised two lines ago.
    unsafe { mask.assume_init() }
}

fn is_empty(mask: &libc::sigset_t) -> bool {
    // SAFETY: the set is initialised, and the number is a signal's.
    (1..=libc::SIGSYS).all(|signal| unsafe { libc::sigismember(mask, signal) } != 1)
}
