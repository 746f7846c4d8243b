//! A published daemon at its versioned name, where none of ours listens.

use serde_json::Value;
use testkit::{TempEndpoint, watchdog};
use zccache_ipc::Wires;
use zccache_ipc::endpoint::ReleaseNames;

use crate::daemon::{Daemon, Manner, locations};
use crate::support::{SOON, json, run};

/// The names of the later releases at `place`, newest first.
fn names(place: &TempEndpoint) -> Vec<ReleaseNames> {
    locations(place).other_names().expect("the endpoint is a default one").names()
}

fn wires(names: &ReleaseNames) -> Wires {
    if names.release.starts_with("1.12") { Wires::V18_V19 } else { Wires::V23_V24 }
}

#[test]
fn a_daemon_of_each_later_release_is_found_at_its_name() {
    let _watchdog = watchdog(2 * SOON);
    for index in 0..4 {
        let place = TempEndpoint::new();
        let names = &names(&place)[index];
        let daemon = Daemon::of_release(names, wires(names));
        let (code, said) = json(&place, &["ping"]);
        assert_eq!((code, said["endpoint"].as_str()), (0, Some(names.endpoint.as_str())), "{said}");
        assert_eq!(json(&place, &["status"]).1["version"], "1.2.3", "{names:?}");
        let (code, said) = json(&place, &["probe"]);
        assert_eq!((code, said["endpoint"].as_str()), (0, Some(names.endpoint.as_str())), "{said}");
        assert_eq!(json(&place, &["session", "start"]).1["session_id"], "id-1");
        assert_eq!(json(&place, &["stop"]).1["result"], "stopped");
        drop(daemon);
        assert_eq!(json(&place, &["ping"]).1["error"]["kind"], "no-daemon");
    }
}

#[test]
fn a_daemon_of_ours_comes_first_and_the_newest_release_next() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let names = names(&place);
    let _older = Daemon::of_release(&names[2], Wires::V18_V19);
    let newer = Daemon::of_release(&names[1], Wires::V23_V24);
    let ours = Daemon::start(&place, Manner::Good);
    let endpoint = || json(&place, &["ping"]).1["endpoint"].as_str().map(str::to_owned);
    assert_eq!(endpoint().as_deref(), Some(locations(&place).endpoint().as_str()));
    drop(ours);
    assert_eq!(endpoint().as_deref(), Some(names[1].endpoint.as_str()));
    drop(newer);
    assert_eq!(endpoint().as_deref(), Some(names[2].endpoint.as_str()));
}

#[test]
fn a_client_that_was_given_an_endpoint_does_not_look_elsewhere() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::of_release(&names(&place)[0], Wires::V23_V24);
    let endpoint = locations(&place).endpoint().as_str().to_owned();
    assert_eq!(json(&place, &["--endpoint", &endpoint, "ping"]).1["error"]["kind"], "no-daemon");
    assert_eq!(json(&place, &["--endpoint", &endpoint, "stop"]).1["result"], "nothing-to-stop");
}

#[test]
fn endpoint_and_doctor_show_each_name_and_the_one_that_answers() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let names = names(&place);
    let _daemon = Daemon::of_release(&names[1], Wires::V23_V24);
    let check = |said: &Value| {
        assert_eq!(said["found_at"], names[1].endpoint.as_str(), "{said}");
        let answers: Vec<_> = said["looked_at"].as_array().unwrap().iter().collect();
        let expected = [None, Some("1.13.5"), Some("1.13.1"), Some("1.12.17"), Some("1.12.16")];
        assert_eq!(answers.iter().map(|name| name["release"].as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(
            answers.iter().map(|name| name["answers"].as_bool().unwrap()).collect::<Vec<_>>(),
            [false, false, true, false, false]
        );
    };
    check(&json(&place, &["endpoint"]).1);
    let (code, doctor) = json(&place, &["doctor"]);
    check(&doctor);
    let warned = "clients call the published daemon of 1.13.1 at ";
    assert!(code == 7 && doctor["findings"].to_string().contains(warned), "{doctor}");
    let line = format!("{} of release 1.13.1: answers", names[1].endpoint);
    assert!(run(&place, &["endpoint"]).stdout.contains(&line));
    assert!(run(&place, &["doctor"]).stdout.contains(&format!("{line}; clients use it")));
}
