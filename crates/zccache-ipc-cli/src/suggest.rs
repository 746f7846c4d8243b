//! Command lines in advice, for the daemon that the user's own command line chose.

use std::ffi::OsStr;

use zccache_ipc::endpoint::{Endpoint, Environment, shell_word};

use crate::args::{Arguments, Global, PROGRAM, Session, Verb};

/// The options that a suggested command line repeats.
///
/// These are the options that choose a daemon: `--cache-dir`, `--endpoint` and `--wire`. `--timeout` and `--json` are
/// for one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Suggest {
    cache_dir: Option<String>,
    endpoint: Option<String>,
    wire: Option<&'static str>,
    /// The options and the environment, from which endpoints are derived only if an advice names one.
    origin: Option<Origin>,
    /// True if a daemon that `start` starts must be private.
    is_private: bool,
    /// The daemon's program and its own arguments, for `start`.
    program: Option<String>,
    arguments: Vec<String>,
}

/// Returns true if the options and the environment lead to the endpoint.
type LeadsTo = fn(&Global, &Environment, &Endpoint) -> bool;

#[derive(Debug, Clone)]
struct Origin {
    global: Global,
    environment: Environment,
    leads_to: LeadsTo,
}

impl Suggest {
    /// Returns the options of `arguments`.
    pub(crate) fn of(arguments: &Arguments) -> Self {
        let global = &arguments.global;
        let word = |text: &OsStr| shell_word(&text.to_string_lossy());
        let mut suggest = Self {
            cache_dir: global.cache_dir.as_deref().map(|dir| word(dir.as_os_str())),
            endpoint: global.endpoint.as_deref().map(shell_word),
            wire: global.wire.map(super::args::wire_word),
            ..Self::default()
        };
        if let Verb::Start(start) = &arguments.verb {
            suggest.program = start.daemon_binary.as_deref().map(|path| word(path.as_os_str()));
            suggest.arguments = start.daemon_words().iter().map(|argument| word(argument)).collect();
        }
        if let Verb::Session(Session::Start(start)) = &arguments.verb {
            suggest.is_private = start.asks_for_private();
        }
        suggest
    }

    /// Sets the options and the environment, so that advice for an endpoint to which they lead does not name it.
    pub(crate) fn leading_from(
        mut self,
        global: &Global,
        environment: &Environment,
        leads_to: LeadsTo,
    ) -> Self {
        let (global, environment) = (global.clone(), environment.clone());
        self.origin = Some(Origin { global, environment, leads_to });
        self
    }

    /// Returns the command line of `verb` with the given options.
    pub(crate) fn verb(&self, verb: &str) -> String {
        self.line(self.endpoint.as_deref(), verb)
    }

    /// Returns the command line of `verb` for the daemon at `endpoint`, which is named if the options do not lead
    /// there.
    pub(crate) fn at(&self, endpoint: &Endpoint, verb: &str) -> String {
        let leads_here = |origin: &Origin| (origin.leads_to)(&origin.global, &origin.environment, endpoint);
        if self.origin.as_ref().is_some_and(leads_here) {
            return self.verb(verb);
        }
        self.line(Some(&shell_word(endpoint.as_str())), verb)
    }

    /// Returns the command line that runs the daemon of `start` at `endpoint` in the foreground.
    pub(crate) fn foreground(&self, endpoint: &Endpoint) -> String {
        let program = self.program.as_deref().unwrap_or("zccache-daemon");
        let mut words = vec![program.to_owned(), "--foreground".to_owned()];
        if let Some(dir) = &self.cache_dir {
            words.extend(["--cache-dir".to_owned(), dir.clone()]);
        }
        words.extend(["--endpoint".to_owned(), shell_word(endpoint.as_str())]);
        words.extend(self.arguments.iter().cloned());
        words.join(" ")
    }

    fn line(&self, endpoint: Option<&str>, verb: &str) -> String {
        let options =
            [("--cache-dir", self.cache_dir.as_deref()), ("--endpoint", endpoint), ("--wire", self.wire)];
        let mut words = vec![PROGRAM.to_owned()];
        for (name, value) in options {
            words.extend(value.map(|value| format!("{name} {value}")));
        }
        words.push(verb.to_owned());
        words.extend((self.is_private && verb == "start").then(|| "-- --private".to_owned()));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use zccache_ipc::endpoint::Platform;

    use super::*;

    /// Returns a line with the words of a shell of this platform.
    fn quoted(line: &str) -> String {
        line.replace("'/e e'", &shell_word("/e e")).replace("'a$b'", &shell_word("a$b"))
    }

    #[test]
    fn a_suggested_command_repeats_the_options_that_choose_a_daemon() {
        let check = |line: &str, verb: &str, at: &str| {
            let suggest = Suggest::of(&Arguments::try_parse_from(line.split(' ')).expect("it is valid"));
            assert_eq!(suggest.verb("start"), verb, "{line}");
            assert_eq!(suggest.at(&Endpoint::from("/e e"), "start"), quoted(at), "{line}");
        };
        check("zccache-ipc ping", "zccache-ipc start", "zccache-ipc --endpoint '/e e' start");
        check(
            "zccache-ipc --timeout 1 --json --cache-dir c doctor --wire V15",
            "zccache-ipc --cache-dir c --wire v15 start",
            "zccache-ipc --cache-dir c --endpoint '/e e' --wire v15 start",
        );
        check(
            "zccache-ipc status --endpoint /x",
            "zccache-ipc --endpoint /x start",
            "zccache-ipc --endpoint '/e e' start",
        );
    }

    #[test]
    fn an_endpoint_to_which_the_options_lead_is_not_named() {
        let arguments =
            Arguments::try_parse_from(["zccache-ipc", "--cache-dir", "c", "ping"]).expect("it is valid");
        let environment = Environment::new(Platform::Linux, "/");
        let leads_to: LeadsTo = |_, _, endpoint| *endpoint == Endpoint::from("/c/s");
        let suggest = Suggest::of(&arguments).leading_from(&arguments.global, &environment, leads_to);
        assert_eq!(suggest.at(&Endpoint::from("/c/s"), "start"), "zccache-ipc --cache-dir c start");
        assert_eq!(
            suggest.at(&Endpoint::from("/o"), "start"),
            "zccache-ipc --cache-dir c --endpoint /o start"
        );
    }

    #[test]
    fn a_suggested_daemon_gets_the_arguments_that_start_was_given() {
        let check = |line: &str, expected: &str| {
            let suggest = Suggest::of(&Arguments::try_parse_from(line.split(' ')).expect("it is valid"));
            assert_eq!(suggest.foreground(&Endpoint::from("/e")), quoted(expected), "{line}");
        };
        check("zccache-ipc start", "zccache-daemon --foreground --endpoint /e");
        check(
            "zccache-ipc --cache-dir c start --daemon-binary ./d --max-size 2GiB -- --max-tools 3 a$b",
            "./d --foreground --cache-dir c --endpoint /e --max-tools 3 'a$b' --max-size 2GiB",
        );
    }
}
