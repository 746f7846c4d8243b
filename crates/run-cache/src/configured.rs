//! Names of configuration files of clang.

use std::collections::BTreeSet;

/// Returns the names of configuration files that a clang of this name looks for, without their ending.
pub(crate) fn configuration_names(name: &str, target: Option<&str>) -> BTreeSet<String> {
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
