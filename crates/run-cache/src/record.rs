//! The record of a compiler: its own words, and what its programs tell.

use bytes::Bytes;

use crate::facts::Facts;
use crate::key::Kind;
use crate::programs::{PROGRAM, Programs};
use crate::shelf::Shelf;

impl Facts {
    /// Lets `work` look at programs, and keeps what it learns with the compiler's words.
    pub(crate) fn with_programs<T>(
        &mut self,
        shelf: &mut dyn Shelf,
        now_ns: i64,
        work: impl FnOnce(&Self, &mut Programs<'_>) -> T,
    ) -> T {
        let mut programs = Programs::knowing(shelf, now_ns, std::mem::take(&mut self.programs));
        let done = work(self, &mut programs);
        let (known, has_learned) = programs.into_known();
        self.programs = known;
        if has_learned && let Some((key, text)) = &self.record {
            let lines = text.split_inclusive(|byte| *byte == b'\n');
            let own = lines.filter(|line| !line.starts_with(PROGRAM.as_bytes()));
            let mut text = own.collect::<Vec<_>>().concat();
            for known in &self.programs {
                text.extend(format!("{PROGRAM}{}\n", known.line()).into_bytes());
            }
            // Without it the next call asks for each program.
            let _ = shelf.keep(Kind::Facts, key, Bytes::from(text));
        }
        done
    }
}
