//! Listening at a pipe.

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

/// What the system sets aside for each direction of a connection, in bytes.
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
        // Made before the last one is handed out, so that the name never goes.
        let next = instance(&self.name, Order::Later);
        match connected {
            Ok(()) => {
                let taken = mem::replace(&mut *waiting, next.ok());
                Ok(AsyncIo::Server(taken.expect("an instance was waiting")))
            }
            Err(error) => {
                // An instance whose client has gone again takes no other client.
                if let Ok(next) = next {
                    *waiting = Some(next);
                }
                Err(error)
            }
        }
    }
}

/// Pipes leave nothing behind that would have to be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketId;

impl SocketId {
    /// Whether the endpoint names this pipe: no other process can take a pipe's name from it.
    pub(crate) fn is_at(&self, _: &Endpoint) -> io::Result<bool> {
        Ok(true)
    }
}

/// Listens at `endpoint`, as the first to do so. `recorded` is the process in the pid lock file.
pub(crate) fn bind(
    endpoint: &Endpoint,
    recorded: Option<Pid>,
) -> Result<(AsyncListener, SocketId), BindError> {
    let recorded = recorded.filter(|pid| super::process_alive(*pid));
    let in_use = |by: Option<Pid>| BindError::InUse { endpoint: endpoint.clone(), by: by.or(recorded) };
    // Only the exclusive creation below decides; asking first tells which process listens, and whose it is.
    if let Some(by) = listener_at(endpoint)? {
        return Err(in_use(by));
    }
    match instance(endpoint.as_str(), Order::First) {
        Ok(pipe) => {
            let listener =
                AsyncListener { name: endpoint.as_str().to_owned(), waiting: Mutex::new(Some(pipe)) };
            Ok((listener, SocketId))
        }
        // What the system says to a first instance that is not the first.
        Err(error) if matches!(raw(&error), Some(code::ERROR_ACCESS_DENIED | code::ERROR_PIPE_BUSY)) => {
            Err(in_use(None))
        }
        Err(source) => Err(BindError::Io { endpoint: endpoint.clone(), source }),
    }
}

/// The process that listens at `endpoint`, which may be unknown; `None` when none does.
///
/// A pipe of another user is an error: that user made it first, and its clients would be ours.
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
