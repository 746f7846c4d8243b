//! The way of a compilation: looked up, or run once and kept.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ipc_os::{InodeStamp, file_clock_ns};

use crate::before::NamesBefore;
use crate::bundle::Bundle;
use crate::call::{Ask, Ran};
use crate::check::{Checker, same_dirs};
use crate::claim::Claim;
use crate::compiler::Family;
use crate::depfile::prerequisites;
use crate::explanation::Explanation;
use crate::facts::Facts;
use crate::hit::Hit;
use crate::inputs::Inputs;
use crate::key::{Key, Kind, Recipe};
use crate::manifest::{Carried, LARGEST_CARRIED, Manifest, Set};
use crate::manifest_codec::fold;
use crate::place::{Before, Role};
use crate::plan::{Plan, SourceRead};
use crate::private::{List, Private};
use crate::programs::Programs;
use crate::reason::{NotCacheable, NotKept, Reason};
use crate::shelf::{Shelf, keep_parts};
use crate::{toolchain, urls, width};

/// The outcome of a lookup.
#[derive(Debug)]
pub enum Sought {
    /// The result is there.
    Hit(Box<Hit>),
    /// The compiler has to run.
    Miss(Box<Miss>),
}

/// Options of a lookup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeking {
    /// Runs the compiler although there is a result, and keeps the new one.
    pub recache: bool,
}

/// A run that is to be made and kept.
#[derive(Debug)]
pub struct Miss {
    plan: Plan,
    facts: Facts,
    key: Key,
    source: SourceRead,
    manifest: Manifest,
    before: Vec<Before>,
    private: Private,
    claim: Claim,
    args: Vec<String>,
    names: NamesBefore,
    explanation: Explanation,
}

impl Plan {
    /// Looks the call up.
    ///
    /// # Errors
    ///
    /// [`NotCacheable`]: the caller runs the compiler as if nothing had been asked.
    pub fn seek(
        mut self,
        shelf: &mut dyn Shelf,
        ask: &mut dyn Ask,
        seeking: Seeking,
    ) -> Result<Sought, NotCacheable> {
        let source = self.read_source()?;
        let before = self.places()?;
        let mut facts = None;
        if self.args.is_native {
            facts = Some(Facts::of(&self, shelf, ask, false)?);
        }
        let recipe = self.recipe(&source, facts.as_ref().map(|facts| facts.command.as_str()))?;
        let key = recipe.key();
        let parts = recipe.into_parts();
        let mut explanation = Explanation { key: key.to_string(), parts, differs: Vec::new() };
        let manifest = shelf.fetch(Kind::Manifest, &key).and_then(|bytes| Manifest::decode(&bytes));
        let mut manifest = manifest.unwrap_or_default();
        let now_ns = file_clock_ns();
        let cwd = self.call.cwd.clone();
        if !seeking.recache {
            let programs = &mut Programs::new(shelf, now_ns);
            let found = Checker::new(&cwd, now_ns).find(&manifest, &self.voice(), programs);
            match found {
                Ok(found) => {
                    if self.writes_to(&found.inodes) {
                        return Err(Reason::OutputIsInput.into());
                    }
                    let result = manifest.sets[found.number].result;
                    let first = manifest.carried(&result).or_else(|| shelf.fetch(Kind::Result, &result));
                    let has_room = |first: &[u8], shelf: &mut dyn Shelf| {
                        Bundle::plain_len(first).is_some_and(|len| shelf.make_room(len))
                    };
                    let bundle = first.filter(|first| has_room(first, shelf)).and_then(|first| {
                        Bundle::decode(&first, |part| shelf.fetch(Kind::Part, &result.part(part)))
                    });
                    if let Some(bundle) = bundle.filter(|bundle| self.is_whole(bundle)) {
                        if let Some(refreshed) = found.refreshed {
                            manifest.sets[found.number] = refreshed;
                            // Without it the next call compares contents again.
                            let _ = shelf.keep(Kind::Manifest, &key, manifest.encode().into());
                        }
                        return Ok(Sought::Hit(Box::new(Hit { plan: self, bundle, explanation })));
                    }
                }
                Err(differs) => explanation.differs = differs,
            }
        }
        let mut facts = match facts {
            Some(facts) => facts,
            None => Facts::of(&self, shelf, ask, false)?,
        };
        self.has_gnu_assembler = !self.assembler_lists()
            || facts.with_programs(shelf, now_ns, |facts, programs| {
                toolchain::has_gnu_assembler(&self, facts, programs)
            });
        if facts.records_arguments(&self) {
            return Err(Reason::RefusedArgument.into());
        }
        let private = Private::of(&self)?;
        let claim = Claim::of(self.outputs.iter().map(|output| output.path.as_path()), &private.dir);
        // The assembler of clang takes neither colours nor a width, and warns of them.
        let takes_looks = self.driver.family == Family::Gcc || self.args.language.is_preprocessed();
        let colour = self.call.colour && !self.args.has_colour && takes_looks;
        let width = width::argument(&self).filter(|_| takes_looks);
        let mut args = private.args(&self, colour);
        // In front, so that an argument of the caller wins.
        args.splice(0..0, urls::argument(&self, &facts).into_iter().chain(width));
        let names = NamesBefore::of(&self);
        let miss = Miss {
            plan: self,
            facts,
            key,
            source,
            manifest,
            before,
            private,
            claim,
            args,
            names,
            explanation,
        };
        Ok(Sought::Miss(Box::new(miss)))
    }

    /// Looks at the places of the outputs.
    fn places(&self) -> Result<Vec<Before>, Reason> {
        let source = fs::metadata(self.source()).ok().as_ref().and_then(InodeStamp::of);
        let is_written = source.is_some_and(|source| self.writes_to(&[(source.device, source.inode)]));
        let source = self.call.cwd.join(&self.args.source);
        if is_written || self.outputs.iter().any(|output| output.path == source) {
            return Err(Reason::OutputIsInput);
        }
        let mut paths: Vec<_> = self.outputs.iter().map(|output| &output.path).collect();
        paths.sort();
        paths.dedup();
        if paths.len() != self.outputs.len() {
            return Err(Reason::Output);
        }
        // clang does not replace an object that it may not write to; gcc's assembler does.
        let is_closed = |path: &Path| fs::metadata(path).is_ok_and(|there| there.permissions().readonly());
        if self.driver.family == Family::Clang && self.outputs.iter().any(|output| is_closed(&output.path)) {
            return Err(Reason::Output);
        }
        self.outputs.iter().map(|output| output.before().ok_or(Reason::Output)).collect()
    }

    /// Returns true if an output is one of these files, by any of its names.
    fn writes_to(&self, inodes: &[(u64, u64)]) -> bool {
        self.outputs.iter().any(|output| {
            let stamp = fs::metadata(&output.path).ok().as_ref().and_then(InodeStamp::of);
            stamp.is_some_and(|stamp| inodes.contains(&(stamp.device, stamp.inode)))
        })
    }

    fn is_whole(&self, bundle: &Bundle) -> bool {
        bundle.outputs.len() == self.outputs.len()
            && self.outputs.iter().all(|output| bundle.output(output.role).is_some())
    }

    /// Returns what messages depend on: language, width and colour.
    fn voice(&self) -> Key {
        let mut recipe = Recipe::new("voice");
        for (name, value) in &self.variables.messages {
            recipe.text("variable", &format!("{name}={value}"));
        }
        recipe.text("colour", if self.call.colour { "yes" } else { "no" });
        if let Some(width) = width::columns(&self.call) {
            recipe.text("width", &width.to_string());
        }
        recipe.text("links", if urls::are_wanted(self) { "yes" } else { "no" });
        recipe.key()
    }
}

impl Miss {
    /// Returns the arguments for the one run of the compiler.
    #[must_use]
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// Returns what the key was made of, and why nothing matched.
    #[must_use]
    pub const fn explanation(&self) -> &Explanation {
        &self.explanation
    }

    /// Returns the plan that was looked up.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns true if the compiler failed over a list of its inputs.
    #[must_use]
    pub fn blames_own_arguments(&self, ran: &Ran) -> bool {
        !ran.success && self.private.is_named_in(&ran.stderr)
    }

    /// Keeps the result of the run, and returns its size in bytes.
    ///
    /// # Errors
    ///
    /// [`NotKept`]: the run stands all the same.
    pub fn finish(mut self, ran: &Ran, shelf: &mut dyn Shelf) -> Result<u64, NotKept> {
        if !ran.success {
            return Err(NotKept::Failed);
        }
        let lengths = self.plan.output_paths().filter_map(|path| fs::metadata(path).ok());
        let bytes = lengths.map(|file| file.len()).fold(0, u64::saturating_add);
        // The outputs, and all of them in one piece to be compressed.
        if !shelf.make_room(usize::try_from(bytes).unwrap_or(usize::MAX).saturating_mul(2)) {
            return Err(NotKept::Refused);
        }
        let mut outputs = Vec::new();
        for (output, before) in self.plan.outputs.iter().zip(&self.before) {
            outputs.push((output.role, output.read(*before).ok_or(NotKept::NoOutput)?));
        }
        if self.claim.is_contested() {
            return Err(NotKept::OutputShared);
        }
        let bundle = Bundle {
            outputs,
            stdout: Bytes::copy_from_slice(&ran.stdout),
            stderr: Bytes::copy_from_slice(&ran.stderr),
            took: ran.took,
        };
        let mut facts = std::mem::take(&mut self.facts);
        let set = self.set(&bundle, &mut facts, shelf)?;
        let result = set.result;
        let parts = bundle.encode().ok_or(NotKept::TooLarge)?;
        self.manifest.add(set);
        let is_small = parts.len() == 1 && parts[0].len() <= LARGEST_CARRIED;
        let carried = is_small.then(|| Carried { result, part: parts[0].clone() });
        let moved = self.manifest.carry(carried).map(|moved| (moved.result, vec![moved.part]));
        let own = (!is_small).then_some((result, parts));
        for (result, parts) in moved.into_iter().chain(own) {
            keep_parts(shelf, result, parts)?;
        }
        let encoded = self.manifest.encode();
        if shelf.keep(Kind::Manifest, &self.key, encoded.into()) {
            Ok(bundle.len() as u64)
        } else {
            Err(NotKept::Refused)
        }
    }

    /// Gathers the inputs of the run.
    fn set(&self, bundle: &Bundle, facts: &mut Facts, shelf: &mut dyn Shelf) -> Result<Set, NotKept> {
        let plan = &self.plan;
        let now_ns = file_clock_ns();
        let mut inputs = Inputs::new(plan, facts, self.names.began_ns, now_ns);
        let contents = inputs.file(&plan.args.source)?;
        if contents.len() as u64 != self.source.len || Key::of_contents(&contents) != self.source.hash {
            return Err(NotKept::InputChanged);
        }
        inputs.forget(&plan.args.source);
        let is_preprocessed = plan.args.language.is_preprocessed();
        let mut listed = vec![plan.args.source.clone()];
        if is_preprocessed {
            let own = plan.outputs.iter().position(|output| output.role == Role::Depfile);
            let text = match own {
                Some(number) => bundle.outputs[number].1.clone(),
                None => self.private.depfile.as_ref().and_then(List::read).ok_or(NotKept::InputUnknown)?,
            };
            listed.extend(prerequisites(&text).ok_or(NotKept::InputUnknown)?);
        }
        let is_complete = plan.args.depfile.as_ref().is_none_or(|wish| wish.system);
        if is_preprocessed {
            inputs.preprocessed(&listed, is_complete)?;
        } else {
            inputs.plain(&plan.args.source)?;
        }
        if plan.assembler_lists() {
            let text = self.private.assembled.as_ref().and_then(List::read).ok_or(NotKept::InputUnknown)?;
            inputs.assembled(&prerequisites(&text).ok_or(NotKept::InputUnknown)?)?;
        }
        for file in &plan.response_files {
            inputs.file(file.to_str().ok_or(NotKept::InputUnknown)?)?;
        }
        if inputs.times.tells_timestamp() {
            inputs.time_zone()?;
        }
        let (tells_timestamp, has_copies) = (inputs.times.tells_timestamp(), inputs.has_copies());
        let listings = facts.with_programs(shelf, now_ns, |facts, programs| {
            toolchain::take(plan, facts, &mut inputs, programs)
        })?;
        let prints = !bundle.stdout.is_empty() || !bundle.stderr.is_empty();
        if prints && inputs.names_lines {
            return Err(NotKept::LineNames);
        }
        if plan.writes_to(&inputs.inodes()) {
            return Err(NotKept::OutputIsInput);
        }
        if let Some((old, _)) = plan.hiding_map()
            && inputs.files().iter().any(|file| file.path.starts_with(old))
        {
            return Err(NotKept::Directory);
        }
        let aliases = inputs.same_files();
        let compared = inputs.search.compared().to_vec();
        let same_dirs = same_dirs(&plan.call.cwd, &compared);
        let (files, vacancies, present) = inputs.into_parts();
        let mut set = Set {
            result: self.key,
            // A precompiled header has the colours that messages are to have.
            voice: (prints || tells_timestamp || plan.args.language.is_header()).then(|| plan.voice()),
            // clang refuses a precompiled header when the times of its parts are others.
            is_strict: tells_timestamp
                || has_copies
                || plan.driver.family == Family::Clang && plan.args.language.is_header(),
            files,
            aliases,
            vacancies: vacancies.finish(&self.names)?.into_iter().map(Arc::new).collect(),
            present: present.into_iter().collect(),
            listings,
            compared,
            same_dirs,
        };
        let mut recipe = Recipe::new("result");
        recipe.bytes("manifest", self.key.as_bytes());
        fold(&set, &mut recipe);
        set.result = recipe.key();
        Ok(set)
    }
}
