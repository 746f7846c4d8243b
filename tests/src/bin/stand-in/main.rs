//! A tool for tests that run where no compiler and no shell is.
//!
//! Its behaviour follows from the name of its file: `gcc` is a compiler, `acts` does what its arguments say, `ends-early`,
//! `fails`, `never-answers` and `zccache-daemon` are daemons that do not serve, `floods` prints as many bytes as it is told,
//! `starts-another` waits for a child, and every other name prints its arguments.
#![forbid(unsafe_code)]

mod acts;
mod compiler;
mod daemon;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Runs the tool that the file's name asks for.
fn main() -> io::Result<()> {
    let own = std::env::current_exe()?;
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let code = match own.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default() {
        "acts" => acts::run(&own, &arguments)?,
        "gcc" => compiler::run(&own, &arguments),
        "fails" => daemon::fail(&own)?,
        "floods" => flood(&arguments)?,
        "starts-another" => daemon::start_another(&own)?,
        "ends-early" => daemon::end_early(&arguments)?,
        "never-answers" | "zccache-daemon" => daemon::never_answer(&own, &arguments)?,
        _ => print(&arguments)?,
    };
    std::process::exit(code.cast_signed())
}

/// Prints each argument on a line to standard output and a line to standard error; returns `STAND_IN_CODE`.
fn print(arguments: &[String]) -> io::Result<u32> {
    let mut output = io::stdout().lock();
    for argument in arguments {
        writeln!(output, "[{argument}]")?;
    }
    output.flush()?;
    // No line end: streams are passed on byte for byte.
    io::stderr().lock().write_all(b"told\rby\0stand-in")?;
    Ok(variable("STAND_IN_CODE").and_then(|code| code.parse().ok()).unwrap_or(0))
}

/// Prints as many zero bytes as the first argument says; returns the second one.
fn flood(arguments: &[String]) -> io::Result<u32> {
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    io::copy(&mut io::Read::take(io::repeat(0), number(0).into()), &mut io::stdout().lock())?;
    Ok(number(1))
}

/// Returns the value of a variable.
fn variable(name: &str) -> Option<String> {
    std::env::vars().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// Returns the path of a file beside `own`.
fn beside(own: &Path, name: &str) -> PathBuf {
    own.with_file_name(name)
}
