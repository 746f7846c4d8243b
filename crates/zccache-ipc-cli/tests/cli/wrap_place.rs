//! A place where compilers run behind `wrap`, with a daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use testkit::{Process, TempEndpoint};

use crate::support::{self, SOON, program};

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A directory with a daemon that the first compilation starts.
pub(crate) struct Place(pub(crate) TempEndpoint);

impl Place {
    pub(crate) fn new() -> Self {
        let _built = testkit::program("zccache-daemon");
        Self(TempEndpoint::new())
    }

    pub(crate) fn dir(&self) -> &Path {
        self.0.dir()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir().join(name);
        fs::create_dir_all(path.parent().expect("it has a directory")).expect("the place takes files");
        fs::write(&path, text).expect("the place takes files");
        path
    }

    pub(crate) fn script(&self, name: &str, text: &str) {
        let path = self.write(name, text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("the place takes files");
    }

    /// Runs a line of sh, in which `$W` is the wrapper; returns exit code and both streams.
    pub(crate) fn sh(&self, line: &str) -> (i32, String) {
        let output = self.command(line).output().expect("there is a shell");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code().unwrap_or(-1), text.concat())
    }

    /// Returns the command of a line of sh, in which `$W` is the wrapper.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = self.0.command("/bin/sh");
        command.args(["-c", line]).env("PATH", PATH).env("W", wrapper()).stdin(Stdio::null());
        command
    }

    /// The same for a line that must succeed and print nothing.
    #[track_caller]
    pub(crate) fn quietly(&self, line: &str) {
        assert_eq!(self.sh(line), (0, String::new()), "{line}");
    }

    /// Returns the status after the last report: a wrapper waits for no answer to it, and has ended before.
    pub(crate) fn status(&self) -> Value {
        let status = || support::json(&self.0, &["status"]).1;
        // A wrapper's connection is open until its report is counted; two are those of `status`.
        let is_idle = || status()["daemon"]["connections"]["open"].as_u64() <= Some(2);
        assert!(testkit::holds_within(SOON, is_idle), "a connection stays open: {}", status());
        status()
    }

    pub(crate) fn hits(&self) -> u64 {
        self.status()["cache_hits"].as_u64().expect("it is a number")
    }

    pub(crate) fn has(&self, tools: &str) -> bool {
        tools.split(' ').all(|tool| self.sh(&format!("command -v {tool}")).0 == 0)
    }

    /// Checks that `args`, run twice behind the wrapper, leave what the compiler leaves by itself; returns how
    /// many hits that were.
    #[track_caller]
    pub(crate) fn same(&self, compiler: &str, args: &str, files: &[&str]) -> u64 {
        let before = if self.is_up() { self.hits() } else { 0 };
        let read = || files.iter().map(|name| fs::read(self.dir().join(name)).ok()).collect::<Vec<_>>();
        let clean = || files.iter().for_each(|name| drop(fs::remove_file(self.dir().join(name))));
        clean();
        let direct = (self.sh(&format!("{compiler} {args}")), read());
        for round in 1..=2 {
            clean();
            let wrapped = (self.sh(&format!("\"$W\" {compiler} {args}")), read());
            assert!(
                wrapped == direct,
                "{compiler} {args}, round {round}: {:?} for {:?}",
                wrapped.0,
                direct.0
            );
        }
        self.hits() - before
    }

    pub(crate) fn is_up(&self) -> bool {
        support::run(&self.0, &["ping"]).status.success()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = Process::spawn(&mut program(&self.0, &["stop"])).wait_exit(SOON);
    }
}

fn wrapper() -> PathBuf {
    option_env!("CARGO_BIN_EXE_zccache-wrap").map_or_else(|| testkit::program("zccache-wrap"), PathBuf::from)
}

/// The compilers that are here.
pub(crate) fn compilers(place: &Place) -> Vec<&'static str> {
    ["gcc", "clang"].into_iter().filter(|compiler| place.has(compiler)).collect()
}
