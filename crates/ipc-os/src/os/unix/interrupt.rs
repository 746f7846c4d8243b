//! A handler that writes a line end before its signal ends the process.

use std::io;
use std::mem::zeroed;
use std::ptr::null_mut;

/// See [`crate::end_line_at_interrupt`].
pub(crate) fn end_line_at_interrupt() -> io::Result<()> {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: a `sigaction` of zeros is a valid value: the default action with an empty mask.
        let mut before: libc::sigaction = unsafe { zeroed() };
        // SAFETY: a null action changes nothing, and `before` is a live local of the type that is written.
        let result = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut before) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        if before.sa_sigaction != libc::SIG_DFL {
            continue;
        }
        let mut action = before;
        action.sa_sigaction = end_line as extern "C" fn(libc::c_int) as usize;
        // The second signal of the kind has its default action again.
        action.sa_flags = libc::SA_RESETHAND;
        // SAFETY: `action` is a live local whose handler calls async-signal-safe functions only.
        let result = unsafe { libc::sigaction(signal, &raw const action, null_mut()) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

extern "C" fn end_line(signal: libc::c_int) {
    // SAFETY: `write` is async-signal-safe, and the buffer is a constant of one byte.
    unsafe { libc::write(libc::STDERR_FILENO, c"\n".as_ptr().cast(), 1) };
    // SAFETY: `raise` is async-signal-safe. The signal is blocked here and ends the process after the handler.
    unsafe { libc::raise(signal) };
}
