//! `ping`: is the daemon there?

use std::time::Instant;

use serde_json::json;

use crate::Exit;
use crate::caller::{Caller, TO_ASK};
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(caller: &Caller, output: &mut Output) -> Result<Exit, Failure> {
    let start = Instant::now();
    caller.client(TO_ASK).ping()?;
    let took = start.elapsed();
    let endpoint = caller.endpoint().as_str();
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    output.either(
        &json!({ "endpoint": endpoint, "latency_us": micros }),
        format_args!("the daemon at {endpoint} answered after {micros} µs"),
    )?;
    Ok(Exit::Done)
}
