//! Paths of this workspace's programs, which are built on demand.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, UNIX_EPOCH};

/// Variable that `cargo xtask ci` sets after it built every program.
const PREBUILT: &str = "ZCCACHE_TESTKIT_PREBUILT";

/// Files that cargo writes at the top of a target directory.
const MARKS: [&str; 2] = ["CACHEDIR.TAG", ".rustc_info.json"];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The place of the running test, which is also the place of programs.
#[derive(Debug, PartialEq, Eq)]
struct Output {
    /// The target directory.
    target_dir: PathBuf,
    /// The target triple in the path, if there is one.
    triple: Option<String>,
    /// The profile's directory: `debug`, `release` or the name of a profile.
    profile: String,
}

/// Returns the path of the program `name` in the running test's profile.
///
/// Builds the program once per test process, unless `ZCCACHE_TESTKIT_PREBUILT` is `1`.
///
/// ```no_run
/// let daemon = testkit::program("zccache-daemon");
/// ```
///
/// # Panics
///
/// If the program cannot be built or is missing, or the caller is not a test in a target directory (a doctest
/// is not).
#[must_use]
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    static BUILT: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let test = env::current_exe().expect("a test knows its own path");
    // cargo tags only a directory that it made itself, not a mounted one.
    let is_target_dir = |dir: &Path| MARKS.iter().any(|mark| dir.join(mark).exists());
    let output = Output::of(&test, is_target_dir)
        .unwrap_or_else(|| panic!("{test:?} is not a test in a target directory"));
    if env::var_os(PREBUILT).is_none_or(|value| value != "1") {
        // The test that failed to build panics itself; the set stays usable.
        let mut built = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let built = built.get_or_insert_default();
        if !built.contains(name) {
            build(name, &output);
            built.insert(name.to_owned());
        }
    }
    let path = output.programs().join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "no program at {path:?}; {PREBUILT}=1 promises that it was built");
    path
}

/// Puts the program `stand-in` into `dir` as `name`, and returns its path.
///
/// The name says what the program does. The tests of every platform use it where no shell and no compiler is.
///
/// # Panics
///
/// If [`program`] does, or the file cannot be made.
#[must_use]
#[track_caller]
pub fn stand_in(dir: &Path, name: &str) -> PathBuf {
    let (built, place) = (program("stand-in"), dir.join(format!("{name}{}", env::consts::EXE_SUFFIX)));
    if !place.exists() {
        // No link: each link that another test makes changes the time of the file, and a compiler that changes has no
        // hits. On Unix another process copies, because a child of another thread would keep the copy open for
        // writing, and a program that is open for writing cannot be started.
        let made = if cfg!(unix) {
            let status = Command::new("cp").arg(&built).arg(&place).status();
            status.is_ok_and(|status| status.success())
        } else {
            fs::copy(&built, &place).is_ok()
        };
        assert!(made, "{place:?} cannot be made");
    }
    place
}

/// Puts the compiler of `stand-in` with its parts below `dir`; returns its path.
///
/// It understands a few of gcc's options, and describes itself as gcc does.
///
/// # Panics
///
/// If [`stand_in`] does, or a directory cannot be made.
#[must_use]
#[track_caller]
pub fn stand_in_compiler(dir: &Path) -> PathBuf {
    let parts = dir.join("lib/gcc/stand-in/1");
    fs::create_dir_all(&parts).expect("a test can make directories");
    let _parts = (stand_in(dir, "as"), stand_in(&parts, "cc1"));
    let header = dir.join("stdio.h");
    if !header.exists() {
        fs::write(&header, "int puts(const char *);\n").expect("a test can write files");
        // Windows has no change time: a header that was modified just now may have changed while it was compiled.
        let file = fs::File::options().write(true).open(&header).expect("the file is there");
        file.set_modified(UNIX_EPOCH + DAY).expect("a test can set times");
    }
    stand_in(dir, "gcc")
}

fn build(name: &str, output: &Output) {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The same features as in `cargo build --workspace --bins`, so that nothing is built twice.
    cargo.args(["build", "--quiet", "--workspace", "--bin", name]).args(output.arguments());
    let ended = cargo.output().unwrap_or_else(|error| panic!("cannot start {cargo:?}: {error}"));
    assert!(ended.status.success(), "{cargo:?}\n{}", String::from_utf8_lossy(&ended.stderr));
}

impl Output {
    /// Reads `<target>/[<triple>/]<profile>/deps/<test>`; `is_target_dir` knows the first part.
    fn of(test: &Path, is_target_dir: impl Fn(&Path) -> bool) -> Option<Self> {
        let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
        let deps = test.parent().filter(|dir| dir.file_name().is_some_and(|name| name == "deps"))?;
        let profile = deps.parent()?;
        let above = profile.parent()?;
        let (target_dir, triple) =
            if is_target_dir(above) { (above, None) } else { (above.parent()?, Some(name(above)?)) };
        Some(Self { target_dir: target_dir.to_path_buf(), triple, profile: name(profile)? })
    }

    fn programs(&self) -> PathBuf {
        self.target_dir.join(self.triple.as_deref().unwrap_or("")).join(&self.profile)
    }

    fn arguments(&self) -> Vec<String> {
        let profile = if self.profile == "debug" { "dev" } else { &self.profile };
        let mut arguments = vec!["--profile".to_owned(), profile.to_owned(), "--target-dir".to_owned()];
        arguments.push(self.target_dir.to_string_lossy().into_owned());
        if let Some(triple) = &self.triple {
            arguments.extend(["--target".to_owned(), triple.clone()]);
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(test: &str, expected: Option<(&str, &str)>) {
        let output = Output::of(Path::new(test), |dir| dir == Path::new("/w/target"));
        let seen = output.map(|output| (output.programs(), output.arguments().join(" ")));
        assert_eq!(seen, expected.map(|(dir, arguments)| (PathBuf::from(dir), arguments.to_owned())));
    }

    #[test]
    fn the_running_tests_path_says_where_programs_are() {
        check(
            "/w/target/debug/deps/t-0123",
            Some(("/w/target/debug", "--profile dev --target-dir /w/target")),
        );
        check(
            "/w/target/release/deps/t-0123",
            Some(("/w/target/release", "--profile release --target-dir /w/target")),
        );
        check(
            "/w/target/x86_64-pc-windows-gnu/debug/deps/t-0123",
            Some((
                "/w/target/x86_64-pc-windows-gnu/debug",
                "--profile dev --target-dir /w/target --target x86_64-pc-windows-gnu",
            )),
        );
        check("/tmp/rustdoctest/rust_out", None);
    }
}
