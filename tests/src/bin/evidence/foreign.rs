//! Another user at the daemon's socket, and files of another user in its places.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use conformance::programs::Programs;
use testkit::{Process, TempEndpoint};
use zccache_ipc::model::Request;
use zccache_ipc::wire_v15;

use crate::place::{SOON, connected, spawn};

/// `nobody` of most systems.
const OTHER: u32 = 65534;

/// Pings that the other user sends.
const PINGS: usize = 1000;

/// Plays the other user: sends pings to `socket`, and prints how many bytes were taken and came back.
///
/// # Errors
///
/// The error of the system.
pub(crate) fn play(socket: &Path) -> Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let ping = wire_v15::encode(&Request::Ping)?;
    let mut sent = 0;
    for _ in 0..PINGS {
        match stream.write_all(&ping) {
            Ok(()) => sent += 1,
            Err(_) => break,
        }
    }
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    println!("sent {sent} received {} bytes, then {ended:?}", answer.len());
    Ok(())
}

/// Tries the socket and the places of a daemon as another user.
///
/// # Errors
///
/// A byte that is read of, or an answer that is given to, another user; a file of another user that is used.
pub(crate) fn run(programs: &Programs) -> Result<String> {
    let setpriv = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let mut probe = Command::new("setpriv");
    probe.args(setpriv).arg("true").stdout(Stdio::null()).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        return Ok("Not run: another user can be played by root with `setpriv` only.\n".to_owned());
    }
    let read = bytes_read(programs, &setpriv)?;
    let used = files_used(programs)?;
    Ok(format!(
        "| figure | value |\n|---|---|\n| reads of the daemon from a connection of another user, the socket opened to everybody | {read} |\n\
         | files of another user that `start` or the daemon used, of {} | {used} |\n",
        PLACES.len()
    ))
}

/// Counts the daemon's reads from the connection of another user, by its system calls where they can be traced.
fn bytes_read(programs: &Programs, setpriv: &[&str]) -> Result<u64> {
    let place = TempEndpoint::new();
    let log = place.dir().join("calls");
    let mut command = place.command("strace");
    command
        .args(["-f", "-qqq", "-e", "trace=accept4,accept,read,recvfrom,recvmsg,readv,close", "-o"])
        .arg(&log);
    command.arg("--").arg(programs.daemon()).args(["--foreground", "--endpoint", &place.name()]);
    let mut process = Process::spawn(&mut command);
    drop(connected(&place.name())?);
    // Open what the daemon keeps closed, so that its own check decides.
    fs::set_permissions(place.dir(), fs::Permissions::from_mode(0o755))?;
    fs::set_permissions(place.socket(), fs::Permissions::from_mode(0o777))?;
    let before = fs::read_to_string(&log)?.lines().count();
    let own = std::env::current_exe()?;
    let copy = place.dir().join("other");
    fs::copy(own, &copy)?;
    let mut other = place.command("setpriv");
    other.args(setpriv).arg(&copy).arg("--programs").arg(".").arg("--play-other").arg(place.socket());
    let finished = Process::spawn(&mut other).finish(SOON);
    ensure!(finished.stdout.contains("received 0 bytes"), "{} {}", finished.stdout, finished.stderr);
    fs::set_permissions(place.dir(), fs::Permissions::from_mode(0o700))?;
    let calls = fs::read_to_string(&log)?;
    let mut accepted = None;
    let mut reads = 0;
    for line in calls.lines().skip(before) {
        let result = line.rsplit_once("= ").map(|(_, result)| result.trim());
        if line.contains("accept") && accepted.is_none() {
            accepted = result.and_then(|result| result.parse::<u32>().ok());
        } else if let Some(fd) = accepted {
            if line.contains(&format!("close({fd})")) {
                break;
            }
            let reads_it = ["read(", "recvfrom(", "recvmsg(", "readv("]
                .iter()
                .any(|call| line.contains(&format!("{call}{fd},")));
            reads += u64::from(reads_it);
        }
    }
    ensure!(accepted.is_some(), "the trace shows no connection:\n{calls}");
    ensure!(reads == 0, "the daemon read {reads} times from another user");
    let mut stop = place.command(programs.path("zccache-ipc"));
    Process::spawn(stop.args(["--endpoint", &place.name(), "stop"])).wait_exit(SOON);
    process.wait_exit(SOON);
    Ok(reads)
}

/// Places below the cache directory, and whether another user's file there is a directory.
const PLACES: &[(&str, bool)] = &[
    ("", true),
    ("logs/daemon-lifecycle.log", false),
    ("daemon.lock", false),
    ("../s.sock.lifetime", false),
];

/// Puts another user's files in the daemon's places, and counts the files that changed or were removed.
fn files_used(programs: &Programs) -> Result<u64> {
    let mut used = 0;
    for (name, is_directory) in PLACES {
        let place = TempEndpoint::new();
        let path = place.cache_dir().join(name);
        if *is_directory {
            fs::create_dir_all(&path)?;
        } else {
            fs::create_dir_all(path.parent().unwrap_or(&path))?;
            fs::write(&path, "theirs")?;
        }
        chown(&path, Some(OTHER), Some(OTHER))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(if *is_directory { 0o777 } else { 0o666 }))?;
        let mut process = spawn(&place, &programs.daemon(), &[]);
        // It refuses or serves without the file; either is right, using it is not.
        let served =
            testkit::holds_within(Duration::from_secs(3), || !process.is_running() || connected_now(&place));
        let refused = served && !process.is_running();
        if !refused {
            let mut stop = place.command(programs.path("zccache-ipc"));
            Process::spawn(stop.args(["--endpoint", &place.name(), "stop"])).wait_exit(SOON);
            process.wait_exit(SOON);
        }
        let changed = if *is_directory {
            fs::read_dir(&path)?.count() > 0
        } else {
            fs::read_to_string(&path).is_ok_and(|text| text != "theirs")
        };
        println!("{name:?} of another user: refused {refused}, used {changed}");
        used += u64::from(changed);
    }
    ensure!(used == 0, "{used} files of another user were used");
    Ok(used)
}

fn connected_now(place: &TempEndpoint) -> bool {
    UnixStream::connect(place.socket()).is_ok()
}
