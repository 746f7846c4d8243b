//! The table of results.

use std::fmt::Write as _;
use std::time::Duration;

/// The result of one test program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) program: String,
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// Tests in the list, which were not run.
    pub(super) listed: usize,
    /// Tests that their attribute leaves out, as everywhere.
    pub(super) ignored: usize,
    /// Tests that passed when they were run once more and alone; `passed` counts them too.
    pub(super) again: Vec<String>,
    pub(super) took: Duration,
    /// Why the program's own summary is missing: it crashed or exceeded its time.
    pub(super) trouble: Option<String>,
}

impl Row {
    pub(super) fn is_good(&self) -> bool {
        self.failed == 0 && self.trouble.is_none()
    }
}

/// Returns the table of `rows`, with their sum in the last line.
pub(super) fn of(rows: &[Row]) -> String {
    let mut sum = Row { program: format!("{} programs", rows.len()), ..Row::default() };
    for row in rows {
        sum.passed += row.passed;
        sum.failed += row.failed;
        sum.listed += row.listed;
        sum.ignored += row.ignored;
        sum.again.extend(row.again.iter().cloned());
        sum.took += row.took;
    }
    let width = rows.iter().map(|row| row.program.len()).max().unwrap_or(0).max(12);
    let mut text = format!("{:width$}    run passed failed again listed ignored seconds\n", "program");
    for row in rows.iter().chain([&sum]) {
        let Row { program, passed, failed, again, listed, ignored, took, trouble } = row;
        let (run, seconds) = (passed + failed, took.as_secs_f64());
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{program:width$} {run:6} {passed:6} {failed:6} {:5} {listed:6} {ignored:7} {seconds:7.1}",
            again.len()
        );
        if let Some(trouble) = trouble {
            let _ = write!(text, "  {trouble}");
        }
        text.push('\n');
    }
    for row in rows {
        for test in &row.again {
            let _ = writeln!(text, "passed only when run again and alone: {} {test}", row.program);
        }
    }
    text
}

/// Returns true if `test` passed, or its attribute leaves it out.
pub(super) fn is_done(printed: &str, test: &str) -> bool {
    // Alone, a test can print into its own line.
    let alone = printed.contains("running 1 test\n") && printed.contains("test result: ok. 1 passed");
    alone
        || printed.lines().filter_map(|line| result(line, test)).any(|(mark, result)| {
            matches!(mark, "" | " - should panic") && (result == "ok" || result.starts_with("ignored"))
        })
}

/// Returns the two parts of the line that has the result of `test`.
fn result<'a>(line: &'a str, test: &str) -> Option<(&'a str, &'a str)> {
    line.strip_prefix("test ")?.strip_prefix(test)?.split_once(" ... ")
}

/// Reads what the test program `program` printed.
///
/// Without a summary the tests are counted one by one, because a crash and an exceeded time leave none.
pub(super) fn read(program: &str, printed: &str) -> Row {
    let mut row = Row { program: program.to_owned(), ..Row::default() };
    let mut summary = false;
    for line in printed.lines() {
        if let Some(rest) = line.strip_prefix("test result: ") {
            summary = true;
            let number = |what: &str| {
                let before = rest.split(';').find(|part| part.trim_end().ends_with(what))?;
                before.split_whitespace().rev().nth(1)?.parse::<usize>().ok()
            };
            row.passed = number("passed").unwrap_or(0);
            row.failed = number("failed").unwrap_or(0);
            row.ignored = number("ignored").unwrap_or(0);
        } else if line.starts_with("test ") && !summary {
            row.passed += usize::from(line.ends_with(" ... ok"));
            row.failed += usize::from(line.ends_with(" ... FAILED"));
        }
    }
    if !summary {
        row.trouble = Some("no summary".to_owned());
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_and_without_one_each_line_does() {
        let printed = "test a ... ok\ntest result: FAILED. 39 passed; 1 failed; 6 ignored; 0 measured; 2 filtered out; finished in 4s\n";
        let row = read("p", printed);
        assert_eq!((row.passed, row.failed, row.ignored, row.is_good()), (39, 1, 6, false));
        let row = read("p", "test a ... ok\ntest b ... FAILED\ntest c ...");
        assert_eq!((row.passed, row.failed, row.trouble.as_deref()), (1, 1, Some("no summary")));
    }

    #[test]
    fn the_last_line_is_the_sum() {
        let row =
            |program: &str, passed| Row { program: program.into(), passed, listed: 1, ..Row::default() };
        let text = of(&[row("one", 3), row("two", 4)]);
        let last = text.lines().last().unwrap();
        assert_eq!(
            last.split_whitespace().take(6).collect::<Vec<_>>(),
            ["2", "programs", "7", "7", "0", "0"]
        );
    }

    #[test]
    fn a_test_is_done_if_it_passed_or_is_ignored() {
        let printed =
            "test a ... ok\ntest b ... FAILED\ntest c ... ignored, a part\ntest d - should panic ... ok\n";
        for (test, done) in [("a", true), ("b", false), ("c", true), ("d", true), ("e", false)] {
            assert_eq!(is_done(printed, test), done, "{test}");
        }
        assert!(is_done("running 1 test\nsaid ok\ntest result: ok. 1 passed; 0 failed", "f"));
    }
}
