//! Citations of the specification and links between documents, checked against the headings that exist.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::Tree;

/// The folder of the specification.
const SPEC: &str = "docs/spec/";

/// The least length of a test's name. Shorter words between backticks are types and options.
const LONG_NAME: usize = 25;

/// Checks each citation `docs/spec/<page>.md#<heading>` in comments and documents.
pub(super) fn citations(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        check_lines(tree, path, source.comments.iter().map(String::as_str), &mut findings);
    }
    for (path, text) in tree.texts().filter(|(path, _)| cites(path)) {
        check_lines(tree, path, text.lines(), &mut findings);
    }
    findings
}

/// Checks each relative link of a document, and that no page of the specification has a heading twice.
pub(super) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in prose(text).flat_map(|(line, text)| targets(text).map(move |t| (line, t))) {
            if let Some(problem) = problem_of_link(tree, path, target) {
                findings.push(Finding::at(path, line, problem));
            }
        }
        if path.starts_with(SPEC) {
            let mut seen = BTreeSet::new();
            let twice = headings(text).filter(|(_, heading)| !seen.insert(heading.clone()));
            findings
                .extend(twice.map(|(line, heading)| Finding::at(path, line, format!("#{heading} twice"))));
        }
    }
    findings
}

/// Checks that each test and file that STABILITY.md names exists.
pub(super) fn named_tests(tree: &Tree) -> Vec<Finding> {
    const PAGE: &str = "STABILITY.md";
    let Some(page) = tree.text(PAGE) else { return Vec::new() };
    let functions: BTreeSet<&str> = tree
        .texts()
        .filter(|(path, _)| path.ends_with(".rs"))
        .flat_map(|(_, text)| functions(text))
        .collect();
    let named = prose(page).flat_map(|(line, text)| {
        // The last cell of a row names the tests.
        let cell = text.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        let is_row = text.starts_with('|');
        cell.split('`').skip(1).step_by(2).filter(move |_| is_row).map(move |name| (line, name))
    });
    let is_test = |name: &str| {
        name.len() >= LONG_NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let missing = named.filter(|(_, name)| is_test(name) && !functions.contains(name));
    missing.map(|(line, name)| Finding::at(PAGE, line, format!("there is no test {name}"))).collect()
}

/// Returns the names of the functions in a source.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split("fn ")
        .skip(1)
        .map(move |rest| rest.split(|character| !is_name(character)).next().unwrap_or(""))
}

/// Returns true for files other than Rust sources whose whole text may cite.
fn cites(path: &str) -> bool {
    [".md", ".proto", ".py", ".toml"].iter().any(|end| path.ends_with(end))
}

fn check_lines<'a>(
    tree: &Tree,
    path: &str,
    lines: impl Iterator<Item = &'a str>,
    findings: &mut Vec<Finding>,
) {
    for (index, line) in lines.enumerate() {
        let problems = cited(line).filter_map(|(is_whole, cited)| {
            let told = if is_whole { problem_of(tree, &format!("{SPEC}{cited}")) } else { old_form(cited) };
            told.map(|told| Finding::at(path, index + 1, told))
        });
        findings.extend(problems);
    }
}

/// Returns the text after each `spec/` in `line`, and true if `docs/` is before it.
fn cited(line: &str) -> impl Iterator<Item = (bool, &str)> {
    line.match_indices("spec/").map(|(at, found)| {
        let rest = &line[at + found.len()..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '#' | '/');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        (line[..at].ends_with("docs/"), rest[..end].trim_end_matches(['.', '#', '/']))
    })
}

/// Returns the finding for a page in capitals, which belongs to another specification.
fn old_form(cited: &str) -> Option<String> {
    let name = cited.strip_suffix(".md").filter(|name| !name.is_empty())?;
    let is_old = name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    is_old.then(|| format!("spec/{cited} is in no clone: cite {SPEC}<page>.md#<heading>"))
}

/// Returns the fault of `target`, a file with an optional heading.
fn problem_of(tree: &Tree, target: &str) -> Option<String> {
    let (file, heading) = match target.split_once('#') {
        Some((file, heading)) => (file, Some(heading)),
        None => (target, None),
    };
    // The citation names the folder itself.
    if file == SPEC {
        return None;
    }
    let Some(text) = tree.text(file) else { return Some(format!("there is no {file}")) };
    let heading = heading.filter(|_| file.ends_with(".md"))?;
    let is_there = headings(text).any(|(_, found)| found == heading);
    (!is_there).then(|| format!("{file} has no heading #{heading}"))
}

fn problem_of_link(tree: &Tree, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    if let Some(heading) = target.strip_prefix('#') {
        return problem_of(tree, &format!("{from}#{heading}"));
    }
    let mut folder: Vec<&str> = from.split('/').collect();
    folder.pop();
    for part in target.split('/') {
        match part {
            ".." if folder.pop().is_none() => return Some(format!("{target} is outside of the repository")),
            ".." | "." => {}
            part => folder.push(part),
        }
    }
    problem_of(tree, &folder.join("/"))
}

/// Returns the targets of the links in a line.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// Returns the lines of a document outside of code blocks, counted from one.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((index + 1, line))
    })
}

/// Returns the headings of a document as they stand in links, with their lines.
fn headings(text: &str) -> impl Iterator<Item = (usize, String)> {
    prose(text).filter_map(|(line, text)| {
        let title = text.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
        Some((line, anchor(title.trim())))
    })
}

/// Returns the anchor that GitHub gives to a heading.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: (&str, &str) =
        ("docs/spec/wire.md", "# The wire\n\n## First `bytes`: how?\n\n```\n# no\n```\n");

    #[track_caller]
    fn check(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str, expected: &[&str]) {
        let files = [PAGE, (path, text)];
        let tree = Tree::of(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
        let found: Vec<_> = rule(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_citation_names_a_page_and_a_heading() {
        let lib = "crates/a/src/lib.rs";
        check(citations, lib, "//! A (`docs/spec/wire.md#first-bytes-how`), docs/spec/wire.md.\n", &[]);
        check(citations, lib, "//! The pages of docs/spec/, and docs/spec/<page>.md.\n", &[]);
        check(citations, lib, "let text = \"docs/spec/nothing.md\";\n", &[]);
        let gone = "crates/a/src/lib.rs:2: there is no docs/spec/gone.md";
        check(citations, lib, "\n/// docs/spec/gone.md#a\n", &[gone]);
        let no = "crates/a/src/lib.rs:1: docs/spec/wire.md has no heading #no";
        check(citations, lib, "// `docs/spec/wire.md#no`, which is in a code block.\n", &[no]);
        let no = "proto/a.proto:1: docs/spec/wire.md has no heading #second";
        check(citations, "proto/a.proto", "// docs/spec/wire.md#second\n", &[no]);
    }

    #[test]
    fn a_citation_of_a_specification_that_no_clone_has_is_found() {
        let old = ": spec/WIRE.md is in no clone: cite docs/spec/<page>.md#<heading>";
        check(citations, "a.rs", "//! As `spec/WIRE.md` §3.\n", &[&format!("a.rs:1{old}")]);
        check(citations, "docs/a.md", "\n(`spec/WIRE.md`)\n", &[&format!("docs/a.md:2{old}")]);
    }

    #[test]
    fn a_test_that_a_promise_names_exists() {
        let here =
            "| kept | ever | `a_citation_names_a_page_and_a_heading`, `--max-memory`, `Backpressure` |\n";
        let source = ("a.rs", "    fn a_citation_names_a_page_and_a_heading() {}\n");
        let found = |page: &str| {
            let files = [source, ("STABILITY.md", page)];
            let tree = Tree::of(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
            named_tests(&tree).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found(here), [""; 0]);
        let gone = format!("{here}| kept | ever | `a_citation_names_a_page_and_nothing` |\n");
        assert_eq!(found(&gone), ["STABILITY.md:2: there is no test a_citation_names_a_page_and_nothing"]);
    }

    #[test]
    fn a_link_leads_somewhere() {
        check(
            links,
            "docs/a.md",
            "[a](spec/wire.md#the-wire), [b](#b), [c](../Cargo.toml)\n\n# B\n",
            &["docs/a.md:1: there is no Cargo.toml"],
        );
        check(
            links,
            "README.md",
            "[a](docs/spec/wire.md#x) and [b](https://example.com/c)\n",
            &["README.md:1: docs/spec/wire.md has no heading #x"],
        );
        check(links, "docs/spec/b.md", "# A\n\n## A\n", &["docs/spec/b.md:3: #a twice"]);
    }
}
