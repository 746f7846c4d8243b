//! Windows: named pipes that admit their owner only, and handles instead of descriptors.

mod blocking;
mod file;
mod pipe;
mod process;
mod spawn;
#[cfg(test)]
mod tests;

pub(crate) use blocking::{BlockingIo, dial_blocking, read_into, write_now};
pub(crate) use file::{
    create_new, ensure_directory, file_kind, is_at, open_for_reading, open_lock, overwrite, sync_directory,
};
pub(crate) use pipe::{
    AsyncIo, AsyncListener, SocketId, accept_failure, bind, dial_async, failure, peer, remove_socket,
    socket_path, socket_stamp,
};
pub(crate) use process::{ProcessHandle, detach_session, our_uid, parent_pid, process_alive, raise_fd_limit};
pub(crate) use spawn::spawn_uninherited;
