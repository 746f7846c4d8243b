//! `doctor`: checks everything that a daemon and its clients depend on, and names the fix of each fault.
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
use crate::layout;
use crate::looked;
use crate::output::Output;
use crate::probed::Probed;
use crate::style::Paint;
use crate::suggest::Suggest;
use crate::target::Located;
use crate::units::micros;
use finding::{Finding, Severity};

pub(super) fn run(
    environment: Environment,
    global: &Global,
    suggest: &Suggest,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let mut findings = Vec::new();
    // An unknown wire is a finding, and the other checks still run.
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
    let looked = looked::look(&located);
    findings.extend(daemon::look(&located, &probed, &looked, suggest));
    findings.extend(daemon::names(&looked));
    findings.extend(locks::look(&located.locations, &probed, suggest));
    findings.push(route(&located, suggest));
    findings.extend(leftovers::look(&located.locations, suggest));
    findings.push(program(&located, suggest));

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
        let (paint, columns) = (Paint::stdout(), layout::columns());
        for finding in &findings {
            output.line(finding.to_text(paint, columns))?;
        }
        output.line(summary(&findings, paint))?;
    }
    Ok(match worst {
        Severity::Ok => Exit::Done,
        Severity::Warning => Exit::Doubtful,
        Severity::Error => Exit::Wrong,
    })
}

/// Says by which route a call reaches the daemon.
#[cfg(feature = "running-process")]
fn route(located: &Located, suggest: &Suggest) -> Finding {
    route::look(located, suggest)
}

#[cfg(not(feature = "running-process"))]
fn route(_: &Located, _: &Suggest) -> Finding {
    Finding::ok("route", "direct: this program was built without running-process support")
}

/// Names the program that `start` would start.
fn program(located: &Located, suggest: &Suggest) -> Finding {
    let config = zccache_ipc::daemon::StartConfig::new(located.locations.clone());
    match config.find_program() {
        Ok(path) => Finding::ok(
            "program",
            format!("zccache-ipc {}, which starts {}", env!("CARGO_PKG_VERSION"), path.display()),
        )
        .at(path.display()),
        Err(error) => {
            Finding::warning("program", format!("zccache-ipc {}: {error}", env!("CARGO_PKG_VERSION")))
                .fix(format!("name the program: {}", suggest.verb("start --daemon-binary PATH")))
        }
    }
}

fn summary(findings: &[Finding], paint: Paint) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => paint.ok("all is well"),
        (0, warnings) => paint.warning(format_args!("errors: 0, warnings: {warnings}")),
        (errors, warnings) => paint.error(format_args!("errors: {errors}, warnings: {warnings}")),
    }
}
