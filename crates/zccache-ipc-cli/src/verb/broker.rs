//! `broker status`: by which way a call would reach the daemon, and why.

use std::time::Instant;

use serde_json::{Value, json};
use zccache_ipc::rp_broker::lane::{BrokerLane, Decision, Route, WhyDirect, shared_broker_endpoint};

use super::table;
use crate::Exit;
use crate::args::broker::BrokerStatus;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{TO_ASK, Target};
use crate::units;

pub(super) fn run(target: &Target, status: &BrokerStatus, output: &mut Output) -> Result<Exit, Failure> {
    let lane = lane(target, status);
    let begin = Instant::now();
    let dialed = lane.dial_blocking(target.limit(TO_ASK).min(BrokerLane::BUDGET));
    let micros = units::micros(begin.elapsed());
    let route = dialed.map_or_else(Route::Direct, |(_, route)| route);
    if output.is_json() {
        output.json(&value(target, &lane, &route, micros))?;
    } else {
        output.line(table(rows(target, &lane, &route, micros)))?;
    }
    Ok(Exit::Done)
}

fn lane(target: &Target, status: &BrokerStatus) -> BrokerLane {
    let mut lane = match status.ask {
        true => BrokerLane::new(Decision::Broker),
        false => BrokerLane::from_environment(&target.environment),
    };
    if let Some(version) = &status.wanted_version {
        lane = lane.version(version.clone());
    }
    if let Some(broker) = &status.broker {
        lane = lane.broker_at(broker.clone());
    }
    lane
}

/// Where the broker listens, or why that is not known.
fn broker(lane: &BrokerLane) -> Result<String, String> {
    let endpoint = lane.broker().cloned().map_or_else(shared_broker_endpoint, Ok);
    endpoint.map(|endpoint| endpoint.as_str().to_owned()).map_err(|error| error.to_string())
}

fn daemon_version(route: &Route) -> Option<&str> {
    match route {
        Route::BrokerNegotiated { daemon_version, .. } | Route::HandlePassed { daemon_version, .. } => {
            Some(daemon_version)
        }
        _ => None,
    }
}

fn value(target: &Target, lane: &BrokerLane, route: &Route, micros: u64) -> Value {
    let refusal = match route.why_direct() {
        Some(WhyDirect::Broker(failure)) => failure.refusal().map(|refusal| {
            let after = refusal.retry_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
            json!({
                "kind": refusal.kind.label(), "reason": refusal.reason, "retry_after_ms": after,
                "transient": refusal.kind.is_transient(),
            })
        }),
        _ => None,
    };
    json!({
        "route": route.label(),
        "why": route.why_direct().map(WhyDirect::label),
        "message": route.why_direct().map(in_full),
        "refusal": refusal,
        "endpoint": route.endpoint().unwrap_or(&target.endpoint).as_str(),
        "daemon_version": daemon_version(route),
        "broker": broker(lane).ok(),
        "took_us": micros,
    })
}

fn rows(target: &Target, lane: &BrokerLane, route: &Route, micros: u64) -> Vec<[String; 2]> {
    let row = |name: &str, value: &str| [name.to_owned(), value.to_owned()];
    let mut rows = vec![row("route", route.label())];
    rows.extend(route.why_direct().map(|why| row("why", &in_full(why))));
    rows.push(row("endpoint", route.endpoint().unwrap_or(&target.endpoint).as_str()));
    rows.extend(daemon_version(route).map(|version| row("daemon version", version)));
    rows.push(row("broker", &broker(lane).unwrap_or_else(|why| format!("- ({why})"))));
    rows.push(row("took", &format!("{micros} µs")));
    rows
}

/// The reason with its causes.
fn in_full(why: &WhyDirect) -> String {
    let causes = std::iter::successors(std::error::Error::source(why), |error| error.source());
    causes.fold(why.to_string(), |text, cause| format!("{text}: {cause}"))
}
