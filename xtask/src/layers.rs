//! The allowed dependencies: arrows between our crates, and the outside crates of each.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::cargo;

/// The rule for one package of the workspace.
struct Row {
    name: &'static str,
    /// Its folder.
    home: Home,
    /// True if the package may be published, as libraries are.
    publish: bool,
    /// Our crates that it may depend on, separated by spaces. Arrows go up the table only.
    ours: &'static str,
    /// Outside crates that it may depend on, build dependencies included. `name@windows` is for Windows targets
    /// only.
    outside: &'static str,
}

/// The folder of a package.
enum Home {
    /// `crates/<name>`.
    Crates,
    /// A folder at the top.
    Top(&'static str),
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // layer 0
    library("ipc-path", "", "serde thiserror"),
    library("wire-frame", "", "bytes thiserror"),
    library("ipc-os", "ipc-path", "fastrand libc rustix shlex thiserror tokio windows-sys@windows"),
    // layer 1
    library("ipc-model", "ipc-path", "bytes hex serde"),
    library("ipc-endpoint", "ipc-path", "blake3 thiserror"),
    // layer 2
    library("wire-v15", "wire-frame ipc-model", "bincode bytes serde thiserror"),
    library("wire-v16", "wire-frame ipc-model", "bytes prost thiserror"),
    // layer 3
    library("wire-dispatch", "wire-frame wire-v15 wire-v16 ipc-model", "bytes thiserror"),
    library("wire-json", "ipc-model wire-frame wire-v15 wire-dispatch", "serde serde_json thiserror"),
    library("rp-broker", "ipc-endpoint ipc-os",
        "blake3 bytes getrandom prost running-process serde serde_json sha2 thiserror tokio tracing"),
    library("rp-manifest", "ipc-endpoint ipc-os", "prost running-process thiserror"),
    // layer 4
    library("ipc-connection", "ipc-os wire-frame ipc-model wire-v15 wire-v16 wire-dispatch", "bytes thiserror tokio"),
    library("ipc-client",
        "ipc-os wire-frame ipc-model ipc-endpoint wire-v15 wire-v16 wire-dispatch rp-broker ipc-connection",
        "bytes fastrand semver thiserror tokio tracing"),
    library("ipc-server", "ipc-os wire-frame ipc-model wire-v15 wire-dispatch rp-broker ipc-connection",
        "bytes thiserror tokio tracing"),
    // layer 5
    library("zccache-ipc",
        "ipc-os wire-frame ipc-model ipc-endpoint wire-v15 wire-v16 wire-dispatch rp-broker rp-manifest \
            ipc-connection ipc-client ipc-server",
        "bytes"),
    library("run-cache", "ipc-os", "blake3 bytes memchr thiserror zstd"),
    // layer 6
    program("zccache-daemon", "zccache-ipc run-cache",
        "blake3 bytes bytesize clap globset humantime memchr redb regex serde_json thiserror tokio tracing \
            tracing-subscriber uuid walkdir"),
    program("zccache-download", "zccache-ipc",
        "clap httpdate percent-encoding rustls serde serde_json thiserror tokio tracing tracing-subscriber ureq"),
    program("zccache-ipc-cli", "zccache-ipc wire-json run-cache",
        "anstream anstyle anyhow bytes clap clap_complete comfy-table hex humantime semver serde serde_json terminal_size thiserror tokio"),
    // never shipped
    program("testkit", "", "tempfile"),
    at_the_top("wire-conformance", "tests/wire",
        "ipc-path ipc-model wire-frame wire-v15 wire-v16 wire-dispatch wire-json rp-broker rp-manifest run-cache testkit",
        "anyhow bytes hex prost serde_json tempfile"),
    at_the_top("conformance", "tests",
        "ipc-path ipc-model ipc-endpoint ipc-os wire-frame wire-v15 wire-v16 wire-dispatch wire-json rp-broker \
            zccache-ipc testkit wire-conformance",
        "anyhow bytes clap comfy-table hex humantime prost serde_json tokio"),
    at_the_top("adoption", "tests/adoption", "zccache-ipc testkit", "prost serde serde_json tokio"),
    at_the_top("api", "xtask/api", "", "anyhow cargo_metadata clap public-api serde_json"),
    at_the_top("codegen", "xtask/codegen", "", "anyhow clap prost-build prost-types protox"),
    at_the_top("dist", "xtask/dist", "zccache-daemon zccache-download zccache-ipc-cli",
        "anyhow clap clap_complete clap_mangen hex sha2"),
    at_the_top("xtask", "xtask", "", "anyhow cargo_metadata clap serde_json"),
];

/// Crates that the tests, benchmarks and examples of every crate may use too.
const FOR_TESTS: &str = "testkit anyhow bytes criterion divan hex interprocess proptest rustix rustls serde \
    serde_json tempfile tokio tracing-subscriber";

const fn library(name: &'static str, ours: &'static str, outside: &'static str) -> Row {
    Row { name, home: Home::Crates, publish: true, ours, outside }
}

const fn program(name: &'static str, ours: &'static str, outside: &'static str) -> Row {
    Row { name, home: Home::Crates, publish: false, ours, outside }
}

const fn at_the_top(
    name: &'static str,
    folder: &'static str,
    ours: &'static str,
    outside: &'static str,
) -> Row {
    Row { name, home: Home::Top(folder), publish: false, ours, outside }
}

/// Returns the names of the libraries.
pub(crate) fn libraries() -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(|row| row.publish).map(|row| row.name)
}

/// A package, as its manifest describes it.
#[derive(Debug, Clone)]
struct Package {
    name: String,
    home: String,
    publish: bool,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone)]
struct Dependency {
    name: String,
    /// For tests, benchmarks and examples only.
    dev: bool,
    /// For Windows targets only.
    windows: bool,
}

/// Checks the workspace against the table.
///
/// # Errors
///
/// Every broken rule, one per line.
pub(crate) fn run() -> Result<()> {
    let metadata = MetadataCommand::new().current_dir(cargo::root()).no_deps().exec();
    let packages = packages(&metadata.context("cargo metadata")?)?;
    let broken = check(&packages);
    if !broken.is_empty() {
        bail!("the table in xtask/src/layers.rs does not allow this:\n  {}", broken.join("\n  "));
    }
    println!("{} packages match the table", packages.len());
    Ok(())
}

fn packages(metadata: &Metadata) -> Result<Vec<Package>> {
    let root = &metadata.workspace_root;
    let package = |package: &cargo_metadata::Package| {
        let folder = package.manifest_path.parent().context("a manifest is in a folder")?;
        let home = folder.strip_prefix(root).context("members are inside the workspace")?;
        let dependencies = package.dependencies.iter().map(|dependency| Dependency {
            name: dependency.name.clone(),
            dev: dependency.kind == DependencyKind::Development,
            windows: dependency.target.as_ref().is_some_and(|target| target.to_string().contains("windows")),
        });
        Ok(Package {
            name: package.name.to_string(),
            home: home.as_str().replace('\\', "/"),
            publish: package.publish.as_ref().is_none_or(|registries| !registries.is_empty()),
            dependencies: dependencies.collect(),
        })
    };
    metadata.workspace_packages().into_iter().map(package).collect()
}

/// Returns a sentence for each dependency that the table does not allow.
fn check(packages: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in packages {
        match TABLE.iter().find(|row| row.name == package.name) {
            Some(row) => broken.extend(check_package(row, package)),
            None => broken.push(format!("{} is not in the table", package.name)),
        }
    }
    for row in TABLE {
        if !packages.iter().any(|package| package.name == row.name) {
            broken.push(format!("{} is in the table and not in the workspace", row.name));
        }
    }
    broken
}

fn check_package(row: &Row, package: &Package) -> Vec<String> {
    let name = &package.name;
    let mut broken = Vec::new();
    let home = match row.home {
        Home::Crates => format!("crates/{}", row.name),
        Home::Top(folder) => folder.to_owned(),
    };
    if package.home != home {
        broken.push(format!("{name} is in {}, and belongs in {home}", package.home));
    }
    match (row.publish, package.publish) {
        (true, false) => broken.push(format!("{name} is a library, and its manifest forbids publishing")),
        (false, true) => broken.push(format!("{name} is not for publishing: `publish = false`")),
        _ => {}
    }
    broken.extend(package.dependencies.iter().filter_map(|dependency| check_dependency(row, dependency)));
    broken
}

fn check_dependency(row: &Row, dependency: &Dependency) -> Option<String> {
    let (name, on) = (row.name, &dependency.name);
    let list = |words: &'static str| words.split_whitespace().collect::<BTreeSet<_>>();
    let is = |words: &'static str| list(words).contains(on.as_str());
    if is(row.ours) || is(row.outside) || dependency.dev && is(FOR_TESTS) {
        return None;
    }
    if list(row.outside).contains(format!("{on}@windows").as_str()) {
        let told = format!("{name} may depend on {on} for Windows targets only");
        return (!dependency.windows).then_some(told);
    }
    let dev = if dependency.dev { " in its tests" } else { "" };
    Some(if TABLE.iter().any(|row| row.name == on.as_str()) {
        format!("the arrow {name} -> {on}{dev} is not allowed")
    } else {
        format!("{name} may not name the outside crate {on}{dev}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_as_the_table_has_it() {
        run().unwrap();
    }

    #[test]
    fn arrows_go_up_the_table_only() {
        for (index, row) in TABLE.iter().enumerate() {
            for ours in row.ours.split_whitespace() {
                let above = TABLE[..index].iter().any(|other| other.name == ours);
                assert!(above, "{} -> {ours}", row.name);
            }
        }
    }

    #[test]
    fn libraries_name_nothing_that_is_not_published() {
        for row in TABLE.iter().filter(|row| row.publish) {
            for ours in row.ours.split_whitespace() {
                assert!(TABLE.iter().any(|other| other.name == ours && other.publish), "{ours}");
            }
        }
    }

    /// Returns the workspace without dependencies, changed by `change`.
    #[track_caller]
    fn check_changed(change: impl FnOnce(&mut Vec<Package>), expected: &[&str]) {
        let bare = |row: &Row| Package {
            name: row.name.to_owned(),
            home: match row.home {
                Home::Crates => format!("crates/{}", row.name),
                Home::Top(folder) => folder.to_owned(),
            },
            publish: row.publish,
            dependencies: Vec::new(),
        };
        let mut packages: Vec<_> = TABLE.iter().map(bare).collect();
        change(&mut packages);
        assert_eq!(check(&packages), expected);
    }

    #[track_caller]
    fn check_dependency_of(name: &str, on: &str, dev: bool, windows: bool, expected: &[&str]) {
        let dependency = Dependency { name: on.to_owned(), dev, windows };
        let add = |packages: &mut Vec<Package>| {
            let package = packages.iter_mut().find(|package| package.name == name).unwrap();
            package.dependencies.push(dependency);
        };
        check_changed(add, expected);
    }

    #[test]
    fn a_forbidden_arrow_is_named() {
        check_dependency_of("wire-v15", "ipc-model", false, false, &[]);
        check_dependency_of(
            "ipc-endpoint",
            "ipc-model",
            false,
            false,
            &["the arrow ipc-endpoint -> ipc-model is not allowed"],
        );
        check_dependency_of(
            "ipc-model",
            "wire-v15",
            true,
            false,
            &["the arrow ipc-model -> wire-v15 in its tests is not allowed"],
        );
        check_dependency_of(
            "zccache-ipc",
            "testkit",
            false,
            false,
            &["the arrow zccache-ipc -> testkit is not allowed"],
        );
        check_dependency_of("zccache-ipc", "testkit", true, false, &[]);
    }

    #[test]
    fn an_outside_crate_is_named() {
        check_dependency_of("wire-frame", "bytes", false, false, &[]);
        let expected = "wire-frame may not name the outside crate serde";
        check_dependency_of("wire-frame", "serde", false, false, &[expected]);
        check_dependency_of("wire-frame", "serde", true, false, &[]);
        let expected = "wire-frame may not name the outside crate rand in its tests";
        check_dependency_of("wire-frame", "rand", true, false, &[expected]);
    }

    #[test]
    fn a_crate_for_windows_is_for_windows() {
        check_dependency_of("ipc-os", "windows-sys", false, true, &[]);
        let expected = "ipc-os may depend on windows-sys for Windows targets only";
        check_dependency_of("ipc-os", "windows-sys", false, false, &[expected]);
    }

    #[test]
    fn a_package_at_the_wrong_place_or_with_the_wrong_flag_is_named() {
        check_changed(|_| {}, &[]);
        check_changed(
            |packages| packages[0].home = "ipc-path".to_owned(),
            &["ipc-path is in ipc-path, and belongs in crates/ipc-path"],
        );
        check_changed(
            |packages| packages[0].publish = false,
            &["ipc-path is a library, and its manifest forbids publishing"],
        );
        check_changed(
            |packages| packages.last_mut().unwrap().publish = true,
            &["xtask is not for publishing: `publish = false`"],
        );
    }

    #[test]
    fn an_unknown_or_missing_package_is_named() {
        check_changed(
            |packages| packages[0].name = "utils".to_owned(),
            &["utils is not in the table", "ipc-path is in the table and not in the workspace"],
        );
    }
}
