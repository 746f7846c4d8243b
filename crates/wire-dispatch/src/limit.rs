//! Limits on what a request may make a server hold.

/// The longest inner id of a request, in bytes: a server holds it until the reply is written.
///
/// Rule: `docs/spec/wire.md#request-ids`.
pub const MAX_REQUEST_ID: usize = 4096;
