//! Opening a pipe, and the codes of errors.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::fs::OpenOptionsExt,
};

use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, SECURITY_IDENTIFICATION};

use crate::Endpoint;

/// One attempt to connect, which never waits; the handle is for overlapped reads and writes.
pub(super) fn dial(endpoint: &Endpoint) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(FILE_FLAG_OVERLAPPED)
        // The standard library adds SECURITY_SQOS_PRESENT. The server may identify us and not act as us.
        .security_qos_flags(SECURITY_IDENTIFICATION)
        .open(endpoint.as_str())
}

/// Returns the system's error code.
pub(super) fn raw(error: &io::Error) -> Option<u32> {
    error.raw_os_error().and_then(|code| u32::try_from(code).ok())
}
