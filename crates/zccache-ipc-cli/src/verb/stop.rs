//! `stop`: ask the daemon to end and wait until it has.

use serde_json::json;
use zccache_ipc::blocking::stop_daemon;
use zccache_ipc::daemon::{StopConfig, StopError, Stopped};
use zccache_ipc::endpoint::Pid;

use crate::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Located;

pub(super) fn run(located: &Located, output: &mut Output) -> Result<Exit, Failure> {
    let mut stopped = stop(located)?;
    let elsewhere = if stopped == Stopped::Nothing { located.elsewhere() } else { None };
    if let Some(other) = &elsewhere {
        stopped = stop(other)?;
    }
    let endpoint = &elsewhere.as_ref().unwrap_or(located).target.endpoint;
    let (result, pid, said) = match stopped {
        Stopped::Nothing => {
            ("nothing-to-stop", None, format!("no daemon listens at {endpoint}; nothing to stop"))
        }
        Stopped::Killed { pid } => {
            let said = format!("the daemon at {endpoint} (pid {pid}) did not answer and was killed");
            ("killed", Some(pid), said)
        }
        Stopped::Ended { pid } => {
            let process = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            ("stopped", pid, format!("the daemon at {endpoint}{process} has ended"))
        }
        _ => ("stopped", None, format!("the daemon at {endpoint} has ended")),
    };
    output.either(&json!({ "result": result, "pid": pid.map(Pid::get) }), said)?;
    Ok(Exit::Done)
}

fn stop(located: &Located) -> Result<Stopped, StopError> {
    let mut config = StopConfig::new(located.locations.clone()).wire(located.target.wire);
    config.timeout = located.target.limit(config.timeout);
    stop_daemon(&config)
}
