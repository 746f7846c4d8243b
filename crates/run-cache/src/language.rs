//! Languages of sources.

use std::path::Path;

/// The language of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Language {
    /// C or C++.
    #[default]
    C,
    Cxx,
    /// Assembler that is preprocessed: `.S`.
    AssemblerWithCpp,
    /// Assembler that is not: `.s`.
    Assembler,
    /// A header to precompile.
    CHeader,
    CxxHeader,
}

impl Language {
    /// Returns the language that `-x name` stands for.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "c" => Self::C,
            "c++" => Self::Cxx,
            "assembler-with-cpp" => Self::AssemblerWithCpp,
            "assembler" => Self::Assembler,
            "c-header" => Self::CHeader,
            "c++-header" => Self::CxxHeader,
            _ => return None,
        })
    }

    /// Returns the language that the ending of `source` stands for, given to a driver of C++ or not.
    pub(crate) fn of(source: &str, is_cxx: bool) -> Option<Self> {
        Some(match Path::new(source).extension()?.to_str()? {
            "c" if is_cxx => Self::Cxx,
            "c" => Self::C,
            "cc" | "cp" | "cxx" | "cpp" | "CPP" | "c++" | "C" => Self::Cxx,
            "S" | "sx" => Self::AssemblerWithCpp,
            "s" => Self::Assembler,
            "h" if is_cxx => Self::CxxHeader,
            "h" => Self::CHeader,
            "hh" | "H" | "hp" | "hxx" | "hpp" | "HPP" | "h++" | "tcc" => Self::CxxHeader,
            _ => return None,
        })
    }

    /// Returns the name that `-x` takes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::C | Self::CHeader => "c",
            Self::Cxx | Self::CxxHeader => "c++",
            Self::AssemblerWithCpp | Self::Assembler => "assembler-with-cpp",
        }
    }

    /// Returns true for a header that is precompiled.
    pub(crate) const fn is_header(self) -> bool {
        matches!(self, Self::CHeader | Self::CxxHeader)
    }

    /// Returns true if the preprocessor reads the source.
    pub(crate) const fn is_preprocessed(self) -> bool {
        !matches!(self, Self::Assembler)
    }

    /// Returns true if the source is assembler.
    pub(crate) const fn is_assembler(self) -> bool {
        matches!(self, Self::Assembler | Self::AssemblerWithCpp)
    }
}
