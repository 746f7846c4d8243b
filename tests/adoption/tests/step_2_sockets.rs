//! Step 2 of `docs/adopting.md`: listeners, connections and the pid lock file, with the caller's own bytes.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use testkit::{TempEndpoint, watchdog};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zccache_ipc::endpoint::{Claim, ConnectError, DirPolicy, Endpoint, Pid, Stream, lock_file};

const LIMIT: Duration = Duration::from_secs(20);

async fn connect(endpoint: &Endpoint) -> Result<Stream, ConnectError> {
    Stream::connect(endpoint, Instant::now() + LIMIT).await
}

#[tokio::test]
async fn a_listener_and_a_connection_carry_bytes() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let endpoint = Endpoint::new(place.name());
    // The call site branches on the kind, as it does on an `io::Error`.
    let missing = connect(&endpoint).await.expect_err("no daemon");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(missing.io().map(std::io::Error::kind), Some(ErrorKind::NotFound));

    let mut claim = Claim::of_endpoint(&endpoint, DirPolicy::Shared).expect("a free endpoint");
    let listener = claim.bind().expect("binds");
    let mut client = connect(&endpoint).await.expect("connects");
    let mut server = listener.accept().await.expect("accepted");
    client.write_all(b"own bytes").await.expect("written");
    let mut received = [0; 9];
    server.read_exact(&mut received).await.expect("received");
    assert_eq!(&received, b"own bytes");
    // No lock is beside a pipe: there the second claim fails when it binds.
    let lost = match Claim::of_endpoint(&endpoint, DirPolicy::Shared) {
        Err(error) => error.kind(),
        Ok(mut second) => second.bind().expect_err("another holds it").kind(),
    };
    assert_eq!(lost, ErrorKind::AddrInUse);
    drop(listener);
    claim.release_without_trace().expect("removed");
}

#[test]
fn a_program_that_keeps_its_pid_lock_file_writes_and_removes_it() {
    let place = TempEndpoint::new();
    let path = place.cache_dir().join("daemon.lock");
    lock_file::write(&path, Pid::current()).expect("written");
    assert_eq!(std::fs::read_to_string(&path).expect("readable"), std::process::id().to_string());
    assert_eq!(lock_file::read(&path).expect("readable"), Some(Pid::current()));
    lock_file::remove_if_of(&path, Pid::current()).expect("removed");
    assert_eq!(lock_file::read(&path).expect("readable"), None);
}
