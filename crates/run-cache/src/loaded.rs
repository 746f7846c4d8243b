//! Programs that a compiler runs, and libraries that the loader puts into them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::check::{here, names_of};
use crate::environment;
use crate::inputs::Inputs;
use crate::libraries::{HARDWARE, is_library};
use crate::manifest::{Compare, Listing};
use crate::plan::Plan;
use crate::programs::Programs;
use crate::reason::NotKept;
use crate::vacancies::There;

/// A driver of more bytes has its libraries inside.
const LARGEST_SHARED: u64 = 8 << 20;

/// Takes every library of the directories that the loader searches first.
///
/// An empty name stands for the working directory.
pub(crate) fn preferred(plan: &Plan, inputs: &mut Inputs<'_>) -> Result<Vec<Listing>, NotKept> {
    let mut listings = Vec::new();
    let value = plan.call.variable(environment::LIBRARIES).unwrap_or_default();
    let dirs: BTreeSet<_> =
        if value.is_empty() { BTreeSet::new() } else { std::env::split_paths(value).collect() };
    for dir in dirs {
        let text = dir.to_str().ok_or(NotKept::InputUnknown)?;
        match inputs.vacancies.there(here(&dir))? {
            There::Nothing | There::DeadLink => {
                inputs.vacancies.note(&dir)?;
                continue;
            }
            There::Dir => {}
            There::File | There::Other => return Err(NotKept::InputUnknown),
        }
        listings.push(Listing {
            dir: text.to_owned(),
            names: names_of(&plan.call.cwd, text).ok_or(NotKept::InputUnknown)?,
        });
        for entry in std::fs::read_dir(plan.call.cwd.join(&dir)).map_err(|_| NotKept::InputUnreadable)? {
            let name = entry.map_err(|_| NotKept::InputUnreadable)?.file_name();
            let name = name.to_str().ok_or(NotKept::InputUnknown)?;
            let is_library = is_library(name);
            match inputs.vacancies.there(&dir.join(name))? {
                // The loader looks into these for libraries that fit the processor.
                There::Dir if HARDWARE.contains(&name) => return Err(NotKept::InputUnknown),
                There::File if is_library => inputs.library(&dir.join(name))?,
                There::DeadLink if is_library => inputs.vacancies.note(&dir.join(name))?,
                There::Other if is_library => return Err(NotKept::InputUnknown),
                _ => {}
            }
        }
    }
    Ok(listings)
}

/// Returns the libraries that a clang consists of, where it is not one file.
pub(crate) fn libraries(driver: &Path) -> Vec<PathBuf> {
    const STEMS: &[&[u8]] = &[b"libclang-cpp.so", b"libLLVM"];
    if !driver.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST_SHARED) {
        return Vec::new();
    }
    let Ok(program) = std::fs::read(driver) else { return Vec::new() };
    let beside = driver.parent().unwrap_or(Path::new("/"));
    let mut dirs = vec![beside.join("../lib")];
    dirs.extend(
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"]
            .map(PathBuf::from),
    );
    let mut found = Vec::new();
    for stem in STEMS {
        for at in memmem::find_iter(&program, stem) {
            let end = memchr::memchr(0, &program[at..]).map_or(program.len(), |len| at + len);
            let Ok(name) = std::str::from_utf8(&program[at..end]) else { continue };
            if name.contains(".so") {
                found.extend(dirs.iter().map(|dir| dir.join(name)).find(|path| path.is_file()));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

impl Inputs<'_> {
    /// Takes a program that ran. One that is no program may run others, which are not known.
    pub(crate) fn program(&mut self, path: &Path, programs: &mut Programs<'_>) -> Result<(), NotKept> {
        let path = path.to_str().ok_or(NotKept::InputUnknown)?;
        if !self.known.insert(path.to_owned()) {
            return Ok(());
        }
        let metadata = self.metadata(path)?.ok_or(NotKept::InputUnreadable)?;
        self.unchanged(&metadata)?;
        let told = programs.told(&self.plan.call.at(path), &metadata);
        let is_program = match told {
            Some(told) => told.is_program,
            None => crate::compiler::is_program(&self.plan.call.at(path)),
        };
        if !is_program {
            return Err(NotKept::InputUnknown);
        }
        self.push(path, &metadata, Compare::Program(told.map(|told| told.hash)))
    }

    /// Takes a library that a program may have loaded; any other stamp counts as a change.
    pub(crate) fn library(&mut self, path: &Path) -> Result<(), NotKept> {
        let path = path.to_str().ok_or(NotKept::InputUnknown)?;
        if !self.known.insert(path.to_owned()) {
            return Ok(());
        }
        let metadata = self.metadata(path)?.ok_or(NotKept::InputUnreadable)?;
        self.unchanged(&metadata)?;
        self.push(path, &metadata, Compare::Program(None))
    }
}
