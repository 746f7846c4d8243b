//! Requests (`docs/spec/wire-v15.md#request`), fields and variants in wire order.

use ipc_model::{
    Compile, CompileEphemeral, ExecProbe, ExecStore, FingerprintCheck, FingerprintFile, GenericToolExec,
    LinkEphemeral, Lookup, ReleaseWorktreeHandles, Request, SessionId, SessionStart, Store,
};

use super::{Direction, Message};
use crate::Generation;

choice! {
    Request {
        0 Ping,
        1 Shutdown,
        2 Status,
        3 Lookup(lookup),
        4 Store(store),
        5 SessionStart(start),
        6 Compile(compile),
        7 SessionEnd(session),
        8 Clear,
        9 CompileEphemeral(compile),
        10 LinkEphemeral(link),
        11 SessionStats(session),
        12 FingerprintCheck(check),
        13 FingerprintMarkSuccess(file),
        14 FingerprintMarkFailure(file),
        15 FingerprintInvalidate(file),
        16 ListRustArtifacts,
        17 GenericToolExec(exec),
        18 ReleaseWorktreeHandles(release),
        19 ExecProbe(probe),
        20 ExecStore(store),
    }
}

record! {
    Lookup { cache_key }
    Store { cache_key, artifact }
    SessionStart { client_pid, working_dir, log_file, track_stats, journal_path, profile, private_daemon }
    Compile { session_id, args, cwd, compiler, env, stdin }
    SessionId { session_id }
    CompileEphemeral { client_pid, working_dir, compiler, args, cwd, env, stdin }
    LinkEphemeral { client_pid, tool, args, cwd, env }
    FingerprintCheck { cache_file, cache_type, root, extensions, include_globs, exclude }
    FingerprintFile { cache_file }
    GenericToolExec {
        tool, args, cwd, env, input_files, input_extra, output_streams, output_files, tool_hash, cache_policy,
        cwd_in_key, include_scan_files, include_dirs, system_include_dirs, iquote_dirs, depfile,
        non_deterministic, key_args_filter,
    }
    ReleaseWorktreeHandles { path }
    ExecProbe { name, input_files, input_env, input_extra }
    ExecStore { cache_key_hex, result_bytes }
}

impl Message for Request {
    const NAME: &'static str = "Request";
    const DIRECTION: Direction = Direction::Request;

    fn variants(generation: Generation) -> Option<u32> {
        Some(if generation.has(Generation::V17) { 21 } else { 19 })
    }

    fn since(&self) -> Generation {
        match self {
            Self::ExecProbe(_) | Self::ExecStore(_) => Generation::V17,
            _ => Generation::V15,
        }
    }
}
