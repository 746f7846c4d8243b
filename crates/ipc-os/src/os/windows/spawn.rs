//! Starts a program that inherits only its standard streams from this process.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::{
        io::{AsRawHandle, FromRawHandle, OwnedHandle},
        process::ExitStatusExt,
    },
    process::{Command, ExitStatus},
    ptr,
};

use windows_sys::Win32::{
    Foundation::{ERROR_ACCESS_DENIED, HANDLE, HANDLE_FLAG_INHERIT, SetHandleInformation, WAIT_OBJECT_0},
    System::Threading::{
        CREATE_BREAKAWAY_FROM_JOB, CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, CREATE_UNICODE_ENVIRONMENT,
        CreateProcessW, EXTENDED_STARTUPINFO_PRESENT, GetExitCodeProcess, INFINITE, PROCESS_CREATION_FLAGS,
        PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW, TerminateProcess, WaitForSingleObject,
    },
};

use super::{
    command_line::{command_line, environment},
    dial::raw,
    handle_list::HandleList,
    wide::wide,
};

/// Starts `command` without a console, with null input and output and with `messages` as its standard error.
///
/// The outer error is about the handles, the inner one about the start. If the starter's job allows it, the program
/// leaves that job and does not end with it.
pub(crate) fn spawn_uninherited(
    command: &mut Command,
    messages: Option<File>,
) -> io::Result<io::Result<Spawned>> {
    let nul = OpenOptions::new().read(true).write(true).open("NUL")?;
    let messages = messages.map_or_else(|| nul.try_clone(), Ok)?;
    let (nul, messages) = (OwnedHandle::from(nul), OwnedHandle::from(messages));
    for handle in [&nul, &messages] {
        inheritable(handle)?;
    }
    let streams = [nul.as_raw_handle(), messages.as_raw_handle()];
    let list = HandleList::of(&streams)?;
    let flags = CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW | CREATE_BREAKAWAY_FROM_JOB;
    let started = match start(command, streams, &list, flags) {
        // The system's error if the job lets no process leave.
        Err(error) if raw(&error) == Some(ERROR_ACCESS_DENIED) => {
            start(command, streams, &list, flags & !CREATE_BREAKAWAY_FROM_JOB)
        }
        started => started,
    };
    Ok(started)
}

fn start(
    command: &Command,
    [nul, messages]: [HANDLE; 2],
    list: &HandleList,
    flags: PROCESS_CREATION_FLAGS,
) -> io::Result<Spawned> {
    let program = wide(command.get_program())?;
    let mut line = command_line(command)?;
    let variables = environment(command)?;
    let directory = command.get_current_dir().map(wide).transpose()?;
    let mut startup = STARTUPINFOEXW::default();
    startup.StartupInfo.cb = u32::try_from(size_of_val(&startup)).expect("it is small");
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdInput = nul;
    startup.StartupInfo.hStdOutput = nul;
    startup.StartupInfo.hStdError = messages;
    startup.lpAttributeList = list.as_ptr();
    let mut made = PROCESS_INFORMATION::default();
    // SAFETY: each text ends with a zero and lives as long as the call, as do the structures and the list that they
    // point to; the command line is writable.
    let started = unsafe {
        CreateProcessW(
            program.as_ptr(),
            line.as_mut_ptr(),
            ptr::null(),
            ptr::null(),
            1,
            flags | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT,
            variables.as_ptr().cast(),
            directory.as_ref().map_or(ptr::null(), |directory| directory.as_ptr()),
            (&raw const startup).cast(),
            &raw mut made,
        )
    };
    if started == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, and nothing else closes the handle of the thread.
    drop(unsafe { OwnedHandle::from_raw_handle(made.hThread) });
    // SAFETY: as above, for the process.
    let process = unsafe { OwnedHandle::from_raw_handle(made.hProcess) };
    Ok(Spawned { process, id: made.dwProcessId })
}

fn inheritable(handle: &OwnedHandle) -> io::Result<()> {
    // SAFETY: changes a flag of an open handle, and touches no memory.
    match unsafe { SetHandleInformation(handle.as_raw_handle(), HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// A started program. Dropping this value does not end the program.
#[derive(Debug)]
pub(crate) struct Spawned {
    process: OwnedHandle,
    id: u32,
}

impl Spawned {
    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.wait_for(0)
    }

    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.wait_for(INFINITE)?.ok_or_else(|| io::ErrorKind::TimedOut.into())
    }

    pub(crate) fn kill(&mut self) -> io::Result<()> {
        if self.try_wait()?.is_some() {
            return Ok(());
        }
        // SAFETY: the handle is open and came with the right to end the process; no memory is touched.
        match unsafe { TerminateProcess(self.process.as_raw_handle(), 1) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    fn wait_for(&self, millis: u32) -> io::Result<Option<ExitStatus>> {
        let process = self.process.as_raw_handle();
        // SAFETY: the handle is open; no memory is touched.
        if unsafe { WaitForSingleObject(process, millis) } != WAIT_OBJECT_0 {
            return Ok(None);
        }
        let mut code = 0;
        // SAFETY: the handle is open, and the result is a live local.
        match unsafe { GetExitCodeProcess(process, &raw mut code) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(Some(ExitStatus::from_raw(code))),
        }
    }
}
