//! One method for each request, the same for both clients.

/// Writes the methods: `family_methods! { {async} {.await} {} }`, or `{} {} {mut}` for blocking ones.
macro_rules! family_methods {
    ({$($async:tt)?} {$($wait:tt)*} {$($mutable:tt)?}) => {
        /// Asks whether the daemon is there.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn ping(&$($mutable)? self) -> Result<(), CallError> {
            crate::families::unit!(self, {$($wait)*}, Request::Ping, Pong)
        }

        /// Asks the daemon to finish the requests in progress and exit.
        ///
        /// # Errors
        ///
        /// [`CallError`]; [`CallError::OutcomeUnknown`] if the daemon closed the connection without an
        /// answer.
        pub $($async)? fn shutdown(&$($mutable)? self) -> Result<(), CallError> {
            crate::families::unit!(self, {$($wait)*}, Request::Shutdown, ShuttingDown)
        }

        /// Asks for the daemon's status.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn status(&$($mutable)? self) -> Result<DaemonStatus, CallError> {
            let status: Result<Box<DaemonStatus>, CallError> =
                crate::families::value!(self, {$($wait)*}, Request::Status, Status);
            status.map(|status| *status)
        }

        /// Looks up the artifact under `cache_key`; `None` is a cache miss.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn lookup(&$($mutable)? self, cache_key: impl Into<String>) -> Result<Option<ArtifactData>, CallError> {
            let request = Request::Lookup(Lookup { cache_key: cache_key.into() });
            let result: Result<LookupResult, CallError> =
                crate::families::value!(self, {$($wait)*}, request, LookupResult);
            result.map(|result| match result {
                LookupResult::Hit { artifact } => Some(*artifact),
                LookupResult::Miss => None,
            })
        }

        /// Caches `artifact` under `cache_key`, unless the key has an artifact already.
        ///
        /// # Errors
        ///
        /// [`CallError`]; the client refuses an artifact above 16 MiB before it sends anything.
        pub $($async)? fn store(
            &$($mutable)? self,
            cache_key: impl Into<String>,
            artifact: ArtifactData,
        ) -> Result<StoreResult, CallError> {
            let request = Request::from(Store { cache_key: cache_key.into(), artifact });
            crate::families::value!(self, {$($wait)*}, request, StoreResult)
        }

        /// Opens a session.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn session_start(&$($mutable)? self, start: SessionStart) -> Result<SessionStarted, CallError> {
            crate::families::value!(self, {$($wait)*}, start.into(), SessionStarted)
        }

        /// Closes a session and returns its statistics, if it kept any.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn session_end(
            &$($mutable)? self,
            session_id: impl Into<String>,
        ) -> Result<Option<SessionStats>, CallError> {
            let request = Request::SessionEnd(SessionId { session_id: session_id.into() });
            let reply: Result<SessionStatsReply, CallError> =
                crate::families::value!(self, {$($wait)*}, request, SessionEnded);
            reply.map(|reply| reply.stats.map(|stats| *stats))
        }

        /// Returns the statistics of an open session, if it keeps any.
        ///
        /// # Errors
        ///
        /// [`CallError`]; an unknown session is [`CallError::Refused`].
        pub $($async)? fn session_stats(
            &$($mutable)? self,
            session_id: impl Into<String>,
        ) -> Result<Option<SessionStats>, CallError> {
            let request = Request::SessionStats(SessionId { session_id: session_id.into() });
            let reply: Result<SessionStatsReply, CallError> =
                crate::families::value!(self, {$($wait)*}, request, SessionStatsResult);
            reply.map(|reply| reply.stats.map(|stats| *stats))
        }

        /// Deletes everything in the cache.
        ///
        /// # Errors
        ///
        /// [`CallError`]; [`CallError::OutcomeUnknown`] if the daemon closed the connection without an
        /// answer.
        pub $($async)? fn clear(&$($mutable)? self) -> Result<Cleared, CallError> {
            crate::families::value!(self, {$($wait)*}, Request::Clear, Cleared)
        }

        /// Compiles within a session.
        ///
        /// # Errors
        ///
        /// [`CallError`]; a compiler that fails is a result, not an error.
        pub $($async)? fn compile(&$($mutable)? self, compile: Compile) -> Result<CompileResult, CallError> {
            crate::families::value!(self, {$($wait)*}, compile.into(), CompileResult)
        }

        /// Compiles outside of any session.
        ///
        /// # Errors
        ///
        /// [`CallError`]; a compiler that fails is a result, not an error.
        pub $($async)? fn compile_ephemeral(&$($mutable)? self, compile: CompileEphemeral) -> Result<CompileResult, CallError> {
            crate::families::value!(self, {$($wait)*}, compile.into(), CompileResult)
        }

        /// Links outside of any session.
        ///
        /// # Errors
        ///
        /// [`CallError`]; a linker that fails is a result, not an error.
        pub $($async)? fn link_ephemeral(&$($mutable)? self, link: LinkEphemeral) -> Result<LinkResult, CallError> {
            let result: Result<Box<LinkResult>, CallError> =
                crate::families::value!(self, {$($wait)*}, link.into(), LinkResult);
            result.map(|result| *result)
        }

        /// Asks whether anything changed since the last recorded success.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn fingerprint_check(
            &$($mutable)? self,
            check: FingerprintCheck,
        ) -> Result<FingerprintCheckResult, CallError> {
            crate::families::value!(self, {$($wait)*}, check.into(), FingerprintCheckResult)
        }

        /// Records that the check of `cache_file` succeeded.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn fingerprint_mark_success(
            &$($mutable)? self,
            cache_file: impl Into<NormalizedPath>,
        ) -> Result<(), CallError> {
            let file = FingerprintFile { cache_file: cache_file.into() };
            crate::families::unit!(self, {$($wait)*}, Request::FingerprintMarkSuccess(file), FingerprintAck)
        }

        /// Records that the check of `cache_file` failed.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn fingerprint_mark_failure(
            &$($mutable)? self,
            cache_file: impl Into<NormalizedPath>,
        ) -> Result<(), CallError> {
            let file = FingerprintFile { cache_file: cache_file.into() };
            crate::families::unit!(self, {$($wait)*}, Request::FingerprintMarkFailure(file), FingerprintAck)
        }

        /// Deletes the record of `cache_file`.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn fingerprint_invalidate(
            &$($mutable)? self,
            cache_file: impl Into<NormalizedPath>,
        ) -> Result<(), CallError> {
            let file = FingerprintFile { cache_file: cache_file.into() };
            crate::families::unit!(self, {$($wait)*}, Request::FingerprintInvalidate(file), FingerprintAck)
        }

        /// Lists the cached Rust artifacts.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn list_rust_artifacts(&$($mutable)? self) -> Result<Vec<RustArtifactInfo>, CallError> {
            let list: Result<RustArtifactList, CallError> =
                crate::families::value!(self, {$($wait)*}, Request::ListRustArtifacts, RustArtifactList);
            list.map(|list| list.artifacts)
        }

        /// Runs a tool whose inputs and outputs are declared.
        ///
        /// # Errors
        ///
        /// [`CallError`]; a tool that fails is a result, not an error.
        pub $($async)? fn generic_tool_exec(
            &$($mutable)? self,
            exec: GenericToolExec,
        ) -> Result<GenericToolExecResult, CallError> {
            let result: Result<Box<GenericToolExecResult>, CallError> =
                crate::families::value!(self, {$($wait)*}, exec.into(), GenericToolExecResult);
            result.map(|result| *result)
        }

        /// Asks for the result that a client stored under the key of `probe`.
        ///
        /// # Errors
        ///
        /// [`CallError`]; also if the daemon's release does not know the request.
        pub $($async)? fn exec_probe(&$($mutable)? self, probe: ExecProbe) -> Result<ExecProbeResult, CallError> {
            crate::families::value!(self, {$($wait)*}, probe.into(), ExecProbeResult)
        }

        /// Stores the result of the caller's own work; replaces an earlier result.
        ///
        /// # Errors
        ///
        /// [`CallError`]; also if the daemon's release does not know the request.
        pub $($async)? fn exec_store(&$($mutable)? self, store: ExecStore) -> Result<ExecStoreAck, CallError> {
            crate::families::value!(self, {$($wait)*}, store.into(), ExecStoreAck)
        }

        /// Asks the daemon to close its handles under `path`.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn release_worktree_handles(
            &$($mutable)? self,
            path: impl Into<NormalizedPath>,
        ) -> Result<ReleaseWorktreeHandlesResult, CallError> {
            let release = ReleaseWorktreeHandles { path: path.into() };
            let request = Request::ReleaseWorktreeHandles(release);
            crate::families::value!(self, {$($wait)*}, request, ReleaseWorktreeHandlesResult)
        }
    };
}

/// Makes a call whose response has no contents.
macro_rules! unit {
    ($client:ident, {$($wait:tt)*}, $request:expr, $response:ident) => {{
        let request: Request = $request;
        let kind = request.kind();
        match $client.call(&request) $($wait)* ? {
            Response::$response => Ok(()),
            other => Err(CallError::of_answer(kind, $client.config().wire.last(), other)),
        }
    }};
}

/// Makes a call and returns the contents of the response.
macro_rules! value {
    ($client:ident, {$($wait:tt)*}, $request:expr, $response:ident) => {{
        let request: Request = $request;
        let kind = request.kind();
        match $client.call(&request) $($wait)* ? {
            Response::$response(value) => Ok(value),
            other => Err(CallError::of_answer(kind, $client.config().wire.last(), other)),
        }
    }};
}

pub(crate) use {family_methods, unit, value};
