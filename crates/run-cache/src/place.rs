//! The files that a run makes: looked at before it, read after it, and put in their places again.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ipc_os::{Durability, FileMode, InodeStamp, has_other_names, has_own_owner, largest_file, replace_file};

/// The purpose of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The object, or the precompiled header of clang.
    Object,
    /// The list of headers for make.
    Depfile,
    /// `.gcno`.
    Notes,
    /// `.dwo`.
    SplitDebug,
    /// `.su`.
    StackUsage,
    /// The precompiled header of gcc.
    Precompiled,
}

impl Role {
    const ALL: &'static [Self] =
        &[Self::Object, Self::Depfile, Self::Notes, Self::SplitDebug, Self::StackUsage, Self::Precompiled];

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Object => 0,
            Self::Depfile => 1,
            Self::Notes => 2,
            Self::SplitDebug => 3,
            Self::StackUsage => 4,
            Self::Precompiled => 5,
        }
    }

    pub(crate) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.number() == number)
    }
}

/// One output and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) role: Role,
    pub(crate) path: PathBuf,
}

/// The state of an output's place before the output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    Nothing,
    /// A plain file.
    File {
        device: u64,
        inode: u64,
        len: u64,
        modified_ns: i64,
        changed_ns: i64,
    },
}

impl Output {
    /// Looks at the place; `None` if something is there that a compiler would write to and not replace.
    pub(crate) fn before(&self) -> Option<Before> {
        match fs::metadata(&self.path) {
            Ok(metadata) if !metadata.is_file() => None,
            Ok(metadata) => Some(before(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A link to nothing: what it leads to would be made.
                fs::symlink_metadata(&self.path).is_err().then_some(Before::Nothing)
            }
            Err(_) => None,
        }
    }

    /// Reads what the compiler made; `None` if it made nothing.
    ///
    /// What is as it was before the run may be left over from another one.
    pub(crate) fn read(&self, before_run: Before) -> Option<Bytes> {
        let metadata = fs::metadata(&self.path).ok().filter(Metadata::is_file)?;
        if before_run == before(&metadata) {
            return None;
        }
        fs::read(&self.path).ok().map(Bytes::from)
    }

    /// Puts `contents` where a compiler would have written them.
    ///
    /// An object is a new file: the assembler removes the old one first, whatever it is; the tool that splits debug
    /// information off does the same. Other files are written over by compilers, and keep their mode, their owner and
    /// their other names.
    pub(crate) fn place(&self, contents: &[u8]) -> io::Result<()> {
        let there = match fs::symlink_metadata(&self.path) {
            Ok(there) => Some(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let is_new_file = matches!(self.role, Role::Object | Role::SplitDebug);
        match there {
            Some(there)
                if !is_new_file
                    && (!there.is_file() || has_other_names(&there) || !has_own_owner(&there)) =>
            {
                OpenOptions::new().write(true).truncate(true).open(&self.path)?.write_all(contents)
            }
            Some(there) if !is_new_file => {
                // What the compiler could not open for writing it would not write.
                drop(OpenOptions::new().write(true).open(&self.path)?);
                replace(&self.path, contents, Some(&there))
            }
            _ => replace(&self.path, contents, None),
        }
    }
}

/// Returns true if the compiler could not make `len` bytes of outputs under the caller's limit of file sizes.
///
/// The limit holds for the files between a source and its object too, which are larger.
pub(crate) fn is_too_large(len: u64) -> bool {
    const BETWEEN: u64 = 32;
    largest_file().is_some_and(|limit| len.saturating_mul(BETWEEN) > limit)
}

fn before(metadata: &Metadata) -> Before {
    // On a system without stamps, a file that was written has another time or length.
    let InodeStamp { device, inode, len, modified_ns, changed_ns } = InodeStamp::or_times(metadata);
    Before::File { device, inode, len, modified_ns, changed_ns }
}

/// Replaces the file at `path` in one step, with the mode of a new file or the mode of `like`.
fn replace(path: &Path, mut contents: &[u8], like: Option<&Metadata>) -> io::Result<()> {
    let mode = like.map_or(FileMode::New, |like| FileMode::Like(like.permissions()));
    replace_file(path, &mut contents, &mode, Durability::Unflushed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(role: Role, path: PathBuf) -> Output {
        Output { role, path }
    }

    #[test]
    fn an_untouched_earlier_file_is_no_output() {
        let dir = tempfile::TempDir::new().unwrap();
        let object = output(Role::Object, dir.path().join("a.o"));
        let before = object.before().unwrap();
        assert_eq!((before, object.read(before)), (Before::Nothing, None));
        fs::write(&object.path, "old").unwrap();
        assert_eq!(object.read(before).as_deref(), Some(&b"old"[..]));
        let before = object.before().unwrap();
        assert_eq!(object.read(before), None);
    }

    #[test]
    fn a_place_that_is_no_plain_file_is_left_to_the_compiler() {
        let dir = tempfile::TempDir::new().unwrap();
        assert_eq!(output(Role::Object, dir.path().to_owned()).before(), None);
        assert_eq!(output(Role::Object, "/dev/null".into()).before(), None);
        let missing = output(Role::Object, dir.path().join("missing/a.o"));
        assert_eq!(missing.place(b"x").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    #[cfg(unix)]
    fn files_end_as_the_compilers_leave_them() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
        let dir = tempfile::TempDir::new().unwrap();
        let at = |name: &str| dir.path().join(name);
        let mode = |name: &str| fs::symlink_metadata(at(name)).unwrap().mode() & 0o777;

        // An object takes the place of a link, a file that may not be written, and one of two names.
        fs::write(at("target"), "t").unwrap();
        symlink("target", at("link.o")).unwrap();
        output(Role::Object, at("link.o")).place(b"new").unwrap();
        assert_eq!(fs::read(at("target")).unwrap(), b"t");
        assert!(fs::symlink_metadata(at("link.o")).unwrap().is_file());
        fs::write(at("ro.o"), "t").unwrap();
        fs::set_permissions(at("ro.o"), fs::Permissions::from_mode(0o444)).unwrap();
        output(Role::Object, at("ro.o")).place(b"new").unwrap();
        assert_ne!(mode("ro.o"), 0o444);
        fs::write(at("one.o"), "t").unwrap();
        fs::hard_link(at("one.o"), at("two.o")).unwrap();
        output(Role::Object, at("one.o")).place(b"new").unwrap();
        assert_eq!(fs::read(at("two.o")).unwrap(), b"t");

        // A depfile is written to where it is.
        symlink("target", at("link.d")).unwrap();
        output(Role::Depfile, at("link.d")).place(b"dep").unwrap();
        assert_eq!(fs::read(at("target")).unwrap(), b"dep");
        fs::write(at("one.d"), "longer than dep").unwrap();
        fs::hard_link(at("one.d"), at("two.d")).unwrap();
        output(Role::Depfile, at("one.d")).place(b"dep").unwrap();
        assert_eq!(fs::read(at("two.d")).unwrap(), b"dep");
        fs::write(at("mode.d"), "t").unwrap();
        fs::set_permissions(at("mode.d"), fs::Permissions::from_mode(0o600)).unwrap();
        output(Role::Depfile, at("mode.d")).place(b"dep").unwrap();
        assert_eq!((mode("mode.d"), fs::read(at("mode.d")).unwrap()), (0o600, b"dep".to_vec()));

        // gcc writes over a precompiled header; split debug information is a new file.
        for (role, expected) in [(Role::Precompiled, b"new"), (Role::SplitDebug, b"old")] {
            fs::write(at("target"), "old").unwrap();
            let link = at(&format!("link-{}", role.number()));
            symlink("target", &link).unwrap();
            output(role, link).place(b"new").unwrap();
            assert_eq!(fs::read(at("target")).unwrap(), expected);
        }
        for (name, role, expected) in [("m.gch", Role::Precompiled, true), ("m.dwo", Role::SplitDebug, false)]
        {
            fs::write(at(name), "t").unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).unwrap();
            output(role, at(name)).place(b"new").unwrap();
            assert_eq!(mode(name) == 0o600, expected, "{name}");
        }
        let leftovers = fs::read_dir(dir.path()).unwrap();
        assert!(leftovers.flatten().all(|entry| !entry.file_name().to_string_lossy().contains("tmp")));
    }
}
