//! Limits on the memory that one request may occupy in a server.

/// The longest inner id of a request, in bytes.
///
/// A server holds the id until the reply is written.
///
/// Rule: `docs/spec/wire.md#request-ids`.
pub const MAX_REQUEST_ID: usize = 4096;
