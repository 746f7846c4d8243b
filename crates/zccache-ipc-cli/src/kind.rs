//! Kinds of failures, for programs.

use crate::Exit;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $label:literal => $exit:ident,)+) => {
        /// Kind of a failure: the `kind` of an error in JSON, which decides the exit code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(dead_code, reason = "each build has kinds that only the other build needs")]
        pub(crate) enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// Returns the fixed name.
            pub(crate) const fn label(self) -> &'static str {
                match self {
                    $(Self::$kind => $label,)+
                }
            }

            /// Returns the exit code.
            pub(crate) const fn exit(self) -> Exit {
                match self {
                    $(Self::$kind => Exit::$exit,)+
                }
            }
        }
    };
}

kinds! {
    /// The command line is not valid.
    Usage = "usage" => Usage,
    /// The text given to `request` is no message.
    BadMessage = "bad-message" => Usage,
    /// A line given to `wire` is no frame, or no message.
    BadLine = "bad-line" => Failed,
    /// No daemon listens.
    NoDaemon = "no-daemon" => NoDaemon,
    /// The daemon did not answer, listen or end in time.
    Timeout = "timeout" => NoAnswer,
    /// The daemon is over its limits.
    Busy = "busy" => NoAnswer,
    /// The daemon does not serve our wire.
    VersionMismatch = "version-mismatch" => VersionMismatch,
    /// The daemon did not do it and says why.
    Refused = "refused" => Failed,
    /// The daemon does not serve the request, as a daemon of another release.
    NotServed = "not-served" => Failed,
    /// The daemon answered something else, or bytes that are no answer.
    BadAnswer = "bad-answer" => Failed,
    /// The connection ended without an answer.
    Disconnected = "disconnected" => Failed,
    /// The daemon may have done it; its answer is lost.
    OutcomeUnknown = "outcome-unknown" => Failed,
    /// More than a frame holds.
    TooLarge = "too-large" => Failed,
    /// A path or name that no wire can carry.
    NotUtf8 = "not-utf8" => Failed,
    /// The endpoint's name, or what is at its path, cannot be used.
    BadEndpoint = "bad-endpoint" => Failed,
    /// Another user listens there.
    ForeignPeer = "foreign-peer" => Failed,
    /// The system does not let us.
    PermissionDenied = "permission-denied" => Failed,
    /// A directory is not safe.
    UnsafeDirectory = "unsafe-directory" => Failed,
    /// A file, the standard input or the standard output failed.
    Io = "io" => Failed,
    /// There is no daemon program to start.
    NoProgram = "no-program" => Failed,
    /// The daemon that was started ended.
    StartFailed = "start-failed" => Failed,
    /// The environment names no directory of running-process.
    NoRegistry = "no-registry" => Failed,
    /// There is no such manifest, or no service definition.
    NotFound = "not-found" => Failed,
    /// A file of the registry is damaged, of another form, or no file.
    BadFile = "bad-file" => Failed,
    /// The artifact has no such output, or more than one.
    WhichOutput = "which-output" => Failed,
    /// The program was built without it.
    LeftOut = "left-out" => Failed,
}
