//! Windows: named pipes that admit their owner only, and handles instead of descriptors.

mod async_io;
mod blocking;
mod command_line;
mod dial;
mod file;
mod handed;
mod handle_list;
mod identity;
mod interrupt;
mod job;
mod listen;
mod lock;
mod pipe;
mod process;
mod proved;
#[cfg(feature = "signals")]
mod signals;
mod spawn;
#[cfg(test)]
mod tests;
mod tool;
mod wide;

pub(crate) use async_io::{AsyncIo, has_hung_up, readable};
pub(crate) use blocking::{BlockingIo, dial_blocking, read_into, read_through, wait_readable, write_now};
pub(crate) use file::{
    are_same, check_above, check_private_directory, create_new, ensure_directory, file_clock_ns, file_id,
    has_other_names, has_own_owner, inode_stamp, inode_stamp_at, inspect_directory, is_at, is_null_device,
    is_read_only, is_writable, largest_file, leads_to, link_to, look_at, mode_of, nameless_file, open_note,
    open_own, open_to_append, rename, sync_directory, write_over,
};
#[expect(unreachable_pub, reason = "the bound of a public trait")]
pub use handed::Descriptor;
pub(crate) use handed::{Handed, async_of, blocking_of, take_over};
pub(crate) use interrupt::end_line_at_interrupt;
pub(crate) use listen::{AsyncListener, SocketId, bind};
pub(crate) use lock::{note_time, remove_locked, try_lock, try_lock_shared, unlock};
pub(crate) use pipe::{
    HasPeer, accept_failure, dial_async, failure, foreign_server, peer, remove_socket, serving_process,
    socket_path, socket_stamp,
};
pub(crate) use process::{
    detach_session, our_uid, parent_pid, pid_namespace, process_alive, raise_fd_limit, reset_signals,
    return_freed_blocks, run_below_init, view_of,
};
pub(crate) use proved::{ProcessHandle, holds_lock, is_stopped, processor_time};
#[cfg(feature = "signals")]
pub(crate) use signals::Terminations;
pub(crate) use spawn::{Spawned, spawn_uninherited};
pub(crate) use tool::{
    Group, PROGRAM_SUFFIXES, default_path, end_as, exit_code, has_standard_streams, is_executable,
    is_same_file, keep_descriptors_back, lead_group, name_itself, run_instead, shell_code, spawn_as_called,
    wait_as_called,
};
