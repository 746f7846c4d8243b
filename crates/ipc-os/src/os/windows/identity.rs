//! Users as security identifiers, and access lists that name one of them.

use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    ptr,
    sync::OnceLock,
};

use windows_sys::{
    Win32::{
        Foundation::{HANDLE, LocalFree},
        Security::{
            Authorization::{
                ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW,
                GetSecurityInfo, SDDL_REVISION_1, SE_KERNEL_OBJECT,
            },
            GetTokenInformation, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES,
            TOKEN_QUERY, TOKEN_USER, TokenUser,
        },
        System::Threading::{
            GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
        },
    },
    core::PWSTR,
};

use super::wide::wide;

/// Returns the security identifier of the user that this process runs as.
pub(crate) fn our_sid() -> io::Result<&'static str> {
    static OURS: OnceLock<String> = OnceLock::new();
    if let Some(ours) = OURS.get() {
        return Ok(ours);
    }
    // SAFETY: returns a constant that represents this process.
    let ours = user_of(unsafe { GetCurrentProcess() })?;
    Ok(OURS.get_or_init(|| ours))
}

/// Returns the security identifier of the user that the process `pid` runs as.
pub(super) fn sid_of_process(pid: u32) -> io::Result<String> {
    // SAFETY: takes numbers, and the result is checked before it is used.
    let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open and has no other owner.
    let process = unsafe { OwnedHandle::from_raw_handle(handle) };
    user_of(process.as_raw_handle())
}

/// Returns the security identifier of the owner of the kernel object `handle`.
pub(super) fn owner_of(handle: HANDLE) -> io::Result<String> {
    let mut owner: PSID = ptr::null_mut();
    let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
    // SAFETY: both results are live locals; the handle is the caller's and open.
    let code = unsafe {
        GetSecurityInfo(
            handle,
            SE_KERNEL_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut owner,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut descriptor,
        )
    };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    let descriptor = Local(descriptor);
    let text = text_of(owner);
    drop(descriptor);
    text
}

fn user_of(process: HANDLE) -> io::Result<String> {
    let mut token = ptr::null_mut();
    // SAFETY: the result is a live local, which is used only if the call succeeded.
    if unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, and nothing else closes the token.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    // Room for the structure and the longest identifier, aligned for the pointer in the structure.
    let mut room = [0_u64; 32];
    let mut used = 0;
    let size = u32::try_from(size_of_val(&room)).expect("256 fits");
    // SAFETY: `room` is writable for `size` bytes.
    let read = unsafe {
        GetTokenInformation(token.as_raw_handle(), TokenUser, room.as_mut_ptr().cast(), size, &raw mut used)
    };
    if read == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call wrote this structure to the start of `room`, which is aligned for it.
    let user = unsafe { &*room.as_ptr().cast::<TOKEN_USER>() };
    text_of(user.User.Sid)
}

fn text_of(sid: PSID) -> io::Result<String> {
    let mut text: PWSTR = ptr::null_mut();
    // SAFETY: the identifier comes from the system; the result is a live local.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let owned = Local(text.cast());
    let mut length = 0;
    // SAFETY: the system ended the text with a zero, at which the loop stops.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: `length` units before the zero are initialised.
    let units = unsafe { std::slice::from_raw_parts(text, length) };
    let text = String::from_utf16_lossy(units);
    drop(owned);
    Ok(text)
}

/// Memory that the system allocated for the caller.
struct Local(*mut std::ffi::c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: the system allocated it with `LocalAlloc`, and this is its only owner.
        unsafe { LocalFree(self.0) };
    }
}

/// Access list for new objects: everything for this user, who owns them; nothing for other users.
pub(super) struct OwnerOnly {
    descriptor: Local,
}

impl OwnerOnly {
    /// Names the user's own identifier: the default owner of an elevated process is a group.
    pub(super) fn new() -> io::Result<Self> {
        let ours = our_sid()?;
        let text = wide(format!("O:{ours}D:P(A;;GA;;;{ours})"))?;
        let mut descriptor = ptr::null_mut();
        // SAFETY: the text ends with a zero, and the result is a live local.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                ptr::null_mut(),
            )
        };
        if made == 0 { Err(io::Error::last_os_error()) } else { Ok(Self { descriptor: Local(descriptor) }) }
    }

    /// Returns attributes that point into this value, for a handle that no child inherits.
    pub(super) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).expect("it is small"),
            lpSecurityDescriptor: self.descriptor.0,
            bInheritHandle: 0,
        }
    }
}
