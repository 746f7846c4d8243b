//! Several clients, and the limits of a daemon.

use std::time::Duration;

use testkit::{Gate, WebAnswer, WebServer, eventually};
use zccache_download::Limits;
use zccache_ipc::download::{Attached as _, Downloads as _};
use zccache_ipc::model::download::DownloadPhase;

use crate::support::*;

const LEN: usize = 256 * 1024;

fn held(gate: &Gate) -> WebServer {
    let gate = gate.clone();
    WebServer::start(move |request| WebAnswer::file(request, &bytes(LEN), TAG).hold_after(LEN / 2, &gate))
}

#[test]
fn two_clients_share_one_download_and_another_url_is_refused() {
    let (place, gate) = (Place::new(), Gate::default());
    let server = held(&gate);
    let path = place.path("f");
    let mut first = place.join(&server.url("/f"), &path, forced()).unwrap();
    let mut second = place.join(&server.url("/f"), &path, Default::default()).unwrap();
    assert_eq!((first.is_initiator(), second.is_initiator()), (true, false));
    assert_eq!(first.id(), second.id());
    assert_eq!(second.status().active_clients, 2);
    let error = place.join(&server.url("/g"), &path, Default::default()).unwrap_err();
    let expected = format!("destination {} is already downloading from {}", path.display(), server.url("/f"));
    assert_eq!(error, expected);
    gate.open();
    assert_complete(&place.end_of(&mut first), &path, &bytes(LEN));
    assert_complete(&place.end_of(&mut second), &path, &bytes(LEN));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn only_the_last_client_that_leaves_cancels_the_download() {
    let (place, gate) = (Place::new(), Gate::default());
    let server = held(&gate);
    let path = place.path("f");
    let mut first = place.join(&server.url("/f"), &path, Default::default()).unwrap();
    let second = place.join(&server.url("/f"), &path, Default::default()).unwrap();
    place.when(&mut first, |status| status.downloaded_bytes > 0);
    drop(second);
    assert_eq!((first.status().phase, place.jobs.active()), (DownloadPhase::Downloading, 1));
    drop(first);
    // The server still holds its response; the daemon does not wait for it.
    eventually(Duration::from_secs(10), "the download is over", || place.jobs.active() == 0);
    assert!(!path.exists());
    // The next client resumes the download.
    let mut third = place.join(&server.url("/f"), &path, Default::default()).unwrap();
    gate.open();
    assert_complete(&place.end_of(&mut third), &path, &bytes(LEN));
    assert!(third.is_initiator() && server.requests()[1].range().is_some());
}

#[test]
fn running_and_queued_downloads_are_limited() {
    let mut limits = Limits::default();
    (limits.running, limits.known) = (1, 2);
    let (place, gate) = (Place::with(limits), Gate::default());
    let server = held(&gate);
    let join = |name: &str| place.join(&server.url("/f"), &place.path(name), Default::default());
    let mut first = join("a").unwrap();
    place.when(&mut first, |status| status.downloaded_bytes > 0);
    let mut second = join("b").unwrap();
    assert_eq!(second.status().phase, DownloadPhase::Pending);
    assert!(join("c").unwrap_err().contains("try again later"));
    assert_eq!(server.requests().len(), 1);
    gate.open();
    assert_complete(&place.end_of(&mut first), &place.path("a"), &bytes(LEN));
    assert_complete(&place.end_of(&mut second), &place.path("b"), &bytes(LEN));
}

#[test]
fn closing_cancels_all_downloads_and_refuses_new_ones() {
    let mut limits = Limits::default();
    limits.running = 1;
    let (place, gate) = (Place::with(limits), Gate::default());
    let server = held(&gate);
    let mut first = place.join(&server.url("/f"), &place.path("a"), Default::default()).unwrap();
    place.when(&mut first, |status| status.downloaded_bytes > 0);
    // Joined later: of two downloads that start at once, either may run.
    let mut waiting = place.join(&server.url("/f"), &place.path("b"), Default::default()).unwrap();
    assert!(place.jobs.close(Duration::from_secs(20)));
    assert_eq!(place.end_of(&mut first).phase, DownloadPhase::Cancelled);
    assert_eq!(place.end_of(&mut waiting).phase, DownloadPhase::Cancelled);
    let error = place.join(&server.url("/f"), &place.path("c"), Default::default()).unwrap_err();
    assert!(error.contains("shutting down"), "{error}");
}
