//! The parts of a compiler that take part in a run: programs, specifications, configurations.

use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::check::listing;
use crate::compiler::Family;
use crate::facts::{Facts, same};
use crate::inputs::Inputs;
use crate::manifest::Listing;
use crate::plan::Plan;
use crate::reason::NotKept;
use crate::vacancies::There;

/// A driver of more bytes has its libraries inside.
const LARGEST_SHARED: u64 = 8 << 20;

/// Takes every part of the compiler as an input; returns the directories whose names count.
pub(crate) fn take(plan: &Plan, facts: &Facts, inputs: &mut Inputs<'_>) -> Result<Vec<Listing>, NotKept> {
    if facts.is_configured {
        return Err(NotKept::Configuration);
    }
    inputs.program(&plan.driver.path)?;
    inputs.program(Path::new(&facts.program))?;
    for specs in &facts.specs {
        inputs.file(specs)?;
    }
    for path in facts.configurations(plan) {
        match inputs.vacancies.there(&path)? {
            There::Nothing | There::DeadLink => inputs.vacancies.note(&path)?,
            // The driver said which ones it read.
            There::File if facts.specs.iter().any(|specs| same(Path::new(specs), &path)) => {}
            _ => return Err(NotKept::Configuration),
        }
    }
    for dir in facts.missing.iter().map(PathBuf::from).chain(prefixes(plan)) {
        if inputs.vacancies.there(&dir)? == There::Nothing {
            inputs.vacancies.note(&dir)?;
        }
    }
    match plan.driver.family {
        Family::Gcc => helpers(plan, facts, inputs)?,
        Family::Clang => {
            for library in libraries(&plan.driver.path) {
                inputs.program(&library)?;
            }
        }
    }
    let mut listings = Vec::new();
    if let Some(dir) = facts.gcc_installation.as_ref().and_then(|dir| Path::new(dir).parent())
        && let Some(text) = dir.to_str()
    {
        // A newer gcc beside the one that clang chose would be chosen instead.
        listings.push(Listing { dir: text.to_owned(), names: listing(dir).ok_or(NotKept::InputUnknown)? });
    }
    if plan.args.keyed.iter().any(|word| word.starts_with("-fsanitize"))
        && let Some(resources) = &facts.resources
    {
        lists_of_exceptions(Path::new(resources), inputs)?;
    }
    Ok(listings)
}

/// Takes the programs that gcc runs: of its own directories first, else of `PATH`.
fn helpers(plan: &Plan, facts: &Facts, inputs: &mut Inputs<'_>) -> Result<(), NotKept> {
    let install = Path::new(&facts.program).parent().unwrap_or(Path::new(""));
    let target = install.parent().and_then(Path::file_name).unwrap_or_default();
    let version = install.file_name().unwrap_or_default();
    let tools = install.join("../../../..").join(target).join("bin");
    let mut dirs: Vec<PathBuf> = prefixes(plan);
    dirs.extend(facts.program_dirs.iter().map(PathBuf::from));
    dirs.extend([tools.join(target).join(version), tools]);
    for (name, on_path) in &plan.helpers {
        let mut found = None;
        for dir in &dirs {
            let path = dir.join(name);
            if inputs.vacancies.there(&path)? == There::File {
                found = found.or(Some(path));
            } else if found.is_none() {
                note(inputs, &path)?;
            }
        }
        let program = found.or_else(|| on_path.clone()).ok_or(NotKept::InputUnknown)?;
        inputs.program(&program)?;
    }
    let compiler = Path::new(&facts.program).file_name().unwrap_or_default();
    for dir in &dirs {
        let path = dir.join(compiler);
        if inputs.vacancies.there(&path)? == There::File {
            if !same(&path, Path::new(&facts.program)) {
                return Err(NotKept::InputUnknown);
            }
            break;
        }
        note(inputs, &path)?;
    }
    Ok(())
}

fn note(inputs: &mut Inputs<'_>, path: &Path) -> Result<(), NotKept> {
    match inputs.vacancies.there(path)? {
        There::Nothing | There::DeadLink => inputs.vacancies.note(path),
        _ => Ok(()),
    }
}

/// Returns the prefixes that arguments and variables put first.
fn prefixes(plan: &Plan) -> Vec<PathBuf> {
    let mut prefixes = Vec::new();
    let mut words = plan.args.toolchain.iter();
    while let Some(word) = words.next() {
        if let Some(joined) = word.strip_prefix("-B") {
            let value = if joined.is_empty() { words.next().map(String::as_str) } else { Some(joined) };
            prefixes.extend(value.map(PathBuf::from));
        }
    }
    for name in ["COMPILER_PATH", "GCC_EXEC_PREFIX"] {
        prefixes.extend(std::env::split_paths(plan.call.variable(name).unwrap_or_default()));
    }
    prefixes.retain(|dir| !dir.as_os_str().is_empty());
    prefixes
}

/// Returns the libraries that a clang consists of, where it is not one file.
fn libraries(driver: &Path) -> Vec<PathBuf> {
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

/// Takes the lists by which clang's sanitizers leave functions out.
fn lists_of_exceptions(resources: &Path, inputs: &mut Inputs<'_>) -> Result<(), NotKept> {
    for sanitizer in
        ["asan", "hwasan", "memtag", "msan", "tsan", "dfsan_abi", "cfi", "ubsan", "vptr", "integer"]
    {
        for kind in ["ignorelist", "blacklist", "list"] {
            let path = resources.join("share").join(format!("{sanitizer}_{kind}.txt"));
            let path = if kind == "list" {
                resources.join("share").join(format!("{sanitizer}{kind}.txt"))
            } else {
                path
            };
            match inputs.vacancies.there(&path)? {
                There::File => {
                    inputs.file(path.to_str().ok_or(NotKept::InputUnknown)?)?;
                }
                There::Nothing | There::DeadLink => inputs.vacancies.note(&path)?,
                There::Dir | There::Other => return Err(NotKept::InputUnknown),
            }
        }
    }
    Ok(())
}
