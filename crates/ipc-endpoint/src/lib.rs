//! Where a zccache daemon lives: names, directories, locks and sockets.
//!
//! The only crate that knows which operating system it runs on. Names follow the released rules byte
//! for byte (`spec/ENDPOINT.md`), and the platform they are for is a value; what is done with them
//! (`os`) is for the platform this program was built for.
//!
//! Not here: any message. This crate moves bytes and holds locks.

mod absolute;
mod broker_start;
mod cache_root;
mod default_endpoint;
mod download;
mod endpoint;
mod environment;
mod identity_endpoint;
mod layout;
mod locate_error;
mod locations;
mod names;
mod namespace;
mod path_text;
mod private;
mod problem;
mod registry;
mod rule;
mod variable;

pub use broker_start::BrokerStart;
pub use cache_root::{CacheRoot, CacheRootSource};
pub use default_endpoint::endpoint_for_cache_dir;
pub use download::{DownloadLocations, download_client_endpoint, download_endpoint, download_id};
pub use endpoint::{Endpoint, EndpointError};
pub use environment::Environment;
pub use identity_endpoint::IdentityEndpoint;
pub use ipc_path::Platform;
pub use locate_error::{LocateError, Setting};
pub use locations::Locations;
pub use names::Names;
pub use namespace::{Namespace, sanitize_ipc};
pub use private::{PrivateOptions, private_endpoint};
pub use problem::Problem;
pub use registry::{RegistryError, manifest_dir, service_definition_dir};
pub use rule::Rule;
pub use variable::Variable;

mod atomic_file;
pub mod blocking;
mod claim;
mod connect;
mod directory;
mod file_kind;
mod handed;
mod inherited;
mod inspect;
mod launch;
mod lifetime;
mod listener;
pub mod lock_file;
mod note;
mod os;
mod peer;
mod pid;
mod process;
mod proved_daemon;
mod small_file;
mod start_lock;
mod stream;
mod tool_process;

pub use atomic_file::{WriteError, write_atomic};
pub use claim::{BindError, Claim, ClaimError};
pub use connect::ConnectError;
pub use directory::{DirPolicy, DirectoryError, check_private_directory, ensure_directory};
pub use file_kind::FileKind;
pub use handed::{Handed, Socket};
pub use inherited::InheritedError;
pub use inspect::{DirectoryState, Found, inspect_directory, is_writable, look_at};
pub use launch::{Launch, LaunchError, Launched};
pub use lifetime::{LifetimeError, Liveness, endpoint_liveness, holder, liveness};
pub use listener::{AcceptError, Listener};
pub use lock_file::LockFileError;
pub use note::{Note, SocketStamp, socket_stamp, write_note};
pub use peer::Peer;
pub use pid::{Pid, PidError};
pub use process::{detach_session, process_alive, raise_fd_limit};
pub use proved_daemon::{ProvedDaemon, Unproved, has_let_go};
pub use small_file::{FileStamp, ReadError, read_small};
pub use start_lock::{
    StartLock, StartLockError, StartTurn, failed_start, note_failed_start, start_lock_file, start_turn,
};
pub use stream::Stream;
pub use tool_process::{
    ProcessGroup, find_program, is_executable, keep_descriptors_back, run_instead, shell_code,
    stdin_is_bounded,
};
