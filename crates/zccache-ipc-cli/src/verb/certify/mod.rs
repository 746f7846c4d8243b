//! `certify`: test a daemon or a client against the rules of `docs/spec`.

mod client;
mod play;
mod table;

use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::runtime::{Builder, LocalOptions};
use zccache_ipc::wire_dispatch::Dialect;
use zccache_ipc::{CallError, IpcError};

use crate::Exit;
use crate::args::Certify;
use crate::certify::{OnRequest, Rule, Test, Verdict, judge, rules};
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Located;

use play::Player;
use table::{Row, print};

/// The time for each reply.
const LIMIT: Duration = Duration::from_secs(2);

pub(super) fn run(located: &Located, certify: &Certify, output: &mut Output) -> Result<Exit, Failure> {
    // Any other runtime brings the scheduler with several threads, which loads the mathematical library.
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    if let Some(listen) = &certify.listen {
        return runtime.block_on(client::run(located, listen, &certify.command, output));
    }
    runtime.block_on(async {
        let endpoint = located.target.endpoint.clone();
        let limit = located.target.limit(LIMIT);
        let mut player = Player { endpoint, limit, alive: Dialect::V15 };
        let served = player.served().await.map_err(IpcError::from).map_err(CallError::from)?;
        // A daemon that serves nothing must at least refuse.
        player.alive = served.first().copied().unwrap_or(Dialect::V15);
        let mut rows = Vec::new();
        let on_request = OnRequest { changes: certify.changes, deadlines: certify.deadlines };
        for rule in rules(&served, on_request, &unknown_key()) {
            let (verdict, came) = match &rule.test {
                Test::NotApplicable(reason) => (Verdict::NotApplicable, (*reason).to_owned()),
                Test::Exchange { steps, expected } => match player.play(steps, expected).await {
                    Ok(seen) => judge(expected, rule.required, &seen),
                    Err(error) => (Verdict::of(false, true), format!("cannot connect: {error}")),
                },
            };
            let Rule { name, section, required, .. } = rule;
            rows.push(Row { name, section, required, verdict, came });
        }
        let names: Vec<String> = served
            .iter()
            .map(|dialect| {
                dialect.version().map_or_else(|| "frame".to_owned(), |version| version.to_string())
            })
            .collect();
        let about = json!({ "endpoint": player.endpoint.as_str(), "served": names });
        Ok(print(&rows, about, output)?)
    })
}

/// Returns a cache key that no other program uses.
fn unknown_key() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("zccache-ipc-certify-{}-{}", std::process::id(), now.as_nanos())
}
