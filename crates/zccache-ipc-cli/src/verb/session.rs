//! `session`: a build that wants its own figures.

use std::io::{self, Write as _};
use std::path::Path;

use zccache_ipc::endpoint::{Environment, Pid, PrivateOptions};
use zccache_ipc::model::{
    NormalizedPath, PrivateDaemonSessionOptions, Response, SessionStart, SessionStats, SessionStatsReply,
};

use super::status::share;
use super::{contents, table};
use crate::Exit;
use crate::args::{self, Global, Session};
use crate::failure::Failure;
use crate::output::Output;
use crate::suggest::Suggest;
use crate::target::{Located, TO_ASK, TO_SWITCH, Target};
use crate::units;

pub(super) fn run(
    session: Session,
    environment: Environment,
    global: &Global,
    suggest: &Suggest,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match session {
        Session::Start(start) => run_start(&start, environment, global, suggest, output),
        Session::Stats(session) => {
            let target = Target::new(environment, global)?;
            let stats = target.client(TO_ASK).session_stats(session.id)?;
            show(Response::SessionStatsResult(stats.into()), output)
        }
        Session::End(session) => {
            let target = Target::new(environment, global)?;
            let stats = target.client(TO_SWITCH).session_end(session.id)?;
            show(Response::SessionEnded(stats.into()), output)
        }
    }
}

fn run_start(
    start: &args::SessionStart,
    environment: Environment,
    global: &Global,
    suggest: &Suggest,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let options = PrivateOptions {
        private: start.private,
        name: start.daemon_name.as_deref(),
        owner_pid: start.owner_pid.first().copied(),
        has_env: !start.private_env.is_empty(),
    };
    // The parent process outlives this program, and so does the session.
    let pid = start.pid.unwrap_or_else(|| Pid::parent().unwrap_or_else(Pid::current).get());
    let Located { target, locations } = Located::private(environment, global, &options, pid)?;
    let path = |path: &std::path::PathBuf| NormalizedPath::new(target.absolute(path));
    let private_daemon = options.is_active().then(|| PrivateDaemonSessionOptions {
        daemon_name: Some(locations.namespace_label().to_owned()),
        endpoint: Some(target.endpoint.as_str().to_owned()),
        cache_dir: global.cache_dir.as_ref().map(|_| locations.cache_root().path().into()),
        owner_pids: start.owner_pid.clone(),
        env: start.private_env.clone(),
    });
    let log_directory =
        start.log_file.as_ref().and_then(|log| target.absolute(log).parent().map(Path::to_owned));
    if let Some(directory) = log_directory.filter(|directory| !directory.is_dir()) {
        // The daemon creates no directory, and writes no log where one is missing.
        return Err(Failure::NoLogDirectory(directory));
    }
    let mut client = target.client(TO_SWITCH);
    let started = client.session_start(SessionStart {
        client_pid: pid,
        working_dir: start.cwd.as_ref().map_or_else(|| target.environment.cwd().into(), path),
        log_file: start.log_file.as_ref().map(path),
        track_stats: !start.no_stats,
        journal_path: start.journal.as_ref().map(path),
        profile: start.profile,
        private_daemon,
    })?;
    if options.is_active() && client.status().is_ok_and(|status| !status.private_daemon.enabled) {
        let fix = suggest.at(&target.endpoint, "start --replace any -- --private");
        let line = format!(
            "zccache-ipc: the daemon at {} is not private, and does not end with its owners; fix: {fix}\n",
            target.endpoint
        );
        // A closed standard error hides the warning and changes nothing else.
        let _ = io::stderr().write_all(line.as_bytes());
    }
    if output.is_json() {
        output.json(&contents(&Response::SessionStarted(started)))?;
    } else {
        // Nothing but the id, for `id=$(…)`.
        output.line(started.session_id)?;
    }
    Ok(Exit::Done)
}

fn show(response: Response, output: &mut Output) -> Result<Exit, Failure> {
    match &response {
        _ if output.is_json() => output.json(&contents(&response))?,
        Response::SessionStatsResult(SessionStatsReply { stats: Some(stats) })
        | Response::SessionEnded(SessionStatsReply { stats: Some(stats) }) => {
            output.line(table(rows(stats)))?
        }
        _ => output.line("the daemon has no figures of this session")?,
    }
    Ok(Exit::Done)
}

fn rows(stats: &SessionStats) -> Vec<[String; 2]> {
    let row = |name: &str, value: String| [name.to_owned(), value];
    let failed = match stats.errors_cached {
        0 => format!("{} failed", stats.errors),
        cached => format!("{} failed, {cached} of these from the cache", stats.errors),
    };
    let mut rows = vec![
        row("duration", units::millis(stats.duration_ms)),
        row(
            "compilations",
            format!("{} ({} not cacheable, {failed})", stats.compilations, stats.non_cacheable),
        ),
        row("hits", share(stats.hits, stats.misses)),
        row("misses", stats.misses.to_string()),
    ];
    let figures = [
        ("time saved", stats.time_saved_ms, units::millis(stats.time_saved_ms)),
        ("different sources", stats.unique_sources, stats.unique_sources.to_string()),
        ("read from the cache", stats.bytes_read, units::bytes(stats.bytes_read)),
        ("written to the cache", stats.bytes_written, units::bytes(stats.bytes_written)),
    ];
    rows.extend(
        figures.into_iter().filter(|(_, count, _)| *count > 0).map(|(name, _, text)| row(name, text)),
    );
    if let Some(profile) = &stats.phase_profile {
        let timed = [
            ("timed hits", profile.hit_count, profile.total_hit_ns),
            ("timed misses", profile.miss_count, profile.total_miss_ns),
        ];
        for (name, count, nanos) in timed.into_iter().filter(|(_, count, _)| *count > 0) {
            rows.push(row(name, format!("{count} in {}", units::millis(nanos / 1_000_000))));
        }
    }
    rows
}
