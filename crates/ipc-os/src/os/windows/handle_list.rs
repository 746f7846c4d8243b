//! The list of the handles that a new process inherits.

use std::{io, ptr};

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::Threading::{
        DeleteProcThreadAttributeList, InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST,
        PROC_THREAD_ATTRIBUTE_HANDLE_LIST, UpdateProcThreadAttribute,
    },
};

/// A list of attributes with one attribute: the handles to inherit.
pub(super) struct HandleList<'a> {
    room: Vec<usize>,
    /// The system's list points to them.
    _handles: &'a [HANDLE],
}

impl<'a> HandleList<'a> {
    /// Lists `handles`, which are inheritable.
    pub(super) fn of(handles: &'a [HANDLE]) -> io::Result<Self> {
        let mut size = 0;
        // SAFETY: asks for the size only, which is a live local. The call fails by contract.
        unsafe { InitializeProcThreadAttributeList(ptr::null_mut(), 1, 0, &raw mut size) };
        let mut room = vec![0_usize; size.div_ceil(size_of::<usize>())];
        // SAFETY: `room` is writable for `size` bytes and aligned for pointers.
        let made =
            unsafe { InitializeProcThreadAttributeList(room.as_mut_ptr().cast(), 1, 0, &raw mut size) };
        if made == 0 {
            return Err(io::Error::last_os_error());
        }
        let list = Self { room, _handles: handles };
        // SAFETY: the list is initialised, and `handles` outlives it.
        let set = unsafe {
            UpdateProcThreadAttribute(
                list.as_ptr(),
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                handles.as_ptr().cast(),
                size_of_val(handles),
                ptr::null_mut(),
                ptr::null(),
            )
        };
        if set == 0 { Err(io::Error::last_os_error()) } else { Ok(list) }
    }

    pub(super) fn as_ptr(&self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.room.as_ptr().cast_mut().cast()
    }
}

impl Drop for HandleList<'_> {
    fn drop(&mut self) {
        // SAFETY: the list was initialised, and is not used any more.
        unsafe { DeleteProcThreadAttributeList(self.as_ptr()) };
    }
}
