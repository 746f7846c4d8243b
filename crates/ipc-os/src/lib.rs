//! Operating-system services of zccache: sockets, pipes, locks, processes and safe files.
//!
//! The only crate with `cfg(unix)`, `cfg(windows)` and unsafe code. Every item works on the platform that the
//! program is built for, and every platform has the same items.
//!
//! Not here: the names of these things, which `ipc-endpoint` derives; and messages. This crate moves bytes.
#![doc = include_str!("../README.md")]

mod advice;
mod atomic_file;
mod backoff;
pub mod blocking;
mod claim;
mod claim_error;
mod connect;
mod deadline;
mod directory;
mod file_kind;
mod handed;
mod inherited;
mod inode_stamp;
mod inspect;
mod interrupt;
mod io_cause;
mod launch;
mod lifetime;
mod link;
mod listener;
pub mod lock_file;
mod note;
mod os;
mod own_file;
mod peer;
mod pid;
mod process;
mod proved_daemon;
mod rolling_file;
mod small_file;
mod start_lock;
mod stream;
mod surroundings;
#[cfg(feature = "signals")]
mod termination;
mod tool_process;

pub use advice::{allow_owner, make_directory, shell_word, show_file, show_processes};
pub use atomic_file::{
    Durability, FileMode, WriteError, largest_file, move_file, nameless_file, remove_abandoned, replace_file,
    unnamed_file, write_atomic,
};
pub use backoff::Backoff;
pub use claim::Claim;
pub use claim_error::{BindError, ClaimError};
pub use connect::ConnectError;
pub use deadline::{FAR, deadline_after, rounded};
pub use directory::{DirectoryError, check_private_directory, check_runtime_directory, ensure_directory};
pub use file_kind::FileKind;
pub use handed::{Handed, Socket};
pub use inherited::InheritedError;
pub use inode_stamp::{InodeStamp, file_clock_ns, has_other_names, has_own_owner, is_null_device, mode_of};
pub use inspect::{DirectoryState, Found, inspect_directory, is_writable, look_at};
pub use interrupt::end_line_at_interrupt;
pub use io_cause::{io_cause, io_kind_or};
pub use ipc_path::{DirPolicy, Endpoint, EndpointError, Platform};
pub use launch::{Launch, LaunchError, Launched};
pub use lifetime::{LifetimeError, Liveness, daemon_liveness, endpoint_liveness, holder, liveness};
pub use link::{LinkState, link_to, look_at_link, remove_link};
pub use listener::{AcceptError, Listener};
pub use lock_file::LockFileError;
pub use note::{Note, SocketStamp, socket_stamp, write_note};
pub use own_file::{Access, OwnFileError, is_at, open_own, reopen_own};
pub use peer::Peer;
pub use pid::{Pid, PidError};
pub use process::{
    detach_session, process_alive, raise_fd_limit, reset_signals, return_freed_blocks, run_below_init,
};
pub use proved_daemon::{ProvedDaemon, Unproved, has_let_go};
pub use rolling_file::{RollingFile, open_to_append, roll_over};
pub use small_file::{FileStamp, ReadError, leads_to, read_small};
pub use start_lock::{
    StartLock, StartLockError, StartTurn, failed_start, note_failed_start, start_lock_file, start_turn,
};
pub use stream::Stream;
pub use surroundings::{View, view_of};
#[cfg(feature = "signals")]
pub use termination::Terminations;
pub use tool_process::{
    ProcessGroup, default_path, end_as, exit_code, find_program, find_program_that, has_standard_streams,
    is_executable, is_path, is_same_file, keep_descriptors_back, name_itself, run_instead, shell_code,
    spawn_as_called, wait_as_called,
};
