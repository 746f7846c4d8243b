//! Starting a daemon: one for any number of clients, whatever is in its place, and nothing else is ever signalled.
//!
//! Real processes throughout: the daemon of this workspace, and this test program once more in the part of one
//! that is stuck, or of many clients.

#[cfg(all(test, unix))]
mod busy;
#[cfg(test)]
mod herd;
#[cfg(all(test, unix))]
mod inherited;
#[cfg(all(test, target_os = "linux"))]
mod namespaces;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod place;
#[cfg(test)]
mod stuck;
