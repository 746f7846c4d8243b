//! Width of messages: clang wraps them where standard error is a terminal and `COLUMNS` says how wide it is.
//!
//! The standard error of the one run is a pipe, so an argument tells clang the width.

use crate::call::Call;
use crate::compiler::Family;
use crate::plan::Plan;

/// Returns the argument that makes the compiler wrap messages as it would on the caller's terminal.
///
/// gcc only cuts the lines of sources that it quotes there, and has no argument for that.
pub(crate) fn argument(plan: &Plan) -> Option<String> {
    let width = columns(&plan.call).filter(|_| plan.driver.family == Family::Clang)?;
    Some(format!("-fmessage-length={width}"))
}

/// Returns the width of the caller's terminal, if its messages go to one and a variable tells the width.
pub(crate) fn columns(call: &Call) -> Option<u32> {
    // As `atoi` reads a number: digits at the beginning.
    let text = call.variable("COLUMNS").filter(|_| call.terminal)?.trim_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok().filter(|width| *width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_of_a_known_width_has_one() {
        let check = |value: Option<&str>, terminal: bool, expected: Option<u32>| {
            let env = value.map(|value| ("COLUMNS".to_owned(), value.to_owned()));
            let call = Call {
                program: "/usr/bin/clang".into(),
                name: "clang".into(),
                args: Vec::new(),
                env: env.into_iter().collect(),
                cwd: "/".into(),
                colour: false,
                terminal,
                base_dir: None,
            };
            assert_eq!(columns(&call), expected, "{value:?}");
        };
        check(Some("80"), true, Some(80));
        check(Some(" +40 "), true, Some(40));
        check(Some("80"), false, None);
        check(None, true, None);
        for value in ["", "0", "-5", "wide", "99999999999"] {
            check(Some(value), true, None);
        }
    }
}
