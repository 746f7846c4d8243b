//! Precompiled headers in use: their texts went into the object, and no list names them.

use std::path::{Path, PathBuf};

use crate::check::modified_ns;
use crate::inputs::Inputs;
use crate::reason::NotKept;
use crate::search::Hit;
use crate::vacancies::There;

impl Inputs<'_> {
    /// Returns true if a precompiled header is among the files that a name may stand for.
    ///
    /// The texts that went into it must be known: its own header has to be there, and no newer.
    pub(crate) fn precompiled(&self, hits: &[Hit]) -> Result<bool, NotKept> {
        let modified = |path: &Path| {
            let path = path.to_str().ok_or(NotKept::InputUnknown)?;
            let metadata = self.metadata(path)?.ok_or(NotKept::InputChanged)?;
            modified_ns(&metadata).ok_or(NotKept::InputUnreadable)
        };
        let is_precompiled = |hit: &&Hit| hit.path.extension().is_some_and(|ending| ending == "gch");
        let Some(made) = hits.iter().find(is_precompiled) else { return Ok(false) };
        let made = modified(&made.path)?;
        let mut headers = hits.iter().filter(|hit| !hit.is_dir && !is_precompiled(hit)).peekable();
        headers.peek().ok_or(NotKept::InputUnknown)?;
        for header in headers {
            if modified(&header.path)? > made {
                return Err(NotKept::InputUnknown);
            }
        }
        Ok(true)
    }

    /// Takes what is in the place of a precompiled header of the source, which gcc warns of.
    pub(crate) fn precompiled_source(&mut self) -> Result<(), NotKept> {
        if self.plan.args.language.is_header() {
            // It is the output.
            return Ok(());
        }
        let path = format!("{}.gch", self.plan.args.source);
        match self.vacancies.there(Path::new(&path))? {
            There::Nothing | There::DeadLink => self.vacancies.note(Path::new(&path)),
            There::File => self.file(&path).map(drop),
            There::Dir | There::Other => Err(NotKept::InputUnknown),
        }
    }

    /// Makes sure that clang takes no precompiled header for `name`: what went into one is not listed.
    pub(crate) fn no_precompiled(&mut self, name: &str) -> Result<(), NotKept> {
        for ending in ["pch", "gch"] {
            let path = PathBuf::from(format!("{name}.{ending}"));
            match self.vacancies.there(&path)? {
                There::Nothing | There::DeadLink => self.vacancies.note(&path)?,
                _ => return Err(NotKept::InputUnknown),
            }
        }
        Ok(())
    }
}
