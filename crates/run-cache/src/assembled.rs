//! Inputs that the preprocessor does not read: of the assembler, and of the clock.

use std::path::Path;

use crate::assembly;
use crate::inputs::Inputs;
use crate::reason::NotKept;
use crate::vacancies::There;

impl Inputs<'_> {
    /// Takes a source that is not preprocessed.
    pub(crate) fn plain(&mut self, source: &str) -> Result<(), NotKept> {
        let contents = self.file(source)?;
        let is_hidden = !self.plan.assembler_lists() && assembly::may_read_files(&contents, true);
        if is_hidden { Err(NotKept::HiddenInput) } else { Ok(()) }
    }

    /// Takes the file that says which time zone the system is in; a variable may name another one.
    pub(crate) fn time_zone(&mut self) -> Result<(), NotKept> {
        const ZONE: &str = "/etc/localtime";
        match self.vacancies.there(Path::new(ZONE))? {
            There::Nothing | There::DeadLink => self.vacancies.note(Path::new(ZONE)),
            _ => self.file(ZONE).map(drop),
        }
    }

    /// Takes the files that the assembler lists. A listed file that does not exist was not read.
    pub(crate) fn assembled(&mut self, listed: &[String]) -> Result<(), NotKept> {
        let mut dirs: Vec<&str> = vec!["."];
        dirs.extend(self.plan.args.search.iter().map(|(_, dir)| dir.as_str()));
        dirs.extend(self.plan.args.assembler_dirs.iter().map(String::as_str));
        for path in listed.iter().filter(|path| *path != "{standard input}") {
            if self.known.contains(path) || self.vacancies.there(Path::new(path))? == There::Nothing {
                continue;
            }
            self.file(path)?;
            let names = dirs.iter().filter_map(|dir| Path::new(path).strip_prefix(dir).ok());
            for name in names.chain([Path::new(path)]) {
                let places = dirs.iter().map(|dir| Path::new(dir).join(name)).chain([name.to_owned()]);
                for place in places {
                    if self.vacancies.there(&place)? == There::Nothing {
                        self.vacancies.note(&place)?;
                    }
                }
            }
        }
        Ok(())
    }
}
