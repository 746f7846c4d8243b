//! Pipes: connecting, listening, and what the system's answers mean.

use std::{io, path::Path, time::Duration};

use interprocess::{
    ConnectWaitMode,
    os::windows::{
        ToWtf16,
        named_pipe::{DuplexPipeStream, PipeListenerOptions, pipe_mode, tokio as pipes},
        security_descriptor::SecurityDescriptor,
    },
};
use windows_sys::Win32::Foundation as code;

use crate::{AcceptError, BindError, Endpoint, FileKind, Peer, Pid, connect::Failure};

pub(crate) type AsyncIo = pipes::DuplexPipeStream<pipe_mode::Bytes>;

/// Everything for the owner of the pipe, nothing for anybody else, nothing inherited.
const OWNER_ONLY: &str = "D:P(A;;GA;;;OW)";

/// What the system sets aside for each direction of a connection, in bytes.
const BUFFER: u32 = 64 * 1024;

/// One attempt to connect, which never waits.
pub(crate) async fn dial_async(endpoint: &Endpoint) -> io::Result<AsyncIo> {
    let at_once = ConnectWaitMode::Timeout(Duration::ZERO);
    AsyncIo::connect_by_path_with_wait_mode(endpoint.as_str(), at_once).await
}

/// What a failed attempt to connect means.
pub(crate) fn failure(_: &Endpoint, error: io::Error) -> Failure {
    match raw(&error) {
        Some(code::ERROR_PIPE_BUSY) => Failure::Busy(error),
        Some(code::ERROR_BAD_PIPE) => Failure::NotASocket(FileKind::Other),
        _ => match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::Busy(error),
            io::ErrorKind::NotFound => Failure::NoDaemon(error),
            io::ErrorKind::PermissionDenied => Failure::PermissionDenied(error),
            _ => Failure::Other(error),
        },
    }
}

/// Never returns: a pipe cannot be waited for without reading.
pub(crate) async fn readable(_: &mut AsyncIo) -> io::Result<()> {
    std::future::pending().await
}

/// Not known without reading.
pub(crate) async fn has_hung_up(_: &AsyncIo) -> bool {
    false
}

/// A connection whose other end has a process.
pub(crate) trait HasPeer {
    fn process_id(&self) -> io::Result<u32>;
}

impl HasPeer for AsyncIo {
    fn process_id(&self) -> io::Result<u32> {
        self.peer_process_id()
    }
}

/// Who is at the other end; that it is us, the pipe's access list has made sure of.
pub(crate) fn peer(pipe: &impl HasPeer) -> io::Result<Peer> {
    Ok(Peer { pid: Pid::new(pipe.process_id()?).ok(), uid: None })
}

/// The pipe, with one instance waiting for the next client.
#[derive(Debug)]
pub(crate) struct AsyncListener(pipes::PipeListener<pipe_mode::Bytes, pipe_mode::Bytes>);

impl AsyncListener {
    pub(crate) async fn accept(&self) -> io::Result<AsyncIo> {
        self.0.accept().await
    }
}

/// What a failed accept means.
pub(crate) fn accept_failure(error: io::Error) -> AcceptError {
    match raw(&error) {
        Some(
            code::ERROR_NO_SYSTEM_RESOURCES
            | code::ERROR_NOT_ENOUGH_MEMORY
            | code::ERROR_OUTOFMEMORY
            | code::ERROR_NOT_ENOUGH_QUOTA
            | code::ERROR_TOO_MANY_OPEN_FILES
            | code::ERROR_PIPE_BUSY,
        ) => AcceptError::Exhausted(error),
        Some(code::ERROR_NO_DATA | code::ERROR_BROKEN_PIPE | code::ERROR_PIPE_NOT_CONNECTED) => {
            AcceptError::Gone(error)
        }
        _ => AcceptError::Io(error),
    }
}

/// A pipe is no file, so there is nothing to tell one from another.
pub(crate) fn socket_stamp(_: &Endpoint) -> Option<crate::SocketStamp> {
    None
}

/// Pipes leave nothing behind that would have to be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketId;

impl SocketId {
    /// Whether the endpoint names this pipe: nobody can take a pipe's name from it.
    pub(crate) fn is_at(&self, _: &Endpoint) -> io::Result<bool> {
        Ok(true)
    }
}

/// Pipes are not in a directory, so that no lock can be beside one; their first instance is the lock.
pub(crate) fn socket_path(_: &Endpoint) -> Option<&Path> {
    None
}

/// A pipe's name goes with its last handle.
pub(crate) fn remove_socket(_: &Endpoint) -> io::Result<()> {
    Ok(())
}

/// Listens at `endpoint`, as the first to do so. `recorded` is the process in the pid lock file.
pub(crate) fn bind(
    endpoint: &Endpoint,
    recorded: Option<Pid>,
) -> Result<(AsyncListener, SocketId), BindError> {
    let recorded = recorded.filter(|pid| super::process_alive(*pid));
    let in_use = |by: Option<Pid>| BindError::InUse { endpoint: endpoint.clone(), by: by.or(recorded) };
    // Only the exclusive creation below decides; asking first tells who it is.
    if let Some(by) = listener_at(endpoint) {
        return Err(in_use(by));
    }
    match listen(endpoint) {
        Ok(listener) => Ok((listener, SocketId)),
        // What the system says to a first instance that is not the first.
        Err(error) if matches!(raw(&error), Some(code::ERROR_ACCESS_DENIED | code::ERROR_PIPE_BUSY)) => {
            Err(in_use(None))
        }
        Err(source) => Err(BindError::Io { endpoint: endpoint.clone(), source }),
    }
}

/// The process that listens at `endpoint`, which may be unknown; `None` when nobody does.
fn listener_at(endpoint: &Endpoint) -> Option<Option<Pid>> {
    let at_once = ConnectWaitMode::Timeout(Duration::ZERO);
    let dialled =
        DuplexPipeStream::<pipe_mode::Bytes>::connect_by_path_with_wait_mode(endpoint.as_str(), at_once);
    match dialled {
        Ok(pipe) => Some(pipe.server_process_id().ok().and_then(|pid| Pid::new(pid).ok())),
        Err(error) => matches!(failure(endpoint, error), Failure::Busy(_)).then_some(None),
    }
}

fn listen(endpoint: &Endpoint) -> io::Result<AsyncListener> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
    let path = endpoint.as_str().to_wtf_16().map_err(invalid)?;
    let owner_only = SecurityDescriptor::deserialize(&OWNER_ONLY.to_wtf_16().map_err(invalid)?)?;
    PipeListenerOptions::new()
        .path(path)
        .accept_remote(false)
        .input_buffer_size_hint(BUFFER)
        .output_buffer_size_hint(BUFFER)
        .security_descriptor(Some(owner_only))
        .create_tokio()
        .map(AsyncListener)
}

fn raw(error: &io::Error) -> Option<u32> {
    error.raw_os_error().and_then(|code| u32::try_from(code).ok())
}
