//! The parts of a compiler that take part in a run: programs, specifications, configurations.

use std::env::consts::EXE_SUFFIX;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::around::{Places, prefix_dirs};
use crate::check::listing;
use crate::compiler::Family;
use crate::facts::{Facts, same};
use crate::inputs::Inputs;
use crate::loaded;
use crate::manifest::Listing;
use crate::plan::Plan;
use crate::programs::Programs;
use crate::reason::NotKept;
use crate::vacancies::There;

/// Takes every part of the compiler as an input; returns the directories whose names count.
pub(crate) fn take(
    plan: &Plan,
    facts: &Facts,
    inputs: &mut Inputs<'_>,
    programs: &mut Programs<'_>,
) -> Result<Vec<Listing>, NotKept> {
    if facts.is_configured {
        return Err(NotKept::Configuration);
    }
    // Another assembler would run, or quoted names are looked for beside every file that is being read.
    let is_other = |word: &str| matches!(word, "-no-integrated-as" | "-fms-compatibility");
    if plan.driver.family == Family::Clang && facts.command.split_whitespace().any(is_other) {
        return Err(NotKept::InputUnknown);
    }
    if facts.writes_time(plan) {
        return Err(NotKept::Time);
    }
    inputs.program(&plan.driver.path, programs)?;
    if plan.driver.family == Family::Gcc && !is_gcc(&plan.driver.path, programs) {
        return Err(NotKept::InputUnknown);
    }
    inputs.program(Path::new(&facts.program), programs)?;
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
    for dir in facts.missing.iter().map(PathBuf::from) {
        if inputs.vacancies.there(&dir)? == There::Nothing {
            inputs.vacancies.note(&dir)?;
        }
    }
    match plan.driver.family {
        Family::Gcc => helpers(plan, facts, inputs, programs)?,
        Family::Clang => {
            for library in loaded::libraries(&plan.driver.path) {
                inputs.program(&library, programs)?;
            }
        }
    }
    let mut listings = loaded::preferred(plan, inputs)?;
    if let Some(looked) = facts.places(plan) {
        places(&looked, inputs, &mut listings)?;
    }
    // A compiler proper of such a prefix has no target in its path.
    if plan.args.prefixes().iter().any(|prefix| Path::new(&facts.program).starts_with(prefix)) {
        return Err(NotKept::InputUnknown);
    }
    if plan.args.keyed.iter().any(|word| word.starts_with("-fsanitize"))
        && let Some(resources) = &facts.resources
    {
        lists_of_exceptions(Path::new(resources), inputs)?;
    }
    Ok(listings)
}

/// Takes the places that decide what clang finds.
fn places(places: &Places, inputs: &mut Inputs<'_>, listings: &mut Vec<Listing>) -> Result<(), NotKept> {
    for dir in &places.listed {
        let names = listing(&inputs.plan.call.cwd.join(dir)).ok_or(NotKept::InputUnknown)?;
        listings.push(Listing { dir: dir.to_str().ok_or(NotKept::InputUnknown)?.to_owned(), names });
    }
    for path in &places.looked {
        let text = path.to_str().ok_or(NotKept::InputUnknown)?;
        match inputs.vacancies.there(path)? {
            There::File => drop(inputs.present.insert(text.to_owned())),
            There::Dir => drop(inputs.present.insert(format!("{text}/"))),
            There::Nothing | There::DeadLink => inputs.vacancies.note(path)?,
            There::Other => return Err(NotKept::InputUnknown),
        }
    }
    for path in &places.read {
        if inputs.vacancies.there(path)? == There::File {
            inputs.file(path.to_str().ok_or(NotKept::InputUnknown)?)?;
        }
    }
    Ok(())
}

/// Takes the programs that gcc runs: of its own directories first, else of `PATH`.
fn helpers(
    plan: &Plan,
    facts: &Facts,
    inputs: &mut Inputs<'_>,
    programs: &mut Programs<'_>,
) -> Result<(), NotKept> {
    let dirs = helper_dirs(plan, facts);
    for (name, on_path) in &plan.helpers {
        let mut found = None;
        for path in helper_places(&dirs, facts, &format!("{name}{EXE_SUFFIX}")) {
            match inputs.vacancies.there(&path)? {
                There::File if ipc_os::is_executable(&plan.call.cwd.join(&path)) => {
                    found = Some(path);
                    break;
                }
                // gcc passes over it until it may be executed.
                There::File => return Err(NotKept::InputUnknown),
                _ => note(inputs, &path)?,
            }
        }
        let program = found.or_else(|| on_path.clone()).ok_or(NotKept::InputUnknown)?;
        inputs.program(&program, programs)?;
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

/// Returns the directories in which gcc looks for programs before `PATH`.
fn helper_dirs(plan: &Plan, facts: &Facts) -> Vec<PathBuf> {
    let install = Path::new(&facts.program).parent().unwrap_or(Path::new(""));
    let target = facts.target();
    let tools = install.join("../../../..").join(target.parent().unwrap_or(Path::new(""))).join("bin");
    let prefixes = plan.args.prefixes();
    let mut dirs: Vec<_> =
        prefixes.iter().flat_map(|prefix| prefix_dirs(Path::new(prefix), &target)).collect();
    dirs.extend(facts.program_dirs.iter().map(PathBuf::from));
    dirs.extend([tools.join(target), tools]);
    dirs
}

/// Returns the places where gcc looks for a program, in order.
fn helper_places(dirs: &[PathBuf], facts: &Facts, name: &str) -> Vec<PathBuf> {
    let target = facts.target();
    let target = target.parent().unwrap_or(Path::new("")).as_os_str();
    // Debian's gcc looks for the name with the target before the plain one, except on `PATH`.
    dirs.iter().flat_map(|dir| [dir.join(with_target(target, name)), dir.join(name)]).collect()
}

/// Returns true if the assembler that gcc runs is GNU's, which can list the files that it reads.
pub(crate) fn has_gnu_assembler(plan: &Plan, facts: &Facts, programs: &mut Programs<'_>) -> bool {
    let Some((name, on_path)) = plan.helpers.iter().find(|(name, _)| *name == "as") else { return false };
    let places = helper_places(&helper_dirs(plan, facts), facts, name).into_iter();
    let mut places = places.map(|path| plan.call.cwd.join(path));
    let own = places.find(|path| ipc_os::is_executable(path));
    let Some(program) = own.as_ref().or(on_path.as_ref()) else { return false };
    let told = std::fs::metadata(program).ok().and_then(|metadata| programs.told(program, &metadata));
    told.is_some_and(|told| told.is_gnu_assembler)
}

/// Returns false if the driver is another program that runs gcc under its own name.
fn is_gcc(driver: &Path, programs: &mut Programs<'_>) -> bool {
    let told = std::fs::metadata(driver).ok().map(|metadata| programs.told(driver, &metadata));
    // A system without inodes tells nothing of its programs.
    told.is_some_and(|told| told.is_none_or(|told| told.is_gcc))
}

fn with_target(target: &OsStr, name: &str) -> OsString {
    let mut with_target = target.to_owned();
    with_target.push("-");
    with_target.push(name);
    with_target
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
