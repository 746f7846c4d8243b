//! `certify --listen`: play daemons for a client.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use zccache_ipc::Lane;
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Listener, Stream};
use zccache_ipc::model::Request;

use super::table::{Row, print};
use crate::Exit;
use crate::certify::{Action, Did, SCENES, Scene, judge_client};
use crate::failure::Failure;
use crate::output::Output;
use crate::tap::{Heard, Reader, Room};
use crate::target::Located;
use crate::verb::tap::lock_file;

/// The time for one run of the client's command, and for a person to start a client.
const RUN: Duration = Duration::from_secs(20);
const START: Duration = Duration::from_secs(60);

/// A scene without a command ends after this time without a connection.
const QUIET: Duration = Duration::from_secs(1);

/// The time between two looks at the command.
const LOOK: Duration = Duration::from_millis(10);

/// Memory for the requests of one connection.
const ROOM: usize = 32 * 1024 * 1024;

/// The state of one scene, shared by its connections.
#[derive(Default)]
struct Stage {
    did: Did,
    requests: usize,
    open: usize,
    /// The time of the last event.
    last: Option<Instant>,
}

pub(super) async fn run(
    located: &Located,
    listen: &str,
    command: &[OsString],
    output: &mut Output,
) -> Result<Exit, Failure> {
    let endpoint = Endpoint::from(listen);
    let lock_file = lock_file(&endpoint, &located.locations);
    let mut rows = Vec::new();
    for scene in SCENES {
        // A socket of its own, so that a client does not remember the wire of the scene before.
        let mut claim = Claim::take(&endpoint, &lock_file, DirPolicy::Shared)?;
        let listener = claim.bind()?;
        if command.is_empty() && !output.is_json() {
            output.line(format_args!("start a client for {listen}: {}", scene.name))?;
            output.flush()?;
        }
        let did = tokio::task::LocalSet::new().run_until(play(scene, &listener, command)).await?;
        let (verdict, came) = judge_client(scene, &did);
        let Scene { name, section, required, .. } = *scene;
        rows.push(Row { name: name.to_owned(), section, required, verdict, came });
        drop(listener);
        claim.release_without_trace()?;
    }
    Ok(print(&rows, json!({ "listen": listen }), output)?)
}

/// Plays one scene to its end.
async fn play(scene: &'static Scene, listener: &Listener, command: &[OsString]) -> Result<Did, Failure> {
    let stage = Rc::new(RefCell::new(Stage::default()));
    let mut child = command.first().map(|_| spawn(command)).transpose()?;
    let began = Instant::now();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(stream) => {
                    stage.borrow_mut().enters();
                    connections.spawn_local(serve(scene, stream, Rc::clone(&stage)));
                }
                Err(error) if error.is_fatal() => return Err(Failure::Accept(error)),
                Err(_) => tokio::time::sleep(LOOK).await,
            },
            () = tokio::time::sleep(LOOK) => {}
        }
        let ended = match &mut child {
            Some(child) => ended(child, &stage, began)?,
            None => stage.borrow().is_quiet(began),
        };
        if ended {
            connections.shutdown().await;
            return Ok(std::mem::take(&mut stage.borrow_mut().did));
        }
    }
}

fn spawn(command: &[OsString]) -> Result<Child, Failure> {
    let mut client = Command::new(&command[0]);
    client.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    client.spawn().map_err(|source| Failure::NotRun { program: (&command[0]).into(), source })
}

/// Returns true if the command has ended, by itself or because its time is over.
fn ended(child: &mut Child, stage: &RefCell<Stage>, began: Instant) -> io::Result<bool> {
    if let Some(status) = child.try_wait()? {
        stage.borrow_mut().did.succeeded = Some(status.success());
        return Ok(true);
    }
    if began.elapsed() < RUN {
        return Ok(false);
    }
    stage.borrow_mut().did.stays = true;
    child.kill()?;
    child.wait().map(|_| true)
}

impl Stage {
    fn enters(&mut self) {
        self.did.connections += 1;
        self.open += 1;
        self.last = Some(Instant::now());
    }

    fn leaves(&mut self) {
        self.open -= 1;
        self.last = Some(Instant::now());
    }

    fn is_quiet(&self, began: Instant) -> bool {
        match self.last {
            None => began.elapsed() > START,
            Some(last) => self.open == 0 && last.elapsed() > QUIET || last.elapsed() > RUN,
        }
    }
}

async fn serve(scene: &'static Scene, mut stream: Stream, stage: Rc<RefCell<Stage>>) {
    // A client may close at any time.
    let _ = converse(scene, &mut stream, &stage).await;
    stage.borrow_mut().leaves();
}

async fn converse(scene: &'static Scene, stream: &mut Stream, stage: &RefCell<Stage>) -> io::Result<()> {
    let (mut reader, mut room) = (Reader::default(), Room::new(ROOM));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        for asked in reader.feed::<Request>(&buffer[..read], &mut room) {
            let number = note(&asked, &mut stage.borrow_mut());
            for action in scene.answer(&asked, number) {
                match action {
                    Action::Send(bytes) => stream.write_all(&bytes).await?,
                    Action::SendSlowly(bytes) => {
                        for byte in bytes {
                            stream.write_all(&[byte]).await?;
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    }
                    Action::Close => return Ok(()),
                }
            }
        }
    }
}

/// Notes a request, and returns its number in the scene.
fn note(asked: &Heard<Request>, stage: &mut Stage) -> usize {
    let words = match asked {
        Heard::Message { message, .. } => {
            stage.did.without_ids |= message.lane == Lane::V15;
            let number = message.version.map_or_else(|| "frame".to_owned(), |version| version.to_string());
            format!("{number} {}", message.message.kind().name())
        }
        Heard::UnknownVersion { version, .. } => format!("a frame of {version}"),
        _ => "bytes that are no request".to_owned(),
    };
    if stage.did.requests.len() < 16 {
        stage.did.requests.push(words);
    }
    stage.requests += 1;
    stage.requests - 1
}
