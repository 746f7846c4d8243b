//! Connections made by another library.

use std::{
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use super::{AsyncIo, BlockingIo};

/// A type that holds the descriptor of a connected socket.
pub trait Descriptor: AsFd {}
impl<T: AsFd> Descriptor for T {}

/// A duplicate of a connected socket, close-on-exec.
#[derive(Debug)]
pub(crate) struct Handed(OwnedFd);

impl Handed {
    pub(crate) fn of(socket: &impl Descriptor) -> io::Result<Option<Self>> {
        socket.as_fd().try_clone_to_owned().map(|fd| Some(Self(fd)))
    }
}

pub(crate) fn async_of(Handed(socket): Handed) -> io::Result<AsyncIo> {
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(true)?;
    AsyncIo::new(stream.into())
}

pub(crate) fn blocking_of(Handed(socket): Handed) -> io::Result<BlockingIo> {
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(BlockingIo::of_blocking(stream))
}
