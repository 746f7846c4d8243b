//! Windows: named pipes that admit their owner only, and handles instead of descriptors.

mod blocking;
mod file;
mod handed;
mod interrupt;
mod pipe;
mod process;
#[cfg(feature = "signals")]
mod signals;
mod spawn;
#[cfg(test)]
mod tests;
mod tool;

pub(crate) use blocking::{BlockingIo, dial_blocking, read_into, read_through, wait_readable, write_now};
pub(crate) use file::{
    are_same, check_above, check_private_directory, create_new, ensure_directory, file_clock_ns, file_id,
    file_kind, has_other_names, inode_stamp, inspect_directory, is_at, is_foreign, is_read_only, is_writable,
    leads_to, link_to, look_at, open_for_reading, open_note, open_own, sync_directory, write_over,
};
#[expect(unreachable_pub, reason = "the bound of a public trait")]
pub use handed::Descriptor;
pub(crate) use handed::{Handed, async_of, blocking_of, take_over};
pub(crate) use interrupt::end_line_at_interrupt;
pub(crate) use pipe::{
    AsyncIo, AsyncListener, SocketId, accept_failure, bind, dial_async, failure, has_hung_up, peer, readable,
    remove_socket, socket_path, socket_stamp,
};
pub(crate) use process::{
    HELD_LOCKS_ARE_READ, detach_session, our_uid, parent_pid, pid_namespace, process_alive, raise_fd_limit,
    reset_signals, return_freed_blocks, run_below_init, view_of,
};
#[cfg(feature = "signals")]
pub(crate) use signals::Terminations;
pub(crate) use spawn::spawn_uninherited;
pub(crate) use tool::{
    default_path, end_as, end_group, is_executable, is_same_file, keep_descriptors_back, lead_group,
    name_itself, run_instead, shell_code, spawn_as_called, wait_as_called,
};
