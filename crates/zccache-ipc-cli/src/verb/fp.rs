//! `fp`: has anything changed since the last run that succeeded?

use serde_json::json;
use zccache_ipc::DEFAULT_CLIENT_RECV_TIMEOUT;
use zccache_ipc::model::{FingerprintCheck, FingerprintCheckResult, NormalizedPath, Response};

use super::contents;
use crate::Exit;
use crate::args::families::{self, Fingerprint, FingerprintVerb};
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{TO_WORK, Target};

pub(super) fn run(target: &Target, fingerprint: &Fingerprint, output: &mut Output) -> Result<Exit, Failure> {
    let cache_file = fingerprint.cache_file.as_ref().ok_or(Failure::NoCacheFile)?;
    let cache_file = NormalizedPath::new(target.absolute(cache_file));
    let mut client = target.client(TO_WORK);
    let done = match &fingerprint.what {
        FingerprintVerb::Check(check) => return run_check(target, fingerprint, check, cache_file, output),
        FingerprintVerb::MarkSuccess => {
            client.fingerprint_mark_success(cache_file)?;
            "marked as successful"
        }
        FingerprintVerb::MarkFailure => {
            client.fingerprint_mark_failure(cache_file)?;
            "marked as failed"
        }
        FingerprintVerb::Invalidate => {
            client.fingerprint_invalidate(cache_file)?;
            "forgotten"
        }
    };
    output.either(&json!({ "result": done }), done)?;
    Ok(Exit::Done)
}

fn run_check(
    target: &Target,
    fingerprint: &Fingerprint,
    check: &families::FingerprintCheck,
    cache_file: NormalizedPath,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let result = target.client(DEFAULT_CLIENT_RECV_TIMEOUT).fingerprint_check(FingerprintCheck {
        cache_file,
        cache_type: fingerprint.cache_type.word().to_owned(),
        root: NormalizedPath::new(target.absolute(&check.root)),
        extensions: check.ext.clone(),
        include_globs: check.include.clone(),
        exclude: check.exclude.clone(),
    })?;
    // Whatever else a daemon may say one day, running is never wrong.
    let exit = if result.decision == "skip" { Exit::Failed } else { Exit::Done };
    if output.is_json() {
        output.json(&contents(&Response::FingerprintCheckResult(result)))?;
    } else {
        let FingerprintCheckResult { decision, reason, changed_files } = result;
        output.line(format_args!("{decision} ({})", reason.as_deref().unwrap_or("nothing changed")))?;
        for path in changed_files {
            output.line(format_args!("  {path}"))?;
        }
    }
    Ok(exit)
}
