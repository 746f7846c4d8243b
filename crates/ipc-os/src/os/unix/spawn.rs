//! Starting a program without the descriptors that this process was given to pass on.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Child, Command},
    sync::{Mutex, PoisonError},
};

/// Starts `command` while every descriptor above the standard streams is close-on-exec.
///
/// The outer error is about the descriptors, the inner one about the start. Descriptors that this process
/// should pass on to others (a make job server's) pass on again afterwards.
pub(crate) fn spawn_uninherited(command: &mut Command) -> io::Result<io::Result<Child>> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = KeptBack::all()?;
    let child = command.spawn();
    drop(kept);
    Ok(child)
}

/// Descriptors that were made close-on-exec for a moment.
struct KeptBack {
    /// The directory that lists this process's descriptors.
    listing: &'static Path,
    /// Each descriptor, and which file it was.
    descriptors: Vec<(i32, Option<FileId>)>,
}

type FileId = (u64, u64);

impl KeptBack {
    fn all() -> io::Result<Self> {
        let proc = Path::new("/proc/self/fd");
        let listing = if proc.is_dir() { proc } else { Path::new("/dev/fd") };
        let numbers =
            fs::read_dir(listing)?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let numbers: Vec<i32> = numbers.filter(|number| *number > 2).collect();

        let mut kept = Self { listing, descriptors: Vec::new() };
        for number in numbers {
            match flags(number) {
                Ok(flags) if flags & libc::FD_CLOEXEC == 0 => {
                    set_flags(number, flags | libc::FD_CLOEXEC)?;
                    kept.descriptors.push((number, kept.file_id(number)));
                }
                // Closed since it was listed, as the descriptor of the listing itself is.
                _ => {}
            }
        }
        Ok(kept)
    }

    fn file_id(&self, number: i32) -> Option<FileId> {
        let metadata = fs::metadata(self.listing.join(number.to_string())).ok()?;
        Some((metadata.dev(), metadata.ino()))
    }
}

impl Drop for KeptBack {
    fn drop(&mut self) {
        for (number, id) in &self.descriptors {
            // Another thread may have closed it and opened another file by that number.
            if id.is_some()
                && self.file_id(*number) == *id
                && let Ok(flags) = flags(*number)
            {
                // It was set a moment ago and is open; there is nothing that could be done about an error.
                let _ = set_flags(*number, flags & !libc::FD_CLOEXEC);
            }
        }
    }
}

/// Makes every descriptor above the standard streams close-on-exec, for good.
pub(super) fn mark_inherited() -> io::Result<()> {
    let mut kept = KeptBack::all()?;
    kept.descriptors.clear();
    Ok(())
}

fn flags(descriptor: i32) -> io::Result<i32> {
    // SAFETY: reads the flags of a descriptor and no memory; one that is closed is an error.
    checked(unsafe { libc::fcntl(descriptor, libc::F_GETFD) })
}

fn set_flags(descriptor: i32, flags: i32) -> io::Result<()> {
    // SAFETY: sets the flags of a descriptor and touches no memory; what is read or written through the
    // descriptor, by whoever owns it, stays the same.
    checked(unsafe { libc::fcntl(descriptor, libc::F_SETFD, flags) }).map(drop)
}

fn checked(result: i32) -> io::Result<i32> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
