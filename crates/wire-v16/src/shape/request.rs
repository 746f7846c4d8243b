//! Requests: members and fields in the order of their numbers.

use crate::{Generation, control};

choice! {
    Request of request, RequestKind since Generation::of_request, by control::accepts_request, control::REQUESTS {
        Ping,
        Shutdown,
        Status,
        Lookup(lookup: Lookup),
        Store(store: Store),
        SessionStart(start: SessionStart),
        Compile(compile: Compile),
        SessionEnd(session: SessionEnd),
        Clear,
        CompileEphemeral(compile: CompileEphemeral),
        LinkEphemeral(link: LinkEphemeral),
        SessionStats(session: SessionStatsRequest),
        FingerprintCheck(check: FingerprintCheck),
        FingerprintMarkSuccess(file: FingerprintMarkSuccess),
        FingerprintMarkFailure(file: FingerprintMarkFailure),
        FingerprintInvalidate(file: FingerprintInvalidate),
        ListRustArtifacts,
        GenericToolExec(exec: GenericToolExec),
        ReleaseWorktreeHandles(release: ReleaseWorktreeHandles),
        ExecProbe(probe: ExecProbe),
        ExecStore(store: ExecStore),
    }
}

record! {
    Lookup as Lookup { cache_key }
    Store as Store { cache_key, artifact }
    SessionStart as SessionStart {
        client_pid, working_dir, log_file, track_stats, journal_path, profile, private_daemon,
    }
    Compile as Compile { session_id, args, cwd, compiler, env + env_is_set, stdin }
    SessionEnd as SessionId { session_id }
    CompileEphemeral as CompileEphemeral {
        client_pid, working_dir, compiler, args, cwd, env + env_is_set, stdin,
    }
    LinkEphemeral as LinkEphemeral { client_pid, tool, args, cwd, env + env_is_set }
    SessionStatsRequest as SessionId { session_id }
    FingerprintCheck as FingerprintCheck {
        cache_file, cache_type, root, extensions, include_globs, exclude,
    }
    FingerprintMarkSuccess as FingerprintFile { cache_file }
    FingerprintMarkFailure as FingerprintFile { cache_file }
    FingerprintInvalidate as FingerprintFile { cache_file }
    GenericToolExec as GenericToolExec {
        tool, args, cwd, env, input_files, input_extra, output_streams, output_files, tool_hash, cache_policy,
        cwd_in_key, include_scan_files, include_dirs, system_include_dirs, iquote_dirs, depfile,
        non_deterministic, key_args_filter,
    }
    ReleaseWorktreeHandles as ReleaseWorktreeHandles { path }
    ExecProbe as ExecProbe { name, input_files, input_env, input_extra }
    ExecStore as ExecStore { cache_key_hex, result_bytes }
}
