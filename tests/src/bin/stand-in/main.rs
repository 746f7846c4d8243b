//! A tool for tests that run where no compiler and no shell is: it prints its arguments and ends as it is told.
#![forbid(unsafe_code)]

use std::io::{self, Write as _};

/// Prints each argument on a line to standard output, a line to standard error, and ends with the code in `STAND_IN_CODE`.
fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for argument in std::env::args_os().skip(1) {
        writeln!(output, "[{}]", argument.to_string_lossy())?;
    }
    output.flush()?;
    // No line end: streams are passed on byte for byte.
    io::stderr().lock().write_all(b"told\rby\0stand-in")?;
    let code = std::env::vars().find(|(name, _)| name == "STAND_IN_CODE").map(|(_, code)| code);
    let code = code.and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
    std::process::exit(code.cast_signed())
}
