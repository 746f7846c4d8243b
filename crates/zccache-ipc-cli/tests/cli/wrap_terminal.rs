//! Messages on a terminal: with colours and links, as the compiler itself writes them there.

use std::time::Duration;

use testkit::watchdog;

use crate::support::SOON;
use crate::terminal;
use crate::wrap_place::{Place, compilers};

/// Runs a line of sh on a terminal, and returns what it shows.
fn on_terminal(place: &Place, line: &str, variables: &[(&str, &str)]) -> String {
    let (terminal, theirs) = terminal::open(200);
    let mut command = place.command(line);
    command.stdout(theirs.try_clone().expect("a second one")).stderr(theirs).envs(variables.iter().copied());
    let mut child = command.spawn().expect("there is a shell");
    drop(command);
    let mut text = String::new();
    while child.try_wait().expect("it is ours").is_none() {
        text.push_str(&terminal.read(Duration::from_millis(20)));
    }
    text + &terminal.read(Duration::from_millis(50))
}

#[test]
fn a_warning_on_a_terminal_looks_as_without_the_wrapper() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { int unused; return 1; }\n");
    place.quietly("\"$W\" gcc -c a.c");
    for compiler in compilers(&place) {
        for variables in [
            &[("TERM", "xterm-256color")][..],
            &[("TERM", "xterm")],
            &[("TERM", "xterm"), ("COLORTERM", "truecolor")],
            &[("TERM", "dumb")],
            &[],
        ] {
            let direct = on_terminal(&place, &format!("{compiler} -Wall -c a.c"), variables);
            assert!(direct.contains("unused"), "{direct}");
            for round in 1..=2 {
                let wrapped = on_terminal(&place, &format!("\"$W\" {compiler} -Wall -c a.c"), variables);
                assert_eq!(wrapped, direct, "{compiler}, {variables:?}, round {round}");
            }
        }
    }
    assert!(place.hits() >= 3);
}

#[test]
fn an_argument_about_colours_does_what_it_does_without_the_wrapper() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { int unused; return 1; }\n");
    place.quietly("\"$W\" gcc -c a.c");
    let variables = [("TERM", "xterm-256color")];
    for compiler in compilers(&place) {
        for argument in [
            "-fdiagnostics-color=auto",
            "-fdiagnostics-color=never -fdiagnostics-color=auto",
            "-fdiagnostics-color=auto -fdiagnostics-color=never",
            "-fdiagnostics-color",
            "-fdiagnostics-plain-output",
            "-fdiagnostics-plain-output -fdiagnostics-color=auto",
        ] {
            let line = format!("{compiler} {argument} -Wall -c a.c");
            let direct = on_terminal(&place, &line, &variables);
            for round in 1..=2 {
                let wrapped = on_terminal(&place, &format!("\"$W\" {line}"), &variables);
                assert_eq!(wrapped, direct, "{line}, round {round}");
            }
        }
    }
}

#[test]
fn clang_wraps_its_messages_at_the_width_that_a_variable_tells() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    place.write(
        "a.c",
        "int f(void) { int a_variable_with_a_name_that_is_far_too_long_for_this; return 1; }\n",
    );
    place.quietly("\"$W\" gcc -c a.c");
    for compiler in compilers(&place).into_iter().filter(|compiler| compiler.contains("clang")) {
        for term in ["xterm", "dumb"] {
            // The second width must not be served with the messages of the first one.
            for columns in ["40", "60", "40"] {
                let variables = [("TERM", term), ("COLUMNS", columns)];
                let direct = on_terminal(&place, &format!("{compiler} -Wall -c a.c"), &variables);
                for round in 1..=2 {
                    let wrapped = on_terminal(&place, &format!("\"$W\" {compiler} -Wall -c a.c"), &variables);
                    assert_eq!(wrapped, direct, "{compiler}, {variables:?}, round {round}");
                }
            }
        }
    }
}
