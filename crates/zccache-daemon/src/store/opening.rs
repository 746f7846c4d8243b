//! Opening the store's file: created whole, moved aside when damaged, read even where nothing can be written.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase as _, StorageBackend, StorageError, TableHandle as _,
};
use zccache_ipc::endpoint::{DirPolicy, ensure_directory, move_file};

use super::OpenError;
use super::database::{StoreFile, now, unpanicked};
use super::tables::{ARTIFACTS, Tables};
use super::unwritten::Unwritten;

/// Why a file is not used as it is.
enum Unusable {
    /// Damaged, or another program's: it may be moved aside.
    Foreign(redb::Error),
    /// Nothing is known to be wrong with the file.
    Fatal(OpenError),
}

impl StoreFile {
    /// Opens or creates the file, and moves one that cannot be used aside. Keeps `cache` bytes of pages in memory.
    ///
    /// Where the file cannot be written, such as on a full disk, the entries in it are still read.
    pub(super) fn open(path: &Path, cache: usize) -> Result<Self, OpenError> {
        let why = match Self::try_open(path, cache) {
            Ok(file) => return Ok(file),
            Err(Unusable::Fatal(error)) => return Self::open_unwritable(path, error, cache),
            Err(Unusable::Foreign(why)) => why,
        };
        let aside = move_aside(path)?;
        tracing::warn!(
            path = %path.display(), aside = %aside.display(), %why,
            "the store is damaged or is something else: it is kept aside and a new one is begun"
        );
        Self::try_open(path, cache).map_err(|error| match error {
            Unusable::Fatal(error) => error,
            Unusable::Foreign(source) => OpenError::Database { path: path.to_owned(), source },
        })
    }

    fn try_open(path: &Path, cache: usize) -> Result<Self, Unusable> {
        let failed = |source| Unusable::Fatal(OpenError::Io { path: path.to_owned(), source });
        match OpenOptions::new().read(true).write(true).open(path) {
            // A daemon that was killed, or had no room, as it made the file.
            Ok(file) if file.metadata().map_err(failed)?.len() == 0 => {
                drop(file); // Windows replaces no open file
                Self::create(path, cache)
            }
            Ok(file) => Self::of(path, file, cache, FileBackend::new),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path, cache),
            Err(error) => Err(failed(error)),
        }
    }

    /// Makes a store beside its path and moves it there when it is whole.
    fn create(path: &Path, cache: usize) -> Result<Self, Unusable> {
        let failed = |source| Unusable::Fatal(OpenError::Io { path: path.to_owned(), source });
        if let Some(directory) = path.parent() {
            ensure_directory(directory, DirPolicy::Dedicated)
                .map_err(|error| Unusable::Fatal(OpenError::Directory(error)))?;
        }
        let new = beside(path, ".new");
        let begin = || {
            let made = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&new);
            made.map_err(failed).and_then(|file| Self::of(path, file, cache, FileBackend::new))
        };
        let begun = match begin() {
            // Half of a store: a daemon was killed before it moved the file, and nothing is in it.
            Err(Unusable::Foreign(_)) => fs::remove_file(&new).map_err(failed).and_then(|()| begin()),
            begun => begun,
        };
        if matches!(&begun, Err(Unusable::Fatal(error)) if !matches!(error, OpenError::Locked(_))) {
            // The error that led here is the one to report.
            let _ = fs::remove_file(&new);
        }
        let file = begun?;
        move_file(&new, path).map_err(failed)?;
        Ok(file)
    }

    /// Opens the entries that are there for reading, where they can be; otherwise returns `why`.
    pub(super) fn open_unwritable(path: &Path, why: OpenError, cache: usize) -> Result<Self, OpenError> {
        if matches!(why, OpenError::Locked(_)) {
            return Err(why);
        }
        // Also for writing, without which the system does not let it be locked.
        let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else { return Err(why) };
        let unwritten = |file| Ok(Unwritten::new(FileBackend::new(file)?).map_err(StorageError::Io)?);
        match Self::of(path, file, cache, unwritten) {
            Ok(file) => {
                tracing::error!(
                    path = %path.display(), error = crate::chain(&why),
                    "the store cannot be written: what is in it is found, and nothing is stored"
                );
                Ok(Self { unwritable: Some(Arc::new(why)), ..file })
            }
            Err(_) => Err(why),
        }
    }

    /// Begins an empty store beside `path`.
    pub(super) fn begin_copy(path: &Path, cache: usize) -> Result<Self, OpenError> {
        remove_copy(path);
        Self::copy(path, OpenOptions::new().read(true).write(true).create_new(true), cache)
    }

    /// Opens the store beside `path` that [`begin_copy`](Self::begin_copy) made.
    pub(super) fn open_copy(path: &Path, cache: usize) -> Result<Self, OpenError> {
        Self::copy(path, OpenOptions::new().read(true).write(true), cache)
    }

    fn copy(path: &Path, options: &OpenOptions, cache: usize) -> Result<Self, OpenError> {
        let copy = beside(path, COPY);
        let opened = options.open(&copy).map_err(|source| OpenError::Io { path: copy.clone(), source })?;
        Self::of(&copy, opened, cache, FileBackend::new).map_err(|error| match error {
            Unusable::Fatal(error) => error,
            Unusable::Foreign(source) => OpenError::Database { path: copy, source },
        })
    }

    /// Moves this copy to `path`, in the place of the file there.
    pub(super) fn take_place(&self, path: &Path) -> Result<(), OpenError> {
        let failed = |source| OpenError::Io { path: path.to_owned(), source };
        move_file(&beside(path, COPY), path).map_err(failed)?;
        // Without the name on disk, a power failure brings the old file back. Windows cannot open a directory so.
        let _ =
            path.parent().map(|directory| File::open(directory).and_then(|directory| directory.sync_all()));
        Ok(())
    }

    fn of<B: StorageBackend>(
        path: &Path,
        file: File,
        cache: usize,
        backend: impl FnOnce(File) -> Result<B, DatabaseError>,
    ) -> Result<Self, Unusable> {
        let of_file = |source| Unusable::Fatal(OpenError::Io { path: path.to_owned(), source });
        let kept = file.try_clone().map_err(of_file)?;
        // A damaged file can also fail the database's own assertions.
        let open = || Builder::new().set_cache_size(cache).create_with_backend(backend(file)?);
        let database: Database = match unpanicked(open) {
            Ok(Ok(database)) => database,
            Ok(Err(error)) => return Err(Unusable::of(path, error.into())),
            Err(error) => return Err(Unusable::Foreign(error)),
        };
        let file = Self { database, file: kept, unwritable: None };
        match unpanicked(|| file.prepare()) {
            Ok(Ok(())) => Ok(file),
            Ok(Err(error)) => Err(Unusable::of(path, error)),
            Err(error) => Err(Unusable::Foreign(error)),
        }
    }

    /// Creates missing tables. A store that has them is not written, because the disk may be full.
    fn prepare(&self) -> Result<(), redb::Error> {
        let reading = self.database.begin_read()?;
        let names: Vec<_> = reading.list_tables()?.map(|table| table.name().to_owned()).collect();
        let is_new = names.is_empty() && reading.list_multimap_tables()?.next().is_none();
        drop(reading);
        if names.iter().any(|name| name == ARTIFACTS.name()) {
            return Ok(());
        }
        if !is_new {
            return Err(redb::Error::Corrupted("its tables are not those of a store".to_owned()));
        }
        let transaction = self.begin()?;
        Tables::open(&transaction, now())?.finish()?;
        transaction.commit()?;
        Ok(())
    }
}

impl Unusable {
    fn of(path: &Path, error: redb::Error) -> Self {
        let path = path.to_owned();
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                Self::Fatal(OpenError::Locked(path))
            }
            redb::Error::Io(source)
                if !matches!(source.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                Self::Fatal(OpenError::Io { path, source })
            }
            error => Self::Foreign(error),
        }
    }
}

/// Renames the file at `path` to `<path>.corrupt-1`, in the place of an older one: as large as a store may be,
/// two of them would be one too many.
pub(super) fn move_aside(path: &Path) -> Result<PathBuf, OpenError> {
    let aside = beside(path, ".corrupt-1");
    move_file(path, &aside).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    Ok(aside)
}

/// Removes a store that was moved aside and returns its length.
pub(super) fn remove_aside(path: &Path) -> u64 {
    let aside = beside(path, ".corrupt-1");
    let len = aside.symlink_metadata().map_or(0, |metadata| metadata.len());
    // Most stores were never damaged; one that stays is removed by the next clear.
    if fs::remove_file(aside).is_ok() { len } else { 0 }
}

/// Removes the copy of a store that did not take its place.
pub(super) fn remove_copy(path: &Path) {
    // One that stays is in the way of the next copy, which then reports it.
    let _ = fs::remove_file(beside(path, COPY));
}

/// Ending of the name of a copy that is being made.
const COPY: &str = ".copy";

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
