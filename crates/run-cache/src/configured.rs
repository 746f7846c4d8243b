//! Files of specifications and configurations, from which a compiler takes arguments.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::compiler::Family;
use crate::facts::Facts;
use crate::plan::Plan;

impl Facts {
    /// Returns the places where the compiler would take arguments from a file of specifications or a
    /// configuration, whether or not one is there.
    pub(crate) fn configurations(&self, plan: &Plan) -> Vec<PathBuf> {
        let mut places: Vec<PathBuf> = Vec::new();
        match plan.driver.family {
            Family::Gcc => {
                for dir in self.program_dirs.iter().chain(&self.file_dirs) {
                    places.push(Path::new(dir).join("specs"));
                }
                // The directory of the target, which has no program and no library yet.
                let install = Path::new(&self.program).parent().unwrap_or(Path::new(""));
                let parts = |path: &Path, at: usize| {
                    path.components()
                        .rev()
                        .nth(at)
                        .and_then(|part| part.as_os_str().to_str())
                        .map(str::to_owned)
                };
                if let (Some(version), Some(target)) = (parts(install, 0), parts(install, 1)) {
                    let lib = install.join("../../../..").join(&target).join("lib");
                    places.push(lib.join(&target).join(version).join("specs"));
                    places.push(lib.join("specs"));
                    places.push(install.join("../specs"));
                }
            }
            Family::Clang => {
                let name = Path::new(&plan.call.name).file_name().and_then(|name| name.to_str());
                let names = configuration_names(name.unwrap_or_default(), self.triple());
                let beside = |path: &Path| path.parent().map(Path::to_owned);
                let dirs = [
                    beside(&plan.driver.path),
                    beside(&plan.call.program),
                    Some("/etc/clang".into()),
                    Some("/etc".into()),
                    plan.call.variable("HOME").map(|home| Path::new(home).join(".config")),
                    plan.call.variable("HOME").map(|home| Path::new(home).join(".llvm")),
                ];
                for dir in dirs.into_iter().flatten() {
                    places.extend(names.iter().map(|name| dir.join(format!("{name}.cfg"))));
                }
            }
        }
        places
    }
}

/// Returns the names of configuration files that a clang of this name looks for, without their ending.
fn configuration_names(name: &str, target: Option<&str>) -> BTreeSet<String> {
    const DRIVERS: &[&str] =
        &["clang", "clang++", "clang-c++", "clang-cc", "clang-cpp", "clang-g++", "clang-gcc", "cc", "c++"];
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    // The version may be one more word or the end of the last one.
    let unversioned = match name.rsplit_once('-') {
        Some((name, version)) if digits(version) => name,
        _ => name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'),
    };
    let mut names: BTreeSet<String> = [name, unversioned].map(str::to_owned).into();
    // The last words are the driver, and the first ones the target.
    let mut targets: BTreeSet<&str> =
        unversioned.match_indices('-').map(|(at, _)| &unversioned[..at]).collect();
    targets.extend(target);
    targets.extend(target.and_then(|target| target.split('-').next()));
    for driver in DRIVERS {
        names.insert((*driver).to_owned());
        names.extend(targets.iter().map(|target| format!("{target}-{driver}")));
    }
    names.extend(targets.iter().map(|target| (*target).to_owned()));
    names.remove("");
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_configurations_come_from_the_name_and_the_target() {
        let names = configuration_names("foo-clang-14", Some("i386-pc-linux-gnu"));
        for name in [
            "foo",
            "foo-clang",
            "foo-clang-14",
            "i386",
            "i386-clang",
            "i386-pc-linux-gnu",
            "clang",
            "clang++",
            "i386-pc-linux-gnu-clang",
        ] {
            assert!(names.contains(name), "{name}: {names:?}");
        }
        assert!(configuration_names("x86_64-linux-gnu-clang++14", None).contains("x86_64-linux-gnu-clang++"));
    }
}
