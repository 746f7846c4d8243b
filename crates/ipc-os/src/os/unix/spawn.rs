//! Starts a program without this process's inheritable descriptors.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// A started program. Dropping this value does not end the program.
pub(crate) type Spawned = Child;

/// Starts `command` while every descriptor above the standard streams is close-on-exec.
///
/// Its input and output are null, and `messages` is its standard error.
///
/// The outer error is about the descriptors, the inner one about the start. Descriptors that this process
/// should pass on (for instance from a make job server) become inheritable again afterwards.
pub(crate) fn spawn_uninherited(
    command: &mut Command,
    messages: Option<File>,
) -> io::Result<io::Result<Spawned>> {
    let messages = messages.map_or_else(Stdio::null, Stdio::from);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(messages);
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = KeptBack::all()?;
    let child = command.spawn();
    drop(kept);
    Ok(child)
}

/// Descriptors that are temporarily close-on-exec.
struct KeptBack {
    /// The directory that lists this process's descriptors.
    listing: &'static Path,
    /// Each descriptor, and the identity of its file.
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
                // The descriptor was closed meanwhile; the listing's own descriptor is one of these.
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
            // Another thread may have closed it and opened another file with the same number.
            if id.is_some()
                && self.file_id(*number) == *id
                && let Ok(flags) = flags(*number)
            {
                // The call succeeded a moment ago and the descriptor is open; nothing could be done about an
                // error.
                let _ = set_flags(*number, flags & !libc::FD_CLOEXEC);
            }
        }
    }
}

/// Makes every descriptor above the standard streams close-on-exec permanently.
pub(super) fn mark_inherited() -> io::Result<()> {
    let mut kept = KeptBack::all()?;
    kept.descriptors.clear();
    Ok(())
}

fn flags(descriptor: i32) -> io::Result<i32> {
    // SAFETY: reads the flags of a descriptor and no memory; a closed one is an error.
    checked(unsafe { libc::fcntl(descriptor, libc::F_GETFD) })
}

fn set_flags(descriptor: i32, flags: i32) -> io::Result<()> {
    // SAFETY: sets the flags of a descriptor and touches no memory; reads and writes through the descriptor
    // are not affected.
    checked(unsafe { libc::fcntl(descriptor, libc::F_SETFD, flags) }).map(drop)
}

fn checked(result: i32) -> io::Result<i32> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
