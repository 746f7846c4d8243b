//! The kernel's description of a file.
//!
//! `fakeroot` replaces functions of the C library and reports root as the owner of every file. The user of
//! this process comes from the kernel (`our_uid`, and the peer of a socket), so the owner of a file must come
//! from the kernel too.

use std::{io, os::fd::AsFd, path::Path};

use rustix::fs::{FileType, Stat, fstat, lstat};

use super::{our_uid, system::mode_bits};
use crate::FileKind;

/// A file's type, owner, mode, link count and identity.
pub(crate) struct Seen(Stat);

impl Seen {
    /// Reads the state of `path`; does not follow a link.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self(lstat(path)?))
    }

    /// Reads the state of an open file.
    pub(super) fn of(file: impl AsFd) -> io::Result<Self> {
        Ok(Self(fstat(file)?))
    }

    /// Returns the type.
    pub(crate) fn kind(&self) -> FileKind {
        match FileType::from_raw_mode(self.0.st_mode) {
            FileType::RegularFile => FileKind::File,
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::Symlink,
            FileType::Fifo => FileKind::Fifo,
            FileType::Socket => FileKind::Socket,
            FileType::CharacterDevice | FileType::BlockDevice => FileKind::Device,
            _ => FileKind::Other,
        }
    }

    /// Returns the owner's user id.
    pub(crate) const fn uid(&self) -> u32 {
        self.0.st_uid
    }

    /// Returns our user id if the owner is another user.
    pub(crate) fn foreign_to(&self) -> Option<u32> {
        our_uid().filter(|ours| *ours != self.uid())
    }

    /// Returns the permission bits.
    pub(crate) fn mode(&self) -> u32 {
        mode_bits(self.0.st_mode) & 0o7777
    }

    /// Returns true if the file has more than one name.
    pub(super) const fn is_linked_elsewhere(&self) -> bool {
        self.0.st_nlink > 1
    }

    /// Returns the length in bytes.
    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.0.st_size).unwrap_or(0)
    }

    /// Returns true if both are the same file.
    pub(super) const fn is_same_file(&self, other: &Self) -> bool {
        self.0.st_dev == other.0.st_dev && self.0.st_ino == other.0.st_ino
    }
}
