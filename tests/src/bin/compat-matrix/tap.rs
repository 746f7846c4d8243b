//! A tap on the line: carries bytes between clients and a daemon, and keeps them.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Listener, Stream};

use conformance::sandbox::Sandbox;

/// The time in which the daemon must accept.
const CONNECT: Duration = Duration::from_secs(5);

/// An endpoint of its own that leads to a daemon.
///
/// A client that is given it knows nothing of the daemon from earlier calls, and what was said, on how
/// many connections, is known afterwards.
pub(crate) struct Tap {
    endpoint: Endpoint,
    tape: Tape,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The bytes of one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording {
    /// From the client.
    pub(crate) asked: Vec<u8>,
    /// From the daemon.
    pub(crate) answered: Vec<u8>,
}

impl Tap {
    /// Listens in `sandbox`, at a place that no other tap of it has, and leads to the daemon at `to`.
    ///
    /// # Errors
    ///
    /// When it cannot listen there.
    pub(crate) fn open(sandbox: &Sandbox, number: usize, to: &str) -> Result<Self> {
        let endpoint = Endpoint::new(format!("{}-{number}", sandbox.endpoint()));
        let lock_file = sandbox.dir().join(format!("tap-{number}.lock"));
        let tape = Tape::default();
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let (at, to, kept) = (endpoint.clone(), Endpoint::new(to), tape.clone());
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let listens = |error: Option<anyhow::Error>| drop(ready.send(error)); // its receiver waits
            match runtime {
                Ok(runtime) => runtime.block_on(async move {
                    match listen(&at, &lock_file) {
                        Ok((listener, _claim)) => {
                            listens(None);
                            tokio::select! { () = serve(&listener, &to, &kept) => {}, _ = stopped => {} }
                        }
                        Err(error) => listens(Some(error)),
                    }
                }),
                Err(error) => listens(Some(error.into())),
            }
        };
        let _hold = sandbox.hold()?;
        let thread = std::thread::Builder::new().name("tap".to_owned()).spawn(work)?;
        match is_ready.recv().context("the tap's thread ended")? {
            None => Ok(Self { endpoint, tape, stop: Some(stop), thread: Some(thread) }),
            Some(error) => Err(error.context(format!("a tap cannot listen at {endpoint}"))),
        }
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    /// Stops, and returns what every connection carried, in the order in which they were made.
    pub(crate) fn close(mut self) -> Vec<Recording> {
        self.end();
        std::mem::take(&mut *self.tape.lines())
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic of its own has been printed
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(at: &Endpoint, lock_file: &Path) -> Result<(Listener, Claim)> {
    let mut claim = Claim::take(at, lock_file, DirPolicy::Shared)?;
    Ok((claim.bind()?, claim))
}

/// Accepts until the daemon is gone, so that its clients see that nobody listens any more.
async fn serve(listener: &Listener, to: &Endpoint, tape: &Tape) {
    let mut lines = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok(client) => {
                let line = tape.new_line();
                let Ok(daemon) = Stream::connect(to, Instant::now() + CONNECT).await else { return };
                drop(lines.spawn(carry(client, daemon, tape.clone(), line)));
            }
            Err(error) if error.is_fatal() => return,
            Err(_) => {} // a peer that went away again
        }
    }
}

/// Carries one connection until both sides have ended.
async fn carry(client: Stream, daemon: Stream, tape: Tape, line: usize) {
    let (from_client, to_client) = tokio::io::split(client);
    let (from_daemon, to_daemon) = tokio::io::split(daemon);
    let asks = copy(from_client, to_daemon, |bytes| tape.note(line, |line| &mut line.asked, bytes));
    let answers = copy(from_daemon, to_client, |bytes| tape.note(line, |line| &mut line.answered, bytes));
    tokio::pin!(asks, answers);
    // A client that closes its side may still want the answer; a daemon that closes is gone.
    tokio::select! {
        () = &mut answers => {}
        () = &mut asks => answers.await,
    }
}

/// Copies until the end, noting what passes before it is passed on.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut note: impl FnMut(&[u8]),
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(len @ 1..) = from.read(&mut buffer).await {
        note(&buffer[..len]);
        if to.write_all(&buffer[..len]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await; // it may be gone already
}

/// Everything that was said.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<Recording>>>);

impl Tape {
    fn lines(&self) -> MutexGuard<'_, Vec<Recording>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_line(&self) -> usize {
        let mut lines = self.lines();
        lines.push(Recording::default());
        lines.len() - 1
    }

    fn note(&self, line: usize, side: impl FnOnce(&mut Recording) -> &mut Vec<u8>, bytes: &[u8]) {
        side(&mut self.lines()[line]).extend_from_slice(bytes);
    }
}
