//! The blocking connection: a pipe on the calling thread.
//!
//! The pipe is opened for overlapped operations, because only those can be cancelled after a timeout.

use std::{
    fs::File,
    io::{self, Read, Write},
    mem::MaybeUninit,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle, RawHandle},
    ptr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{
        ERROR_BROKEN_PIPE, ERROR_IO_PENDING, ERROR_OPERATION_ABORTED, HANDLE, WAIT_OBJECT_0, WAIT_TIMEOUT,
    },
    Storage::FileSystem::{ReadFile, WriteFile},
    System::{
        IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED},
        Threading::{CreateEventW, INFINITE, WaitForSingleObject},
    },
};

use super::dial::{dial, raw};
use crate::Endpoint;

/// A connected pipe, and the event that its operations signal.
#[derive(Debug)]
pub(crate) struct BlockingIo {
    pipe: File,
    done: OwnedHandle,
    read_limit: Limit,
    write_limit: Limit,
}

/// Tries to connect once and never waits. The connection blocks.
pub(crate) fn dial_blocking(endpoint: &Endpoint) -> io::Result<BlockingIo> {
    let pipe = dial(endpoint)?;
    // SAFETY: takes no memory; the result is checked before it is used.
    let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
    if event.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the event is open and has no other owner.
    let done = unsafe { OwnedHandle::from_raw_handle(event) };
    Ok(BlockingIo { pipe, done, read_limit: Limit::default(), write_limit: Limit::default() })
}

impl BlockingIo {
    pub(crate) fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.read_limit.set(limit);
        Ok(())
    }

    pub(crate) fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.write_limit.set(limit);
        Ok(())
    }

    /// Reads once into `room`, which has `len` bytes; returns 0 at the end of the stream.
    ///
    /// # Safety
    ///
    /// `room` must be writable for `len` bytes.
    unsafe fn read_to(&mut self, room: *mut u8, len: usize) -> io::Result<usize> {
        if len == 0 {
            return Ok(0); // the system would wait for bytes nevertheless
        }
        let read = self.run(self.read_limit.millis(), |pipe, overlapped| {
            // SAFETY: the caller guarantees that `room` is writable for `len` bytes; `run` keeps `overlapped` alive
            // until the operation has ended.
            unsafe { ReadFile(pipe, room, at_most(len), ptr::null_mut(), overlapped) }
        });
        match read {
            Err(error) if raw(&error) == Some(ERROR_BROKEN_PIPE) => Ok(0),
            read => read,
        }
    }

    /// Starts an operation, and waits for its end or cancels it after `limit` milliseconds.
    fn run(&self, limit: u32, start: impl FnOnce(HANDLE, *mut OVERLAPPED) -> i32) -> io::Result<usize> {
        let pipe = self.pipe.as_raw_handle();
        let mut overlapped = OVERLAPPED { hEvent: self.done.as_raw_handle(), ..OVERLAPPED::default() };
        if start(pipe, &raw mut overlapped) == 0 {
            let error = io::Error::last_os_error();
            if raw(&error) != Some(ERROR_IO_PENDING) {
                return Err(error);
            }
            // SAFETY: the event is open as long as `self` lives.
            match unsafe { WaitForSingleObject(self.done.as_raw_handle(), limit) } {
                WAIT_OBJECT_0 => {}
                // SAFETY: the operation was started with this structure; if it has ended, the call is an error.
                _ => drop(unsafe { CancelIoEx(pipe, &raw const overlapped) }),
            }
        }
        let mut moved = 0;
        // SAFETY: waits until the operation has ended, so that neither the structure nor the caller's buffer is
        // used after this call.
        if unsafe { GetOverlappedResult(pipe, &raw const overlapped, &raw mut moved, 1) } == 0 {
            let error = io::Error::last_os_error();
            return match raw(&error) {
                Some(ERROR_OPERATION_ABORTED | WAIT_TIMEOUT) => Err(io::ErrorKind::TimedOut.into()),
                _ => Err(error),
            };
        }
        Ok(moved as usize)
    }
}

impl AsRawHandle for BlockingIo {
    fn as_raw_handle(&self) -> RawHandle {
        self.pipe.as_raw_handle()
    }
}

impl Read for BlockingIo {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the slice is writable for its length.
        unsafe { self.read_to(buf.as_mut_ptr(), buf.len()) }
    }
}

impl Write for BlockingIo {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.run(self.write_limit.millis(), |pipe, overlapped| {
            // SAFETY: the slice is readable for its length; `run` keeps `overlapped` alive until the operation has
            // ended.
            unsafe { WriteFile(pipe, buf.as_ptr(), at_most(buf.len()), ptr::null_mut(), overlapped) }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads once into `room`, and passes the received bytes to `taken`.
pub(crate) fn read_through(
    io: &mut BlockingIo,
    room: &mut [MaybeUninit<u8>],
    taken: impl FnOnce(&[u8]),
) -> io::Result<usize> {
    // SAFETY: the slice is writable for its length.
    let read = unsafe { io.read_to(room.as_mut_ptr().cast(), room.len()) }?;
    // SAFETY: the system has written that many bytes to the start of `room`.
    taken(unsafe { std::slice::from_raw_parts(room.as_ptr().cast(), read) });
    Ok(read)
}

/// Reads once into the spare capacity of `buffer`.
pub(crate) fn read_into(io: &mut BlockingIo, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let room = buffer.spare_capacity_mut();
    // SAFETY: the spare room is writable for its length.
    let read = unsafe { io.read_to(room.as_mut_ptr().cast(), room.len()) }?;
    // SAFETY: the system has written that many bytes right behind the contents.
    unsafe { buffer.set_len(buffer.len() + read) };
    Ok(read)
}

/// Sets the timeout of the next read, because this system cannot wait for a pipe without reading.
pub(crate) fn wait_readable(io: &mut BlockingIo, limit: Duration) -> io::Result<()> {
    io.set_read_timeout(Some(limit))
}

/// Returns `WouldBlock`: this system cannot write to a pipe without waiting.
pub(crate) fn write_now(_: &mut BlockingIo, _: &[u8]) -> io::Result<usize> {
    Err(io::ErrorKind::WouldBlock.into())
}

/// Returns `len` or the largest 32-bit number, because the system counts bytes in 32 bits.
fn at_most(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Timeout of one operation in nanoseconds; 0 means never.
#[derive(Debug, Default)]
struct Limit(AtomicU64);

impl Limit {
    fn set(&self, limit: Option<Duration>) {
        let nanos = limit.map_or(0, |limit| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
        self.0.store(nanos, Ordering::Relaxed);
    }

    /// Returns the timeout in the system's unit, rounded up.
    fn millis(&self) -> u32 {
        match self.0.load(Ordering::Relaxed) {
            0 => INFINITE,
            nanos => u32::try_from(nanos.div_ceil(1_000_000)).unwrap_or(INFINITE).min(INFINITE - 1),
        }
    }
}
