//! `wrap` executes what it does not cache with everything that its caller set up.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::{TempEndpoint, watchdog};

use crate::support::SOON;

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A directory with scripts and the wrapper, and no daemon.
struct Place(TempEndpoint);

impl Place {
    fn new() -> Self {
        Self(TempEndpoint::new())
    }

    fn dir(&self) -> &Path {
        self.0.dir()
    }

    /// Makes an executable file of the text.
    fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir().join(name);
        fs::create_dir_all(path.parent().expect("it has a directory")).expect("the place takes files");
        fs::write(&path, text).expect("the place takes files");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("the place takes files");
        path
    }

    /// Runs a line of sh in which `$WRAP` is the wrapper, and returns exit code and both streams.
    fn sh(&self, line: &str) -> (i32, String) {
        self.run(self.0.command("/bin/sh").args(["-c", line]).env("PATH", PATH))
    }

    fn run(&self, command: &mut Command) -> (i32, String) {
        command.env("WRAP", wrapper()).env("ZCCACHE_NO_SPAWN", "1").stdin(Stdio::null());
        let output = command.output().expect("it can be started");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code().unwrap_or(-1), text.concat())
    }
}

fn wrapper() -> PathBuf {
    option_env!("CARGO_BIN_EXE_zccache-wrap").map_or_else(|| testkit::program("zccache-wrap"), PathBuf::from)
}

/// Checks that `line`, in which `$WRAP` stands before a command, says the same with and without the wrapper.
#[track_caller]
fn same(place: &Place, line: &str) {
    let direct = place.sh(&line.replace("$WRAP ", ""));
    let wrapped = place.sh(line);
    assert_eq!(wrapped, direct, "{line}");
}

#[test]
fn the_compiler_inherits_limits_mask_signals_descriptors_and_variables() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.program(
        "state",
        "#!/bin/sh\nnice; ulimit -a; umask; env | sort | grep -v ^_=; ls /proc/self/fd\n\
         grep -E '^(SigIgn|SigBlk|Cpus_allowed):' /proc/self/status\n",
    );
    for setting in [
        "",
        "trap '' PIPE;",
        "trap '' HUP INT;",
        "exec 7</dev/null;",
        "exec 0<&-;",
        "umask 027; ulimit -Sn 99; ulimit -v 4000000; renice -n 3 $$ >/dev/null;",
    ] {
        same(&place, &format!("{setting} exec $WRAP ./state"));
    }
    // A blocked signal stays blocked; sh has no words for that.
    let blocked = "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); \
                   os.execv(sys.argv[1], sys.argv[1:])";
    fs::write(place.dir().join("blocked.py"), blocked).unwrap();
    if place.sh("command -v python3").0 == 0 {
        same(&place, "exec python3 blocked.py $WRAP /bin/grep SigBlk /proc/self/status");
    }
    // Descriptors by number, as `<(…)` of bash names them.
    same(&place, "exec 4<state; $WRAP cat /dev/fd/4");
}

#[test]
fn a_signal_and_an_exit_code_are_handed_on() {
    let _watchdog = watchdog(SOON);
    let place = Place::new();
    for line in
        ["$WRAP sh -c 'kill -9 $$'", "$WRAP sh -c 'exit 77'", "$WRAP sh -c 'kill -TERM $$'", "$WRAP ./none"]
    {
        let direct = place.sh(&line.replace("$WRAP ", "")).0;
        assert_eq!(place.sh(line).0, direct, "{line}");
    }
}

#[test]
fn without_path_the_systems_directories_are_searched() {
    let _watchdog = watchdog(SOON);
    let place = Place::new();
    let line = |command: &str| place.run(place.0.command(command).args(["cat", "-c"]).env_remove("PATH"));
    let direct = place.run(place.0.command("/bin/cat").arg("-c").env_remove("PATH"));
    let wrapped = line(wrapper().to_str().unwrap());
    assert_eq!(wrapped.0, direct.0);
    assert!(wrapped.1.starts_with("cat: invalid option"), "{wrapped:?}");
    // An empty part of PATH is the current directory.
    place.program("here", "#!/bin/sh\necho here\n");
    let empty = place.run(place.0.command(wrapper()).arg("here").env("PATH", ""));
    assert_eq!(empty, (0, "here\n".to_owned()));
}

#[test]
fn a_script_without_an_interpreter_is_run_by_a_shell() {
    let _watchdog = watchdog(SOON);
    let place = Place::new();
    place.program("bare", "echo bare $1 $2; exit 3\n");
    assert_eq!(place.sh("$WRAP ./bare 1 '2 3'"), (3, "bare 1 2 3\n".to_owned()));
    let empty = place.program("empty", "");
    assert_eq!(place.sh(&format!("$WRAP {}", empty.display())), (0, String::new()));
}

#[test]
fn a_link_named_like_a_compiler_runs_the_next_one_on_path() {
    let _watchdog = watchdog(SOON);
    let place = Place::new();
    place.program("real/gcc", "#!/bin/sh\necho real $#\n");
    fs::create_dir(place.dir().join("links")).unwrap();
    symlink(wrapper(), place.dir().join("links/gcc")).unwrap();
    place.program("links/unused", "");
    let path = |parts: &[&str]| {
        let mut parts: Vec<_> = parts.iter().map(|part| place.dir().join(part)).collect();
        parts.extend(["/usr/bin", "/bin"].map(PathBuf::from));
        std::env::join_paths(parts).unwrap()
    };
    let gcc =
        |path: &OsStr| place.run(place.0.command("/bin/sh").args(["-c", "gcc -c 'a b'"]).env("PATH", path));
    assert_eq!(gcc(&path(&["links", "real"])), (0, "real 2\n".to_owned()));
    // Twice on PATH, by a relative name too.
    assert_eq!(gcc(&path(&["links", "links/../links", "real"])), (0, "real 2\n".to_owned()));
    // A script of that name that asks PATH again comes back here, and not for ever.
    place.program("script/gcc", "#!/bin/sh\necho script\nexec gcc \"$@\" more\n");
    assert_eq!(gcc(&path(&["links", "script", "real"])), (0, "script\nreal 3\n".to_owned()));
    // A copy of the wrapper is one too.
    fs::create_dir(place.dir().join("copy")).unwrap();
    fs::copy(wrapper(), place.dir().join("copy/zccache-wrap")).unwrap();
    symlink("zccache-wrap", place.dir().join("copy/gcc")).unwrap();
    assert_eq!(gcc(&path(&["links", "copy", "real"])), (0, "real 2\n".to_owned()));
    // Where no other one is left, that is said once.
    let only = place.dir().join("links");
    let (code, said) = place.run(place.0.command(only.join("gcc")).arg("-c").env("PATH", &only));
    assert_eq!((code, said.lines().count()), (127, 1), "{said}");
}

#[test]
fn a_script_that_hands_itself_to_the_wrapper_is_called_once() {
    let _watchdog = watchdog(SOON);
    let place = Place::new();
    place.program("real/gcc", "#!/bin/sh\necho real\n");
    place.program("bin/gcc", "#!/bin/sh\necho script\nexec $WRAP gcc \"$@\"\n");
    let path = format!("{0}/bin:{0}/real:{PATH}", place.dir().display());
    for line in ["gcc -c a.c", "$WRAP gcc -c a.c"] {
        let ran = place.run(place.0.command("/bin/sh").args(["-c", line]).env("PATH", &path));
        let scripts = ran.1.matches("script\n").count();
        assert!(ran.0 == 0 && ran.1.ends_with("real\n") && scripts <= 2, "{line}: {ran:?}");
    }
}

#[test]
fn rustc_gets_the_descriptors_of_its_job_server() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.program("rustc", "#!/bin/sh\necho \"$MAKEFLAGS\" | sed 's/.*--jobserver[^ ]*=//; s/ .*//; s/.*,//'\n\
                            case $MAKEFLAGS in *=fifo:*) ;; *,*) : <&${MAKEFLAGS##*,} && echo usable;; esac\n");
    fs::write(place.dir().join("Makefile"), "d:\n\t+@./rustc\nw:\n\t+@$(WRAP) ./rustc\n").unwrap();
    if place.sh("command -v make").0 != 0 {
        return;
    }
    assert_eq!(place.sh("make -s -j2 w"), place.sh("make -s -j2 d"));
}

#[test]
fn the_wrappers_options_come_before_the_compiler() {
    let _watchdog = watchdog(SOON);
    let place = Place::new();
    let (code, help) = place.run(place.0.command(wrapper()).arg("--help"));
    assert!(code == 0 && help.contains("--no-start"), "{help}");
    assert_eq!(place.run(&mut place.0.command(wrapper())).0, 2);
    let dashes = place.run(place.0.command(wrapper()).args(["--", "echo", "--here"]).env("PATH", PATH));
    assert_eq!(dashes, (0, "--here\n".to_owned()));
}

#[test]
fn the_wrapper_names_its_own_version() {
    let _watchdog = watchdog(SOON);
    for question in ["--version", "-V"] {
        let shown = Command::new(wrapper()).arg(question).output().unwrap();
        assert!(shown.status.success());
        let expected = format!("zccache-wrap {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(String::from_utf8_lossy(&shown.stdout), expected);
    }
}
