//! Starting a program without the handles that this process was given to pass on.

use std::{
    io,
    os::windows::process::CommandExt,
    process::{Child, Command},
    sync::{Mutex, PoisonError},
};

use windows_sys::Win32::{
    Foundation::{GetHandleInformation, HANDLE, HANDLE_FLAG_INHERIT, SetHandleInformation},
    System::{
        Console::{GetStdHandle, STD_ERROR_HANDLE, STD_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE},
        Threading::{CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW},
    },
};

/// Starts `command` without a console of ours, while our standard handles are not inheritable.
///
/// The outer error is about the handles, the inner one about the start. Those three are the ones that a
/// program is given to pass on; every handle that Rust opens is not inheritable from the start.
pub(crate) fn spawn_uninherited(command: &mut Command) -> io::Result<io::Result<Child>> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut kept = Vec::new();
    for which in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        kept.extend(KeptBack::one(which)?);
    }
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
    Ok(command.spawn())
}

/// A standard handle that is not inheritable for a moment.
struct KeptBack(HANDLE);

impl KeptBack {
    fn one(which: STD_HANDLE) -> io::Result<Option<Self>> {
        // SAFETY: takes a number only, and what it returns is not used before it is asked about.
        let handle = unsafe { GetStdHandle(which) };
        let mut flags = 0;
        // SAFETY: `flags` is a live local; a handle that is none is an error.
        let known = unsafe { GetHandleInformation(handle, &raw mut flags) } != 0;
        if !known || flags & HANDLE_FLAG_INHERIT == 0 {
            return Ok(None);
        }
        // SAFETY: changes a flag of a handle that was open a line ago, and touches no memory.
        match unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(Some(Self(handle))),
        }
    }
}

impl Drop for KeptBack {
    fn drop(&mut self) {
        // SAFETY: restores the flag of a standard handle, which this process keeps open, and touches no
        // memory. There is nothing that could be done about an error.
        let _ = unsafe { SetHandleInformation(self.0, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) };
    }
}
