//! A connection that another library made.

use std::io;

use crate::os;

/// What a connection can be taken from: on Unix whatever holds a descriptor.
pub trait Socket: os::Descriptor {}
impl<T: os::Descriptor> Socket for T {}

/// A connected socket that another library made and this crate's streams take over.
///
/// There is none where connections are not descriptors: dial the endpoint again there.
#[derive(Debug)]
pub struct Handed(pub(crate) os::Handed);

impl Handed {
    /// Takes a share of `socket`; `None` on a platform where that cannot be done.
    ///
    /// # Errors
    ///
    /// What the system said when the descriptor was doubled.
    pub fn of(socket: &impl Socket) -> io::Result<Option<Self>> {
        Ok(os::Handed::of(socket)?.map(Self))
    }
}
