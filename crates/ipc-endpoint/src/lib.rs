//! The endpoint, cache root, lock and state files of a zccache daemon, as pure functions.
//!
//! The functions derive names from an [`Environment`], a snapshot of the process's variables. Names follow
//! the released rules byte for byte (`docs/spec/endpoint.md`). The platform is a value, so every platform's
//! rules are tested on every platform.
//!
//! Not here: I/O. [`Environment::from_process`] reads the process's surroundings once; no other function
//! opens or creates a file or makes a system call.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod absolute;
mod broker_start;
mod cache_root;
mod default_endpoint;
mod download;
mod download_endpoint;
mod environment;
mod identity_endpoint;
mod layout;
mod locate_error;
mod locations;
mod names;
mod namespace;
mod other_names;
mod path_text;
mod private;
mod problem;
mod process_names;
mod registry;
mod rule;
mod variable;
mod versioned;

pub use broker_start::BrokerStart;
pub use cache_root::{CacheRoot, CacheRootSource};
pub use default_endpoint::endpoint_for_cache_dir;
pub use download::{DownloadLocations, download_id};
pub use download_endpoint::{download_client_endpoint, download_endpoint};
pub use environment::Environment;
pub use identity_endpoint::IdentityEndpoint;
pub use ipc_path::{DirPolicy, Endpoint, EndpointError, Platform};
pub use locate_error::{LocateError, NamesError, Setting};
pub use locations::Locations;
pub use names::Names;
pub use namespace::{Namespace, sanitize_ipc};
pub use other_names::OtherNames;
pub use private::{PrivateOptions, private_endpoint};
pub use problem::Problem;
pub use registry::{RegistryError, manifest_dir, service_definition_dir};
pub use rule::Rule;
pub use variable::Variable;
pub use versioned::{NEWEST_RELEASE, ReleaseNames, VERSIONED_RELEASES, private_endpoint_of_release};
