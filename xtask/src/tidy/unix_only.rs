//! Tests that exist on Unix only, each with a line in the list of tests that Windows does not run.

use super::Finding;
use super::source::Source;
use super::tree::Tree;
use crate::windows::{LIST, List};

/// The platform's own modules: each has a twin with tests of its own.
const TWINS: &str = "crates/ipc-os/src/os/";

/// Packages that `cargo xtask windows` does not build.
const NOT_BUILT: &[&str] = &["benches/", "fuzz/", "interop/", "xtask/", "tests/src/bin/"];

/// Names each test or module of tests that Windows leaves out without a line, and each line without such a test.
pub(super) fn unix_only(tree: &Tree) -> Vec<Finding> {
    let list = match tree.text(LIST).map(List::parse) {
        Some(Ok(list)) => list,
        Some(Err(error)) => return vec![Finding::of_file(LIST, format!("{error:#}"))],
        None => List::default(),
    };
    let mut findings = Vec::new();
    let mut known = Vec::new();
    for (path, source) in tree.sources() {
        if path.starts_with(TWINS) || NOT_BUILT.iter().any(|package| path.starts_with(package)) {
            continue;
        }
        let text: Vec<&str> = tree.text(path).unwrap_or_default().lines().collect();
        for (line, name) in left_out(source, &text, tree.is_dev(path)) {
            if !list.of(path).any(|listed| listed == name) {
                let what = format!("`{name}` is not on Windows, and {LIST} does not say why");
                findings.push(Finding::at(path, line + 1, what));
            }
            known.push((path, name));
        }
    }
    for (path, name) in list.unix_only() {
        if !known.iter().any(|(file, known)| *file == path && known == name) {
            findings.push(Finding::of_file(LIST, format!("{path} leaves no `{name}` out on Windows")));
        }
    }
    findings
}

/// Returns each item of tests that Windows leaves out, with the index of its attribute; `*` is the whole file.
fn left_out(source: &Source, text: &[&str], is_dev: bool) -> Vec<(usize, String)> {
    let code: Vec<&str> = source.code.iter().map(|line| line.trim()).collect();
    let mut items = Vec::new();
    for (index, line) in code.iter().enumerate() {
        let whole = line.starts_with("#![cfg(");
        if !(whole || line.starts_with("#[cfg(")) || !is_unix(text.get(index).unwrap_or(&"")) {
            continue;
        }
        if whole {
            items.push((index, "*".to_owned()));
            continue;
        }
        let is_attribute = |line: &&&str| line.is_empty() || line.starts_with("#[");
        let before = code[..index].iter().rev().take_while(is_attribute);
        let after = code[index..].iter().take_while(is_attribute);
        let is_test = before.chain(after).any(|line| line.ends_with("test]") || line.contains("::test("));
        let item = code[index..].iter().find(|line| !line.is_empty() && !line.starts_with("#["));
        let Some(item) = item else { continue };
        let is_tests = is_dev || source.is_test_line(index) || line.contains("test");
        let name = |keyword| Some(item.split_once(keyword)?.1.split([';', ' ', '(']).next()?.to_owned());
        let function = is_test.then(|| name("fn ")).flatten();
        let module = (is_tests && item.starts_with("mod ")).then(|| name("mod ")).flatten();
        items.extend(function.or(module).map(|name| (index, name)));
    }
    items
}

/// Returns true if an attribute leaves its item out on Windows.
fn is_unix(attribute: &str) -> bool {
    let names = ["unix", "target_os = \"linux\"", "target_os = \"macos\"", "not(windows)"];
    let includes_windows = attribute.contains("not(unix)") || attribute.contains(", windows)");
    names.iter().any(|name| attribute.contains(name)) && !includes_windows
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/a/tests/b.rs";

    #[track_caller]
    fn check(code: &str, list: &str, expected: &[&str]) {
        let files = [(FILE, code), (LIST, list)].map(|(path, text)| (path.to_owned(), text.to_owned()));
        let findings = unix_only(&Tree::of(files));
        let places: Vec<_> = findings.iter().map(|found| format!("{}:{}", found.path, found.line)).collect();
        assert_eq!(places, expected, "{code}\n{findings:?}");
    }

    #[test]
    fn a_test_that_windows_leaves_out_has_a_line_and_a_line_has_a_test() {
        let test = "#[test]\n#[cfg(unix)]\nfn one() {}\n";
        check(test, "", &["crates/a/tests/b.rs:2"]);
        check(test, "crates/a/tests/b.rs | one | a reason that is long enough\n", &[]);
        check("", "crates/a/tests/b.rs | one | a reason that is long enough\n", &["tests/windows.txt:0"]);
        check(
            "#[cfg(target_os = \"linux\")]\n#[tokio::test]\nasync fn one() {}",
            "",
            &["crates/a/tests/b.rs:1"],
        );
        check("#![cfg(unix)]\n", "", &["crates/a/tests/b.rs:1"]);
        check("#[cfg(all(test, unix))]\nmod m;\n", "", &["crates/a/tests/b.rs:1"]);
        check("#[cfg(unix)]\nmod m {\n}\n", "crates/a/tests/b.rs | m | a reason that is long enough\n", &[]);
    }

    #[test]
    fn an_item_that_is_no_test_and_one_for_windows_need_no_line() {
        check("#[cfg(unix)]\nfn private() {}\n#[cfg(windows)]\nmod m;\n#[cfg(not(unix))]\nmod n;\n", "", &[]);
        check("#[cfg(any(target_os = \"linux\", windows))]\n#[test]\nfn one() {}\n", "", &[]);
        check("#[test]\nfn one() {\n    #[cfg(unix)]\n    let a = 1;\n}\n", "", &[]);
    }
}
