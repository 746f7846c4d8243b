//! `ping`: is the daemon there?

use std::time::Instant;

use serde_json::json;
use zccache_ipc::CallError;
use zccache_ipc::model::{Request, RequestKind, Response};

use crate::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{TO_ASK, Target};
use crate::units;

pub(super) fn run(target: &Target, output: &mut Output) -> Result<Exit, Failure> {
    let start = Instant::now();
    let mut client = target.client(TO_ASK);
    let (lane, answer) = target.ask_by(&mut client, &Request::Ping)?;
    let took = start.elapsed();
    let Response::Pong = answer else {
        return Err(CallError::Unexpected { request: RequestKind::Ping, answer: answer.kind() }.into());
    };
    let endpoint = client.endpoint().as_str();
    // Not `either`: a build pings too often for an object that nobody reads.
    if output.is_json() {
        output
            .json(&json!({ "endpoint": endpoint, "latency_us": units::micros(took), "lane": lane.name() }))?;
    } else {
        output.line(format_args!(
            "the daemon at {endpoint} answered after {} on {lane}",
            units::latency(took)
        ))?;
    }
    Ok(Exit::Done)
}
