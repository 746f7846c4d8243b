//! Inputs that changed while the compiler ran: their results are not kept, even if they are as they were.

use std::fs::{self, Metadata};
use std::path::Path;

use ipc_os::InodeStamp;

use crate::check::{here, modified_ns};
use crate::inputs::Inputs;
use crate::reason::NotKept;

impl Inputs<'_> {
    /// Refuses a file that changed after the run began, be it back to what it was.
    pub(crate) fn unchanged(&self, metadata: &Metadata) -> Result<(), NotKept> {
        let changed = match InodeStamp::of(metadata) {
            Some(stamp) => stamp.changed_ns,
            None => modified_ns(metadata).ok_or(NotKept::InputUnreadable)?,
        };
        if changed >= self.began_ns { Err(NotKept::InputChanged) } else { Ok(()) }
    }

    /// Refuses a path if one of its directories or links moved after the run began.
    pub(crate) fn ancestors_of(&mut self, path: &Path) -> Result<(), NotKept> {
        for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
            if !self.ancestors.insert(part.to_owned()) {
                break;
            }
            // It is there, and neither a directory nor a link.
            if self.vacancies.is_plain(part) {
                continue;
            }
            let Ok(metadata) = fs::symlink_metadata(self.plan.call.cwd.join(here(part))) else {
                return Err(NotKept::InputChanged);
            };
            let Some(stamp) = InodeStamp::of(&metadata) else { continue };
            // New entries change both times of a directory; a new name of its own changes only one.
            let is_moved =
                metadata.is_symlink() || metadata.is_dir() && stamp.changed_ns != stamp.modified_ns;
            if is_moved && stamp.changed_ns >= self.began_ns {
                return Err(NotKept::InputChanged);
            }
        }
        Ok(())
    }
}
