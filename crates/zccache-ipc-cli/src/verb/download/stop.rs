//! `download stop`: ask the download daemon to end and wait until it has.

use std::time::{Duration, Instant};

use serde_json::json;
use zccache_ipc::daemon::StopError;
use zccache_ipc::download::DownloadError;
use zccache_ipc::endpoint::{Liveness, Pid, endpoint_liveness};

use super::Place;
use crate::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// How long the daemon may take to end: its downloads are given up first.
const TO_END: Duration = Duration::from_secs(10);

/// Between two looks at a daemon that ends.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) fn run(place: &Place, output: &mut Output) -> Result<Exit, Failure> {
    let limit = place.timeout.unwrap_or(TO_END);
    let deadline = Instant::now() + limit;
    let mut client = match place.connect(limit) {
        Ok(client) => client,
        Err(error) if error.is_no_daemon() => {
            output.either(
                &json!({ "result": "nothing-to-stop", "pid": null }),
                format_args!("no download daemon listens at {}; nothing to stop", place.endpoint()),
            )?;
            return Ok(Exit::Done);
        }
        Err(error) => return Err(error.into()),
    };
    let pid = client.pid();
    match client.shutdown() {
        Ok(()) => {}
        // It went before it could answer, which is what was asked for.
        Err(DownloadError::Ipc(error)) if error.is_disconnect() => {}
        Err(error) => return Err(error.into()),
    }
    drop(client);
    while !is_gone(place, pid)? {
        if Instant::now() >= deadline {
            return Err(StopError::StillThere { pid, waited: limit }.into());
        }
        std::thread::sleep(PAUSE);
    }
    let process = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    output.either(
        &json!({ "result": "stopped", "pid": pid.map(Pid::get) }),
        format_args!("the download daemon at {}{process} has ended", place.endpoint()),
    )?;
    Ok(Exit::Done)
}

/// Whether it has let everything go, or another one is there already.
fn is_gone(place: &Place, pid: Option<Pid>) -> Result<bool, Failure> {
    if let Some(Liveness::Held { by }) = endpoint_liveness(place.endpoint()).map_err(StopError::from)? {
        return Ok(by.is_some() && pid.is_some() && by != pid);
    }
    match place.connect(PAUSE) {
        Ok(client) => Ok(client.pid().is_some() && pid.is_some() && client.pid() != pid),
        Err(error) => Ok(error.is_no_daemon()),
    }
}
