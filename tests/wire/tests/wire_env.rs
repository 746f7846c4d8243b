//! `ZCCACHE_DAEMON_WIRE` as the released clients read it.

use wire_conformance::vectors::list;
use wire_dispatch::{Lane, WirePolicy};

#[test]
fn every_recorded_value_selects_what_it_selected() {
    let cases = list("wire_env.json", "env");
    assert_eq!(cases.len(), 24);
    for case in cases {
        let control = &case["control"];
        match (WirePolicy::parse(case["value"].as_str()), control["error"].as_str()) {
            (Err(error), Some(recorded)) => assert_eq!(error.to_string(), recorded),
            (Ok(policy), None) => {
                let selection = match policy {
                    WirePolicy::Auto | WirePolicy::AsReleased => "Auto",
                    WirePolicy::Only(lane) => named(lane),
                };
                assert_eq!(control["selection"], selection, "{case}");
                assert_eq!(control["preferred"], named(policy.first()), "{case}");
                assert_eq!(control["fallback_allowed"], policy.may_fall_back(), "{case}");
                // Auto itself speaks v16 for these requests too, and `AsReleased` speaks what is recorded.
                assert_eq!(case["full_family"], named(policy.full_family().first()), "{case}");
            }
            (result, recorded) => panic!("{case}: {result:?}, recorded {recorded:?}"),
        }
    }
}

fn named(lane: Lane) -> &'static str {
    match lane {
        Lane::V15 => "BincodeV15",
        Lane::V16 => "ProstV16",
        Lane::FrameV1 => "FrameV1",
    }
}
