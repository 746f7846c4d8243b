//! Faulty servers and requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use testkit::{Gate, WebAnswer, WebServer};
use zccache_download::Limits;

use crate::support::*;

const LEN: usize = 512 * 1024;

#[test]
fn a_refusal_is_reported_and_not_retried() {
    let place = Place::new();
    let server = WebServer::start(|_| WebAnswer::new(404, "no such file"));
    let path = place.path("f");
    assert_failed(&place.get(&server.url("/f"), &path), &path, "answered 404");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_busy_server_is_retried_a_limited_number_of_times() {
    let place = Place::new();
    let asked = AtomicUsize::new(0);
    let server = WebServer::start(move |request| match request.path.as_str() {
        "/later" if asked.fetch_add(1, Ordering::Relaxed) >= 2 => WebAnswer::file(request, b"here", TAG),
        _ => WebAnswer::new(503, ""),
    });
    let path = place.path("later");
    assert_complete(&place.get(&server.url("/later"), &path), &path, b"here");
    let path = place.path("never");
    assert_failed(&place.get(&server.url("/never"), &path), &path, "answered 503");
    assert_eq!(server.requests().len(), 3 + 5);
}

#[test]
fn a_response_that_always_ends_early_fails_the_download() {
    let place = Place::new();
    let server = WebServer::start(|request| match request.path.as_str() {
        "/no-parts" => WebAnswer::new(200, bytes(LEN)).cut_after(LEN / 2),
        _ => WebAnswer::new(200, bytes(LEN)).with("ETag", TAG).cut_after(LEN / 2),
    });
    for name in ["/no-parts", "/with-version"] {
        let path = place.path(&name[1..]);
        assert_failed(&place.get(&server.url(name), &path), &path, "");
    }
    assert_eq!(server.requests().len(), 2 * 5);
}

#[test]
fn a_wrong_length_fails_the_download() {
    let place = Place::new();
    let server = WebServer::start(|request| match request.path.as_str() {
        "/too-long" => WebAnswer::new(200, "short").announcing(Some(50)),
        _ => WebAnswer::new(200, "x").announcing(None).with("Content-Length", "many"),
    });
    for name in ["/too-long", "/no-number"] {
        let path = place.path(&name[1..]);
        assert_failed(&place.get(&server.url(name), &path), &path, "");
    }
}

#[test]
fn an_encoded_response_is_refused() {
    let place = Place::new();
    let server = WebServer::start(|_| WebAnswer::new(200, "packed").with("Content-Encoding", "gzip"));
    let path = place.path("f");
    assert_failed(&place.get(&server.url("/f"), &path), &path, "gzip");
}

#[test]
fn a_range_of_another_version_or_offset_is_refused() {
    let place = Place::new();
    let server = WebServer::start(|request| {
        let Some((first, _)) = request.range() else { return WebAnswer::file(request, &bytes(LEN), TAG) };
        let part = WebAnswer::new(206, &bytes(LEN)[first..]);
        match request.path.as_str() {
            // The server ignores `If-Range`, and its tag shows it.
            "/other-version" => {
                part.with("Content-Range", format!("bytes {first}-{}/{LEN}", LEN - 1)).with("ETag", "\"v2\"")
            }
            "/other-size" => part.with("Content-Range", format!("bytes {first}-{}/{}", LEN - 1, LEN + 1)),
            "/other-place" => part.with("Content-Range", format!("bytes 0-{}/{LEN}", LEN - 1)),
            _ => WebAnswer::file(request, &bytes(LEN), "\"v3\""),
        }
    });
    for (name, why) in [
        ("/other-version", "keeps changing"),
        ("/other-size", "keeps changing"),
        ("/whole", "keeps changing"),
        ("/other-place", "is not valid"),
    ] {
        let path = place.path(&name[1..]);
        assert_failed(&place.fetch_with(&server.url(name), &path, in_segments(2)), &path, why);
    }
}

#[test]
fn a_server_that_sends_nothing_times_out() {
    let mut limits = Limits::default();
    limits.stall = Duration::from_millis(100);
    let place = Place::with(limits);
    let gate = Gate::default();
    let of_server = gate.clone();
    let server = WebServer::start(move |request| match request.path.as_str() {
        "/head" => WebAnswer::file(request, &bytes(LEN), TAG).hold_after(0, &of_server),
        _ => {
            let sent = if request.range().is_some() { 0 } else { LEN / 2 };
            WebAnswer::file(request, &bytes(LEN), TAG).hold_after(sent, &of_server)
        }
    });
    for name in ["/head", "/body"] {
        let path = place.path(&name[1..]);
        assert_failed(&place.get(&server.url(name), &path), &path, "sent nothing");
    }
    gate.open();
}

#[test]
fn redirects_are_limited_and_never_lead_to_a_file() {
    let place = Place::new();
    let secret = place.path("secret");
    std::fs::write(&secret, "secret").unwrap();
    let to_file = format!("file://{}", secret.display());
    let server = WebServer::start(move |request| match request.path.as_str() {
        "/round" => WebAnswer::new(302, "").with("Location", "/round"),
        _ => WebAnswer::new(302, "").with("Location", to_file.clone()),
    });
    let to = |name: &str| place.get(&server.url(name), &place.path(&name[1..]));
    assert_failed(&to("/file"), &place.path("file"), "it leads away from the web");
    assert_failed(&to("/round"), &place.path("round"), "more than 10 redirects");
    assert_eq!(server.requests().len(), 1 + 11);
}

#[test]
fn an_illegal_url_or_destination_is_reported() {
    let place = Place::new();
    let path = place.path("f");
    for (url, why) in [
        ("ftp://127.0.0.1/f", "only http, https and file"),
        ("nonsense", "no scheme"),
        ("file:///no/such/file", "cannot read /no/such/file"),
        ("file:///", "cannot read /"),
    ] {
        assert_failed(&place.get(url, &path), &path, why);
    }
    let directory = place.path("directory");
    std::fs::create_dir(&directory).unwrap();
    let status = place.get("file:///etc/hosts", &directory);
    assert!(status.error.unwrap().contains("it is a directory"));
    let error = place.join("file:///etc/hosts", std::path::Path::new("relative"), Default::default());
    assert!(error.unwrap_err().contains("not an absolute path"));
}

#[test]
fn a_refused_connection_is_reported_with_its_cause() {
    let place = Place::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let path = place.path("f");
    let status = place.get(&format!("http://me:secret@127.0.0.1:{port}/f"), &path);
    assert_failed(&status, &path, "refused");
    assert!(!status.error.unwrap().contains("secret"));
}

#[cfg(target_os = "linux")]
#[test]
fn an_unfinished_file_that_is_a_link_is_not_followed() {
    let place = Place::new();
    let victim = place.path("victim");
    std::fs::write(&victim, "precious").unwrap();
    let path = place.path("f");
    std::os::unix::fs::symlink(&victim, beside(&path, ".part")).unwrap();
    assert_failed(&place.get("file:///etc/hosts", &path), &path, "not a regular file");
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
}
