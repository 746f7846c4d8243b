//! Unix: sockets of the file system, modes and owners.

mod bind;
mod blocking;
mod caller;
mod directory;
mod file;
mod handed;
mod inherited;
mod init;
mod interrupt;
mod lock;
mod memory;
mod process;
mod seen;
#[cfg(feature = "signals")]
mod signals;
mod socket;
mod spawn;
mod stream;
#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "linux.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "apple.rs")]
mod system;
#[cfg(test)]
mod tests;
mod tool;

pub(crate) use bind::{SocketId, bind, remove_socket, socket_path, socket_stamp};
pub(crate) use blocking::{BlockingIo, dial_blocking, read_into, read_through, wait_readable, write_now};
pub(crate) use directory::{
    check_above, check_private_directory, ensure_directory, inspect_directory, is_writable,
};
pub(crate) use file::{
    are_same, create_new, file_id, file_kind, has_other_names, has_own_owner, inode_stamp, inode_stamp_at,
    is_at, is_null_device, is_read_only, largest_file, leads_to, link_to, look_at, mode_of, open_note,
    open_own, open_to_append, rename, sync_directory, write_over,
};
#[expect(unreachable_pub, reason = "the bound of a public trait")]
pub use handed::Descriptor;
pub(crate) use handed::{Handed, async_of, blocking_of};
pub(crate) use inherited::take_over;
pub(crate) use init::{reset_signals, run_below_init};
pub(crate) use interrupt::end_line_at_interrupt;
pub(crate) use lock::{note_time, remove_locked, try_lock, try_lock_shared, unlock};
pub(crate) use memory::return_freed_blocks;
pub(crate) use process::{detach_session, our_uid, parent_pid, pid_namespace, process_alive, raise_fd_limit};
pub(crate) use seen::Seen;
#[cfg(feature = "signals")]
pub(crate) use signals::Terminations;
pub(crate) use socket::{
    HasPeer, accept_failure, dial_async, failure, foreign_server, peer, serving_process,
};
pub(crate) use spawn::{Spawned, spawn_uninherited};
pub(crate) use stream::{AsyncIo, AsyncListener, has_hung_up, readable};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use system::{ProcessHandle, holds_lock, is_stopped, processor_time};
pub(crate) use system::{file_clock_ns, has_exited, nameless_file, view_of};
pub(crate) use tool::{
    Group, PROGRAM_SUFFIXES, default_path, end_as, exit_code, has_standard_streams, is_executable,
    is_same_file, keep_descriptors_back, lead_group, name_itself, run_instead, shell_code, spawn_as_called,
    wait_as_called,
};
