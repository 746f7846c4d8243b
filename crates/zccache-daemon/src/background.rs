//! Starting the daemon in the background, and waiting until it answers.

use zccache_ipc::blocking::ensure_daemon;
use zccache_ipc::daemon::{Ensured, Replace, StartConfig, StartError as NotStarted};

use crate::settings::Settings;
use crate::{Args, Outcome, StartError};

/// Starts this program again as a daemon that holds nothing of us, unless one answers already.
pub(crate) fn start(args: &Args, settings: &Settings) -> Result<Outcome, StartError> {
    let endpoint = settings.locations.endpoint().clone();
    match ensure_daemon(&config(args, settings)?) {
        Ok(Ensured { is_started: true, pid: Some(pid), .. }) => Ok(Outcome::Started { endpoint, pid }),
        Ok(ensured) => Ok(Outcome::Lost { endpoint, by: ensured.pid }),
        Err(NotStarted::Ended { status, log, .. }) => Err(StartError::Ended { status, log: log.path }),
        Err(NotStarted::NotServing { waited, log, .. }) => {
            Err(StartError::NoAnswer { waited, log: log.path })
        }
        Err(NotStarted::Silent(silent)) => Err(StartError::Silent { endpoint, by: silent.process }),
        Err(NotStarted::Launch(error)) => Err(error.into()),
        Err(error) => Err(StartError::Background(Box::new(error))),
    }
}

fn config(args: &Args, settings: &Settings) -> Result<StartConfig, StartError> {
    let program = std::env::current_exe().map_err(StartError::Program)?;
    // The cache directory is in the environment: as an argument it would name another default endpoint.
    let mut config = StartConfig::new(settings.locations.clone())
        .program(program)
        // A start by hand only reports a stuck daemon; `zccache-ipc start` replaces it.
        .replace(Replace::Never)
        .arguments(["--log-level", &args.log_level])
        .arguments(["--idle-timeout", &settings.idle_secs().to_string()])
        .arguments(["--max-connections", &settings.max_connections.to_string()])
        .arguments(["--max-requests", &settings.max_requests.to_string()])
        .arguments(["--max-memory", &settings.max_memory.to_string()])
        .arguments(["--max-size", &settings.max_size.to_string()])
        .arguments(["--max-tools", &settings.tools.running.to_string()])
        .arguments(["--wires", &args.wires.to_string()]);
    if let Some(release) = &args.report_version {
        config = config.arguments(["--report-version", release]);
    }
    if settings.is_private {
        config = config.arguments(["--private"]);
    }
    config.log_file = Some(settings.log_file.clone().unwrap_or_else(|| settings.background_log()));
    Ok(config)
}
