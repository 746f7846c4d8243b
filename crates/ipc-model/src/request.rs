//! Everything that a client can ask.

use crate::{
    ArtifactData, Compile, CompileEphemeral, ExecProbe, ExecStore, FingerprintCheck, FingerprintFile,
    GenericToolExec, LinkEphemeral, NormalizedPath, SessionId, SessionStart,
};

/// A request, in the order of its wire numbers (`docs/spec/wire-v15.md#request`).
///
/// It is moved many times on its way, so that what is large stands in a box, and the whole is at most 32
/// bytes. [`From`] puts it there: `Request::from(compile)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Are you there?
    Ping,
    /// Finish what is in flight and exit.
    Shutdown,
    /// How are you?
    Status,
    /// Is this key cached?
    Lookup(Lookup),
    /// Cache this.
    Store(Box<Store>),
    /// Open a session.
    SessionStart(Box<SessionStart>),
    /// Compile within a session.
    Compile(Box<Compile>),
    /// Close a session.
    SessionEnd(SessionId),
    /// Forget everything that is cached.
    Clear,
    /// Compile outside of any session.
    CompileEphemeral(Box<CompileEphemeral>),
    /// Link outside of any session.
    LinkEphemeral(Box<LinkEphemeral>),
    /// What happened in this session?
    SessionStats(SessionId),
    /// Has anything changed?
    FingerprintCheck(Box<FingerprintCheck>),
    /// What was checked succeeded.
    FingerprintMarkSuccess(FingerprintFile),
    /// What was checked failed.
    FingerprintMarkFailure(FingerprintFile),
    /// Forget what was checked.
    FingerprintInvalidate(FingerprintFile),
    /// Which Rust artifacts are cached?
    ListRustArtifacts,
    /// Run this tool.
    GenericToolExec(Box<GenericToolExec>),
    /// Let go of everything under this directory.
    ReleaseWorktreeHandles(ReleaseWorktreeHandles),
    /// Asks for the result of work that the client does itself.
    ExecProbe(Box<ExecProbe>),
    /// Stores the result of work that the client did itself.
    ExecStore(Box<ExecStore>),
}

/// Asks whether a key is cached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookup {
    /// The key.
    pub cache_key: String,
}

/// Asks to cache an artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Store {
    /// The key.
    pub cache_key: String,
    /// What to cache under it.
    pub artifact: ArtifactData,
}

/// Asks to let go of a directory, so that it can be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseWorktreeHandles {
    /// The directory.
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
            /// Every kind, in the order of the wire numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The variant's name, as the wire tables spell it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }

            /// The variant's number on wire v15.
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
            /// Which variant this is.
            #[must_use]
            pub const fn kind(&self) -> $kind {
                match self {
                    $(Self::$variant $(($inner))? => $kind::$variant,)*
                }
            }
        }
    };
}
pub(crate) use kinds;

/// Implements `From` for contents that only one variant has.
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
    /// Which request, without its contents.
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
    /// Returns true if sending such a request twice is harmless.
    ///
    /// The state is then as after sending it once, and the second answer serves the caller as well as the
    /// first. Only such a request may be sent again when it is not known whether the daemon acted on it.
    #[must_use]
    pub const fn is_idempotent(self) -> bool {
        match self {
            // They ask, and change nothing that a caller can see.
            Self::Ping | Self::Status | Self::Lookup | Self::SessionStats | Self::ListRustArtifacts => true,
            // A second store of a key leaves the first one in place and only answers `AlreadyExists`.
            Self::Store => true,
            // Setting the same mark again changes nothing.
            Self::FingerprintMarkSuccess | Self::FingerprintMarkFailure | Self::FingerprintInvalidate => true,
            // A probe asks; a second store of the same bytes replaces them with themselves.
            Self::ExecProbe | Self::ExecStore => true,
            // A second one opens a second session.
            Self::SessionStart => false,
            // The figures are in the first answer only.
            Self::SessionEnd => false,
            // A second one reports zeros, or removes what was stored in between; or ends the next daemon.
            Self::Clear | Self::Shutdown => false,
            // Tools run, write files and may have side effects.
            Self::Compile | Self::CompileEphemeral | Self::LinkEphemeral | Self::GenericToolExec => false,
            // A check records what it saw, so the second one compares with the first.
            Self::FingerprintCheck => false,
            // The counts are in the first answer only.
            Self::ReleaseWorktreeHandles => false,
        }
    }

    /// Returns true if a daemon may send [`CompileProgress`](crate::CompileProgress) before its answer.
    #[must_use]
    pub const fn may_report_progress(self) -> bool {
        matches!(self, Self::Compile | Self::CompileEphemeral)
    }
}

impl Request {
    /// Returns true if sending it twice is harmless; see [`RequestKind::is_idempotent`].
    #[must_use]
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
