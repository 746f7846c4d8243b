//! Exchanges with published daemons, recorded byte for byte. A small part of `tests/vectors`.

use zccache_ipc::wire_dispatch::Dialect;

/// One recorded request with its reply.
#[derive(Debug)]
pub(crate) struct Golden {
    pub(crate) dialect: Dialect,
    pub(crate) name: &'static str,
    /// The case in `tests/vectors/live_1.12.0.json`.
    pub(crate) case: &'static str,
    sent: &'static str,
    received: &'static str,
}

impl Golden {
    pub(crate) fn sent(&self) -> Vec<u8> {
        hex::decode(self.sent).expect("a test reads every row")
    }

    pub(crate) fn received(&self) -> Vec<u8> {
        hex::decode(self.received).expect("a test reads every row")
    }
}

const fn golden(
    dialect: Dialect,
    name: &'static str,
    case: &'static str,
    sent: &'static str,
    received: &'static str,
) -> Golden {
    Golden { dialect, name, case, sent, received }
}

#[rustfmt::skip]
pub(crate) const GOLDEN: &[Golden] = &[
    golden(Dialect::V15, "Ping", "v15 Ping twice",
        "080000000f00000000000000",
        "080000000f00000000000000"),
    golden(Dialect::V16, "Ping", "v16 Ping twice",
        "15000000100000000a00a2060c636f6e74726f6c2d70696e67",
        "15000000100000000a00a2060c636f6e74726f6c2d70696e67"),
    golden(Dialect::FrameV1, "Ping", "FrameV1 Ping twice",
        "011b000000080118e3f40122110a00a2060c636f6e74726f6c2d70696e672801",
        "011d0000000801100118e3f40122110a00a2060c636f6e74726f6c2d70696e672801"),
    golden(Dialect::V15, "Lookup", "family Lookup on v15",
        "500000000f00000003000000400000000000000032613331313435376333663465333365323536636430393565316163366561\
         376332643132346364373961643239383830343136326261336335396365616134",
        "0c0000000f0000000300000001000000"),
    golden(Dialect::V16, "Lookup", "family Lookup on v16",
        "570000001000000022420a40326133313134353763336634653333653235366364303935653161633665613763326431323463\
         64373961643239383830343136326261336335396365616134a2060c7265712d6130613330376635",
        "170000001000000022021200a2060c7265712d6130613330376635"),
    golden(Dialect::FrameV1, "Lookup", "family Lookup on frame_v1",
        "015f000000080118e3f401225322420a4032613331313435376333663465333365323536636430393565316163366561376332\
         643132346364373961643239383830343136326261336335396365616134a2060c7265712d613061333037663528ceb602",
        "01210000000801100118e3f401221322021200a2060c7265712d613061333037663528ceb602"),
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_row_is_in_the_recorded_file() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/live_1.12.0.json");
        let recorded: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for golden in GOLDEN {
            let case = recorded["cases"].as_array().unwrap().iter().find(|case| case["name"] == golden.case);
            let exchange = &case.unwrap_or_else(|| panic!("{golden:?}"))["transcript"][0];
            assert_eq!(exchange["sent"], hex::encode(golden.sent()), "{golden:?}");
            assert_eq!(exchange["received"][0]["hex"], hex::encode(golden.received()), "{golden:?}");
        }
    }
}
