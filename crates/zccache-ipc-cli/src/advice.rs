//! Advice for a failure.

use std::io::ErrorKind;

use zccache_ipc::daemon::{NotEnded, SilentDaemon, StartError, StopError};
use zccache_ipc::endpoint::{
    ConnectError, DirectoryError, EndpointError, FileKind, StartLockError, shell_word, show_file,
    show_processes,
};
use zccache_ipc::wire_dispatch::{Dialect, EncodeError, Wires};
use zccache_ipc::{CallError, IpcError};

use crate::failure::Failure;
use crate::suggest::Suggest;

/// Returns the next step after `failure`, if one is known.
pub(crate) fn fix(failure: &Failure, suggest: &Suggest) -> Option<String> {
    Some(match failure {
        Failure::Call(error) => return of_call(error, suggest),
        #[cfg(feature = "running-process")]
        Failure::Registry(failure) => return failure.fix(suggest),
        Failure::Download(error) => return of_download(error, suggest),
        Failure::NoDownloads(
            StartError::Ended { endpoint, .. } | StartError::NotServing { endpoint, .. },
        ) => {
            format!("run it in the foreground: {}", suggest.at(endpoint, "download serve"))
        }
        Failure::NoDownloads(StartError::NoProgram { .. }) => {
            "install zccache-download-daemon beside this program or on PATH: \
                cargo install --path crates/zccache-download"
                .to_owned()
        }
        Failure::DownloadLate { .. } => "repeat the command, which goes on from these bytes; or wait longer \
            with --timeout SECS"
            .to_owned(),
        Failure::NotDownloaded { .. } | Failure::NotRun { .. } => return None,
        Failure::Start(error) | Failure::NoDownloads(error) => return of_start(error, suggest),
        Failure::Stop(error) => return of_stop(error, suggest),
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
        Failure::NotServed { .. } => {
            format!("a zccache-daemon of this project serves it: {}", suggest.verb("start --replace any"))
        }
        Failure::Reported(_) => return None,
        Failure::NoKey => "give a key of 1 to 1024 bytes".to_owned(),
        Failure::NoLogDirectory(directory) => {
            format!("make it: mkdir -p {}", shell_word(&directory.to_string_lossy()))
        }
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

fn of_start(error: &StartError, suggest: &Suggest) -> Option<String> {
    Some(match error {
        StartError::Call(error) => return of_call(error, suggest),
        StartError::NotReplaced(error) => return of_stop(error, suggest),
        StartError::Silent(silent) => return of_silence(silent),
        StartError::StartLockHeld { by: Some(by), .. } => {
            format!("wait longer with --timeout SECS, or look at process {by}: ps -p {by}")
        }
        StartError::StartLockHeld { by: None, .. } | StartError::NotServing { .. } => {
            "wait longer with --timeout SECS".to_owned()
        }
        StartError::FailedElsewhere { .. } => "start it again, to see for yourself".to_owned(),
        StartError::NoProgram { .. } => "name the program with --daemon-binary PATH".to_owned(),
        StartError::Directory(error) | StartError::Lock(StartLockError::Directory(error)) => {
            of_directory(error)
        }
        StartError::Ended { endpoint, .. } => {
            format!("run it in the foreground: {}", suggest.foreground(endpoint))
        }
        _ => return None,
    })
}

fn of_stop(error: &StopError, suggest: &Suggest) -> Option<String> {
    Some(match error {
        StopError::Call(error) => return of_call(error, suggest),
        StopError::Silent(silent) => return of_silence(silent),
        StopError::StillThere { pid: Some(pid), .. } => {
            format!(
                "wait longer with --timeout SECS, or see what process {pid} does: {}",
                show_processes(&[*pid])
            )
        }
        StopError::StillThere { pid: None, .. } => "wait longer with --timeout SECS".to_owned(),
        _ => return None,
    })
}

/// Returns the advice for a process that has the endpoint and does not answer.
fn of_silence(silent: &SilentDaemon) -> Option<String> {
    Some(match (&*silent.why, silent.process) {
        (NotEnded::TooSoon, _) => "wait longer with --timeout SECS".to_owned(),
        (NotEnded::NotWanted, _) => "let it be replaced: leave --replace never out".to_owned(),
        (why, Some(pid)) => {
            format!(
                "it was not ended, because {why}; look at it with: {}, or choose another --endpoint",
                show_processes(&[pid])
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
        DirectoryError::Io { path, source } if source.kind() == ErrorKind::ReadOnlyFilesystem => {
            format!("{} is on a read-only file system: choose another --cache-dir", path.display())
        }
        error => error.fix(),
    }
}

fn of_call(error: &CallError, suggest: &Suggest) -> Option<String> {
    Some(match error {
        CallError::Ipc(IpcError::Connect(error)) => return of_connect(error, suggest),
        CallError::Ipc(IpcError::Version { received, .. }) => {
            let newest = Wires::ALL.newest();
            match Dialect::of(*received) {
                Some(dialect) => {
                    format!("ask it in the wire that it answers in: --wire {}", dialect.lane().name())
                }
                None if *received < newest => {
                    format!("update the daemon: it answers in {received}, which zccache-ipc does not read")
                }
                None => {
                    format!(
                        "update zccache-ipc: the daemon answers in {received}, and it reads {newest} at most"
                    )
                }
            }
        }
        CallError::VersionRefused { ours, .. } => format!(
            "where --wire or ZCCACHE_DAEMON_WIRE asks for {ours}, choose auto; else use a daemon that serves \
             {ours}, at another --endpoint, or stop this one with the zccache of its own release: zccache stop"
        ),
        CallError::Ipc(IpcError::TimedOut(_)) => {
            format!("see why: {}; or wait longer with --timeout SECS", suggest.verb("doctor"))
        }
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
            format!("look at the daemon before you repeat the request: {}", suggest.verb("status"))
        }
        _ => return None,
    })
}

fn of_download(error: &zccache_ipc::download::DownloadError, suggest: &Suggest) -> Option<String> {
    use zccache_ipc::download::DownloadError;
    match error {
        DownloadError::Ipc(IpcError::Connect(ConnectError::NoDaemon { endpoint, .. })) => {
            Some(format!("`{}` starts one", suggest.at(endpoint, "download get URL DEST")))
        }
        DownloadError::Ipc(IpcError::Connect(error)) => of_connect(error, suggest),
        DownloadError::Ipc(IpcError::TimedOut(_)) => Some("wait longer with --timeout SECS".to_owned()),
        _ => None,
    }
}

fn of_connect(error: &ConnectError, suggest: &Suggest) -> Option<String> {
    Some(match error {
        ConnectError::NoDaemon { endpoint, .. } => {
            format!("start one: {}", suggest.at(endpoint, "start"))
        }
        ConnectError::Busy { .. } => "wait longer with --timeout SECS".to_owned(),
        ConnectError::Endpoint(EndpointError::TooLong { .. }) => {
            "choose a shorter --endpoint or --cache-dir".to_owned()
        }
        ConnectError::Endpoint(_) => "choose another --endpoint, or leave it out".to_owned(),
        // The path may belong to another program and have any contents.
        ConnectError::NotASocket { kind: FileKind::Directory, .. } => {
            "choose another --endpoint: a socket is a name in a directory".to_owned()
        }
        ConnectError::NotASocket { path, .. } => {
            format!("choose another --endpoint, or see what it is: {}", show_file(path))
        }
        ConnectError::ForeignPeer { .. } | ConnectError::ForeignServer { .. } => {
            "choose an endpoint of your own with --endpoint".to_owned()
        }
        ConnectError::PermissionDenied { .. } => {
            format!("look at the owner and the mode of each path: {}", suggest.verb("doctor"))
        }
        _ => return None,
    })
}
