//! Unix: sockets of the file system, modes and owners.

mod bind;
mod directory;
mod file;
mod inherited;
mod process;
mod socket;
mod spawn;
mod stream;
#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "linux.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "apple.rs")]
mod system;
#[cfg(test)]
mod tests;

pub(crate) use bind::{SocketId, bind, remove_socket, socket_path, socket_stamp};
pub(crate) use directory::ensure_directory;
pub(crate) use file::{create_new, file_kind, is_at, open_for_reading, open_lock, overwrite, sync_directory};
pub(crate) use process::{detach_session, our_uid, parent_pid, process_alive, raise_fd_limit};
pub(crate) use socket::{
    BlockingIo, accept_failure, dial_async, dial_blocking, failure, peer, read_into, write_now,
};
pub(crate) use spawn::spawn_uninherited;
pub(crate) use stream::{AsyncIo, AsyncListener};
pub(crate) use system::ProcessHandle;
