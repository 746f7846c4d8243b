//! Files at the socket's path: what `bind` replaces, and what it refuses.

use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, symlink},
        net::{UnixListener, UnixStream},
    },
    path::Path,
};

use super::{
    Home, STRANGER, connect::full_listener, helper::Part, is_root, make_fifo, mode, watched, watched_async,
};
use crate::{BindError, Claim, DirPolicy, Endpoint, FileKind, Listener, Pid, Stream, blocking};

#[test]
fn a_bound_socket_is_for_its_owner_only_and_the_lock_file_names_us() {
    watched_async(async {
        let home = Home::new();
        let mut claim = home.claim().unwrap();
        let listener = claim.bind().unwrap();
        assert_eq!(mode(&home.socket()), 0o600);
        assert_eq!(mode(home.directory.path()), 0o700);
        assert_eq!(fs::read_to_string(home.lock_file()).unwrap(), Pid::current().to_string());
        assert!(claim.owns_socket().unwrap());

        let client = Stream::connect(&home.endpoint(), super::soon()).await.unwrap();
        let server = listener.accept().await.unwrap();
        assert_eq!(client.peer().pid(), Some(Pid::current()));
        assert_eq!(server.peer(), client.peer());
        assert_eq!(server.peer().uid(), super::super::our_uid());

        claim.release().unwrap();
        assert_eq!(home.names(), ["daemon.lifetime", "daemon.sock.lifetime"]);
    });
}

#[test]
fn a_file_that_is_no_socket_is_refused_and_kept() {
    let check = |make: fn(&Path), expected: FileKind| {
        watched_async(async move {
            let home = Home::new();
            make(&home.socket());
            let error = home.claim().unwrap().bind().unwrap_err();
            let BindError::NotASocket { path, kind } = error else { panic!("{error:?}") };
            assert_eq!((path, kind), (home.socket(), expected));
            assert!(fs::symlink_metadata(home.socket()).is_ok(), "{expected} was removed");
            assert!(!home.lock_file().exists());
        });
    };
    check(|path| fs::write(path, "precious").unwrap(), FileKind::File);
    check(|path| fs::create_dir(path).unwrap(), FileKind::Directory);
    check(|path| symlink("/nowhere", path).unwrap(), FileKind::Symlink);
    check(
        |path| {
            let target = path.with_extension("target");
            drop(UnixListener::bind(&target).unwrap());
            symlink(target, path).unwrap();
        },
        FileKind::Symlink,
    );
    check(make_fifo, FileKind::Fifo);
}

#[test]
fn a_stale_socket_is_replaced() {
    watched_async(async {
        let home = Home::new();
        drop(UnixListener::bind(home.socket()).unwrap());
        fs::write(home.lock_file(), "99999999999").unwrap();
        let mut claim = home.claim().unwrap();
        let _listener = claim.bind().unwrap();
        UnixStream::connect(home.socket()).unwrap();
        assert_eq!(fs::read_to_string(home.lock_file()).unwrap(), Pid::current().to_string());
    });
}

#[test]
fn a_live_socket_is_not_taken_over_even_when_its_daemon_does_not_answer() {
    watched_async(async {
        let home = Home::new();
        let mut other = Part::play("a_plain_listener", &[home.socket().to_str().unwrap()]);
        assert_eq!(other.says(), "listening");
        let error = home.claim().unwrap().bind().unwrap_err();
        let BindError::InUse { by, .. } = error else { panic!("{error:?}") };
        assert_eq!(by.map(Pid::get), Some(other.pid()));
        UnixStream::connect(home.socket()).unwrap();
        assert!(!home.lock_file().exists());
    });
}

#[test]
fn a_live_socket_with_a_full_backlog_is_not_taken_over() {
    watched_async(async {
        let home = Home::new();
        let (_listener, _waiting) = full_listener(&home.socket());
        fs::write(home.lock_file(), Pid::current().to_string()).unwrap();
        let error = home.claim().unwrap().bind().unwrap_err();
        assert!(matches!(error, BindError::InUse { .. }), "{error:?}");
        assert!(home.socket().exists() && home.lock_file().exists());
    });
}

#[test]
fn a_socket_of_another_user_is_refused_and_kept() {
    if !is_root() {
        return;
    }
    watched_async(async {
        let home = Home::new();
        drop(UnixListener::bind(home.socket()).unwrap());
        std::os::unix::fs::chown(home.socket(), Some(STRANGER), None).unwrap();
        let error = home.claim().unwrap().bind().unwrap_err();
        assert!(matches!(error, BindError::Foreign { owner: STRANGER, .. }), "{error:?}");
        assert!(home.socket().exists());
    });
}

#[test]
fn dropping_a_claim_removes_its_own_socket_but_not_one_that_replaced_it() {
    watched_async(async {
        let home = Home::new();
        let mut claim = home.claim().unwrap();
        let _listener = claim.bind().unwrap();
        drop(claim);
        assert!(!home.socket().exists() && !home.lock_file().exists());

        let mut claim = home.claim().unwrap();
        let _listener = claim.bind().unwrap();
        fs::remove_file(home.socket()).unwrap();
        let _usurper = UnixListener::bind(home.socket()).unwrap();
        fs::write(home.lock_file(), "1").unwrap();
        assert!(!claim.owns_socket().unwrap());
        drop(claim);
        assert!(fs::symlink_metadata(home.socket()).unwrap().file_type().is_socket());
        assert_eq!(fs::read_to_string(home.lock_file()).unwrap(), "1");
        UnixStream::connect(home.socket()).unwrap();
    });
}

#[test]
fn a_socket_that_a_cleaner_removed_is_bound_again() {
    watched_async(async {
        let home = Home::new();
        let mut claim = home.claim().unwrap();
        let old = claim.bind().unwrap();
        fs::remove_file(home.socket()).unwrap();
        assert!(!claim.owns_socket().unwrap());
        let new = claim.bind().unwrap();
        drop(old);
        assert!(claim.owns_socket().unwrap());
        let endpoint = home.endpoint();
        let (client, server) = tokio::join!(Stream::connect(&endpoint, super::soon()), new.accept());
        client.unwrap();
        server.unwrap();
    });
}

#[test]
fn an_unwritable_lock_file_does_not_prevent_the_claim() {
    watched_async(async {
        let home = Home::new();
        fs::create_dir_all(home.path("daemon.lock/inner")).unwrap();
        let mut claim = home.claim().unwrap();
        let _listener = claim.bind().unwrap();
        Stream::connect(&home.endpoint(), super::soon()).await.unwrap();
        claim.release().unwrap();
        assert!(home.path("daemon.lock/inner").is_dir());
    });
}

#[test]
fn binding_without_a_runtime_is_an_error_and_touches_nothing() {
    watched(|| {
        let home = Home::new();
        drop(UnixListener::bind(home.socket()).unwrap());
        let mut claim = home.claim().unwrap();
        assert!(matches!(claim.bind().unwrap_err(), BindError::NoRuntime));
        assert!(home.socket().exists());
    });
}

#[test]
fn the_longest_path_that_fits_is_bound_and_connected_to() {
    watched_async(async {
        let home = Home::new();
        let limit = Endpoint::path_limit(crate::Platform::CURRENT).unwrap();
        let room = limit - home.directory.path().as_os_str().len() - 1;
        let endpoint = super::endpoint(&home.path(&"s".repeat(room)));
        assert_eq!(endpoint.as_str().len(), limit);
        let mut claim = Claim::take(&endpoint, &home.lock_file(), DirPolicy::Dedicated).unwrap();
        let _listener = claim.bind().unwrap();
        Stream::connect(&endpoint, super::soon()).await.unwrap();
    });
}

#[test]
fn binding_a_compacted_name_does_not_change_the_mode_of_tmp() {
    if mode(Path::new("/tmp")) & 0o1000 == 0 {
        eprintln!("skipped: /tmp has no sticky bit here");
        return;
    }
    watched_async(async {
        let home = Home::new();
        let before = mode(Path::new("/tmp"));
        let socket = Path::new("/tmp").join(format!("zccache-test-{}-daemon.sock", Pid::current()));
        let endpoint = super::endpoint(&socket);
        let lock_file = home.path("cache/daemon.lock");
        let mut claim = Claim::take(&endpoint, &lock_file, DirPolicy::Dedicated).unwrap();
        let listener = claim.bind();
        let (bound, found) = (listener.is_ok(), mode(&socket));
        drop(claim);
        // A lock file stays after a release; this one belongs to the test.
        fs::remove_file(socket.with_extension("sock.lifetime")).unwrap();
        assert!(bound && !socket.exists());
        assert_eq!((found, mode(&home.path("cache")), mode(Path::new("/tmp"))), (0o600, 0o700, before));
    });
}

#[test]
fn everything_can_be_sent_to_and_shared_with_other_threads() {
    fn check<T: Send + Sync>() {}
    check::<Claim>();
    check::<Listener>();
    check::<Stream>();
    check::<blocking::Stream>();
}
