//! `tap`: stand between clients and a daemon, and print what they say.

mod print;
mod pump;

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions};
use tokio::task::JoinSet;
use zccache_ipc::endpoint::{
    AcceptError, Claim, DirPolicy, Endpoint, Listener, Locations, Platform, Stream, Terminations,
};

use crate::Exit;
use crate::args::Tap;
use crate::failure::Failure;
use crate::output::Output;
use crate::tap::{Conversation, Room, Side};
use crate::target::Located;

use print::{Head, Printer};
use pump::{Happened, carry};

/// Frames that are not complete yet may take this much memory, on all connections together.
const ROOM: usize = 64 * 1024 * 1024;

/// Connections at a time. Further clients wait in the system's queue.
const MOST_CONNECTIONS: usize = 256;

/// The time for a connection to the daemon, and between two tries to accept when files are short.
const CONNECT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Everything that the connections share.
struct Shared {
    printer: Printer,
    room: Room,
    output: Output,
    since: Instant,
}

/// One connection, as the printer names it.
struct Line {
    number: u64,
    shared: Rc<RefCell<Shared>>,
    conversation: Conversation,
}

pub(super) fn run(located: &Located, tap: &Tap, output: &Output) -> Result<Exit, Failure> {
    let listen = Endpoint::from(tap.listen.as_str());
    let daemon = located.target.endpoint.clone();
    if listen == daemon {
        return Err(Failure::ListensAtDaemon(listen));
    }
    // Any other runtime brings the scheduler with several threads, which loads the mathematical library.
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let lock_file = lock_file(&listen, &located.locations);
    // An output of its own, because the connections share it.
    let output = Output::to_stdout(output.is_json());
    runtime.block_on(async {
        let mut terminations = Terminations::listen()?;
        let mut claim = Claim::take(&listen, &lock_file, DirPolicy::Shared)?;
        let listener = claim.bind()?;
        let mut shared = Shared {
            printer: Printer::new(tap.raw, output.is_json()),
            room: Room::new(ROOM),
            output,
            since: Instant::now(),
        };
        shared.printer.listening(&listen, &daemon, &mut shared.output)?;
        let result = serve(&listener, &daemon, shared, &mut terminations).await;
        drop(listener);
        let released = claim.release_without_trace();
        result?;
        released?;
        Ok(Exit::Done)
    })
}

/// Returns the lock file for the socket of the tap, which is not the daemon's.
pub(super) fn lock_file(listen: &Endpoint, locations: &Locations) -> PathBuf {
    if Platform::CURRENT == Platform::Windows {
        // A pipe has no directory.
        let name = listen.as_str().rsplit(['\\', '/']).next().unwrap_or_default();
        return locations.lock_file().with_file_name(format!("tap-{name}.lock"));
    }
    PathBuf::from(format!("{}.tap.lock", listen.as_str()))
}

/// Accepts clients until a signal arrives or the output cannot be written.
async fn serve(
    listener: &Listener,
    daemon: &Endpoint,
    shared: Shared,
    terminations: &mut Terminations,
) -> Result<(), Failure> {
    let shared = Rc::new(RefCell::new(shared));
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            () = terminations.next() => return Ok(()),
            Some(ended) = connections.join_next() => ended.map_err(io::Error::other)??,
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                Ok(client) => {
                    number += 1;
                    let line = Line { number, shared: Rc::clone(&shared), conversation: Conversation::default() };
                    connections.spawn_local(line.run(client, daemon.clone()));
                }
                Err(error) if error.is_fatal() => return Err(Failure::Accept(error)),
                Err(error) => not_accepted(&mut shared.borrow_mut(), &error)?,
            },
        }
    }
}

fn not_accepted(shared: &mut Shared, error: &AcceptError) -> io::Result<()> {
    if error.is_transient() {
        std::thread::sleep(PAUSE);
    }
    shared.printer.not_accepted(error, shared.since.elapsed(), &mut shared.output)
}

impl Line {
    /// Connects to the daemon and carries bytes until the connection has ended.
    async fn run(mut self, client: Stream, daemon: Endpoint) -> io::Result<()> {
        let pid = client.peer().pid();
        self.print(|printer, head, output| printer.opened(head, pid, output))?;
        match Stream::connect(&daemon, Instant::now() + CONNECT).await {
            Ok(stream) => {
                let result = carry(client, stream, &mut |happened| self.happened(happened)).await;
                self.end()?;
                result
            }
            // The client sees a closed connection; the line says why.
            Err(error) => self.print(|printer, head, output| printer.no_daemon(head, &error, output)),
        }
    }

    fn happened(&mut self, happened: Happened<'_>) -> io::Result<()> {
        match happened {
            Happened::Bytes(from, bytes) => {
                let entries = {
                    let shared = &mut *self.shared.borrow_mut();
                    self.conversation.feed(from, bytes, shared.since.elapsed(), &mut shared.room)
                };
                for entry in &entries {
                    self.print(|printer, head, output| printer.entry(head, entry, output))?;
                }
                Ok(())
            }
            Happened::Finished(from) => {
                self.rest(from)?;
                self.print(|printer, head, output| printer.finished(head, from, output))
            }
            Happened::Closed(from, error) => {
                self.rest(from)?;
                self.print(|printer, head, output| printer.closed(head, from, error.as_ref(), output))
            }
        }
    }

    /// Prints the part of a frame that came last from a side.
    fn rest(&mut self, from: Side) -> io::Result<()> {
        let rest = self.conversation.end(from, &mut self.shared.borrow_mut().room);
        rest.map_or(Ok(()), |entry| self.print(|printer, head, output| printer.entry(head, &entry, output)))
    }

    fn end(&mut self) -> io::Result<()> {
        self.rest(Side::Client)?;
        self.rest(Side::Daemon)?;
        let unanswered = self.conversation.unanswered();
        self.print(|printer, head, output| printer.ended(head, unanswered, output))
    }

    fn print(&self, print: impl FnOnce(&Printer, Head, &mut Output) -> io::Result<()>) -> io::Result<()> {
        let shared = &mut *self.shared.borrow_mut();
        let head = Head { at: shared.since.elapsed(), connection: self.number };
        print(&shared.printer, head, &mut shared.output)?;
        shared.output.flush()
    }
}
