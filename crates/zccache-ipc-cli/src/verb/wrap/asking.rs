//! Asks a daemon that only compiles to run the compiler.

use std::ffi::OsStr;
use std::time::Duration;

use bytes::Bytes;
use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{Environment, Variable};
use zccache_ipc::model::{Compile, CompileEphemeral, EnvVars, Request, Response};

use super::reason::Reason;
use super::{Command, start};
use crate::args::Global;
use crate::failure::Failure;
use crate::progress;
use crate::target::Target;

/// Timeouts of a result: the default, for the value 0, and the longest.
const WEDGE: Duration = Duration::from_secs(90);
const NO_WEDGE: Duration = Duration::from_secs(300);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Result of a compiler.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) exit_code: i32,
    pub(super) stdout: Bytes,
    pub(super) stderr: Bytes,
}

/// Asks the daemon; starts one if no daemon listens.
pub(super) fn ask(
    command: &Command,
    may_start: bool,
    environment: &Environment,
    global: &Global,
) -> Result<Answer, Reason> {
    let mut request = request(command, environment)?;
    let mut client = client(environment, global)?;
    let mut may_start = may_start;
    loop {
        let reply = client.call(&request);
        progress::clear();
        match reply {
            Ok(Response::CompileResult(result)) => {
                let (stdout, stderr) = (result.stdout, result.stderr);
                return Ok(Answer { exit_code: result.exit_code, stdout, stderr });
            }
            Ok(Response::Backpressure(busy)) => return Err(Reason::Busy(busy.reason)),
            Ok(Response::Error(error)) => match without_session(request, &error.message) {
                Some(ephemeral) => request = ephemeral,
                None => return Err(Reason::Refused(error.message)),
            },
            Ok(other) => return Err(Reason::Unexpected(other.kind().name())),
            Err(error) if may_start && error.is_no_daemon() => {
                may_start = false;
                start(environment, global, None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Returns the daemon's client, which asks a busy daemon again by itself.
fn client(environment: &Environment, global: &Global) -> Result<Client, Failure> {
    let secs = environment.var(Variable::WedgeRecvTimeoutSecs).and_then(OsStr::to_str);
    let wedge = global.timeout.unwrap_or_else(|| wedge(secs));
    let target = Target::new(environment.clone(), global)?;
    Ok(target.client_with(progress::shown(ClientConfig::new().reply_timeout(wedge))))
}

/// Returns the timeout of `ZCCACHE_WEDGE_RECV_TIMEOUT_SECS`.
fn wedge(secs: Option<&str>) -> Duration {
    match secs.and_then(|secs| secs.trim().parse().ok()) {
        None => WEDGE,
        Some(0) => NO_WEDGE,
        Some(secs) => Duration::from_secs(secs).min(LONGEST),
    }
}

/// Returns the request in the form of released clients.
fn request(command: &Command, environment: &Environment) -> Result<Request, Reason> {
    let text = |text: &OsStr, what| text.to_str().map(str::to_owned).ok_or(Reason::NotUtf8(what));
    let args = command.args.iter().map(|arg| text(arg, "an argument"));
    let args = args.collect::<Result<Vec<_>, _>>()?;
    let env = Environment::to_pass_on().into_iter().map(|(name, value)| {
        Ok((text(&name, "a variable's name")?, text(&value, "the value of a variable")?))
    });
    let env = Some(env.collect::<Result<EnvVars, Reason>>()?);
    text(command.program.as_os_str(), "the compiler's path")?;
    text(environment.cwd().as_os_str(), "the current directory")?;
    let (program, cwd) = (command.program.clone().into(), environment.cwd().into());
    let stdin = Bytes::new();
    let session = environment.var(Variable::SessionId).and_then(OsStr::to_str).map(str::trim);
    Ok(match session.filter(|session| !session.is_empty()) {
        Some(session) => {
            let session_id = session.to_owned();
            Request::from(Compile { session_id, args, cwd, compiler: program, env, stdin })
        }
        None => Request::from(CompileEphemeral {
            client_pid: std::process::id(),
            working_dir: environment.cwd().into(),
            compiler: program,
            args,
            cwd,
            env,
            stdin,
        }),
    })
}

/// Returns the same compilation without its session, if the daemon refused the session.
fn without_session(request: Request, refusal: &str) -> Option<Request> {
    let Request::Compile(compile) = request else { return None };
    let is_about_session =
        ["unknown session", "invalid session ID"].iter().any(|text| refusal.starts_with(text));
    let Compile { args, cwd, compiler, env, stdin, .. } = *compile;
    is_about_session.then(|| {
        Request::from(CompileEphemeral {
            client_pid: std::process::id(),
            working_dir: cwd.clone(),
            compiler,
            args,
            cwd,
            env,
            stdin,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_that_of_released_clients() {
        for (text, expected) in [
            (None, 90),
            (Some("7"), 7),
            (Some(" 7 "), 7),
            (Some("0"), 300),
            (Some("soon"), 90),
            (Some("900"), 900),
            (Some("18446744073709551615"), 86_400),
        ] {
            assert_eq!(wedge(text).as_secs(), expected, "{text:?}");
        }
    }
}
