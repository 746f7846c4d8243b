//! A server of the download daemon's protocol (`docs/spec/download.md`), and what a server needs.
//!
//! The protocol rides in the frames of wire v15 on an endpoint of its own. At most one download is attached
//! to a connection. The end of the connection tells the daemon that a client no longer waits.
//!
//! Not here: downloading, which is the affair of a [`Downloads`].

mod connection;
mod conversation;
mod server;
mod shared;

use std::future::Future;

use ipc_model::download::{DownloadAttach, DownloadStatus};

pub use conversation::{ALREADY_ATTACHED, NOT_ATTACHED, is_over};
pub use server::Server;

/// Downloads that clients start, join and leave.
pub trait Downloads: Send + Sync + 'static {
    /// A client's part in one of them.
    type Attached: Attached;

    /// Starts or joins a download; the error is told to the client.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the client leaves: it must not leave a part behind that nobody holds.
    fn attach(&self, request: DownloadAttach) -> impl Future<Output = Result<Self::Attached, String>> + Send;

    /// How many downloads run, or wait for their turn.
    fn active(&self) -> u64;

    /// How many clients are attached to one.
    fn clients(&self) -> u64;
}

/// A client's part in a download. Dropping it is leaving.
pub trait Attached: Send + Sync + 'static {
    /// The download's id.
    fn id(&self) -> &str;

    /// Whether this client started it.
    fn is_initiator(&self) -> bool;

    /// How far it is.
    fn status(&self) -> DownloadStatus;

    /// Returns when there is progress that [`status`](Self::status) has not told yet, or when there will be
    /// none any more.
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe: no progress is lost.
    fn progress(&mut self) -> impl Future<Output = ()> + Send;
}
