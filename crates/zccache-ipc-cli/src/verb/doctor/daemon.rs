//! The daemon: whether it answers, who it is, and what it speaks.

use std::cmp::Ordering;
use std::path::Path;

use zccache_ipc::endpoint::{
    ConnectError, Endpoint, FileKind, NEWEST_RELEASE, Pid, Platform, Unproved, allow_owner, look_at,
    show_file, show_processes,
};
use zccache_ipc::{CallError, IpcError, Lane, WirePolicy};

use super::finding::Finding;
use crate::age;
use crate::identity::{self, Identity};
use crate::looked::Looked;
use crate::probed::{Probed, Verified};
use crate::suggest::Suggest;
use crate::target::Located;
use crate::units::latency;

/// Judges the daemon.
pub(super) fn look(located: &Located, probed: &Probed, looked: &[Looked], suggest: &Suggest) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(socket(located, probed, suggest));
    findings.push(answer(located, probed, looked, suggest));
    findings.push(who(probed));
    findings.push(identity_file(probed, suggest));
    if let Ok(answer) = &probed.answer {
        findings.push(wire(located, answer.lane));
        findings.push(release(&answer.release, age::program_version(&located.target).as_deref(), suggest));
    }
    findings
}

/// Returns a finding for each name where a client looks.
pub(super) fn names(looked: &[Looked]) -> Vec<Finding> {
    let used = looked.iter().position(|name| name.answers);
    let finding = |(index, name): (usize, &Looked)| {
        let used = if used == Some(index) { "; clients use it" } else { "" };
        Finding::ok("name", format!("{name}{used}")).at(&name.endpoint)
    };
    looked.iter().enumerate().map(finding).collect()
}

/// Judges the socket's file.
fn socket(located: &Located, probed: &Probed, suggest: &Suggest) -> Option<Finding> {
    if !Platform::CURRENT.is_unix() {
        return None;
    }
    let path = Path::new(located.target.endpoint.as_str());
    let text = path.display();
    let look = || format!("see whose it is: {}; or choose another --endpoint", show_file(path));
    let nobody = matches!(&probed.listener, Err(error) if error.is_no_daemon());
    let finding = match look_at(path) {
        Ok(None) => Finding::ok("socket", "there is none"),
        Ok(Some(found)) if found.kind != FileKind::Socket => {
            Finding::error("socket", format!("{text} is {}, not a socket", found.kind)).fix(look())
        }
        Ok(Some(found)) => match (found.foreign_owner, found.mode) {
            (Some(owner), _) => {
                Finding::error("socket", format!("{text} belongs to user {owner}")).fix(look())
            }
            (None, _) if nobody => Finding::warning("socket", "left over from a daemon that died")
                .fix(format!("`{}`: the next daemon replaces it", suggest.verb("start"))),
            (None, Some(mode)) if mode & 0o077 != 0 => {
                Finding::warning("socket", format!("it has mode {mode:04o}; released daemons make it so"))
                    .fix(allow_owner(path, "600"))
            }
            (None, _) => Finding::ok("socket", "a socket of ours"),
        },
        Err(error) => Finding::error("socket", format!("{text} cannot be looked at: {error}")),
    };
    Some(finding.at(text))
}

/// Judges the answer.
fn answer(located: &Located, probed: &Probed, looked: &[Looked], suggest: &Suggest) -> Finding {
    let endpoint = &located.target.endpoint;
    let process = |pid: Option<Pid>| pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
    let process = process(probed.process());
    match &probed.answer {
        Ok(answer) => Finding::ok(
            "daemon",
            format!("release {}{process} answers after {}", answer.release, latency(answer.took)),
        ),
        Err(error) if error.is_no_daemon() => nobody(endpoint, looked, suggest),
        Err(CallError::Busy(pressure)) => {
            Finding::warning("daemon", format!("it is over its limits{process}: {}", pressure.reason))
                .fix(format!("ask again in {} ms", pressure.retry_after_ms))
        }
        Err(CallError::Ipc(IpcError::Connect(ConnectError::ForeignPeer { found, .. }))) => {
            Finding::error("daemon", format!("user {found} listens at {endpoint}"))
                .fix("choose an endpoint of your own with --endpoint")
        }
        Err(CallError::Ipc(IpcError::Connect(ConnectError::ForeignServer { found, .. }))) => {
            Finding::error("daemon", format!("user {found} listens at {endpoint}"))
                .fix("choose an endpoint of your own with --endpoint")
        }
        Err(error) if probed.is_stopped => {
            let pid = probed.process().map(|pid| pid.to_string()).unwrap_or_default();
            Finding::error("daemon", format!("it is stopped by a signal{process} and cannot answer: {error}"))
                .fix(format!(
                    "let it go on: kill -CONT {pid}; or have it ended and replaced: {}",
                    suggest.verb("start")
                ))
        }
        Err(error) => {
            let text = format!("it does not answer{process}: {error}");
            Finding::error("daemon", text).fix(match (&probed.proof, probed.process()) {
                (Ok(_), _) => {
                    format!("`{}` ends and replaces a silent daemon", suggest.verb("start"))
                }
                (Err(_), Some(pid)) => format!(
                    "it is not proved to be the daemon: look at it with {}, or choose another --endpoint",
                    show_processes(&[pid])
                ),
                (Err(_), None) => "choose another --endpoint".to_owned(),
            })
        }
    }
}

/// Reports that nobody listens at the first name, and where clients go then.
fn nobody(endpoint: &Endpoint, looked: &[Looked], suggest: &Suggest) -> Finding {
    let nobody = format!("nobody listens at {endpoint}");
    let published = looked.iter().find(|name| name.answers);
    match published.and_then(|name| Some((name.release.as_deref()?, &name.endpoint))) {
        None => Finding::ok("daemon", nobody).fix(format!("start one: {}", suggest.verb("start"))),
        Some((release, at)) => {
            let text = format!(
                "{nobody}; clients call the published daemon of {release} at {at}, which is not judged here"
            );
            let fix = format!("start one of this project beside it: {}", suggest.verb("start"));
            Finding::warning("daemon", text).fix(fix)
        }
    }
}

/// Judges the proof of the process that answers.
fn who(probed: &Probed) -> Finding {
    const CHECK: &str = "verified";
    match (probed.verified(), &probed.proof) {
        (Verified::ByIdentity, _) => Finding::ok(CHECK, "by its identity"),
        (Verified::ByLock, _) => Finding::ok(CHECK, "by the lock that it holds"),
        (Verified::Not, Ok(pid)) => Finding::ok(CHECK, format!("process {pid} holds the lock")),
        (Verified::Not, Err(Unproved::NoLock { listener: None })) if probed.answer.is_err() => {
            Finding::ok(CHECK, "there is nobody to verify")
        }
        (Verified::Not, Err(error)) => Finding::warning(CHECK, format!("not verified: {error}"))
            .fix("nothing ends it by force; stop it with the zccache of its own release"),
    }
}

fn identity_file(probed: &Probed, suggest: &Suggest) -> Finding {
    const CHECK: &str = "identity";
    let path = &probed.identity_file;
    let recorded = || {
        let pid = identity::recorded(path);
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    };
    let restart = suggest.verb("start --replace any");
    match &probed.identity {
        Identity::Off => Finding::ok(CHECK, "turned off by RUNNING_PROCESS_DISABLE, or not built in"),
        Identity::None if probed.answer.is_err() => Finding::ok(CHECK, "there is none"),
        Identity::None => {
            Finding::warning(CHECK, "there is none: a published daemon with another cache directory, or a daemon that has just started")
                .fix(restart)
        }
        Identity::Same { took, .. } => {
            Finding::ok(CHECK, format!("the daemon is the one in it, after {}", latency(*took)))
        }
        Identity::OtherBuild(why) => {
            Finding::warning(CHECK, format!("the daemon is another build than is on the disk by now: {why}"))
                .fix(restart)
        }
        Identity::Different(why) => {
            Finding::error(CHECK, format!("somebody else answers: {why}{}", recorded())).fix(restart)
        }
        Identity::Gone if probed.answer.is_err() => {
            Finding::warning(CHECK, format!("left over: its process has ended{}", recorded()))
                .fix("nothing needs to be done: the next daemon replaces it")
        }
        Identity::Gone => {
            Finding::warning(CHECK, format!("it is of a process that has ended{}", recorded())).fix(restart)
        }
        Identity::Unknown(why) if probed.answer.is_err() => Finding::ok(CHECK, format!("not asked: {why}")),
        Identity::Unknown(why) => Finding::warning(CHECK, why.clone()).fix(restart),
    }
    .at(path.display())
}

/// Judges the wire.
fn wire(located: &Located, lane: Lane) -> Finding {
    let policy = match located.target.wire {
        WirePolicy::Auto => "auto",
        WirePolicy::AsReleased => "as-released",
        WirePolicy::Only(lane) => lane.name(),
    };
    let asked = format!("asked in {policy}, answered on {lane}; this program speaks v15, v16 and frame_v1");
    if lane == Lane::V15 && located.target.wire == WirePolicy::Auto {
        return Finding::warning("wire", format!("{asked}: the daemon is of a release before v16"))
            .fix("update the daemon; until then everything works on v15");
    }
    Finding::ok("wire", asked)
}

/// Compares the daemon's version, or the release that a published daemon reports, with this program.
fn release(reported: &str, program: Option<&str>, suggest: &Suggest) -> Finding {
    let ours = age::VERSION;
    let newest = || format!("for the newest: {}", suggest.verb("start --replace older"));
    let Some(program) = program else {
        let text = format!(
            "the daemon is of the published release {reported}, and this program is {ours} of another project; releases may be mixed"
        );
        let finding = Finding::ok("release", text);
        return if reported == NEWEST_RELEASE { finding } else { finding.fix(newest()) };
    };
    if program == ours {
        return Finding::ok("release", format!("the daemon and this program are {ours}"));
    }
    let finding = Finding::ok(
        "release",
        format!("the daemon is {program}, and this program {ours}; versions may be mixed"),
    );
    if age::to_this(program) == Some(Ordering::Less) { finding.fix(newest()) } else { finding }
}
