//! `request`: any request as JSON, the reply as JSON.

use std::io::{self, Read as _};
use std::time::Duration;

use zccache_ipc::model::{self, RequestKind, Response};
use zccache_ipc::wire_dispatch::mismatch;
use zccache_ipc::{ClientConfig, DEFAULT_CLIENT_RECV_TIMEOUT, DecodedWireMessage};

use super::wire::LONGEST_LINE;
use crate::Exit;
use crate::args::RequestOptions;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress;
use crate::target::{TO_ASK, TO_SWITCH, TO_WORK, Target};
use crate::translate::Written as _;
use wire_json::{Parsed, to_json_on};

pub(super) fn run(target: &Target, request: &RequestOptions, output: &mut Output) -> Result<Exit, Failure> {
    let request: Parsed<model::Request> = match request.text.as_str() {
        "-" => wire_json::parse_on(&input()?)?,
        text => wire_json::parse_on(text)?,
    };
    let ids = request.ids(request.message.default_ids());
    let limit = target.limit(timeout(request.message.kind()));
    let mut client = target.client_with(progress::shown(ClientConfig::within(limit)));
    let reply = match request.dialect {
        Some(dialect) => client.call_in(dialect, Some(&ids), &request.message),
        None => client.call_on(request.lane, Some(&ids), &request.message),
    };
    progress::clear();
    let reply = reply?;
    let dialect = reply.dialect();
    let DecodedWireMessage { ids, message: reply, .. } = reply;
    output.json(&to_json_on(&reply, dialect, &ids).expect("what came over a wire is Unicode"))?;
    Ok(match &reply {
        Response::Error(error) if mismatch::is_refusal(&error.message) => Exit::VersionMismatch,
        Response::Error(_) => Exit::Failed,
        Response::Backpressure(_) => Exit::NoAnswer,
        _ => Exit::Done,
    })
}

/// The standard input, up to the length of the longest message there is.
fn input() -> Result<String, Failure> {
    let mut text = String::new();
    let limit = LONGEST_LINE as u64;
    let read = io::stdin().lock().take(limit + 1).read_to_string(&mut text).map_err(Failure::Input)?;
    if read as u64 > limit {
        return Err(Failure::InputTooLong(limit));
    }
    Ok(text)
}

/// Returns the timeout of the answer to a request.
const fn timeout(request: RequestKind) -> Duration {
    match request {
        RequestKind::Ping | RequestKind::Status | RequestKind::SessionStats => TO_ASK,
        RequestKind::SessionStart | RequestKind::SessionEnd => TO_SWITCH,
        RequestKind::Shutdown
        | RequestKind::Lookup
        | RequestKind::Store
        | RequestKind::Clear
        | RequestKind::FingerprintCheck
        | RequestKind::FingerprintMarkSuccess
        | RequestKind::FingerprintMarkFailure
        | RequestKind::FingerprintInvalidate
        | RequestKind::ListRustArtifacts
        | RequestKind::ReleaseWorktreeHandles
        | RequestKind::ExecProbe
        | RequestKind::ExecStore => TO_WORK,
        // Tools run.
        RequestKind::Compile
        | RequestKind::CompileEphemeral
        | RequestKind::LinkEphemeral
        | RequestKind::GenericToolExec => DEFAULT_CLIENT_RECV_TIMEOUT,
    }
}
