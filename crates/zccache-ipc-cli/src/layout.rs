//! Text that fits a terminal.

use std::io::{self, IsTerminal as _};

use terminal_size::{Width, terminal_size_of};

use crate::style::Paint;

/// Returns the columns of the terminal that shows the standard output; `None` for a file or a pipe.
pub(crate) fn columns() -> Option<usize> {
    /// For a terminal that does not tell.
    const COLUMNS: usize = 80;
    let out = io::stdout();
    let width = || terminal_size_of(io::stdout()).map_or(COLUMNS, |(Width(width), _)| usize::from(width));
    out.is_terminal().then(width)
}

/// Returns the columns that `text` takes, without its control codes for colours.
pub(crate) fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(|part| part.chars().count()).sum()
}

/// Lays out names and values in two columns, in lines of at most `columns`.
pub(crate) fn rows(rows: Vec<[String; 2]>, columns: Option<usize>, paint: Paint) -> String {
    let longest = rows.iter().map(|[name, _]| name.chars().count()).max().unwrap_or_default();
    let indent = longest + 2;
    let line = |[name, value]: &[String; 2]| {
        let gap = indent - name.chars().count();
        format!("{}{:gap$}{}", paint.label(name), "", hanging(value, indent, columns))
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Breaks `text` between words, so that it fits `columns` behind `indent` columns.
///
/// The first line begins behind the indent already. A word that is too long stays whole.
pub(crate) fn hanging(text: &str, indent: usize, columns: Option<usize>) -> String {
    /// Narrower text is harder to read than text that the terminal breaks.
    const NARROWEST: usize = 24;
    let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(indent).max(NARROWEST));
    let mut lines = Vec::new();
    for paragraph in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let mut line = String::new();
        let mut length = 0;
        for word in paragraph.split(' ') {
            let word_length = word.chars().count();
            if length > 0 && length + 1 + word_length > room {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += word_length;
        }
        lines.push(line);
    }
    lines.join(&format!("\n{:indent$}", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_between_words_and_hangs_below_its_beginning() {
        let check = |text: &str, columns: Option<usize>, expected: &str| {
            assert_eq!(hanging(text, 2, columns), expected);
        };
        let text = "one daemon for each endpoint of a user";
        check(text, None, text);
        check(text, Some(40), text);
        check(text, Some(39), "one daemon for each endpoint of a\n  user");
        check(text, Some(10), "one daemon for each\n  endpoint of a user");
        check(
            "/a/very/long/path/that/has/no/blanks x",
            Some(10),
            "/a/very/long/path/that/has/no/blanks\n  x",
        );
        check("first\n\nsecond\n", Some(80), "first\n  second");
    }
}
