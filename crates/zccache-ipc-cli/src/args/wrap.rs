//! Arguments of `wrap`, `zccache-wrap` and `explain`.

use std::ffi::OsString;

use clap::{Args, Parser};

use super::{Global, WRAPPER};

/// A call of a compiler.
#[derive(Debug, Args)]
pub(crate) struct Compilation {
    /// The compiler and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMPILER ARGS"
    )]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Wrap {
    /// Start no daemon; without one the compiler runs uncached
    #[arg(long)]
    pub(crate) no_start: bool,
    #[command(flatten)]
    pub(crate) compilation: Compilation,
}

/// Run a compiler with a cache in front of it; a call that is not cached is executed untouched
#[derive(Debug, Parser)]
#[command(name = WRAPPER, version, max_term_width = 100)]
#[command(
    after_help = "Examples:\n  make CC='zccache-wrap cc'\n  zccache-wrap cc -O2 -c main.c -o main.o\n\n\
    The exit code is the compiler's. A daemon is started if no daemon listens. A link to this program that is \
    named cc, gcc, clang++-14, … runs the next program of that name on PATH."
)]
pub(crate) struct Wrapper {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(flatten)]
    pub(crate) wrap: Wrap,
}
