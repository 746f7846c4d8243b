//! `start`: a daemon that answers.

use serde_json::json;
use zccache_ipc::blocking::ensure_daemon;
use zccache_ipc::daemon::{Ensured, Replace, Replaced, StartConfig};
use zccache_ipc::endpoint::Pid;

use crate::args::{GivesWay, Start};
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Located;
use crate::{Exit, age};

/// Starts a daemon, unless one answers.
pub(super) fn ensure(located: &Located, start: &Start) -> Result<Ensured, Failure> {
    let mut config = StartConfig::new(located.locations.clone()).wire(located.target.wire);
    config.timeout = located.target.limit(config.timeout);
    config.program = start.daemon_binary.as_deref().map(|path| located.target.absolute(path));
    config.log_file = start.log_file.as_deref().map(|path| located.target.absolute(path));
    config.arguments = start.daemon_words();
    config.replace = match start.replace {
        GivesWay::Never => Replace::Never,
        GivesWay::Silent => Replace::Silent,
        GivesWay::Older => age::older(age::program_version(&located.target).as_deref()),
        GivesWay::Any => Replace::Any,
    };
    Ok(ensure_daemon(&config)?)
}

pub(super) fn run(located: &Located, start: &Start, output: &mut Output) -> Result<Exit, Failure> {
    let ensured = ensure(located, start)?;
    let endpoint = &located.target.endpoint;
    let process = ensured.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    let of = |pid: Option<Pid>| pid.map(|pid| format!("process {pid}")).unwrap_or("one".to_owned());
    let (killed, stopped, instead) = match ensured.replaced {
        Some(Replaced::Killed(pid)) => {
            let told = format!(", in place of process {pid}, which did not answer and was killed");
            (Some(pid.get()), None, told)
        }
        Some(Replaced::Stopped(pid)) => {
            (None, Some(pid.map(Pid::get)), format!(", in place of {}, which was stopped", of(pid)))
        }
        _ => (None, None, String::new()),
    };
    let (result, said) =
        if ensured.is_started { ("started", "started") } else { ("already-running", "already running") };
    let has_arguments = !start.daemon_words().is_empty();
    let note = if has_arguments && !ensured.is_started {
        "; it keeps its own arguments, and --replace any starts one with yours"
    } else {
        ""
    };
    output.either(
        &json!({
            "result": result,
            "pid": ensured.pid.map(Pid::get),
            "endpoint": endpoint.as_str(),
            "log_file": ensured.log_file.as_deref().map(|path| path.to_string_lossy().into_owned()),
            "killed": killed,
            "stopped": stopped,
        }),
        format_args!("{said}: the daemon at {endpoint}{process}{instead}{note}"),
    )?;
    Ok(Exit::Done)
}
