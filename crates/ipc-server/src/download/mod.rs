//! The server of the download daemon's protocol (`docs/spec/download.md`).
//!
//! The protocol uses the frames of wire v15 on a separate endpoint. At most one download is attached to a
//! connection. A client that closes its connection detaches from its download.
//!
//! Not here: downloading, which an implementation of [`Downloads`] does.

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
    /// A client's attachment to a download.
    type Attached: Attached;

    /// Starts or joins a download; the client receives the text of an error.
    ///
    /// # Cancel safety
    ///
    /// The server drops the future when the client leaves. A dropped future must not leave a client attached.
    fn attach(&self, request: DownloadAttach) -> impl Future<Output = Result<Self::Attached, String>> + Send;

    /// Returns the number of running and queued downloads.
    fn active(&self) -> u64;

    /// Returns the number of clients that are attached to a download.
    fn clients(&self) -> u64;
}

/// A client's attachment to a download. Dropping it detaches the client.
pub trait Attached: Send + Sync + 'static {
    /// Returns the download's id.
    fn id(&self) -> &str;

    /// Returns true if this client started the download.
    fn is_initiator(&self) -> bool;

    /// Returns the progress of the download.
    fn status(&self) -> DownloadStatus;

    /// Waits for progress or the end of the download.
    ///
    /// Progress is a change since the last call of [`status`](Self::status).
    ///
    /// # Cancel safety
    ///
    /// An implementation must be cancel safe: no progress is lost.
    fn progress(&mut self) -> impl Future<Output = ()> + Send;
}
