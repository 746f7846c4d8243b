//! `probe`: who answers, verified how, and in what time?

use zccache_ipc::CallError;
use zccache_ipc::endpoint::Pid;

use super::table;
use crate::Exit;
use crate::failure::Failure;
use crate::identity::Identity;
use crate::output::Output;
use crate::probed::{Probed, Verified};
use crate::target::Located;
use crate::units::micros;

pub(super) fn run(located: &Located, output: &mut Output) -> Result<Exit, Failure> {
    let probed = Probed::ask(located);
    let nobody = matches!(&probed.answer, Err(error) if error.is_no_daemon());
    if nobody && let Some(other) = located.elsewhere() {
        return tell(&other, &Probed::ask(&other), output);
    }
    tell(located, &probed, output)
}

fn tell(located: &Located, probed: &Probed, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(&probed.to_json(located))?;
    } else {
        output.line(table(rows(located, probed)))?;
    }
    Ok(exit(probed))
}

fn exit(probed: &Probed) -> Exit {
    match (&probed.answer, &probed.identity, probed.verified()) {
        (Err(error), ..) => failed(error),
        (Ok(_), Identity::Different(_), _) => Exit::Wrong,
        (Ok(_), Identity::OtherBuild(_), _) | (Ok(_), _, Verified::Not) => Exit::Doubtful,
        (Ok(_), _, Verified::ByIdentity | Verified::ByLock) => Exit::Done,
    }
}

/// The exit code that `ping` has for the same.
fn failed(error: &CallError) -> Exit {
    crate::failure::of_call(error).exit()
}

fn rows(located: &Located, probed: &Probed) -> Vec<[String; 2]> {
    let row = |name: &str, value: String| [name.to_owned(), value];
    let pid = |pid: Option<Pid>| pid.map_or_else(|| "not known".to_owned(), |pid| pid.to_string());
    let mut rows = vec![row("endpoint", located.target.endpoint.as_str().to_owned())];
    match &probed.answer {
        Ok(answer) => {
            let told =
                format!("release {} after {} µs on {}", answer.release, micros(answer.took), answer.lane);
            rows.push(row("answers", told));
        }
        Err(error) => rows.push(row("answers", format!("no: {error}"))),
    }
    rows.push(row("process", pid(probed.process())));
    rows.push(row(
        "lock",
        match probed.holder() {
            Some(holder) => format!("held by process {holder}"),
            None => match &probed.lock {
                Ok(zccache_ipc::endpoint::Liveness::Held { .. }) => "held".to_owned(),
                Ok(zccache_ipc::endpoint::Liveness::Free) => "free".to_owned(),
                Err(error) => error.to_string(),
            },
        },
    ));
    if probed.is_stopped {
        rows.push(row("state", "stopped by a signal".to_owned()));
    }
    let identity = match (&probed.identity, probed.identity.why()) {
        (Identity::Same { took, .. }, _) => format!("same, after {} µs", micros(*took)),
        (identity, Some(why)) => format!("{}: {why}", identity.word()),
        (identity, None) => identity.word().to_owned(),
    };
    rows.push(row("identity", identity));
    let verified = match probed.verified() {
        Verified::ByIdentity => "by its identity",
        Verified::ByLock => "by the lock that it holds",
        Verified::Not => "no",
    };
    rows.push(row("verified", verified.to_owned()));
    rows
}
