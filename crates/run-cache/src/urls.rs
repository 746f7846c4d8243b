//! Links in messages: gcc 10 and later writes them where standard error is a terminal.
//!
//! The standard error of the one run is a pipe, so an argument gives gcc the decision that it would take on the terminal.
//! With debug information gcc records that argument in the object, which must be the same on every terminal: then the
//! messages have no links.

use std::path::Path;

use crate::call::Call;
use crate::compiler::Family;
use crate::facts::Facts;
use crate::plan::Plan;

/// The first release of gcc that knows the argument.
const SINCE: u32 = 10;

/// Returns the argument that makes the compiler write links, if it would write them on the caller's terminal.
pub(crate) fn argument(plan: &Plan, facts: &Facts) -> Option<String> {
    let version = Path::new(&facts.program).parent()?.file_name()?.to_str()?;
    let major: u32 = version.split('.').next()?.parse().ok()?;
    (are_wanted(plan) && major >= SINCE).then(|| "-fdiagnostics-urls=always".to_owned())
}

/// Returns true if the compiler would write links on the caller's terminal, and may be told to without a trace.
pub(crate) fn are_wanted(plan: &Plan) -> bool {
    let may_be_told = plan.driver.family == Family::Gcc && !plan.args.tells_directory;
    may_be_told && plan.call.colour && are_written(&plan.call)
}

/// Returns true if gcc takes a terminal with these variables for one that understands links.
///
/// These are the rules of gcc's `auto_enable_urls`.
fn are_written(call: &Call) -> bool {
    let colour_term = call.variable("COLORTERM");
    if matches!(colour_term, Some("xfce4-terminal" | "gnome-terminal")) {
        return false;
    }
    if call.variable("GCC_URLS").is_some() || call.variable("TERM_URLS").is_some() {
        return true;
    }
    colour_term.is_some() || !matches!(call.variable("TERM"), Some("xterm" | "linux"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_understands_links_unless_its_variables_say_otherwise() {
        let check = |variables: &[(&str, &str)], expected: bool| {
            let env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let call = Call {
                program: "/usr/bin/gcc".into(),
                name: "gcc".into(),
                args: Vec::new(),
                env: env.collect(),
                cwd: "/".into(),
                colour: true,
                terminal: true,
                base_dir: None,
            };
            assert_eq!(are_written(&call), expected, "{variables:?}");
        };
        check(&[("TERM", "xterm-256color")], true);
        check(&[("TERM", "xterm")], false);
        check(&[("TERM", "linux")], false);
        check(&[("TERM", "xterm"), ("COLORTERM", "truecolor")], true);
        check(&[("TERM", "xterm"), ("GCC_URLS", "st")], true);
        check(&[("TERM", "screen"), ("COLORTERM", "gnome-terminal"), ("TERM_URLS", "st")], false);
    }
}
