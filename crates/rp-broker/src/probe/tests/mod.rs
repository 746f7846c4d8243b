//! Each outcome of a verification, and the answers to probes.

mod daemon;

use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

use ipc_os::{Pid, Stream};
use prost::Message as _;
use running_process::broker::protocol::Frame;
use testkit::watchdog;
use tokio::io::AsyncWriteExt as _;

use self::daemon::{Daemon, answer, as_4_4, enveloped, framed, good, question};
use super::*;
use crate::identity::{Hashes, Identity, IdentityFileError};

const LIMIT: Duration = Duration::from_secs(60);
/// A timeout for outcomes that do not depend on it, long enough for a busy machine.
const PATIENT: Duration = Duration::from_secs(20);
/// A timeout that the test waits for.
const SHORT: Duration = Duration::from_millis(700);

#[track_caller]
fn assert_same(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Same(_)), "{outcome:?}");
}

#[test]
fn a_daemon_of_either_generation_is_the_same_with_a_file_of_either() {
    let _watchdog = watchdog(LIMIT);
    let daemon = good();
    let outcome = verify(&daemon.ask());
    let proof = outcome.proof().unwrap_or_else(|| panic!("{outcome:?}"));
    assert_eq!((proof.pid(), &proof.identity), (Pid::current(), &daemon.identity));
    let sha256 = daemon.identity.hashes.sha256().unwrap();
    let blake3 = daemon.identity.hashes.blake3().unwrap();
    assert_same(&daemon.verified_with(|identity| identity.hashes = Hashes::Sha256(sha256)));
    assert_same(&daemon.verified_with(|identity| identity.hashes = Hashes::Blake3 { blake3, sha256: None }));
    // No generation compares these.
    assert_same(&daemon.verified_with(|identity| identity.started_at_unix_ms += 1));
    assert_same(&daemon.verified_with(|identity| identity.idle_timeout_secs = Some(1)));

    let released = Daemon::answering(|question, identity| framed(question, &as_4_4(identity)));
    let outcome = released.verified_with(|identity| identity.hashes = Hashes::Sha256(sha256));
    assert_eq!(outcome.proof().map(|proof| proof.identity.hashes), Some(Hashes::Sha256(sha256)));
}

#[test]
fn the_identity_file_is_checked_before_the_daemon_is_probed() {
    let _watchdog = watchdog(LIMIT);
    let daemon = Daemon::absent();
    #[track_caller]
    fn check(outcome: &Outcome, is_expected: impl FnOnce(&Outcome) -> bool) {
        assert!(is_expected(outcome), "{outcome:?}");
    }
    let other = |outcome: &Outcome| matches!(outcome, Outcome::Different(Difference::Endpoint(_)));
    check(&daemon.verified_with(|identity| identity.endpoint.path.push('x')), other);
    check(&daemon.verified_with(|identity| identity.endpoint.namespace_id.push('x')), other);
    check(&daemon.verified_with(|identity| identity.boot_id.push('x')), |outcome| {
        matches!(outcome, Outcome::Unknown(Unknown::OtherBoot(_)))
    });
    // No process has that id on any system that we know of.
    check(&daemon.verified_with(|identity| identity.pid = Pid::new(i32::MAX as u32).unwrap()), |outcome| {
        matches!(outcome, Outcome::Gone)
    });
    check(&daemon.verified_with(|identity| identity.exe_path = "/elsewhere".into()), |outcome| {
        matches!(outcome, Outcome::Different(Difference::Program { .. }))
    });
    check(&daemon.verified_with(|identity| identity.hashes = Hashes::Sha256([1; 32])), |outcome| {
        matches!(outcome, Outcome::Different(Difference::Build(_)))
    });
    let blake3 = Hashes::Blake3 { blake3: [1; 32], sha256: daemon.identity.hashes.sha256() };
    check(&daemon.verified_with(|identity| identity.hashes = blake3), |outcome| {
        matches!(outcome, Outcome::Different(Difference::Build(_)))
    });
    // The process is there and nobody listens.
    check(
        &daemon.verified_with(|_| {}),
        |outcome| matches!(outcome, Outcome::Unknown(Unknown::Probe(ProbeError::Connect(error))) if error.is_no_daemon()),
    );
}

#[test]
fn a_process_of_another_program_is_different() {
    let _watchdog = watchdog(LIMIT);
    let daemon = Daemon::absent();
    // What runs the tests: there as long as they are, and not this program.
    let Some(parent) = Pid::parent() else { return };
    let outcome = daemon.verified_with(|identity| identity.pid = parent);
    assert!(matches!(outcome, Outcome::Different(Difference::Program { .. })), "{outcome:?}");
}

#[test]
fn a_file_that_cannot_be_used_is_unknown() {
    let _watchdog = watchdog(LIMIT);
    let daemon = good();
    let file = daemon.file();
    let malformed = |content: &[u8]| {
        fs::write(&file, content).unwrap();
        let outcome = verify(&daemon.ask());
        assert!(matches!(outcome, Outcome::Unknown(Unknown::IdentityFile(_))), "{outcome:?}");
    };
    let text = fs::read(&file).unwrap();
    malformed(b"");
    malformed(&text[..text.len() / 2]);
    malformed(&vec![b'x'; 1 << 20]);
    malformed(String::from_utf8(text).unwrap().replace(&std::process::id().to_string(), "0").as_bytes());
    fs::remove_file(&file).unwrap();
    let outcome = verify(&daemon.ask());
    assert!(matches!(outcome, Outcome::Unknown(Unknown::NoIdentityFile(_))), "{outcome:?}");
    fs::create_dir(&file).unwrap();
    match verify(&daemon.ask()) {
        Outcome::Unknown(Unknown::IdentityFile(error)) => {
            assert!(matches!(*error, IdentityFileError::Read(_)), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
    assert!(file.is_dir(), "asking removes nothing");
    // Whoever opened this one like a file would wait for ever.
    #[cfg(unix)]
    {
        fs::remove_dir(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        let outcome = verify(&daemon.ask());
        assert!(
            matches!(&outcome, Outcome::Unknown(Unknown::IdentityFile(error))
                if matches!(&**error, IdentityFileError::Read(ipc_os::ReadError::NotAFile { .. }))),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_daemon_that_says_something_else_of_itself_is_different() {
    let _watchdog = watchdog(LIMIT);
    #[track_caller]
    fn check(change: fn(&mut Identity), expected: Field) {
        let daemon = Daemon::answering(move |question, identity| {
            let mut identity = identity.clone();
            change(&mut identity);
            let mut bytes = Vec::new();
            identity.to_running_process().unwrap().encode_probe_identity(&mut bytes).unwrap();
            framed(question, &bytes)
        });
        match verify(&daemon.ask()) {
            Outcome::Different(Difference::Answer(field)) if field == expected => {}
            other => panic!("{expected:?}: {other:?}"),
        }
    }
    check(|identity| identity.pid = Pid::new(1).unwrap(), Field::Pid);
    check(|identity| identity.exe_path.push("x"), Field::ExePath);
    check(|identity| identity.hashes = Hashes::Blake3 { blake3: [1; 32], sha256: None }, Field::Hash);
    check(|identity| identity.boot_id.push('x'), Field::BootId);
    check(|identity| identity.endpoint.path.push('x'), Field::Endpoint);
}

#[test]
fn an_invalid_answer_is_unknown_without_a_wait() {
    let _watchdog = watchdog(LIMIT);
    #[track_caller]
    fn check(answer: fn(&Frame, &Identity) -> Vec<u8>, is_expected: fn(&Answer) -> bool) {
        let daemon = Daemon::answering(answer);
        match verify(&daemon.ask()) {
            Outcome::Unknown(Unknown::Probe(ProbeError::Answer(answer))) if is_expected(&answer) => {}
            other => panic!("{other:?}"),
        }
    }
    check(|_, _| vec![8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0], |answer| matches!(answer, Answer::Framing(8)));
    check(|_, _| vec![1, 255, 255, 255, 255], |answer| matches!(answer, Answer::TooLong(u32::MAX)));
    check(|_, _| vec![1, 2, 0, 0, 0, 255, 255], |answer| matches!(answer, Answer::Envelope(_)));
    check(|question, _| enveloped(question), |answer| matches!(answer, Answer::Header("kind")));
    check(
        |question, _| enveloped(&Frame { kind: 1, payload_protocol: 0x7A63, ..question.clone() }),
        |answer| matches!(answer, Answer::Header("protocol")),
    );
    check(
        |question, _| enveloped(&Frame { kind: 1, request_id: 1, ..question.clone() }),
        |answer| matches!(answer, Answer::Header("request id")),
    );
    check(
        |question, _| enveloped(&Frame { kind: 1, payload: vec![0; 32], ..question.clone() }),
        |answer| matches!(answer, Answer::Nonce),
    );
    check(
        |question, _| enveloped(&Frame { kind: 1, payload: vec![0; 31], ..question.clone() }),
        |answer| matches!(answer, Answer::Nonce),
    );
    check(|question, _| framed(question, b""), |answer| matches!(answer, Answer::Identity(_)));
    check(|question, _| framed(question, &[255; 9]), |answer| matches!(answer, Answer::Identity(_)));
}

#[test]
fn a_daemon_that_closes_is_known_to_have_closed_before_the_budget_is_over() {
    let _watchdog = watchdog(LIMIT);
    #[track_caller]
    fn check(daemon: &Daemon, expected: usize) {
        let began = Instant::now();
        match verify(&daemon.ask()) {
            Outcome::Unknown(Unknown::Probe(ProbeError::Closed { received })) if received == expected => {}
            other => panic!("{other:?}"),
        }
        assert!(began.elapsed() < PATIENT / 2, "{:?}", began.elapsed());
    }
    check(&Daemon::doing(|stream, _| async move { drop(stream) }), 0);
    check(&Daemon::answering(|_, _| Vec::new()), 0);
    check(&Daemon::answering(|_, _| vec![1, 9, 0]), 3);
    check(&Daemon::answering(|_, _| vec![1, 9, 0, 0, 0, 8]), 6);
}

#[test]
fn a_probe_of_a_silent_daemon_ends_within_its_budget() {
    let _watchdog = watchdog(LIMIT);
    #[track_caller]
    fn check(daemon: &Daemon) {
        let began = Instant::now();
        match verify(&daemon.ask().within(SHORT)) {
            Outcome::Unknown(Unknown::Probe(ProbeError::Late)) => {}
            other => panic!("{other:?}"),
        }
        let took = began.elapsed();
        assert!(took >= SHORT && took < SHORT * 4, "{took:?}");
    }
    let for_ever = |stream: Stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    };
    check(&Daemon::doing(move |stream, _| for_ever(stream)));
    // Half an answer.
    check(&Daemon::doing(move |mut stream, identity| async move {
        let question = question(&mut stream).await;
        let whole = answer(&question.encode_to_vec(), &identity).await;
        let _ = stream.write_all(&whole[..whole.len() / 2]).await;
        for_ever(stream).await;
    }));
    // A byte now and then is no reason to wait longer.
    check(&Daemon::doing(move |mut stream, identity| async move {
        let question = question(&mut stream).await;
        for byte in answer(&question.encode_to_vec(), &identity).await {
            let _ = stream.write_all(&[byte]).await;
            tokio::time::sleep(Duration::from_millis(50)).await; // the slowness that is the test
        }
    }));
}

#[test]
fn asking_from_a_runtime_holds_neither_its_threads_nor_its_end_up() {
    let _watchdog = watchdog(LIMIT);
    let daemon = Daemon::doing(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    let ask = daemon.ask();
    runtime.block_on(async {
        let asked = tokio::time::timeout(Duration::from_millis(100), verify_async(ask)).await;
        assert!(asked.is_err(), "the only thread of the runtime is free while it is asked");
    });
    drop(runtime);
    assert!(began.elapsed() < PATIENT / 2, "{:?}", began.elapsed());

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answering = good();
    assert_same(&runtime.block_on(verify_async(answering.ask())));
    let outcome = runtime.block_on(verify_async(daemon.ask().within(SHORT)));
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_responder_answers_once_it_has_its_identity_and_refuses_other_frames() {
    let _watchdog = watchdog(LIMIT);
    let nonce = [7; 32];
    let question = exchange::question(&nonce);
    let (responder, announcer) = Responder::new();
    let waiting = tokio::spawn({
        let (responder, question) = (responder.clone(), question.clone());
        async move { responder.answer(&question[5..]).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    let daemon = Daemon::absent();
    announcer.announce(&daemon.identity);
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(exchange::identity_in(&answer[5..], &nonce).unwrap(), daemon.identity);

    let refused = |envelope: Vec<u8>| {
        let responder = responder.clone();
        async move { responder.answer(&envelope).await.unwrap_err() }
    };
    let frame = Frame::decode(&question[5..]).unwrap();
    let short = Frame { payload: vec![7; 31], ..frame.clone() };
    assert!(matches!(refused(short.encode_to_vec()).await, ProbeRefusal::NotAProbe(_)));
    let response = Frame { kind: 1, ..frame.clone() };
    assert!(matches!(refused(response.encode_to_vec()).await, ProbeRefusal::NotAProbe(_)));
    assert!(matches!(refused(vec![255; 9]).await, ProbeRefusal::Envelope(_)));
    assert!(matches!(refused(vec![0; 1 << 20]).await, ProbeRefusal::TooLong { .. }));
}

#[tokio::test]
async fn without_an_identity_a_probe_is_refused_before_its_prober_gives_up() {
    let _watchdog = watchdog(LIMIT);
    let question = exchange::question(&[7; 32]);
    let (responder, announcer) = Responder::new();
    tokio::time::pause();
    assert!(matches!(responder.answer(&question[5..]).await, Err(ProbeRefusal::NotReady)));
    assert!(IDENTITY_TIMEOUT < DEFAULT_BUDGET);
    drop(announcer);
    assert!(matches!(responder.answer(&question[5..]).await, Err(ProbeRefusal::NoIdentity)));
}

#[test]
fn the_texts_name_file_and_endpoint() {
    let mut out = Vec::new();
    let unknown = Unknown::NoIdentityFile("/c/daemon.running-process.json".into());
    write!(out, "{unknown}; {}", Difference::Answer(Field::Pid)).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text,
        "there is no identity file at /c/daemon.running-process.json; another daemon answers: its process id \
         differs from the identity file"
    );
}
