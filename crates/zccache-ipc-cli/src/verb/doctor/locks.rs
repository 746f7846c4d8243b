//! Locks and their holders.

use std::path::Path;

use zccache_ipc::endpoint::{
    Endpoint, LifetimeError, Liveness, Locations, Pid, Platform, allow_owner, failed_start, liveness,
    lock_file, process_alive, show_file, show_processes, start_lock_file, start_turn,
};

use super::finding::Finding;
use crate::probed::{Probed, Verified};
use crate::suggest::Suggest;

/// Looks at the lock file, both lifetime locks and the start lock.
pub(super) fn look(locations: &Locations, probed: &Probed, suggest: &Suggest) -> Vec<Finding> {
    let path = locations.lock_file();
    let mut findings = Vec::new();
    if let Some(finding) = of_socket(locations, probed) {
        findings.push(finding);
    }
    let of_files = liveness(path);
    findings.push(told("lifetime lock", &of_files).at(path.with_extension("lifetime").display()));
    let is_held = matches!(of_files, Ok(Liveness::Held { .. }));
    findings.push(pid_file(locations, is_held, probed.answer.is_ok(), suggest));

    let start = start_lock_file(path);
    findings.push(match start_turn(path) {
        Ok(Liveness::Held { by }) => {
            Finding::ok("start lock", format!("a client{} starts a daemon", process(by)))
        }
        other => told("start lock", &other),
    });
    if let Some(last) = findings.last_mut() {
        last.path = Some(start.display().to_string());
    }
    if let Some(note) = failed_start(path) {
        let text = note.split_once('\n').map_or("", |(_, text)| text);
        // The mark of the client tells two failures apart and says nothing to a person.
        let text = text.rsplit_once(" (client ").map_or(text, |(text, _)| text);
        findings.push(
            Finding::warning("last start", format!("it failed: {text}"))
                .fix(suggest.verb("start"))
                .at(start.display()),
        );
    }
    findings
}

fn of_socket(locations: &Locations, probed: &Probed) -> Option<Finding> {
    // A pipe has no lock beside it.
    Endpoint::path_limit(Platform::CURRENT)?;
    let at = format!("{}.lifetime", locations.endpoint());
    let listener = probed.listener.as_ref().ok().copied().flatten();
    Some(
        match &probed.lock {
            Ok(Liveness::Held { by: Some(by) })
                if let Some(listener) = listener.filter(|listener| listener != by) =>
            {
                Finding::error(
                    "socket lock",
                    format!("process {by} holds it, and process {listener} listens at the socket"),
                )
                .fix(format!("end the one that is no daemon: {}", show_processes(&[*by, listener])))
            }
            Ok(Liveness::Held { by: Some(_) })
                if matches!(&probed.listener, Err(error) if error.is_no_daemon()) =>
            {
                Finding::warning(
                    "socket lock",
                    "held, and nobody listens: a daemon starts or ends, or has lost its socket".to_owned(),
                )
                .fix("look again in a few seconds: a daemon makes its socket again, or ends")
            }
            Ok(Liveness::Free) if matches!(probed.verified(), Verified::ByIdentity) => {
                Finding::ok("socket lock", "nobody holds it: a released daemon, which its identity proves")
            }
            Ok(Liveness::Free) if probed.listener.is_ok() => {
                let who = listener.map(|pid| format!("process {pid}")).unwrap_or("who".to_owned());
                let text = format!("nobody holds it, and {who} listens: a released daemon, or a stranger");
                Finding::warning("socket lock", text).fix("stop it with the zccache of its own release: zccache stop")
            }
            Ok(held) => told("socket lock", &Ok(*held)),
            Err(error) => failed("socket lock", error),
        }
        .at(at),
    )
}

fn told(check: &'static str, held: &Result<Liveness, LifetimeError>) -> Finding {
    match held {
        Ok(Liveness::Held { by }) => {
            Finding::ok(check, format!("held{}", by.map_or(String::new(), |by| format!(" by process {by}"))))
        }
        Ok(Liveness::Free) => Finding::ok(check, "free"),
        Err(error) => failed(check, error),
    }
}

fn failed(check: &'static str, error: &LifetimeError) -> Finding {
    let finding = Finding::error(check, error.to_string());
    match error {
        LifetimeError::NotAFile { path, .. }
        | LifetimeError::Foreign { path, .. }
        | LifetimeError::Linked(path) => finding.fix(look_at_it(path)),
        LifetimeError::Io { path, .. } => {
            finding.fix(format!("make it readable: {}", allow_owner(path, "600")))
        }
        _ => finding,
    }
}

/// The file with the process id, which proves nothing and which released programs believe.
fn pid_file(locations: &Locations, is_held: bool, answers: bool, suggest: &Suggest) -> Finding {
    let path = locations.lock_file();
    match lock_file::read(path) {
        Ok(None) if is_held => Finding::warning(
            "lock file",
            "there is none, and a daemon lives: released programs do not see it",
        )
        .fix(suggest.verb("start --replace any")),
        Ok(None) => Finding::ok("lock file", "there is none"),
        Ok(Some(pid)) if is_held || answers => Finding::ok("lock file", format!("names process {pid}")),
        Ok(Some(pid)) if process_alive(pid) => Finding::warning(
            "lock file",
            format!("names process {pid}, which lives and holds no lock: a released daemon, or nobody's"),
        )
        .fix(format!("see what it is: {}", show_processes(&[pid]))),
        Ok(Some(pid)) => {
            Finding::warning("lock file", format!("left over: it names process {pid}, which has ended"))
                .fix("nothing needs to be done: the next daemon writes its own")
        }
        Err(error) => Finding::error("lock file", error.to_string()).fix(look_at_it(path)),
    }
    .at(path.display())
}

/// Returns an advice that removes nothing: the file may belong to another program.
fn look_at_it(path: &Path) -> String {
    let command = show_file(path);
    format!("see whose it is: {command}; or choose another --endpoint or --cache-dir")
}

fn process(pid: Option<Pid>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}
