//! The broker lane: a connection to the daemon that the user's broker names, if the environment asks for it.
//!
//! A client tries the lane before it connects to a daemon. The lane never fails a call: if it leads to no
//! connection within its budget, the client connects directly.

mod decision;
mod dial;
mod driver;
mod failure;
mod question;
mod refusal;
mod route;
mod thread;
mod within;

pub use decision::{Decision, Values};
pub use dial::BrokerLane;
pub use failure::{AdoptFailure, LaneFailure, classify_adopt_error};
pub use question::{broker_v2_identity_file, shared_broker_endpoint};
pub use refusal::{BrokerRefusal, RefusalKind};
pub use route::{Route, WhyDirect};
pub use running_process::broker::adopt::AdoptError;
