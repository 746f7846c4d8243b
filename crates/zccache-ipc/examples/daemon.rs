//! A daemon of one's own, one for each endpoint: `cargo run --features signals --example daemon DIRECTORY`.
//!
//! It ends at a `Shutdown` request, at a signal, or after a minute without a request, and finishes the
//! requests that it has accepted.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zccache_ipc::endpoint::{DirPolicy, Listener, Platform, endpoint_for_cache_dir};
use zccache_ipc::model::{DaemonStatus, Request, Response};
use zccache_ipc::{
    Caller, DrainPolicy, Host, HostError, Program, ServeError, Served, Server, ServerConfig, ServerHandle,
    Service,
};

const RELEASE: &str = "1.13.5";

/// Answers three requests; an `Arc` of it is shared by the servers of all sockets.
struct Answers;

impl Service for Answers {
    async fn call(&self, request: Request, _caller: &Caller) -> Response {
        match request {
            Request::Ping => Response::Pong,
            Request::Status => Response::Status(Box::new(DaemonStatus {
                version: RELEASE.to_owned(),
                ..DaemonStatus::default()
            })),
            Request::Shutdown => Response::ShuttingDown,
            other => Response::error(format!("{} is not served", other.kind())),
        }
    }
}

/// Makes a server for each socket: the first one, and another after somebody has removed it.
struct Daemon {
    answers: Arc<Answers>,
}

impl Program for Daemon {
    type Leave = ();

    fn serve(
        &mut self,
        _number: u64,
        listener: Listener,
    ) -> (ServerHandle, impl Future<Output = Result<Served, ServeError>> + Send + 'static) {
        let mut config = ServerConfig::new(RELEASE);
        config.max_connections = 256;
        config.idle_timeout = Some(Duration::from_secs(60));
        // A runtime that does not finish the drain in time is stuck.
        config.drain = DrainPolicy::new(Duration::from_secs(5), || std::process::exit(1));
        let server = Server::new(Shared(Arc::clone(&self.answers)), config);
        (server.handle(), server.serve(listener))
    }
}

/// One service behind several servers.
struct Shared(Arc<Answers>);

impl Service for Shared {
    fn call(&self, request: Request, caller: &Caller) -> impl Future<Output = Response> + Send {
        self.0.call(request, caller)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = PathBuf::from(std::env::args_os().nth(1).ok_or("name a directory")?);
    // A socket in the directory, and on Windows a pipe that is named after it.
    let name = directory.to_str().ok_or("the directory is not UTF-8")?;
    let endpoint = endpoint_for_cache_dir(name, None, Platform::CURRENT);
    let lock_file = directory.join("daemon.lock");
    let mut host = match Host::claim(&endpoint, &lock_file, DirPolicy::Dedicated) {
        Ok(host) => host,
        // The winner serves: for the loser there is nothing to do.
        Err(error @ HostError::Lost { .. }) => {
            println!("{error}");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    // Clients wait in the backlog from here on, so slow work belongs below this line.
    let listener = host.listen(None)?;
    println!("listening at {endpoint}");
    let ended = host.serve(listener, &mut Daemon { answers: Arc::new(Answers) }).await?;
    host.release()?;
    println!("ended: {ended:?}");
    Ok(())
}
