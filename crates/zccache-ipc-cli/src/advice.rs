//! What to do about a failure.

use std::io::ErrorKind;
use std::path::Path;

use zccache_ipc::daemon::{NotEnded, SilentDaemon, StartError, StopError};
use zccache_ipc::endpoint::{
    ConnectError, DirectoryError, Endpoint, EndpointError, FileKind, StartLockError, shell_word,
};
use zccache_ipc::wire_dispatch::EncodeError;
use zccache_ipc::wire_frame::Version;
use zccache_ipc::{CallError, IpcError};

use crate::failure::Failure;

/// Returns the next step for somebody who met `failure`, where there is one to name.
///
/// `cache_dir` is the one on the command line, which a suggested command must repeat.
pub(crate) fn fix(failure: &Failure, cache_dir: Option<&Path>) -> Option<String> {
    let command = |endpoint: &Endpoint, verb: &str| {
        let endpoint = shell_word(endpoint.as_str());
        let cache_dir = cache_dir.map(|dir| format!(" --cache-dir {}", shell_word(&dir.to_string_lossy())));
        format!("zccache-ipc{} --endpoint {endpoint} {verb}", cache_dir.unwrap_or_default())
    };
    Some(match failure {
        Failure::Call(error) => return of_call(error, &command),
        #[cfg(feature = "running-process")]
        Failure::Registry(failure) => return failure.fix(),
        Failure::Download(error) => return of_download(error, &command),
        Failure::NoDownloads(
            StartError::Ended { endpoint, .. } | StartError::NotServing { endpoint, .. },
        ) => {
            format!(
                "see what it says when it runs in the foreground: {}",
                command(endpoint, "download serve")
            )
        }
        Failure::NoDownloads(StartError::NoProgram { .. }) => {
            "install zccache-download-daemon beside this program or on PATH: \
                cargo install --path crates/zccache-download"
                .to_owned()
        }
        Failure::NotDownloaded { .. } | Failure::NotRun { .. } => return None,
        Failure::Start(error) | Failure::NoDownloads(error) => return of_start(error, &command),
        Failure::Stop(error) => return of_stop(error, &command),
        Failure::Surroundings(_) => "change to a directory that exists".to_owned(),
        Failure::Locate(_) => "give it in UTF-8, or choose another with --cache-dir or --endpoint".to_owned(),
        Failure::Wire(_) => "set it to one of them, or choose with --wire auto|v15|v16|frame".to_owned(),
        Failure::BadMessage(_) => {
            r#"give an object such as {"variant":"Lookup","message":{"cache_key":"k"}}"#.to_owned()
        }
        Failure::NoName(_) => "rename the file to a name in UTF-8".to_owned(),
        Failure::SameName(_) => "store files of different names".to_owned(),
        Failure::NoTool => "name it after --".to_owned(),
        Failure::NotText(_) => "give it in UTF-8".to_owned(),
        Failure::NoCacheFile => "name it with --cache-file F".to_owned(),
        Failure::TooLarge { .. } => "store less under one key".to_owned(),
        #[cfg(not(feature = "running-process"))]
        Failure::LeftOut => "build it with its default features".to_owned(),
        Failure::NoSuchOutput { .. } | Failure::SeveralOutputs(_) => {
            "choose one of them with --name NAME".to_owned()
        }
        Failure::ListensAtDaemon(_) | Failure::Claim(_) | Failure::Bind(_) => {
            "choose another address with --listen".to_owned()
        }
        Failure::Accept(_)
        | Failure::Read { .. }
        | Failure::Write { .. }
        | Failure::NoOutput
        | Failure::Input(_)
        | Failure::InputTooLong(_)
        | Failure::Output(_) => return None,
    })
}

fn of_start(error: &StartError, command: &dyn Fn(&Endpoint, &str) -> String) -> Option<String> {
    Some(match error {
        StartError::Call(error) => return of_call(error, command),
        StartError::NotReplaced(error) => return of_stop(error, command),
        StartError::Silent(silent) => return of_silence(silent),
        StartError::Turn { by: Some(by), .. } => {
            format!("wait longer with --timeout SECS, or see what process {by} waits for")
        }
        StartError::Turn { by: None, .. } | StartError::NotServing { .. } => {
            "wait longer with --timeout SECS".to_owned()
        }
        StartError::FailedElsewhere { .. } => "start it again, to see for yourself".to_owned(),
        StartError::NoProgram { .. } => "name the program with --daemon-binary PATH".to_owned(),
        StartError::Directory(error) | StartError::Lock(StartLockError::Directory(error)) => {
            of_directory(error)
        }
        StartError::Ended { endpoint, .. } => {
            format!(
                "see what it says when it runs in the foreground: zccache-daemon --foreground --endpoint {}",
                shell_word(endpoint.as_str())
            )
        }
        _ => return None,
    })
}

fn of_stop(error: &StopError, command: &dyn Fn(&Endpoint, &str) -> String) -> Option<String> {
    Some(match error {
        StopError::Call(error) => return of_call(error, command),
        StopError::Silent(silent) => return of_silence(silent),
        StopError::StillThere { pid: Some(pid), .. } => {
            format!("wait longer with --timeout SECS, or see what process {pid} does: ps -p {pid}")
        }
        StopError::StillThere { pid: None, .. } => "wait longer with --timeout SECS".to_owned(),
        _ => return None,
    })
}

/// What to do about somebody who has the endpoint and says nothing.
fn of_silence(silent: &SilentDaemon) -> Option<String> {
    Some(match (&*silent.why, silent.process) {
        (NotEnded::TooSoon, _) => "wait longer with --timeout SECS".to_owned(),
        (NotEnded::NotWanted, _) => "let it be replaced: leave --replace never out".to_owned(),
        (why, Some(pid)) => {
            format!(
                "it was not ended, because {why}; look at it with: ps -p {pid}, or choose another --endpoint"
            )
        }
        (why, None) => format!("it was not ended, because {why}; choose another --endpoint"),
    })
}

fn of_directory(error: &DirectoryError) -> String {
    match error {
        DirectoryError::Io { path, source } if source.kind() == ErrorKind::PermissionDenied => {
            let there = path.ancestors().skip(1).find(|ancestor| ancestor.is_dir()).unwrap_or(path);
            format!("make {} writable, or choose another --cache-dir", there.display())
        }
        error => error.fix(),
    }
}

fn of_call(error: &CallError, command: &dyn Fn(&Endpoint, &str) -> String) -> Option<String> {
    Some(match error {
        CallError::Ipc(IpcError::Connect(error)) => return of_connect(error, command),
        CallError::Ipc(IpcError::Version { received: received @ (Version::V15 | Version::V16), .. }) => {
            format!("ask it in the wire that it answers in: --wire {received}")
        }
        CallError::Ipc(IpcError::Version { expected, received }) if received < expected => {
            format!("update the daemon: it answers in {received}, which zccache-ipc does not read")
        }
        CallError::Ipc(IpcError::Version { expected, received }) => {
            format!("update zccache-ipc: the daemon answers in {received}, and it reads {expected} at most")
        }
        CallError::VersionRefused { ours, .. } => format!(
            "where --wire or ZCCACHE_DAEMON_WIRE asks for {ours}, choose auto; else use a daemon that serves \
             {ours}, at another --endpoint, or stop this one with the zccache of its own release: zccache stop"
        ),
        CallError::Ipc(IpcError::TimedOut(_)) => "wait longer with --timeout SECS".to_owned(),
        CallError::Busy(pressure) => format!("ask again in {} ms", pressure.retry_after_ms),
        CallError::Ipc(IpcError::Encode(EncodeError::TooLong { .. })) => {
            "ask for less in one message".to_owned()
        }
        CallError::Ipc(IpcError::Encode(EncodeError::NotCarried { .. })) => {
            "start a newer daemon, or leave --wire out: the daemon may know the request on another lane"
                .to_owned()
        }
        CallError::Ipc(IpcError::Encode(_)) => "use names and paths in UTF-8".to_owned(),
        CallError::OutcomeUnknown { .. } => {
            "ask the daemon how it is before you repeat it: zccache-ipc status".to_owned()
        }
        _ => return None,
    })
}

fn of_download(
    error: &zccache_ipc::download::DownloadError,
    command: &dyn Fn(&Endpoint, &str) -> String,
) -> Option<String> {
    use zccache_ipc::download::DownloadError;
    match error {
        DownloadError::Ipc(IpcError::Connect(ConnectError::NoDaemon { endpoint, .. })) => {
            Some(format!("start one: {}", command(endpoint, "download serve")))
        }
        DownloadError::Ipc(IpcError::Connect(error)) => of_connect(error, command),
        DownloadError::Ipc(IpcError::TimedOut(_)) => {
            Some("wait longer with --timeout SECS; what is there is not downloaded again".to_owned())
        }
        _ => None,
    }
}

fn of_connect(error: &ConnectError, command: &dyn Fn(&Endpoint, &str) -> String) -> Option<String> {
    Some(match error {
        ConnectError::NoDaemon { endpoint, .. } => {
            format!("start one: {}", command(endpoint, "start"))
        }
        ConnectError::Busy { .. } => "wait longer with --timeout SECS".to_owned(),
        ConnectError::Endpoint(EndpointError::TooLong { .. }) => {
            "choose a shorter --endpoint or --cache-dir".to_owned()
        }
        ConnectError::Endpoint(_) => "choose another --endpoint, or leave it out".to_owned(),
        // It may be anybody's, and hold anything.
        ConnectError::NotASocket { kind: FileKind::Directory, .. } => {
            "choose another --endpoint: a socket is a name in a directory".to_owned()
        }
        ConnectError::NotASocket { path, .. } => {
            format!(
                "choose another --endpoint, or see what it is: ls -l {}",
                shell_word(&path.to_string_lossy())
            )
        }
        ConnectError::ForeignPeer { .. } => "choose an endpoint of your own with --endpoint".to_owned(),
        ConnectError::PermissionDenied { .. } => {
            "look at the owner and the mode of the socket and its directories: zccache-ipc endpoint"
                .to_owned()
        }
        _ => return None,
    })
}
