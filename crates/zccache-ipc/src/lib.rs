//! stub
pub use ipc_model as model;
pub use wire_v15;
