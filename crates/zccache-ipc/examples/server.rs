//! A daemon that answers only pings, and its client: `cargo run --example server`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use zccache_ipc::endpoint::{Claim, DirPolicy, Platform, endpoint_for_cache_dir};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::{Caller, Client, ClientConfig, Server, ServerConfig, Service};

struct Pings;

impl Service for Pings {
    async fn call(&self, request: Request, caller: &Caller) -> Response {
        match request {
            Request::Ping => Response::Pong,
            other => Response::error(format!("{} of {:?} is not served", other.kind(), caller.connection)),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join(format!("zccache-ipc-example-{}", std::process::id()));
    // A socket in the directory, and on Windows a pipe that is named after it.
    let name = dir.to_str().ok_or("the directory is not UTF-8")?;
    let endpoint = endpoint_for_cache_dir(name, None, Platform::CURRENT);
    // If several daemons start at one endpoint, one gets the claim, before it touches the socket.
    let mut claim = Claim::take(&endpoint, &dir.join("daemon.lock"), DirPolicy::Dedicated)?;
    let server = Server::new(Pings, ServerConfig::new("1.12.0"));
    let handle = server.handle();
    let served = tokio::spawn(server.serve(claim.bind()?));

    Client::new(endpoint, ClientConfig::new()).ping().await?;
    println!("answered");

    handle.shutdown();
    served.await??;
    claim.release()?;
    std::fs::remove_dir_all(dir)?;
    Ok(())
}
