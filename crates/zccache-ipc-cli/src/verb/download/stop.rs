//! `download stop`: ask the download daemon to end and wait until it has.

use serde_json::json;
use zccache_ipc::blocking::stop_daemon;
use zccache_ipc::daemon::{StopConfig, Stopped};
use zccache_ipc::endpoint::Pid;

use super::Place;
use crate::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(place: &Place, output: &mut Output) -> Result<Exit, Failure> {
    let mut config = StopConfig::new(place.locations.clone());
    config.timeout = place.timeout.unwrap_or(config.timeout);
    let endpoint = place.endpoint();
    let (result, pid, said) = match stop_daemon(&config)? {
        Stopped::Nothing => {
            ("nothing-to-stop", None, format!("no download daemon listens at {endpoint}; nothing to stop"))
        }
        Stopped::Killed { pid } => {
            let said = format!("the download daemon at {endpoint} (pid {pid}) did not answer and was killed");
            ("killed", Some(pid), said)
        }
        Stopped::Ended { pid } => {
            let process = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            ("stopped", pid, format!("the download daemon at {endpoint}{process} has ended"))
        }
        _ => ("stopped", None, format!("the download daemon at {endpoint} has ended")),
    };
    output.either(&json!({ "result": result, "pid": pid.map(Pid::get) }), said)?;
    Ok(Exit::Done)
}
