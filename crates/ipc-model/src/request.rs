//! Requests of a client.

use crate::{
    ArtifactData, Compile, CompileEphemeral, ExecProbe, ExecStore, FingerprintCheck, FingerprintFile,
    GenericToolExec, LinkEphemeral, NormalizedPath, SessionId, SessionStart,
};

/// A request, in the order of its wire numbers (`docs/spec/wire-v15.md#request`).
///
/// Code moves a request many times, so large contents are boxed and a request has at most 32 bytes.
/// [`From`] boxes the contents: `Request::from(compile)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum Request {
    /// Checks that the daemon answers.
    Ping,
    /// Asks the daemon to finish the requests in flight and to exit.
    Shutdown,
    /// Asks for the daemon's status.
    Status,
    /// Asks for the artifact of a key.
    Lookup(Lookup),
    /// Caches an artifact.
    Store(Box<Store>),
    /// Opens a session.
    SessionStart(Box<SessionStart>),
    /// Compiles within a session.
    Compile(Box<Compile>),
    /// Closes a session.
    SessionEnd(SessionId),
    /// Removes everything from the cache.
    Clear,
    /// Compiles outside of any session.
    CompileEphemeral(Box<CompileEphemeral>),
    /// Links outside of any session.
    LinkEphemeral(Box<LinkEphemeral>),
    /// Asks for the statistics of a session.
    SessionStats(SessionId),
    /// Asks whether files changed since the last recorded success.
    FingerprintCheck(Box<FingerprintCheck>),
    /// Records that the work after a check succeeded.
    FingerprintMarkSuccess(FingerprintFile),
    /// Records that the work after a check failed.
    FingerprintMarkFailure(FingerprintFile),
    /// Removes a fingerprint.
    FingerprintInvalidate(FingerprintFile),
    /// Asks for the list of cached Rust artifacts.
    ListRustArtifacts,
    /// Runs a tool.
    GenericToolExec(Box<GenericToolExec>),
    /// Asks the daemon to close its handles under a directory.
    ReleaseWorktreeHandles(ReleaseWorktreeHandles),
    /// Asks for the stored result of work that clients do themselves.
    ExecProbe(Box<ExecProbe>),
    /// Stores the result of work that the client did itself.
    ExecStore(Box<ExecStore>),
}

/// Asks for the artifact of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Lookup {
    /// Cache key.
    pub cache_key: String,
}

/// Asks to cache an artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Store {
    /// Cache key.
    pub cache_key: String,
    /// Artifact to cache under the key.
    pub artifact: ArtifactData,
}

/// Asks the daemon to close its handles under a directory.
///
/// The client can then remove the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ReleaseWorktreeHandles {
    /// Path of the directory.
    pub path: NormalizedPath,
}

macro_rules! kinds {
    ($(#[$doc:meta])* $kind:ident of $message:ident { $($index:literal $variant:ident $(($inner:tt))?,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum $kind {
            $(
                #[doc = concat!("The kind of [`", stringify!($message), "::", stringify!($variant), "`].")]
                $variant = $index,
            )*
        }

        impl $kind {
            /// All kinds in the order of their wire numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the variant's name, as the wire tables spell it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }

            /// Returns the variant's number on wire v15.
            #[must_use]
            pub const fn index(self) -> u32 {
                self as u32
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl crate::$message {
            /// Returns the variant without its contents.
            #[must_use]
            #[inline]
            pub const fn kind(&self) -> $kind {
                match self {
                    $(Self::$variant $(($inner))? => $kind::$variant,)*
                }
            }
        }
    };
}
pub(crate) use kinds;

/// Implements `From` for types that only one variant contains.
macro_rules! made_of {
    ($message:ident { $($variant:ident($contents:ty),)* }) => {$(
        impl From<$contents> for crate::$message {
            fn from(contents: $contents) -> Self {
                Self::$variant(contents.into())
            }
        }
    )*};
}
pub(crate) use made_of;

made_of! {
    Request {
        Lookup(Lookup),
        Store(Store),
        SessionStart(SessionStart),
        Compile(Compile),
        CompileEphemeral(CompileEphemeral),
        LinkEphemeral(LinkEphemeral),
        FingerprintCheck(FingerprintCheck),
        GenericToolExec(GenericToolExec),
        ReleaseWorktreeHandles(ReleaseWorktreeHandles),
        ExecProbe(ExecProbe),
        ExecStore(ExecStore),
    }
}

kinds! {
    /// The variant of a [`Request`], without its contents.
    RequestKind of Request {
        0 Ping,
        1 Shutdown,
        2 Status,
        3 Lookup(_),
        4 Store(_),
        5 SessionStart(_),
        6 Compile(_),
        7 SessionEnd(_),
        8 Clear,
        9 CompileEphemeral(_),
        10 LinkEphemeral(_),
        11 SessionStats(_),
        12 FingerprintCheck(_),
        13 FingerprintMarkSuccess(_),
        14 FingerprintMarkFailure(_),
        15 FingerprintInvalidate(_),
        16 ListRustArtifacts,
        17 GenericToolExec(_),
        18 ReleaseWorktreeHandles(_),
        19 ExecProbe(_),
        20 ExecStore(_),
    }
}

impl RequestKind {
    /// Returns true if a client may send such a request twice.
    ///
    /// The daemon's state is the same after one and after two of them, and the second answer is as useful as
    /// the first. A client that does not know whether the daemon acted on a request resends it only if it is
    /// idempotent.
    #[must_use]
    #[inline]
    pub const fn is_idempotent(self) -> bool {
        match self {
            // These requests change nothing that a client can see.
            Self::Ping | Self::Status | Self::Lookup | Self::SessionStats | Self::ListRustArtifacts => true,
            // A second store of a key keeps the first artifact and answers `AlreadyExists`.
            Self::Store => true,
            // Setting the same mark again changes nothing.
            Self::FingerprintMarkSuccess | Self::FingerprintMarkFailure | Self::FingerprintInvalidate => true,
            // A probe changes nothing; a second store of the same bytes replaces them with equal bytes.
            Self::ExecProbe | Self::ExecStore => true,
            // A second start opens a second session.
            Self::SessionStart => false,
            // Only the first answer has the statistics.
            Self::SessionEnd => false,
            // A second clear reports zeros or removes newer artifacts. A second shutdown may stop the next
            // daemon.
            Self::Clear | Self::Shutdown => false,
            // Tools run, write files and may have side effects.
            Self::Compile | Self::CompileEphemeral | Self::LinkEphemeral | Self::GenericToolExec => false,
            // A check records the files' state, so a second check compares with the first check.
            Self::FingerprintCheck => false,
            // Only the first answer has the counts.
            Self::ReleaseWorktreeHandles => false,
        }
    }

    /// Returns true if progress messages may precede the answer.
    ///
    /// See [`CompileProgress`](crate::CompileProgress).
    #[must_use]
    pub const fn may_report_progress(self) -> bool {
        matches!(self, Self::Compile | Self::CompileEphemeral)
    }
}

impl Request {
    /// Returns true if a client may send the request twice.
    ///
    /// See [`RequestKind::is_idempotent`].
    #[must_use]
    #[inline]
    pub const fn is_idempotent(&self) -> bool {
        self.kind().is_idempotent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_as_on_the_wire() {
        for (index, kind) in RequestKind::ALL.iter().enumerate() {
            assert_eq!(kind.index() as usize, index, "{kind}");
        }
        assert_eq!(RequestKind::ALL.len(), 21);
    }

    #[test]
    fn a_request_is_cheap_to_move() {
        assert!(size_of::<Request>() <= 32, "{}", size_of::<Request>());
    }

    #[test]
    fn a_request_is_as_idempotent_as_its_kind() {
        assert!(Request::Ping.is_idempotent());
        assert!(!Request::Clear.is_idempotent());
    }

    #[test]
    fn each_request_is_idempotent_or_not_as_listed() {
        use RequestKind as Kind;
        const EXPECTED: &[(RequestKind, bool)] = &[
            (Kind::Ping, true),
            (Kind::Shutdown, false),
            (Kind::Status, true),
            (Kind::Lookup, true),
            (Kind::Store, true),
            (Kind::SessionStart, false),
            (Kind::Compile, false),
            (Kind::SessionEnd, false),
            (Kind::Clear, false),
            (Kind::CompileEphemeral, false),
            (Kind::LinkEphemeral, false),
            (Kind::SessionStats, true),
            (Kind::FingerprintCheck, false),
            (Kind::FingerprintMarkSuccess, true),
            (Kind::FingerprintMarkFailure, true),
            (Kind::FingerprintInvalidate, true),
            (Kind::ListRustArtifacts, true),
            (Kind::GenericToolExec, false),
            (Kind::ReleaseWorktreeHandles, false),
            (Kind::ExecProbe, true),
            (Kind::ExecStore, true),
        ];
        let listed: Vec<RequestKind> = EXPECTED.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(listed, RequestKind::ALL, "every kind is listed, once");
        for (kind, expected) in EXPECTED {
            assert_eq!(kind.is_idempotent(), *expected, "{kind}");
        }
    }

    #[test]
    fn only_compilations_report_progress() {
        let reporting: Vec<RequestKind> =
            RequestKind::ALL.iter().copied().filter(|kind| kind.may_report_progress()).collect();
        assert_eq!(reporting, [RequestKind::Compile, RequestKind::CompileEphemeral]);
    }
}
