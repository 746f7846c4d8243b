//! The broker lane: a connection to the daemon that the user's broker names, where one was asked for.
//!
//! Consulted before a daemon is dialled. It never fails: whatever keeps it from a connection, within its
//! budget, is the reason of a direct one.

mod decision;
mod dial;
mod failure;
mod question;
mod refusal;
mod route;
mod thread;
mod within;

pub use decision::{Decision, Values};
pub use dial::BrokerLane;
pub use failure::{LaneFailure, classify_adopt_error};
pub use question::{broker_v2_identity_file, shared_broker_endpoint};
pub use refusal::{BrokerRefusal, RefusalKind};
pub use route::{Route, WhyDirect};
pub use running_process::broker::adopt::AdoptError;
