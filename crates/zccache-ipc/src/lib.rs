//! stub
#![forbid(unsafe_code)]

mod service;

pub use ipc_endpoint as endpoint;
pub use ipc_model as model;
pub use service::{Caller, ConnectionId, Service};
pub use wire_v15;
