//! The version mismatch texts, which released software matches on (`docs/spec/wire.md#refusals`).

use wire_frame::Version;

/// Returns the text by which a daemon refuses a version that it does not serve.
///
/// `daemon_release` is its `major.minor.patch`, `serves` the newest version that it serves. The text
/// equals the text of the released daemons, so that released clients recognise it.
#[must_use]
pub fn refusal_text(daemon_release: &str, serves: Version, received: &str) -> String {
    format!(
        "protocol version mismatch: daemon zccache v{daemon_release} (protocol {serves}) received a request at \
         protocol {received}. Run `zccache stop` and retry — the CLI you connected with is built against a \
         different PROTOCOL_VERSION than this daemon."
    )
}

/// Returns true if the text of an `Error` refuses the request's version.
///
/// The text of [`refusal_text`] and the text of the decoders (`docs/spec/wire.md#texts-of-errors`) are recognised
/// by their common start. The daemon did not act on a request that it refused so. Released clients accept any
/// text with `protocol_version`; this function does not, because it would take other errors for a refusal.
///
/// Rule: `docs/spec/wire.md#recognising-a-refusal`.
#[must_use]
pub fn is_refusal(text: &str) -> bool {
    const START: &str = "protocol version mismatch: ";
    text.strip_prefix("protocol error: ").unwrap_or(text).starts_with(START)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_is_taken_for_one() {
        let check = |text: &str, expected: bool| assert_eq!(is_refusal(text), expected, "{text}");
        check(&refusal_text("1.11.21", Version::V15, "v16"), true);
        check("protocol version mismatch: expected v15, received v16. Run `zccache stop` first.", true);
        check(
            "protocol error: protocol version mismatch: expected v15, received v16. Run `zccache stop` first.",
            true,
        );
        check("compiler said: protocol version mismatch: of its own", false);
        check("unknown field protocol_version", false);
        check("", false);
    }
}
