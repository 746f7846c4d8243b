//! A directory with sources, a shelf in memory, and runs of real compilers.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use run_cache::{Ask, Call, Key, Kind, Miss, NotCacheable, NotKept, Ran, Seeking, Shelf, Sought, plan};
use tempfile::TempDir;

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Hit,
    Kept,
    NotKept(NotKept),
    NotCacheable(NotCacheable),
}

/// Values in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory(pub(crate) HashMap<(Kind, Key), Bytes>);

impl Shelf for Memory {
    fn fetch(&mut self, kind: Kind, key: &Key) -> Option<Bytes> {
        self.0.get(&(kind, *key)).cloned()
    }

    fn keep(&mut self, kind: Kind, key: &Key, value: Bytes) -> bool {
        self.0.insert((kind, *key), value);
        true
    }
}

/// Sources, and what was compiled of them.
pub(crate) struct Bench {
    pub(crate) dir: TempDir,
    pub(crate) shelf: Memory,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) base_dir: Option<PathBuf>,
    pub(crate) colour: bool,
    /// Runs between the start of the compiler and the end of the run.
    pub(crate) meanwhile: Option<fn(&Path)>,
    /// Runs between the end of the compiler and the end of the run.
    pub(crate) afterwards: Option<fn(&Path)>,
    pub(crate) said: String,
}

struct Asking<'a>(&'a Call);

impl Ask for Asking<'_> {
    fn ask(&mut self, args: &[String]) -> io::Result<Ran> {
        run(self.0, args, true)
    }
}

pub(crate) fn run(call: &Call, args: &[String], in_english: bool) -> io::Result<Ran> {
    let mut command = Command::new(&call.program);
    std::os::unix::process::CommandExt::arg0(&mut command, &call.name);
    command.args(args).env_clear().envs(call.env.iter().cloned()).current_dir(&call.cwd).stdin(Stdio::null());
    if in_english {
        command.env("LC_ALL", "C");
    }
    let began = Instant::now();
    let output = command.output()?;
    Ok(Ran {
        success: output.status.success(),
        stdout: output.stdout,
        stderr: output.stderr,
        took: began.elapsed(),
    })
}

impl Bench {
    pub(crate) fn new() -> Self {
        let path = std::env::var("PATH").unwrap();
        Self {
            dir: TempDir::new().unwrap(),
            shelf: Memory::default(),
            env: vec![("PATH".into(), path)],
            base_dir: None,
            colour: false,
            meanwhile: None,
            afterwards: None,
            said: String::new(),
        }
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Writes a file that is old enough to be an input of a run that begins now.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.settle(&path);
    }

    /// Waits until the clock of the file system has moved on from the time of a file.
    pub(crate) fn settle(&self, path: &Path) {
        let metadata = fs::symlink_metadata(path).unwrap();
        let changed = ipc_os::InodeStamp::of(&metadata).unwrap().changed_ns;
        while ipc_os::file_clock_ns() <= changed {
            std::thread::yield_now();
        }
    }

    /// Makes a link that leads to `target`, in place of another one.
    pub(crate) fn lead(&self, name: &str, target: &str) {
        let _ = fs::remove_file(self.at(name));
        std::os::unix::fs::symlink(target, self.at(name)).unwrap();
        self.settle(&self.at(name));
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.at(path)).unwrap();
    }

    pub(crate) fn call(&self, dir: &str, line: &str) -> Call {
        let mut words = line.split_whitespace().map(str::to_owned);
        let name = words.next().unwrap();
        let path = self.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        let program = if name.contains('/') {
            self.at(dir).join(&name)
        } else {
            let cwd = self.at(dir);
            let path = path.unwrap_or_default();
            let mut files = std::env::split_paths(&path).map(|dir| cwd.join(dir).join(&name));
            files.find(|file| is_executable(file)).unwrap_or_else(|| panic!("no {name} on PATH"))
        };
        Call {
            program,
            name,
            args: words.collect(),
            env: self.env.clone(),
            cwd: self.at(dir),
            colour: self.colour,
            terminal: self.colour,
            base_dir: self.base_dir.clone(),
        }
    }

    /// Compiles in `dir`, through the cache.
    pub(crate) fn compile_in(&mut self, dir: &str, line: &str) -> End {
        let call = self.call(dir, line);
        let mut ask = Asking(&call);
        let sought =
            match plan(&call).and_then(|plan| plan.seek(&mut self.shelf, &mut ask, Seeking::default())) {
                Ok(sought) => sought,
                Err(why) => {
                    self.said = String::from_utf8(run(&call, &call.args, false).unwrap().stderr).unwrap();
                    return End::NotCacheable(why);
                }
            };
        match sought {
            Sought::Hit(hit) => {
                hit.place().unwrap();
                self.said = String::from_utf8(hit.stderr().to_vec()).unwrap();
                End::Hit
            }
            Sought::Miss(miss) => {
                let args = miss.args().to_vec();
                let meanwhile = self.meanwhile.take();
                if let Some(meanwhile) = &meanwhile {
                    meanwhile(self.dir.path());
                }
                let ran = run(&call, &args, false).unwrap();
                if let Some(afterwards) = self.afterwards.take() {
                    afterwards(self.dir.path());
                }
                self.said = String::from_utf8(ran.stderr.clone()).unwrap();
                match miss.finish(&ran, &mut self.shelf) {
                    Ok(_) => End::Kept,
                    Err(why) => End::NotKept(why),
                }
            }
        }
    }

    /// Looks a call up that is not kept yet.
    pub(crate) fn miss(&mut self, call: &Call) -> Box<Miss> {
        let plan = plan(call).unwrap();
        match plan.seek(&mut self.shelf, &mut Asking(call), Seeking::default()).unwrap() {
            Sought::Miss(miss) => miss,
            Sought::Hit(_) => panic!("it is kept"),
        }
    }

    pub(crate) fn compile(&mut self, line: &str) -> End {
        self.compile_in("", line)
    }

    /// Compiles without the cache, and returns the files that are there then, with the messages.
    pub(crate) fn plain(&self, dir: &str, line: &str) -> (Vec<(PathBuf, Vec<u8>)>, String) {
        let call = self.call(dir, line);
        let ran = run(&call, &call.args, false).unwrap();
        (self.files(), String::from_utf8(ran.stderr).unwrap())
    }

    /// Returns every file, with its contents.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(dir: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(dir).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path(), files);
                } else {
                    files.push((entry.path(), fs::read(entry.path()).unwrap_or_default()));
                }
            }
        }
        let mut files = Vec::new();
        walk(self.dir.path(), &mut files);
        files.sort();
        files
    }

    /// Compiles a line in `dir` with the cache and without it: both must leave the same files and say the same.
    #[track_caller]
    pub(crate) fn same_in(&mut self, dir: &str, line: &str) -> End {
        let before: Vec<_> = self.files().into_iter().map(|(path, _)| path).collect();
        let clean = |bench: &Self| {
            for (path, _) in bench.files() {
                if !before.contains(&path) {
                    fs::remove_file(path).unwrap();
                }
            }
        };
        let (wanted, wanted_said) = self.plain(dir, line);
        clean(self);
        let end = self.compile_in(dir, line);
        let made = self.files();
        assert_eq!(self.said, wanted_said, "{line}: {end:?}");
        let names =
            |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(names(&made), names(&wanted), "{line}: {end:?}");
        for ((path, made), (_, wanted)) in made.iter().zip(&wanted) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            if path.extension() == Some(OsStr::new("d")) {
                assert_eq!(text(made), text(wanted), "{line}: {end:?}");
            }
            assert!(made == wanted, "{line}: {end:?}: {} differs", path.display());
        }
        clean(self);
        end
    }

    #[track_caller]
    pub(crate) fn same(&mut self, line: &str) -> End {
        self.same_in("", line)
    }

    /// A line that is kept the first time and found the second time, with the files and messages of the compiler.
    #[track_caller]
    pub(crate) fn cached(&mut self, line: &str) {
        assert_eq!(self.same(line), End::Kept, "{line}");
        assert_eq!(self.same(line), End::Hit, "{line}");
    }
}

pub(crate) fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Returns true if a program is here; a test of a compiler that is not is left out.
pub(crate) fn has(name: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| is_executable(&dir.join(name)))
}
