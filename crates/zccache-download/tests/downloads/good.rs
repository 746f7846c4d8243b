//! Correct servers and clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use testkit::{Gate, WebAnswer, WebServer, eventually};
use zccache_ipc::model::download::DownloadPhase;

use crate::support::*;

const LEN: usize = 1024 * 1024;

#[test]
fn a_file_arrives_and_the_directories_above_it_are_made() {
    let place = Place::new();
    let server = WebServer::start(|request| WebAnswer::file(request, &bytes(LEN), TAG));
    let path = place.path("new/directory/file");
    assert_complete(&place.get(&server.url("/f"), &path), &path, &bytes(LEN));
    // A file smaller than two segments needs one request.
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_empty_file_and_one_of_unknown_length_arrive() {
    let place = Place::new();
    let server = WebServer::start(|request| match request.path.as_str() {
        "/empty" => WebAnswer::new(200, ""),
        _ => WebAnswer::new(200, bytes(LEN)).announcing(None),
    });
    let path = place.path("empty");
    assert_complete(&place.get(&server.url("/empty"), &path), &path, b"");
    let path = place.path("unknown");
    assert_complete(&place.get(&server.url("/unknown"), &path), &path, &bytes(LEN));
}

#[test]
fn a_server_with_ranges_receives_several_requests_at_once() {
    let place = Place::new();
    let server = WebServer::start(|request| WebAnswer::file(request, &bytes(LEN), TAG));
    let path = place.path("f");
    assert_complete(&place.fetch_with(&server.url("/f"), &path, in_segments(4)), &path, &bytes(LEN));
    let mut asked: Vec<_> = server.requests().iter().filter_map(testkit::WebRequest::range).collect();
    asked.sort_unstable();
    let quarter = LEN / 4;
    let expected: Vec<_> = (1..4).map(|at| (at * quarter, Some((at + 1) * quarter - 1))).collect();
    assert_eq!(asked, expected);
    assert!(server.requests().iter().skip(1).all(|request| request.header("if-range") == Some(TAG)));
}

#[test]
fn a_server_without_ranges_or_a_version_receives_one_request() {
    let place = Place::new();
    let server = WebServer::start(|request| match request.path.as_str() {
        "/no-parts" => WebAnswer::new(200, bytes(LEN)).with("ETag", TAG),
        "/weak" => WebAnswer::new(200, bytes(LEN)).with("Accept-Ranges", "bytes").with("ETag", "W/\"v1\""),
        _ => WebAnswer::new(200, bytes(LEN)).with("Accept-Ranges", "bytes"),
    });
    for (count, name) in ["/no-parts", "/weak", "/no-version"].into_iter().enumerate() {
        let path = place.path(&name[1..]);
        assert_complete(&place.fetch_with(&server.url(name), &path, in_segments(4)), &path, &bytes(LEN));
        assert_eq!(server.requests().len(), count + 1);
    }
}

#[test]
fn redirects_are_followed_for_every_segment() {
    let place = Place::new();
    let server = WebServer::start(|request| match request.path.as_str() {
        "/moved" => WebAnswer::new(302, "").with("Location", "/f"),
        _ => WebAnswer::file(request, &bytes(LEN), TAG),
    });
    let path = place.path("f");
    assert_complete(&place.fetch_with(&server.url("/moved"), &path, in_segments(2)), &path, &bytes(LEN));
}

#[test]
fn a_file_on_this_machine_is_copied() {
    let place = Place::new();
    let source = place.path("a source");
    std::fs::write(&source, bytes(LEN)).unwrap();
    let path = place.path("f");
    let url = format!("file://{}", source.display()).replace(' ', "%20");
    assert_complete(&place.get(&url, &path), &path, &bytes(LEN));
}

#[test]
fn an_existing_file_is_downloaded_again_only_if_forced() {
    let place = Place::new();
    let server = WebServer::start(|request| WebAnswer::file(request, b"new", TAG));
    let path = place.path("f");
    std::fs::write(&path, "before").unwrap();
    let status = place.get(&server.url("/f"), &path);
    assert_eq!((status.phase, status.total_bytes), (DownloadPhase::Completed, Some(6)));
    assert_eq!((std::fs::read(&path).unwrap(), server.requests().len()), (b"before".to_vec(), 0));
    assert_complete(&place.fetch_with(&server.url("/f"), &path, forced()), &path, b"new");
}

#[test]
fn a_response_that_ends_early_is_resumed() {
    let place = Place::new();
    let cuts = AtomicUsize::new(0);
    let server = WebServer::start(move |request| {
        let answer = WebAnswer::file(request, &bytes(LEN), TAG);
        if cuts.fetch_add(1, Ordering::Relaxed) < 2 { answer.cut_after(LEN / 4) } else { answer }
    });
    let path = place.path("f");
    assert_complete(&place.get(&server.url("/f"), &path), &path, &bytes(LEN));
    let asked: Vec<_> = server.requests().iter().map(testkit::WebRequest::range).collect();
    assert_eq!(asked, [None, Some((LEN / 4, Some(LEN - 1))), Some((LEN / 2, Some(LEN - 1)))]);
}

/// Downloads half of a file, cancels the download, and returns the path.
fn half(
    place: &Place,
    server: &WebServer,
    options: zccache_ipc::model::download::DownloadOptions,
) -> std::path::PathBuf {
    let path = place.path("f");
    let mut part = place.join(&server.url("/f"), &path, options).unwrap();
    place.when(&mut part, |status| status.downloaded_bytes >= LEN as u64 / 2);
    drop(part);
    eventually(SOON, "the notes are written", || beside(&path, ".part.json").exists());
    eventually(SOON, "the download is over", || zccache_ipc::download::Downloads::active(&place.jobs) == 0);
    assert!(!path.exists());
    path
}

#[test]
fn a_cancelled_download_is_resumed_by_the_next_attempt_and_the_next_daemon() {
    let place = Place::new();
    let (gate, held) = (Gate::default(), Arc::new(AtomicBool::new(true)));
    let (of_server, holds) = (gate.clone(), Arc::clone(&held));
    let server = WebServer::start(move |request| {
        let answer = WebAnswer::file(request, &bytes(LEN), TAG);
        if holds.load(Ordering::Relaxed) { answer.hold_after(LEN / 2, &of_server) } else { answer }
    });
    let path = half(&place, &server, Default::default());
    held.store(false, Ordering::Relaxed);
    // Another daemon has only the files on the disk.
    let place_of_next = Place::new();
    let status = place_of_next.get(&server.url("/f"), &path);
    assert_complete(&status, &path, &bytes(LEN));
    assert_eq!(server.requests()[1].range(), Some((LEN / 2, Some(LEN - 1))));
    gate.open();
}

#[test]
fn a_file_that_changed_since_then_is_downloaded_from_its_beginning() {
    let place = Place::new();
    let (gate, is_new) = (Gate::default(), Arc::new(AtomicBool::new(false)));
    let (of_server, new) = (gate.clone(), Arc::clone(&is_new));
    let server = WebServer::start(move |request| {
        if new.load(Ordering::Relaxed) {
            return WebAnswer::file(request, &bytes(LEN / 2 + 7), "\"v2\"");
        }
        WebAnswer::file(request, &vec![0; LEN], TAG).hold_after(LEN / 2, &of_server)
    });
    let path = half(&place, &server, Default::default());
    is_new.store(true, Ordering::Relaxed);
    assert_complete(&place.get(&server.url("/f"), &path), &path, &bytes(LEN / 2 + 7));
    gate.open();
}

#[test]
fn only_the_missing_bytes_of_several_segments_are_requested_again() {
    let place = Place::new();
    let (gate, held) = (Gate::default(), Arc::new(AtomicBool::new(true)));
    let (of_server, holds) = (gate.clone(), Arc::clone(&held));
    let server = WebServer::start(move |request| {
        let answer = WebAnswer::file(request, &bytes(LEN), TAG);
        let is_last = request.range().is_some_and(|(first, _)| first >= LEN * 3 / 4);
        if holds.load(Ordering::Relaxed) && is_last { answer.hold_after(LEN / 8, &of_server) } else { answer }
    });
    let path = place.path("f");
    let mut part = place.join(&server.url("/f"), &path, in_segments(4)).unwrap();
    place.when(&mut part, |status| status.downloaded_bytes == LEN as u64 * 7 / 8);
    drop(part);
    eventually(SOON, "the download is over", || zccache_ipc::download::Downloads::active(&place.jobs) == 0);
    let before = server.requests().len();
    held.store(false, Ordering::Relaxed);
    assert_complete(&place.get(&server.url("/f"), &path), &path, &bytes(LEN));
    let asked: Vec<_> = server.requests()[before..].iter().map(testkit::WebRequest::range).collect();
    assert_eq!(asked, [Some((LEN * 7 / 8, Some(LEN - 1)))]);
    gate.open();
}
