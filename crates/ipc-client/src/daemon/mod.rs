//! Starts and stops the daemon of an endpoint, and replaces one that does not answer.
//!
//! [`ensure_daemon`] and [`stop_daemon`] are for async code, and [`crate::blocking`] has both under the same
//! names. No other function kills a process, and they kill one kind only: a [`ProvedDaemon`] that is frozen
//! or silent.
//!
//! [`ProvedDaemon`]: ipc_os::ProvedDaemon

mod config;
#[cfg(feature = "running-process")]
mod contradiction;
pub(crate) mod ensure;
mod error;
mod launch;
mod log_end;
mod look;
mod place;
mod silence;
mod silence_limit;
mod start_race;
pub(crate) mod stop;

pub use config::{Replace, StartConfig, StopConfig};
pub use ensure::{Ensured, Replaced};
pub use error::{StartError, StopError};
pub use log_end::LogEnd;
pub use place::DaemonPlace;
pub use silence::{NotEnded, SilentDaemon};
pub use stop::Stopped;

use tokio::sync::oneshot;

/// Makes sure that a daemon answers, for async code.
///
/// Runs [`crate::blocking::ensure_daemon`] on a thread of its own, so that it delays neither the runtime nor
/// the runtime's end.
///
/// # Errors
///
/// [`StartError`].
///
/// # Cancel safety
///
/// The start continues to its end, at most for the timeout of the configuration.
pub async fn ensure_daemon(config: StartConfig) -> Result<Ensured, StartError> {
    on_a_thread(move || ensure::ensure_daemon(&config)).await.map_err(StartError::Thread)?
}

/// Stops the daemon and waits until it is gone, for async code.
///
/// Runs [`crate::blocking::stop_daemon`] on a thread of its own.
///
/// # Errors
///
/// [`StopError`].
///
/// # Cancel safety
///
/// The daemon receives the request to stop even so.
pub async fn stop_daemon(config: StopConfig) -> Result<Stopped, StopError> {
    on_a_thread(move || stop::stop_daemon(&config)).await.map_err(StopError::Thread)?
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::io::Result<T> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new().name("zccache-ipc start or stop".to_owned()).spawn(move || {
        // The caller may have dropped the future.
        let _ = done.send(work());
    })?;
    result.await.map_err(|_| std::io::Error::other("the thread that did it failed an assertion"))
}
