//! Plans, and what follows from each setback.

use super::*;

const LOST: Setback = Setback::Lost { sent: true };
const REFUSED: Setback = Setback::Refused { by: Dialect::V15 };

#[test]
fn bincode_is_tried_only_for_an_unknown_daemon_without_a_chosen_lane() {
    let may = |policy, known| Selector::new(policy, known).may_fall_back();
    assert!(may(WirePolicy::Auto, None) && may(WirePolicy::AsReleased, None));
    assert!(!may(WirePolicy::Auto, Some(Dialect::V16)));
    assert!(!may(WirePolicy::Only(Lane::V16), None));
}

fn auto() -> Selector {
    Selector::new(WirePolicy::Auto, None)
}

#[test]
fn an_unknown_daemon_is_asked_something_harmless_before_something_that_is_not() {
    assert_eq!(auto().plan(RequestKind::Ping), Plan::Send(Dialect::V16));
    assert_eq!(auto().plan(RequestKind::Clear), Plan::AskFirst(Dialect::V16));
    let known = Selector::new(WirePolicy::Auto, Some(Dialect::V15));
    assert_eq!(known.plan(RequestKind::Clear), Plan::Send(Dialect::V15));
    let forced = Selector::new(WirePolicy::Only(Lane::FrameV1), None);
    assert_eq!(forced.plan(RequestKind::Clear), Plan::Send(Dialect::FrameV1));
}

#[test]
fn only_an_idempotent_or_unprocessed_request_is_sent_again() {
    let check = |mut selector: Selector, lane, idempotent, setback, expected| {
        let before = selector.clone();
        assert_eq!(selector.after(lane, idempotent, setback), expected, "{before:?} {setback:?}");
    };
    let again = Next::Again(Dialect::V15);
    // A typed refusal was not acted on, whatever was asked.
    check(auto(), Dialect::V16, true, REFUSED, again);
    check(auto(), Dialect::V16, false, REFUSED, again);
    check(auto(), Dialect::V15, true, REFUSED, Next::Fail);
    // A lost answer is asked for again only where that is harmless.
    check(auto(), Dialect::V16, true, LOST, again);
    check(auto(), Dialect::V16, false, LOST, Next::OutcomeUnknown);
    check(auto(), Dialect::V16, false, Setback::Lost { sent: false }, again);
    check(auto(), Dialect::V16, true, Setback::ForeignVersion, again);
    check(auto(), Dialect::V16, false, Setback::ForeignVersion, again);
    // A daemon that is known to speak v16 has not forgotten it.
    let known = Selector::new(WirePolicy::Auto, Some(Dialect::V16));
    check(known.clone(), Dialect::V16, true, LOST, Next::Fail);
    check(known.clone(), Dialect::V16, false, LOST, Next::OutcomeUnknown);
    check(known.clone(), Dialect::V16, true, Setback::ForeignVersion, Next::Fail);
    check(known.clone(), Dialect::V16, false, Setback::ForeignVersion, Next::Fail);
    check(known, Dialect::V16, true, REFUSED, again);
    // Another call has learned meanwhile that the daemon speaks v15.
    let learned = Selector::new(WirePolicy::Auto, Some(Dialect::V15));
    check(learned.clone(), Dialect::V16, true, LOST, again);
    check(learned.clone(), Dialect::V16, false, LOST, Next::OutcomeUnknown);
    check(learned.clone(), Dialect::V16, false, Setback::ForeignVersion, again);
    check(learned, Dialect::V15, true, LOST, Next::Fail);
    // No fallback where the caller named the lane, and none after a timeout.
    let forced = Selector::new(WirePolicy::Only(Lane::V16), None);
    check(forced.clone(), Dialect::V16, true, REFUSED, Next::Fail);
    check(forced, Dialect::V16, false, LOST, Next::OutcomeUnknown);
    check(auto(), Dialect::V16, true, Setback::Other { sent: true }, Next::Fail);
    check(auto(), Dialect::V16, false, Setback::Other { sent: true }, Next::OutcomeUnknown);
    check(auto(), Dialect::V16, false, Setback::Other { sent: false }, Next::Fail);
    // A daemon that does not know the request in FrameV1 may know it in bincode.
    let bincode = Next::Again(Dialect::Bincode(wire_v15::Generation::V17));
    check(auto(), Dialect::FrameV1, false, Setback::NotKnown, bincode);
    check(auto(), Dialect::V16, true, Setback::NotKnown, Next::Fail);
    check(auto(), Dialect::V15, true, Setback::NotKnown, Next::Fail);
    let forced = Selector::new(WirePolicy::Only(Lane::FrameV1), None);
    check(forced, Dialect::FrameV1, true, Setback::NotKnown, Next::Fail);
}

#[test]
fn a_learned_dialect_is_used_until_the_daemon_refuses_it() {
    let mut selector = auto();
    assert_eq!(selector.after(Dialect::V16, true, REFUSED), Next::Again(Dialect::V15));
    assert_eq!(selector.plan(RequestKind::Clear), Plan::Send(Dialect::V15));
    selector.forget();
    selector.answered(Dialect::V16);
    assert_eq!(selector.plan(RequestKind::Clear), Plan::Send(Dialect::V16));
    let mut selector = Selector::new(WirePolicy::Auto, Some(Dialect::V15));
    assert_eq!(selector.after(Dialect::V15, true, REFUSED), Next::Fail);
    assert_eq!(selector.learned(), None);
}

#[test]
fn a_daemon_that_answered_v15_after_silence_is_asked_again_for_what_v15_lacks() {
    let mut selector = auto();
    assert_eq!(selector.after(Dialect::V16, true, LOST), Next::Again(Dialect::V15));
    selector.answered(Dialect::V15);
    assert_eq!(selector.learned(), None, "nothing to remember");
    assert_eq!(selector.plan(RequestKind::Clear), Plan::Send(Dialect::V15));
    assert_eq!(selector.plan(RequestKind::ExecProbe), Plan::AskFirst(Dialect::V16));
    // It speaks v15 alone after all.
    let mut old = selector.clone();
    assert_eq!(old.after(Dialect::V16, true, REFUSED), Next::Again(Dialect::V15));
    assert_eq!(old.learned(), Some(Dialect::V15));
    assert_eq!(old.plan(RequestKind::ExecProbe), Plan::Send(Dialect::V15));
    // Only the first reply was lost.
    selector.answered(Dialect::V16);
    assert_eq!(selector.learned(), Some(Dialect::V16));
    assert_eq!(selector.plan(RequestKind::ExecProbe), Plan::Send(Dialect::FrameV1));
}

fn of(number: u32) -> Dialect {
    Dialect::of(wire_frame::Version(number)).expect("known")
}

#[test]
fn a_refusal_under_the_daemons_own_number_tells_its_generation() {
    let check = |policy, tried: Dialect, by: Dialect, expected: Option<Dialect>| {
        let mut selector = Selector::new(policy, None);
        let next = selector.after(tried, false, Setback::Refused { by });
        assert_eq!(next, expected.map_or(Next::Fail, Next::Again), "{policy:?} {tried} {by}");
        assert_eq!(selector.learned(), expected, "{policy:?} {tried} {by}");
    };
    let auto = WirePolicy::Auto;
    check(auto, of(16), of(15), Some(of(15)));
    check(auto, of(16), of(18), Some(of(19)));
    check(auto, of(16), of(23), Some(of(24)));
    check(auto, of(19), of(17), Some(of(16)));
    check(auto, of(24), Dialect::FrameV1, Some(Dialect::FrameV1));
    check(auto, of(16), of(16), Some(of(15)));
    check(auto, of(19), of(19), Some(of(18)));
    check(auto, of(15), of(15), None);
    check(WirePolicy::Only(Lane::V15), of(15), of(17), Some(of(17)));
    check(WirePolicy::Only(Lane::V15), of(15), of(23), Some(of(23)));
    check(WirePolicy::Only(Lane::V15), of(15), of(15), None);
    check(WirePolicy::Only(Lane::V15), of(15), Dialect::FrameV1, None);
    check(WirePolicy::Only(Lane::V16), of(16), of(18), Some(of(19)));
    check(WirePolicy::Only(Lane::V16), of(16), of(23), Some(of(24)));
    check(WirePolicy::Only(Lane::V16), of(16), of(15), None);
    check(WirePolicy::Only(Lane::FrameV1), Dialect::FrameV1, of(15), None);
}

#[test]
fn only_the_control_slice_leaves_bincode_under_auto() {
    let new = |learned| Selector::new(WirePolicy::AsReleased, learned);
    let check = |learned, request, expected| assert_eq!(new(learned).plan(request), expected, "{request}");
    check(None, RequestKind::Status, Plan::Send(of(16)));
    check(None, RequestKind::Clear, Plan::AskFirst(of(16)));
    check(None, RequestKind::Compile, Plan::Send(of(15)));
    check(Some(of(24)), RequestKind::Status, Plan::Send(of(24)));
    check(Some(of(24)), RequestKind::Compile, Plan::Send(of(23)));
    check(Some(of(15)), RequestKind::Clear, Plan::Send(of(15)));
    check(Some(Dialect::FrameV1), RequestKind::Compile, Plan::Send(Dialect::FrameV1));
    // A daemon that refuses bincode under another number is asked under that number.
    let mut selector = new(None);
    assert_eq!(selector.after(of(15), false, Setback::Refused { by: of(17) }), Next::Again(of(17)));
    assert_eq!(selector.plan(RequestKind::Compile), Plan::Send(of(17)));
    let mut selector = new(Some(of(16)));
    assert_eq!(selector.after(of(15), false, Setback::Refused { by: of(15) }), Next::Fail);
    let mut selector = new(None);
    assert_eq!(selector.after(of(16), true, REFUSED), Next::Again(of(15)));
    assert_eq!(WirePolicy::Auto.full_family(), WirePolicy::Only(Lane::V15));
    assert_eq!(WirePolicy::Only(Lane::FrameV1).full_family(), WirePolicy::Only(Lane::FrameV1));
}

#[test]
fn a_request_that_not_every_release_knows_goes_where_the_daemon_knows_it() {
    let check = |learned: Dialect, expected: Dialect| {
        let selector = Selector::new(WirePolicy::Auto, Some(learned));
        for request in [RequestKind::ExecProbe, RequestKind::ExecStore] {
            assert_eq!(selector.plan(request), Plan::Send(expected), "{learned}");
        }
        assert_eq!(selector.plan(RequestKind::Compile), Plan::Send(learned));
    };
    check(of(15), of(15));
    check(of(17), of(17));
    check(of(16), Dialect::FrameV1);
    check(of(19), of(18));
    check(of(24), of(24));
    check(Dialect::FrameV1, Dialect::FrameV1);
    assert_eq!(auto().plan(RequestKind::ExecProbe), Plan::AskFirst(of(16)));
    // A daemon that does not know it on FrameV1 is asked in bincode, once.
    let mut selector = Selector::new(WirePolicy::Auto, Some(of(16)));
    assert_eq!(selector.after(Dialect::FrameV1, true, Setback::NotKnown), Next::Again(of(17)));
    assert_eq!(selector.after(of(17), true, Setback::NotKnown), Next::Fail);
    selector.answered(of(17));
    assert_eq!(selector.learned(), Some(of(17)));
    let forced = |lane| Selector::new(WirePolicy::Only(lane), None).plan(RequestKind::ExecProbe);
    assert_eq!(forced(Lane::V15), Plan::Send(of(17)));
    assert_eq!(forced(Lane::V16), Plan::Send(of(24)));
    assert_eq!(forced(Lane::FrameV1), Plan::Send(Dialect::FrameV1));
}
