//! Why a call is not cached, and why a result is not kept.

use std::fmt;

/// Why a call runs without looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCacheable {
    /// The argument that says so, where it is one.
    pub argument: Option<String>,
    /// The reason.
    pub reason: Reason,
}

impl NotCacheable {
    pub(crate) fn of(argument: &str, reason: Reason) -> Self {
        Self { argument: Some(argument.to_owned()), reason }
    }
}

impl From<Reason> for NotCacheable {
    fn from(reason: Reason) -> Self {
        Self { argument: None, reason }
    }
}

impl fmt::Display for NotCacheable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.argument {
            Some(argument) => write!(f, "{argument}: {}", self.reason),
            None => self.reason.fmt(f),
        }
    }
}

impl std::error::Error for NotCacheable {}

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal, $sentence:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $sentence] $variant,)*
        }

        impl $name {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the word that logs and counters use.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $sentence),* })
            }
        }
    };
}

reasons! {
    /// Reasons for which a call is not looked up.
    Reason {
        NotACompiler = "not_a_compiler", "the program is not a gcc or clang driver that is known";
        UnknownArgument = "unknown_argument", "this argument is not known to be harmless";
        RefusedArgument = "refused_argument", "a call with this argument is never cached";
        MissingValue = "missing_value", "the argument lacks its value";
        NotACompilation = "not_a_compilation", "the call does not compile to an object";
        Sources = "not_one_source", "the call does not have exactly one source";
        SourceKind = "source_kind", "the input is no source of a language that is cached";
        Descriptor = "descriptor", "the argument names a file descriptor, a device or a pipe";
        ResponseFile = "response_file", "the response file cannot be read or is not plain text";
        Output = "output", "the output is not a plain file";
        OutputIsInput = "output_is_input", "the output is also an input";
        Depfile = "depfile", "the depfile cannot be named, or nothing asks for one";
        Environment = "environment", "a variable has an effect on the compiler that cannot be followed";
        Encoding = "encoding", "a path or argument is not Unicode";
        SourceUnreadable = "source_unreadable", "the source cannot be read";
        TemporaryFiles = "temporary_files", "no directory for temporary files can be written to";
        CompilerSilent = "compiler_silent", "the compiler does not tell where it looks for headers";
    }
}

reasons! {
    /// Why the result of a run is not kept.
    NotKept {
        Failed = "failed", "the compiler did not succeed";
        NoOutput = "no_output", "the compiler did not write every output";
        InputChanged = "input_changed", "an input changed while the compiler ran";
        InputUnknown = "input_unknown", "an input cannot be named";
        InputUnreadable = "input_unreadable", "an input cannot be read or is no plain file";
        OutputIsInput = "output_is_input", "an output is also an input";
        OutputShared = "output_shared", "another compiler wrote to the same output";
        Time = "time", "a source asks for the time or date";
        ComputedInclude = "computed_include", "a name after __has_include or #include is a macro";
        HiddenInput = "hidden_input", "a source may read files that nothing lists";
        Configuration = "configuration", "the compiler reads a configuration file";
        LineNames = "line_names", "a message quotes a file that a #line directive names";
        TooLarge = "too_large", "the result has more inputs or bytes than can be kept";
        Directory = "directory", "the result may name a directory that its key leaves out";
        Refused = "refused", "the daemon did not take the result";
    }
}

impl std::error::Error for NotKept {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn log_words_are_distinct_and_plain() {
        for words in [
            Reason::ALL.iter().map(|reason| reason.word()).collect::<Vec<_>>(),
            NotKept::ALL.iter().map(|reason| reason.word()).collect::<Vec<_>>(),
        ] {
            assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
            assert!(
                words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
            );
        }
    }
}
