//! Verifies the daemon of this environment, and measures the verification: `verify [ROUNDS]`.
//!
//! Without rounds, the program prints the outcome in full. With rounds, the kinds take turns within each
//! round, and the medians are in microseconds: a plain connect, the probe alone, a verification with a
//! remembered hash of the executable, and running-process's own prober on the same daemon if it can read the
//! daemon's file. The first verification of the process, which hashes the executable, has a line of its own.
#![forbid(unsafe_code)]

use std::error::Error;
use std::time::{Duration, Instant};

use running_process::broker::backend_handle::BackendHandle;
use running_process::broker::backend_sdk::try_read_daemon_identity_file;
use running_process::broker::protocol::Endpoint as TheirEndpoint;
use zccache_ipc::endpoint::{Environment, Locations, blocking::Stream};
use zccache_ipc::rp_broker::probe::{Ask, Outcome, exchange, verify};

fn main() -> Result<(), Box<dyn Error>> {
    let locations = Locations::for_client(&Environment::from_process()?, None, None)?;
    let ask = Ask::of(&locations);
    let rounds = std::env::args().nth(1).map_or(Ok(0), |rounds| rounds.parse::<usize>())?;
    let began = Instant::now();
    let outcome = verify(&ask);
    println!("{}, first in {:?}: {outcome:?}", outcome.word(), began.elapsed());
    if rounds == 0 {
        return Ok(());
    }
    let endpoint = locations.endpoint();
    let named = locations.identity_endpoint();
    let theirs = TheirEndpoint { namespace_id: named.namespace_id, path: named.path };
    let their_identity = try_read_daemon_identity_file(locations.identity_file()).ok().flatten();
    let deadline = || Instant::now() + Duration::from_secs(10);
    let connect = || drop(Stream::connect(endpoint, deadline()).expect("it listens"));
    let probe = || drop(exchange(endpoint, deadline()).expect("it answers"));
    let verified = || assert!(matches!(verify(&ask), Outcome::Same(_)));
    let their_prober = || {
        if let Some(identity) = &their_identity {
            BackendHandle::probe_with_service("zccache", "1.12.0", &theirs, identity).expect("it answers");
        }
    };
    let kinds: [(&str, &dyn Fn()); 4] = [
        ("plain connect", &connect),
        ("probe", &probe),
        ("verify", &verified),
        ("running-process 4.10.21", &their_prober),
    ];
    let mut times = kinds.map(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for ((_, act), times) in kinds.iter().zip(&mut times) {
            let began = Instant::now();
            act();
            times.push(began.elapsed());
        }
    }
    for ((name, _), mut times) in kinds.into_iter().zip(times) {
        times.sort_unstable();
        println!("{name:>24} {:>9.1}", times[times.len() / 2].as_secs_f64() * 1e6);
    }
    Ok(())
}
