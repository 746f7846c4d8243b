//! The listener of a pipe.

use std::{io, mem};

use tokio::{
    net::windows::named_pipe::{NamedPipeServer, ServerOptions},
    sync::Mutex,
};
use windows_sys::Win32::Foundation as code;

use super::{
    async_io::AsyncIo,
    dial::{dial, raw},
    identity::OwnerOnly,
    pipe::{failure, foreign_server_of, server_pid},
};
use crate::{BindError, Endpoint, Pid, connect::Failure};

/// The buffer that the system reserves for each direction of a connection, in bytes.
const BUFFER: u32 = 64 * 1024;

/// The pipe, with one instance waiting for the next client.
#[derive(Debug)]
pub(crate) struct AsyncListener {
    name: String,
    /// Empty while the system could not make another instance.
    waiting: Mutex<Option<NamedPipeServer>>,
}

impl AsyncListener {
    pub(crate) async fn accept(&self) -> io::Result<AsyncIo> {
        let mut waiting = self.waiting.lock().await;
        let pipe = match &mut *waiting {
            Some(pipe) => pipe,
            none => none.insert(instance(&self.name, Order::Later)?),
        };
        let connected = pipe.connect().await;
        // Made before the last one is handed out, so that the pipe always has an instance and keeps its name.
        let next = instance(&self.name, Order::Later);
        match connected {
            Ok(()) => {
                let taken = mem::replace(&mut *waiting, next.ok());
                Ok(AsyncIo::Server(taken.expect("an instance was waiting")))
            }
            Err(error) => {
                // An instance whose client has closed takes no other client.
                if let Ok(next) = next {
                    *waiting = Some(next);
                }
                Err(error)
            }
        }
    }
}

/// The identity of a bound pipe, which is empty because a pipe leaves no file behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketId;

impl SocketId {
    /// Returns true: no other process can take the name of an open pipe.
    pub(crate) fn is_at(&self, _: &Endpoint) -> io::Result<bool> {
        Ok(true)
    }
}

/// Listens at `endpoint`, if no other process does. `recorded` is the process in the pid lock file.
pub(crate) fn bind(
    endpoint: &Endpoint,
    recorded: Option<Pid>,
) -> Result<(AsyncListener, SocketId), BindError> {
    let recorded = recorded.filter(|pid| super::process_alive(*pid));
    let in_use = |by: Option<Pid>| BindError::InUse { endpoint: endpoint.clone(), by: by.or(recorded) };
    // Only the exclusive creation below decides; the attempt to connect finds the listener and its user.
    if let Some(by) = listener_at(endpoint)? {
        return Err(in_use(by));
    }
    match instance(endpoint.as_str(), Order::First) {
        Ok(pipe) => {
            let listener =
                AsyncListener { name: endpoint.as_str().to_owned(), waiting: Mutex::new(Some(pipe)) };
            Ok((listener, SocketId))
        }
        // The system's errors if the pipe has an instance already.
        Err(error) if matches!(raw(&error), Some(code::ERROR_ACCESS_DENIED | code::ERROR_PIPE_BUSY)) => {
            Err(in_use(None))
        }
        Err(source) => Err(BindError::Io { endpoint: endpoint.clone(), source }),
    }
}

/// Returns the process that listens at `endpoint`, which may be unknown; `None` if no process listens.
///
/// A pipe of another user is an error: our clients would connect to that user's pipe.
fn listener_at(endpoint: &Endpoint) -> Result<Option<Option<Pid>>, BindError> {
    let denied = |source| BindError::PermissionDenied { endpoint: endpoint.clone(), source };
    match dial(endpoint) {
        Ok(pipe) => match foreign_server_of(&pipe).map_err(denied)? {
            Some((expected, found)) => {
                Err(BindError::ForeignServer { endpoint: endpoint.clone(), expected, found })
            }
            None => Ok(Some(server_pid(&pipe))),
        },
        Err(error) => match failure(endpoint, error) {
            Failure::Busy(_) => Ok(Some(None)),
            Failure::PermissionDenied(source) => Err(denied(source)),
            _ => Ok(None),
        },
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    First,
    Later,
}

/// Makes an instance for one client of our user on this machine.
fn instance(name: &str, order: Order) -> io::Result<NamedPipeServer> {
    let owner_only = OwnerOnly::new()?;
    let mut attributes = owner_only.attributes();
    let mut options = ServerOptions::new();
    options
        .first_pipe_instance(order == Order::First)
        .reject_remote_clients(true)
        .in_buffer_size(BUFFER)
        .out_buffer_size(BUFFER);
    // SAFETY: the attributes and the descriptor that they point to live until the call returns.
    unsafe { options.create_with_security_attributes_raw(name, (&raw mut attributes).cast()) }
}
