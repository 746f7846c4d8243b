//! Jobs: groups of processes that the system ends together.

use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    ptr,
};

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::JobObjects::{
        AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
        JobObjectExtendedLimitInformation, SetInformationJobObject, TerminateJobObject,
    },
};

/// A job without a name. No child inherits its handle.
#[derive(Debug)]
pub(super) struct Job(OwnedHandle);

impl Job {
    /// Makes an empty job with `limits`.
    pub(super) fn new(limits: JOB_OBJECT_LIMIT) -> io::Result<Self> {
        // SAFETY: takes no memory; the result is checked before it is used.
        let handle = unsafe { CreateJobObjectW(ptr::null(), ptr::null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is open and has no other owner.
        let job = Self(unsafe { OwnedHandle::from_raw_handle(handle) });
        job.limit(limits)?;
        Ok(job)
    }

    /// Replaces the limits.
    pub(super) fn limit(&self, limits: JOB_OBJECT_LIMIT) -> io::Result<()> {
        let mut information = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        information.BasicLimitInformation.LimitFlags = limits;
        let size = u32::try_from(size_of_val(&information)).expect("it is small");
        // SAFETY: the structure is the one of this class, and lives as long as the call.
        let set = unsafe {
            SetInformationJobObject(
                self.0.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const information).cast(),
                size,
            )
        };
        done(set)
    }

    /// Adds a process; the processes that it starts from now on are in the job too.
    pub(super) fn add(&self, process: HANDLE) -> io::Result<()> {
        // SAFETY: both handles are open; no memory is touched.
        done(unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), process) })
    }

    /// Kills every process of the job.
    pub(super) fn end(&self) -> io::Result<()> {
        // SAFETY: the handle is open; no memory is touched.
        done(unsafe { TerminateJobObject(self.0.as_raw_handle(), 1) })
    }
}

fn done(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
