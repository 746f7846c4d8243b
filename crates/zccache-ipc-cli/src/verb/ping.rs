//! `ping`: is the daemon there?

use std::time::Instant;

use serde_json::json;
use zccache_ipc::CallError;
use zccache_ipc::model::{Request, RequestKind, Response};

use crate::Exit;
use crate::caller::Asker;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(asker: Asker, output: &mut Output) -> Result<Exit, Failure> {
    let endpoint = asker.endpoint.clone();
    let start = Instant::now();
    let (lane, answer) = asker.ask(&Request::Ping)?;
    let took = start.elapsed();
    let Response::Pong = answer else {
        return Err(CallError::Unexpected { request: RequestKind::Ping, answer: answer.kind() }.into());
    };
    let endpoint = endpoint.as_str();
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    // Not `either`: a build pings too often for an object that nobody reads.
    if output.is_json() {
        output.json(&json!({ "endpoint": endpoint, "latency_us": micros, "lane": lane.name() }))?;
    } else {
        output.line(format_args!("the daemon at {endpoint} answered after {micros} µs on {lane}"))?;
    }
    Ok(Exit::Done)
}
