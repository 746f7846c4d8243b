//! An async client: `cargo run --example client`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use zccache_ipc::endpoint::{Environment, Locations};
use zccache_ipc::{Client, ClientConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let locations = Locations::for_client(&Environment::from_process()?, None, None)?;
    let config = ClientConfig::within(Duration::from_secs(2));
    let client = Client::new(locations.endpoint().clone(), config);
    match client.status().await {
        Ok(status) => println!("release {} at {}", status.version, locations.endpoint()),
        Err(error) if error.is_no_daemon() => println!("no daemon listens at {}", locations.endpoint()),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
