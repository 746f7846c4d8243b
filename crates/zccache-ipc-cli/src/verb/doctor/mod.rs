//! `doctor`: everything that a daemon and its clients stand on, with the fix for what is wrong.
//!
//! It starts, changes and signals nothing, and asks each question once and within a bound.

mod daemon;
mod finding;
mod leftovers;
mod locks;
mod places;
#[cfg(feature = "running-process")]
mod route;

use std::time::Instant;

use serde_json::{Value, json};
use zccache_ipc::endpoint::{Endpoint, Environment, Variable};

use crate::Exit;
use crate::args::Global;
use crate::failure::Failure;
use crate::looked;
use crate::output::Output;
use crate::probed::Probed;
use crate::target::Located;
use crate::units::micros;
use finding::{Finding, Severity};

pub(super) fn run(environment: Environment, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let began = Instant::now();
    let mut findings = Vec::new();
    // A wire that is none is a finding, and no reason not to look at the rest.
    let located = match Located::new(environment.clone(), global) {
        Err(Failure::Wire(error)) => {
            findings.push(
                Finding::error("wire", error.to_string())
                    .fix(format!("unset {}, or set it to auto", Variable::DaemonWire)),
            );
            Located::without_a_wire(environment, global)?
        }
        located => located?,
    };
    let probed = Probed::ask(&located);
    findings.extend(places::look(&located.locations));
    findings.extend(daemon::look(&located, &probed));
    let looked = looked::look(&located);
    findings.extend(daemon::names(&looked));
    findings.extend(locks::look(&located.locations, &probed));
    findings.push(route(&located));
    findings.extend(leftovers::look(&located.locations));
    findings.push(program(&located));

    let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok);
    if output.is_json() {
        let all: Vec<Value> = findings.iter().map(Finding::to_json).collect();
        output.json(&json!({
            "worst": worst.word(),
            "version": env!("CARGO_PKG_VERSION"),
            "took_us": micros(began.elapsed()),
            "probe": probed.to_json(&located),
            "looked_at": looked::to_json(&looked),
            "found_at": looked::found(&looked).map(Endpoint::as_str),
            "findings": all,
        }))?;
    } else {
        for finding in &findings {
            output.line(finding)?;
        }
        output.line(summary(&findings))?;
    }
    Ok(match worst {
        Severity::Ok => Exit::Done,
        Severity::Warning => Exit::Doubtful,
        Severity::Error => Exit::Wrong,
    })
}

/// Says by which route a call reaches the daemon.
#[cfg(feature = "running-process")]
fn route(located: &Located) -> Finding {
    route::look(located)
}

#[cfg(not(feature = "running-process"))]
fn route(_: &Located) -> Finding {
    Finding::ok("route", "direct: this program was built without running-process support")
}

/// What `start` would start.
fn program(located: &Located) -> Finding {
    let config = zccache_ipc::daemon::StartConfig::new(located.locations.clone());
    match config.find_program() {
        Ok(path) => Finding::ok(
            "program",
            format!("zccache-ipc {}, which starts {}", env!("CARGO_PKG_VERSION"), path.display()),
        )
        .at(path.display()),
        Err(error) => {
            Finding::warning("program", format!("zccache-ipc {}: {error}", env!("CARGO_PKG_VERSION")))
                .fix("name the program when it is to start: zccache-ipc start --daemon-binary PATH")
        }
    }
}

fn summary(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => "all is well".to_owned(),
        (errors, warnings) => format!("errors: {errors}, warnings: {warnings}"),
    }
}
