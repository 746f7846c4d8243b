//! A connection made by another library.

use std::io;

use crate::os;

/// A source of a connection: on Unix any type that holds a descriptor.
pub trait Socket: os::Descriptor {}
impl<T: os::Descriptor> Socket for T {}

/// A connected socket from another library, for this crate's streams to take over.
///
/// It does not exist where connections are not descriptors; connect to the endpoint again there.
#[derive(Debug)]
pub struct Handed(pub(crate) os::Handed);

impl Handed {
    /// Duplicates `socket`; returns `None` on a platform that cannot do that.
    ///
    /// # Errors
    ///
    /// The system's error of duplicating the descriptor.
    pub fn of(socket: &impl Socket) -> io::Result<Option<Self>> {
        Ok(os::Handed::of(socket)?.map(Self))
    }
}
