//! The notes beside an unfinished file, from which the next attempt resumes.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use zccache_ipc::endpoint::{Access, OwnFileError, open_own};

use crate::Problem;
use crate::fetch::Validator;
use crate::part::not_ours;
use crate::plan::Plan;

/// Largest notes in bytes.
const LARGEST: u64 = 256 * 1024;

/// Layout of the notes; another layout is ignored.
const FORMAT: u32 = 1;

/// Notes: the source and version of an unfinished file, and its complete bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resume {
    format: u32,
    pub(crate) url: String,
    pub(crate) total: u64,
    pub(crate) validator: Validator,
    pub(crate) plan: Plan,
}

impl Resume {
    pub(crate) fn new(url: &str, total: u64, validator: Validator, plan: Plan) -> Self {
        Self { format: FORMAT, url: url.to_owned(), total, validator, plan }
    }

    /// Reads the notes at `path` for a download from `url` whose unfinished file has `part_len` bytes.
    ///
    /// Returns `None` for notes that do not fit, and the download then starts from the beginning. Notes that
    /// another user may have written are an error, because they can be neither trusted nor replaced.
    pub(crate) fn read(path: &Path, url: &str, part_len: u64) -> Result<Option<Self>, Problem> {
        match open_own(path, Access::Read) {
            Ok(Some(file)) => Ok(Self::parse(file, url, part_len)),
            Ok(None) | Err(OwnFileError::Io { .. }) => Ok(None),
            Err(error) => Err(not_ours("read", error)),
        }
    }

    fn parse(file: File, url: &str, part_len: u64) -> Option<Self> {
        let mut text = Vec::new();
        file.take(LARGEST).read_to_end(&mut text).ok()?;
        let resume: Self = serde_json::from_slice(&text).ok()?;
        if resume.format != FORMAT || resume.url != url {
            return None;
        }
        let plan = resume.plan.clone().checked(resume.total)?;
        let reached =
            plan.segments.iter().filter(|segment| segment.done > 0).map(|segment| segment.at()).max();
        (reached.unwrap_or(0) <= part_len).then_some(resume)
    }

    /// Writes the notes to `path` atomically.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Problem> {
        let failed = |source| Problem::file("write", path, source);
        let text = serde_json::to_vec(self).map_err(|error| failed(io::Error::other(error)))?;
        zccache_ipc::endpoint::write_atomic(path, &text, 0o600)
            .map_err(|error| Problem::file("write", error.path, error.source))
    }

    /// Removes the notes at `path`.
    pub(crate) fn forget(path: &Path) -> Result<(), Problem> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Problem::file("remove", path, error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use zccache_ipc::model::download::DownloadOptions;

    use super::*;

    #[test]
    fn written_notes_are_read_and_other_content_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.part.json");
        let mut plan = Plan::split(1 << 20, &DownloadOptions::default());
        plan.segments[0].done = 100;
        let resume = Resume::new("http://h/a", 1 << 20, Validator::Tag("\"v1\"".to_owned()), plan);
        resume.write(&path).unwrap();
        let read = |url: &str, part_len| Resume::read(&path, url, part_len).unwrap();
        assert_eq!(read("http://h/a", 100), Some(resume));
        assert_eq!(read("http://h/b", 100), None, "another URL");
        assert_eq!(read("http://h/a", 99), None, "more bytes than the unfinished file has");
        let text = fs::read_to_string(&path).unwrap();
        for broken in [
            text.replace("\"format\":1", "\"format\":2"),
            text.replace("\"done\":100", "\"done\":9999999"),
            text[..text.len() / 2].to_owned(),
            String::new(),
        ] {
            fs::write(&path, &broken).unwrap();
            assert_eq!(read("http://h/a", 1 << 20), None, "{broken}");
        }
        Resume::forget(&path).unwrap();
        Resume::forget(&path).unwrap();
        #[cfg(unix)]
        {
            fs::write(&path, text).unwrap();
            fs::hard_link(&path, dir.path().join("theirs")).unwrap();
            let linked = Resume::read(&path, "http://h/a", 100);
            assert!(matches!(linked, Err(Problem::Destination { .. })), "{linked:?}");
        }
    }
}
