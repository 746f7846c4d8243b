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

        /// Asks the daemon to finish what is in flight and exit.
        ///
        /// # Errors
        ///
        /// [`CallError`]; [`CallError::OutcomeUnknown`] when the daemon went away without an answer.
        pub $($async)? fn shutdown(&$($mutable)? self) -> Result<(), CallError> {
            crate::families::unit!(self, {$($wait)*}, Request::Shutdown, ShuttingDown)
        }

        /// Asks the daemon how it is.
        ///
        /// # Errors
        ///
        /// [`CallError`].
        pub $($async)? fn status(&$($mutable)? self) -> Result<DaemonStatus, CallError> {
            let status: Result<Box<DaemonStatus>, CallError> =
                crate::families::value!(self, {$($wait)*}, Request::Status, Status);
            status.map(|status| *status)
        }

        /// Looks up what is cached under `cache_key`; `None` is a miss.
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

        /// Caches `artifact` under `cache_key`, unless something is cached there.
        ///
        /// # Errors
        ///
        /// [`CallError`]; an artifact above 16 MiB is refused here, before anything is sent.
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

        /// Closes a session and returns its figures, where it kept any.
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

        /// Returns the figures of an open session, where it keeps any.
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

        /// Forgets everything that is cached.
        ///
        /// # Errors
        ///
        /// [`CallError`]; [`CallError::OutcomeUnknown`] when the daemon went away without an answer.
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

        /// Records that what was checked succeeded.
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

        /// Records that what was checked failed.
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

        /// Forgets what was checked.
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

        /// Lists the Rust artifacts that are cached.
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

        /// Asks for the result that a client stored under the key that `probe` describes.
        ///
        /// # Errors
        ///
        /// [`CallError`]; also where the daemon's release does not know the request.
        pub $($async)? fn exec_probe(&$($mutable)? self, probe: ExecProbe) -> Result<ExecProbeResult, CallError> {
            crate::families::value!(self, {$($wait)*}, probe.into(), ExecProbeResult)
        }

        /// Stores the result of work that the caller did itself; replaces an earlier result.
        ///
        /// # Errors
        ///
        /// [`CallError`]; also where the daemon's release does not know the request.
        pub $($async)? fn exec_store(&$($mutable)? self, store: ExecStore) -> Result<ExecStoreAck, CallError> {
            crate::families::value!(self, {$($wait)*}, store.into(), ExecStoreAck)
        }

        /// Asks the daemon to let go of everything under `path`.
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

/// Calls, and takes a response without contents for success.
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

/// Calls, and returns the contents of the response.
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
