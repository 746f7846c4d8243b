//! Reasons why a row may miss its target; `docs/performance.md` has the measurements behind them.

/// The start of a workload's name, the start of a peer's name, and the reason for missing the target.
const KNOWN: &[(&str, &str, &str)] = &[
    ("connect", "blocking::Client auto", "a look at the socket, 1.3 to 1.7 µs"),
    ("auto against", "blocking::Client auto, first", "two connections, a look and a note, 6 µs"),
    ("auto against", "blocking::Client auto, later", "a look at the socket, 1.3 to 1.7 µs"),
    ("512 clients", "Client", "three to four times the instructions of the floor"),
    ("512 clients", "IpcConnection", "two to three times the instructions of the floor"),
    ("Compile", "encode v15", "a call for each of 220 strings"),
    ("fetch of 64 KiB from", "", "the daemon verifies a checksum over all bytes"),
    ("fetch of 1 MiB from", "", "the daemon verifies a checksum over all bytes"),
    ("fetch of 1 MiB", "", "10 µs of user code in 200"),
];

/// Returns the known reason why `peer` misses its target in `workload`.
pub fn reason(workload: &str, peer: &str) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(of, by, _)| workload.starts_with(of) && peer.starts_with(by));
    known.map(|(_, _, reason)| *reason)
}
