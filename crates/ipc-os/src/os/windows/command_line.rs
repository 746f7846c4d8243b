//! A command in the system's form: one line, and one block of variables.

use std::{ffi::OsStr, io, os::windows::ffi::OsStrExt, process::Command};

use super::wide::wide;

const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;

/// Returns the program and its arguments as one line, with a zero at its end.
pub(super) fn command_line(command: &Command) -> io::Result<Vec<u16>> {
    let mut line = Vec::new();
    for word in [command.get_program()].into_iter().chain(command.get_args()) {
        if !line.is_empty() {
            line.push(u16::from(b' '));
        }
        let mut units = wide(word)?;
        units.pop();
        push_word(&mut line, &units);
    }
    line.push(0);
    Ok(line)
}

/// Appends one word in quotes, as the C runtime of the program splits the line.
///
/// Backslashes before a quote are doubled.
fn push_word(line: &mut Vec<u16>, word: &[u16]) {
    line.push(QUOTE);
    let mut backslashes = 0;
    for &unit in word {
        if unit == QUOTE {
            line.extend(std::iter::repeat_n(BACKSLASH, backslashes + 1));
        }
        backslashes = if unit == BACKSLASH { backslashes + 1 } else { 0 };
        line.push(unit);
    }
    line.extend(std::iter::repeat_n(BACKSLASH, backslashes));
    line.push(QUOTE);
}

/// Returns the block of the variables of `command`, without variables of this process.
pub(super) fn environment(command: &Command) -> io::Result<Vec<u16>> {
    let mut block = Vec::new();
    for (name, value) in command.get_envs() {
        let Some(value) = value else { continue };
        for part in [name, OsStr::new("="), value] {
            // A zero would end the block.
            wide(part)?;
            block.extend(part.encode_wide());
        }
        block.push(0);
    }
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_so_that_the_program_gets_them_back() {
        #[track_caller]
        fn check(words: &[&str], expected: &str) {
            let mut command = Command::new("p");
            command.args(words);
            let mut line = command_line(&command).unwrap();
            assert_eq!(line.pop(), Some(0));
            assert_eq!(String::from_utf16(&line).unwrap(), expected);
        }
        check(&[], r#""p""#);
        check(&["", "a b"], r#""p" "" "a b""#);
        check(&[r#"say "hi""#], r#""p" "say \"hi\"""#);
        check(&[r"C:\a b\"], r#""p" "C:\a b\\""#);
        check(&[r#"a\\"b"#, r"a\\b"], r#""p" "a\\\\\"b" "a\\b""#);
        check(&["ä€😀"], "\"p\" \"ä€😀\"");
        assert!(command_line(Command::new("p").arg("a\0b")).is_err());
    }

    #[test]
    fn the_block_of_variables_ends_with_two_zeros() {
        let mut command = Command::new("p");
        command.env_clear();
        assert_eq!(environment(&command).unwrap(), [0, 0]);
        command.env("A", "1");
        assert_eq!(environment(&command).unwrap(), [65, 61, 49, 0, 0]);
    }
}
