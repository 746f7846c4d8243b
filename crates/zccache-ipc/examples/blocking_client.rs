//! A blocking client without an async runtime: `cargo run --example blocking_client`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{Environment, Locations};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let locations = Locations::for_client(&Environment::from_process()?, None, None)?;
    let config = ClientConfig::within(Duration::from_secs(2));
    let mut client = Client::new(locations.endpoint().clone(), config);
    match client.ping() {
        Ok(()) => println!("the daemon at {} answers", locations.endpoint()),
        Err(error) if error.is_no_daemon() => println!("no daemon listens at {}", locations.endpoint()),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
