//! Connections and listeners of other programs, which this system cannot take over.
//!
//! A client connects to the pipe again, and the server binds the pipe itself.

use std::{convert::Infallible, io};

use super::{AsyncIo, AsyncListener, BlockingIo, SocketId};
use crate::{Endpoint, InheritedError};

/// Any type, because no type holds a connection that can be taken over here.
pub trait Descriptor {}
impl<T> Descriptor for T {}

/// A value that does not exist on this system.
#[derive(Debug)]
pub(crate) struct Handed(Infallible);

impl Handed {
    pub(crate) fn of(_: &impl Descriptor) -> io::Result<Option<Self>> {
        Ok(None)
    }
}

pub(crate) fn async_of(Handed(none): Handed) -> io::Result<AsyncIo> {
    match none {}
}

pub(crate) fn blocking_of(Handed(none): Handed) -> io::Result<BlockingIo> {
    match none {}
}

pub(crate) fn take_over(_: &Endpoint, _: &str) -> Result<(AsyncListener, SocketId), InheritedError> {
    Err(InheritedError::Unsupported)
}
