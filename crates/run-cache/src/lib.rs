//! A compiler run as a value: what its command line says, its key, its inputs and its outputs.
//!
//! # The way
//!
//! 1. [`plan`] reads the command line. A call that is not understood is [`NotCacheable`]: its caller runs the compiler
//!    untouched.
//! 2. [`Plan::seek`] makes the key of a *manifest*: of the compiler's identity, the arguments, the variables that count,
//!    the directory where the result tells it, and the contents of the source. The manifest lists the sets of inputs
//!    that this call had so far: files with their contents, and names that were looked for and missing. A set that is as it
//!    was names a result.
//! 3. On a [`Hit`] the outputs are put in their places, and the messages are printed again.
//! 4. On a [`Miss`] the caller runs the compiler once, with [`Miss::args`]: its own arguments and at most two more, by
//!    which the preprocessor and the assembler list what they read into private files. [`Miss::finish`] gathers the
//!    inputs from these lists and keeps the result, unless an input changed since the run began, an output is an
//!    input, or an input cannot be named.
//!
//! A warm hit runs no other process. It costs one read of the source and one look at each input: a file whose device,
//! inode, length and times are those of the manifest is not read, and a directory that has not changed since still does
//! not have the names that it did not have.
//!
//! # How absent names are found
//!
//! Every file that was read is searched for the names that it spells behind `#include` and `__has_include`; conditions are
//! not evaluated. Each name is looked for along the search path, as the compiler looks, and every place before the one that
//! is found is an input: nothing may appear there. A name that a macro makes up is derived from the list of files that were
//! read; where that does not work, the result is not kept.
//!
//! Not here: the wire, the daemon, and how a process is started. Values are kept by a [`Shelf`], and the compiler is asked
//! of itself by an [`Ask`].
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aliased;
mod arguments;
mod around;
mod asking;
mod assembled;
mod assembly;
mod before;
mod blanks;
mod bundle;
mod call;
mod check;
mod claim;
mod codec;
mod compiler;
mod computed;
mod configured;
mod defined;
mod depfile;
mod descriptors;
mod environment;
mod explanation;
mod facts;
mod flags;
mod hit;
mod inputs;
mod key;
mod language;
mod libraries;
mod loaded;
mod manifest;
mod manifest_codec;
mod place;
mod plan;
mod pragmas;
mod precompiled;
mod private;
pub mod probe;
mod programs;
mod reading;
mod reason;
mod record;
mod response;
mod search;
mod shelf;
mod spelled;
mod times;
mod toolchain;
mod unchanged;
mod urls;
mod vacancies;
mod way;
mod width;
mod words;

pub use bundle::MOST_VALUE;
pub use call::{Ask, Call, Ran};
pub use check::Differs;
#[doc(hidden)] // for tests with changed bytes
pub use depfile::prerequisites;
pub use descriptors::{Descriptor, descriptor_in, names_files};
pub use environment::is_relevant;
pub use explanation::Explanation;
pub use flags::markdown;
pub use hit::Hit;
pub use key::{Key, Kind};
pub use place::Role;
pub use plan::{Plan, plan};
pub use reason::{NotCacheable, NotKept, Reason};
pub use shelf::Shelf;
pub use way::{Miss, Seeking, Sought};
