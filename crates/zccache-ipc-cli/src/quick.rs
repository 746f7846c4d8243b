//! Command lines that builds run thousands of times, understood without making the grammar of all others.
//!
//! Whatever is not one of them, or not quite, is clap's: what is typed means the same to both.

use std::ffi::OsString;

use crate::args::{Arguments, Global, Verb};

/// Reads `ping` with `--endpoint` and `--json`, each as a word of its own; `None` for everything else.
pub(crate) fn parse(arguments: &[OsString]) -> Option<Arguments> {
    let mut words = arguments.get(1..)?.iter();
    let mut global = Global { endpoint: None, cache_dir: None, timeout: None, wire: None, json: false };
    let mut verb = None;
    while let Some(word) = words.next() {
        match word.to_str()? {
            "ping" if verb.is_none() => verb = Some(Verb::Ping),
            "--json" if !global.json => global.json = true,
            "--endpoint" if global.endpoint.is_none() => {
                // A value that looks like an option is for clap to refuse.
                let value = words.next()?.to_str().filter(|value| !value.starts_with('-'))?;
                global.endpoint = Some(value.to_owned());
            }
            _ => return None,
        }
    }
    Some(Arguments { global, verb: verb? })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn the_quick_parser_agrees_with_clap() {
        let check = |line: &str, quick: bool| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let parsed = parse(&words);
            assert_eq!(parsed.is_some(), quick, "{line}");
            if let Some(parsed) = parsed {
                let theirs = Arguments::try_parse_from(&words).expect("clap takes it too");
                assert_eq!(format!("{parsed:?}"), format!("{theirs:?}"), "{line}");
            }
        };
        check("zccache-ipc ping", true);
        check("zccache-ipc --endpoint /x ping", true);
        check("zccache-ipc ping --endpoint /x", true);
        check("zccache-ipc --json ping --endpoint ping", true);
        check("zccache-ipc --endpoint  ping", true);
        check("zccache-ipc --endpoint=/x ping", false);
        check("zccache-ipc --endpoint", false);
        check("zccache-ipc --endpoint --json ping", false);
        check("zccache-ipc --endpoint /x --endpoint /y ping", false);
        check("zccache-ipc --wire v15 ping", false);
        check("zccache-ipc ping ping", false);
        check("zccache-ipc ping --help", false);
        check("zccache-ipc --endpoint /x", false);
        check("zccache-ipc", false);
    }
}
