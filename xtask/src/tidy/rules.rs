//! The rules, one function each.

use super::Finding;
use super::circles::circles;
use super::citations::{citations, links, named_tests};
use super::source::{Source, has_word};
use super::tree::Tree;

/// A named rule.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) check: fn(&Tree) -> Vec<Finding>,
}

/// Every rule.
pub(super) const RULES: &[Rule] = &[
    Rule { name: "top-level", check: top_level },
    Rule { name: "readme", check: readme },
    Rule { name: "file-length", check: file_length },
    Rule { name: "module-docs", check: module_docs },
    Rule { name: "forbid-unsafe", check: forbid_unsafe },
    Rule { name: "unsafe-address", check: unsafe_address },
    Rule { name: "platform", check: platform },
    Rule { name: "environment", check: environment },
    Rule { name: "no-get", check: no_get },
    Rule { name: "leftovers", check: leftovers },
    Rule { name: "sleep", check: unexplained_sleep },
    Rule { name: "plain-english", check: super::english::plain_english },
    Rule { name: "citations", check: citations },
    Rule { name: "links", check: links },
    Rule { name: "named-tests", check: named_tests },
    Rule { name: "circles", check: circles },
    Rule { name: "unix-only", check: super::unix_only::unix_only },
];

/// The longest file under `crates/`, in lines.
const LONGEST: usize = 400;

/// The only crate that knows operating systems.
const OS: &str = "crates/ipc-os/";

/// Checks that the repository has its top-level files.
fn top_level(tree: &Tree) -> Vec<Finding> {
    const NEEDED: &[&str] = &[
        ".cargo/config.toml",
        ".ci/run",
        ".config/nextest.toml",
        ".gitignore",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "SECURITY.md",
        "STABILITY.md",
        "clippy.toml",
        "deny.toml",
        "proto/README.md",
        "rustfmt.toml",
    ];
    const UNWANTED: &[&str] = &["rust-toolchain", "rust-toolchain.toml"];
    let missing = NEEDED.iter().filter(|path| tree.text(path).is_none());
    let unwanted = UNWANTED.iter().filter(|path| tree.text(path).is_some());
    missing
        .map(|path| Finding::of_file(path, "must exist"))
        .chain(
            unwanted.map(|path| Finding::of_file(path, "must not exist: `rust-version` names the compiler")),
        )
        .collect()
}

/// Checks that the README names the two commands of a newcomer.
fn readme(tree: &Tree) -> Vec<Finding> {
    const PATH: &str = "README.md";
    let text = tree.text(PATH).unwrap_or_default();
    let missing =
        ["cargo xtask demo", "cargo xtask ci"].into_iter().filter(|command| !text.contains(command));
    missing.map(|command| Finding::of_file(PATH, format!("does not name `{command}`"))).collect()
}

/// Checks the length of files.
fn file_length(tree: &Tree) -> Vec<Finding> {
    let long =
        tree.sources().filter(|(path, source)| path.starts_with("crates/") && source.code.len() > LONGEST);
    long.map(|(path, source)| {
        Finding::of_file(path, format!("has {} lines; the limit is {LONGEST}", source.code.len()))
    })
    .collect()
}

/// Checks that each file begins with a module comment.
fn module_docs(tree: &Tree) -> Vec<Finding> {
    let silent = tree.sources().filter(|(path, _)| {
        let text = tree.text(path).unwrap_or_default();
        !text.trim_start().starts_with("//!")
    });
    silent.map(|(path, _)| Finding::at(path, 1, "does not begin with `//!`")).collect()
}

/// Checks that every crate root but two forbids unsafe code.
fn forbid_unsafe(tree: &Tree) -> Vec<Finding> {
    let open = tree.sources().filter(|(path, source)| {
        let exempt = path.starts_with(OS) || path.starts_with("crates/testkit/");
        let has = |attribute| source.code.iter().any(|line| line.starts_with(attribute));
        is_crate_root(path) && !exempt && !has("#![forbid(unsafe_code)]")
    });
    open.map(|(path, _)| Finding::of_file(path, "lacks `#![forbid(unsafe_code)]`")).collect()
}

fn is_crate_root(path: &str) -> bool {
    let root =
        path.strip_prefix("crates/").and_then(|rest| rest.split_once('/')).map_or(path, |(_, rest)| rest);
    matches!(
        root,
        "src/lib.rs"
            | "src/main.rs"
            | "tests/src/lib.rs"
            | "tests/wire/src/lib.rs"
            | "xtask/src/main.rs"
            | "xtask/codegen/src/main.rs"
    ) || root.starts_with("tests/src/bin/") && root.ends_with("/main.rs")
}

fn unsafe_address(tree: &Tree) -> Vec<Finding> {
    let may = |path: &str| path.starts_with("crates/ipc-os/src/os/") || path == "crates/testkit/src/alloc.rs";
    let told = "`unsafe` belongs under crates/ipc-os/src/os/, or in testkit's allocator";
    lines(tree, |path, _, _| !may(path), |code, _| has_word(code, "unsafe").then(|| told.to_owned()))
}

/// Checks that only one crate asks for the operating system.
fn platform(tree: &Tree) -> Vec<Finding> {
    const IN_CFG: &[&str] = &["unix", "windows"];
    const ANYWHERE: &[&str] =
        &["target_os", "target_family", "target_vendor", "os::unix", "os::windows", "os::linux", "os::fd"];
    let told = |name: &str| format!("`{name}` belongs in {OS}");
    let mut findings = lines(
        tree,
        |path, source, index| !path.starts_with(OS) && !is_test(tree, path, source, index),
        |code, _| {
            let asked = ["cfg(", "cfg!(", "cfg_attr("].iter().find_map(|open| code.split_once(open));
            let in_cfg = asked.and_then(|(_, asked)| IN_CFG.iter().find(|name| has_word(asked, name)));
            let anywhere = || ANYWHERE.iter().find(|name| has_word(code, name));
            in_cfg.or_else(anywhere).map(|name| told(name))
        },
    );
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with("Cargo.toml")) {
        if path.starts_with(OS) || tree.is_dev(path) {
            continue;
        }
        let asked = text.lines().enumerate().filter(|(_, line)| line.starts_with("[target."));
        findings.extend(asked.map(|(index, _)| Finding::at(path, index + 1, told("target"))));
    }
    findings
}

/// Checks that only one file reads the environment.
fn environment(tree: &Tree) -> Vec<Finding> {
    const HOME: &str = "crates/ipc-endpoint/src/environment.rs";
    const READERS: &[&str] =
        &["var", "var_os", "vars", "vars_os", "set_var", "remove_var", "current_dir", "home_dir", "temp_dir"];
    const BY_OTHERS: &[&str] = &["from_default_env", "try_from_default_env", "from_env(", "option_env!("];
    lines(
        tree,
        |path, source, index| {
            path != HOME && !path.ends_with("/build.rs") && !is_test(tree, path, source, index)
        },
        |code, _| {
            let names = |name: &&str| {
                has_word(code, &format!("env::{name}")) || code.contains("env::{") && has_word(code, name)
            };
            let reader = READERS.iter().find(|name| names(name));
            let reader = reader.or_else(|| BY_OTHERS.iter().find(|name| code.contains(&format!("::{name}"))));
            reader.map(|name| format!("`{name}` reads the process's surroundings; {HOME} does that once"))
        },
    )
}

fn no_get(tree: &Tree) -> Vec<Finding> {
    let told = "a function is named after what it returns, without `get_`";
    lines(tree, |_, _, _| true, |code, _| code.contains("fn get_").then(|| told.to_owned()))
}

/// Checks that no comment or document has a reminder of unfinished work.
fn leftovers(tree: &Tree) -> Vec<Finding> {
    const WORDS: &[&str] = &["TODO", "FIXME", "XXX"];
    let told = |text: &str| {
        let word = WORDS.iter().find(|word| has_word(text, word));
        word.map(|word| format!("{word}: do it, or leave it out"))
    };
    let mut findings = lines(tree, |_, _, _| true, |_, comment| told(comment));
    let is_text = |path: &str| path.ends_with(".md") || path.ends_with(".toml") || path.ends_with(".proto");
    for (path, text) in tree.texts().filter(|(path, _)| is_text(path)) {
        let lines = text.lines().enumerate();
        findings.extend(lines.filter_map(|(index, line)| Some(Finding::at(path, index + 1, told(line)?))));
    }
    findings
}

/// Checks that a test waits for a condition, not for time to pass.
fn unexplained_sleep(tree: &Tree) -> Vec<Finding> {
    let told = "a sleep in a test: wait for the condition (`testkit::eventually`), or say why on the line";
    lines(
        tree,
        |path, source, index| is_test(tree, path, source, index),
        |code, comment| {
            let sleeps = code.contains("sleep(") && has_word(code, "sleep");
            (sleeps && comment.trim().is_empty()).then(|| told.to_owned())
        },
    )
}

fn is_test(tree: &Tree, path: &str, source: &Source, index: usize) -> bool {
    tree.is_dev(path) || source.is_test_line(index)
}

/// Returns the findings of `check` on the code and comment of each line that `concerns` selects.
fn lines(
    tree: &Tree,
    concerns: impl Fn(&str, &Source, usize) -> bool,
    check: impl Fn(&str, &str) -> Option<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        for (index, (code, comment)) in source.code.iter().zip(&source.comments).enumerate() {
            if !concerns(path, source, index) {
                continue;
            }
            findings.extend(check(code, comment).map(|what| Finding::at(path, index + 1, what)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the rule `name` on `files` and compares the places of its findings: `path:line`.
    #[track_caller]
    fn check(name: &str, files: &[(&str, &str)], expected: &[&str]) {
        let rule = RULES.iter().find(|rule| rule.name == name).expect("a rule of that name");
        let owned = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let places = (rule.check)(&Tree::of(owned));
        let places: Vec<_> = places.iter().map(|found| format!("{}:{}", found.path, found.line)).collect();
        assert_eq!(places, expected, "{files:?}");
    }

    const LIB: &str = "crates/a/src/lib.rs";

    #[test]
    fn a_missing_top_level_file_is_named() {
        let tree = Tree::of([("rust-toolchain.toml".to_owned(), String::new())]);
        let places: Vec<_> = top_level(&tree).into_iter().map(|finding| finding.path).collect();
        assert!(places.contains(&"STABILITY.md".to_owned()), "{places:?}");
        assert!(places.contains(&"rust-toolchain.toml".to_owned()), "{places:?}");
    }

    #[test]
    fn a_readme_tells_the_two_commands() {
        check("readme", &[("README.md", "`cargo xtask demo`, then `cargo xtask ci`")], &[]);
        check("readme", &[("README.md", "cargo xtask demo")], &["README.md:0"]);
    }

    #[test]
    fn a_long_file_is_named() {
        check("file-length", &[(LIB, &"\n".repeat(400))], &[]);
        check("file-length", &[(LIB, &"\n".repeat(401))], &["crates/a/src/lib.rs:0"]);
        check("file-length", &[("crates/a/src/generated/b.rs", &"\n".repeat(401))], &[]);
        check("file-length", &[("xtask/src/b.rs", &"\n".repeat(401))], &[]);
    }

    #[test]
    fn a_file_that_does_not_say_what_it_is_is_named() {
        check("module-docs", &[(LIB, "//! A thing.\nfn a() {}\n")], &[]);
        check("module-docs", &[(LIB, "// A thing.\nfn a() {}\n")], &["crates/a/src/lib.rs:1"]);
    }

    #[test]
    fn a_crate_root_without_the_attribute_is_named() {
        check("forbid-unsafe", &[(LIB, "#![forbid(unsafe_code)]\n")], &[]);
        check("forbid-unsafe", &[(LIB, "// #![forbid(unsafe_code)]\n")], &["crates/a/src/lib.rs:0"]);
        check("forbid-unsafe", &[("crates/a/src/main.rs", "fn main() {}")], &["crates/a/src/main.rs:0"]);
        check("forbid-unsafe", &[("tests/src/lib.rs", "")], &["tests/src/lib.rs:0"]);
        check("forbid-unsafe", &[("crates/a/src/b.rs", ""), ("crates/ipc-os/src/lib.rs", "")], &[]);
    }

    #[test]
    fn unsafe_code_elsewhere_is_named() {
        let code = "// unsafe\nlet text = \"unsafe\";\nunsafe { f() }\n";
        check("unsafe-address", &[("crates/ipc-os/src/os/unix.rs", code)], &[]);
        check("unsafe-address", &[("crates/testkit/src/alloc.rs", code)], &[]);
        check("unsafe-address", &[("crates/ipc-os/src/lock.rs", code)], &["crates/ipc-os/src/lock.rs:3"]);
        check("unsafe-address", &[("tests/src/lib.rs", code)], &["tests/src/lib.rs:3"]);
    }

    #[test]
    fn platform_code_elsewhere_is_named() {
        for code in [
            "#[cfg(unix)]",
            "#[cfg(all(not(windows), feature = \"x\"))]",
            "if cfg!(target_os = \"macos\") {}",
            "    target_os = \"macos\",",
            "#[cfg_attr(windows, path = \"w.rs\")]",
            "use std::os::unix::fs::MetadataExt as _;",
        ] {
            check("platform", &[(LIB, code)], &["crates/a/src/lib.rs:1"]);
            check("platform", &[("crates/ipc-os/src/lib.rs", code)], &[]);
            check("platform", &[("crates/a/tests/b.rs", code), ("crates/testkit/src/b.rs", code)], &[]);
            check("platform", &[(LIB, &format!("#[cfg(test)]\nmod tests {{\n{code}\n}}"))], &[]);
        }
        check("platform", &[(LIB, "#[cfg(feature = \"unix\")]\nlet windows = text.windows(2);")], &[]);
        let manifest = "[target.'cfg(windows)'.dependencies]";
        check("platform", &[("crates/a/Cargo.toml", manifest)], &["crates/a/Cargo.toml:1"]);
        check("platform", &[("crates/ipc-os/Cargo.toml", manifest)], &[]);
    }

    #[test]
    fn a_second_reader_of_the_environment_is_named() {
        for code in [
            "let home = std::env::var(\"HOME\");",
            "for (name, value) in env::vars_os() {}",
            "let here = env::current_dir()?;",
            "use std::env::{args, var_os};",
            "let dir = std::env::temp_dir();",
            "let filter = EnvFilter::from_default_env();",
        ] {
            check("environment", &[(LIB, code)], &["crates/a/src/lib.rs:1"]);
            check("environment", &[("crates/ipc-endpoint/src/environment.rs", code)], &[]);
            check("environment", &[("xtask/src/a.rs", code), ("crates/a/build.rs", code)], &[]);
        }
        check("environment", &[(LIB, "command.current_dir(dir); env::current_exe(); env::args_os();")], &[]);
    }

    #[test]
    fn a_getter_is_named() {
        check("no-get", &[(LIB, "fn name(&self) {}\nself.get_mut();\n")], &[]);
        check("no-get", &[(LIB, "pub fn get_name(&self) {}")], &["crates/a/src/lib.rs:1"]);
    }

    #[test]
    fn a_leftover_is_named() {
        check("leftovers", &[(LIB, "// Todo lists are data.\nlet text = \"TODO\";\n")], &[]);
        check("leftovers", &[(LIB, "let a = 1; // TODO: two")], &["crates/a/src/lib.rs:1"]);
        check("leftovers", &[("README.md", "# A\n\nFIXME\n")], &["README.md:3"]);
    }

    #[test]
    fn a_sleep_without_a_reason_is_named() {
        let test = |line: &str| format!("#[cfg(test)]\nmod tests {{\n{line}\n}}\n");
        for line in ["thread::sleep(PAUSE);", "tokio::time::sleep(PAUSE).await;", "sleep(PAUSE).await;"] {
            check("sleep", &[(LIB, &test(line))], &["crates/a/src/lib.rs:3"]);
            check("sleep", &[("tests/tests/a.rs", line)], &["tests/tests/a.rs:1"]);
            check("sleep", &[(LIB, &test(&format!("{line} // the clock is paused")))], &[]);
            check("sleep", &[(LIB, line)], &[]);
        }
    }
}
