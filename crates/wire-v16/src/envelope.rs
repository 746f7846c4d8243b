//! Numbers of the running-process envelope.

/// The first byte of an envelope on the wire.
pub const FRAMING: u8 = 1;

/// The version of the envelope.
pub const ENVELOPE_VERSION: u32 = 1;

/// The number of zccache's messages among those that travel in envelopes.
pub const PAYLOAD_PROTOCOL: u32 = 0x7A63;
