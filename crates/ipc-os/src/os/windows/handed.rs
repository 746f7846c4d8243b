//! What others hand over elsewhere: a pipe is dialled again, and bound by whoever serves it.

use std::{convert::Infallible, io};

use super::{AsyncIo, AsyncListener, BlockingIo, SocketId};
use crate::{Endpoint, InheritedError};

/// Anything: nothing can be taken from it here.
pub trait Descriptor {}
impl<T> Descriptor for T {}

/// Nothing.
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
