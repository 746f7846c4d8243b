//! Files of one crate that import each other, in a circle of any length.
//!
//! A file may import from the files above it in the module tree, because a module and its parts are one noun.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::source::Source;
use super::tree::Tree;

/// The name of a module: its path from the crate root, in parts.
type Name = Vec<String>;

/// A file of a crate.
#[derive(Debug)]
struct Module {
    file: String,
    /// The paths that it names, from `use` and from its code.
    paths: Vec<String>,
    /// The path that each name stands for that it imports, re-exports included.
    names: BTreeMap<String, String>,
}

/// Names each import that is part of a circle.
pub(super) fn circles(tree: &Tree) -> Vec<Finding> {
    let mut crates: BTreeMap<&str, BTreeMap<Name, Module>> = BTreeMap::new();
    for (path, source) in tree.sources() {
        if let Some((home, rest)) = path.split_once("/src/")
            && (home.starts_with("crates/") || home == "xtask")
            && (home == "xtask" || !tree.is_dev(path))
            && !path.ends_with("/tests.rs")
        {
            crates.entry(home).or_default().insert(name_of(rest), Module::new(path, source));
        }
    }
    crates.values().flat_map(circles_in).collect()
}

fn circles_in(modules: &BTreeMap<Name, Module>) -> Vec<Finding> {
    let edges: BTreeMap<&Name, BTreeSet<Name>> = modules
        .iter()
        .map(|(name, module)| {
            let targets = module.paths.iter().filter_map(|path| resolve(modules, name, path, 0));
            // Its own file, and those above it.
            (name, targets.filter(|target| !name.starts_with(target)).collect())
        })
        .collect();
    let reaches = |from: &Name, to: &Name| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(name) = next.pop() {
            if name == to {
                return true;
            }
            if seen.insert(name) {
                next.extend(edges.get(name).into_iter().flatten());
            }
        }
        false
    };
    let all = edges.iter().flat_map(|(name, targets)| targets.iter().map(move |target| (*name, target)));
    all.filter(|(name, target)| reaches(target, name))
        .map(|(name, target)| {
            let told = format!("imports `{}`, which leads back to it", target.join("::"));
            Finding::of_file(&modules[name].file, told)
        })
        .collect()
}

/// Returns the name of the module in the file at `path`, which is from the crate's `src`.
fn name_of(path: &str) -> Name {
    let mut parts: Name = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Returns the module whose file has what `path` means in `from`, through re-exports.
fn resolve(modules: &BTreeMap<Name, Module>, from: &Name, path: &str, depth: usize) -> Option<Name> {
    const DEEPEST: usize = 8;
    let mut at = from.clone();
    let mut parts = path.split("::").map(str::trim).filter(|part| !part.is_empty()).peekable();
    match parts.peek() {
        Some(&"crate") => at.clear(),
        Some(&"super" | &"self") => {}
        // A module of this one, or an outside crate.
        first => {
            let inner = [&at[..], &[(*first?).to_owned()]].concat();
            modules.get(&inner)?;
        }
    }
    for part in parts {
        match part {
            "crate" | "self" => continue,
            "super" => {
                at.pop()?;
                continue;
            }
            _ => at.push(part.to_owned()),
        }
        if !modules.contains_key(&at) {
            at.pop();
            let behind = modules.get(&at)?.names.get(part).filter(|_| depth < DEEPEST);
            return behind.and_then(|path| resolve(modules, &at, path, depth + 1)).or(Some(at));
        }
    }
    Some(at)
}

impl Module {
    fn new(file: &str, source: &Source) -> Self {
        let lines = source.code.iter().enumerate().filter(|(index, _)| !source.is_test_line(*index));
        let text: String = lines.flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
        let (mut paths, mut names, mut code) = (Vec::new(), BTreeMap::new(), String::new());
        for statement in text.split_inclusive(';') {
            let used = statement.rsplit_once("use ").filter(|(before, _)| {
                before.chars().next_back().is_none_or(|c| c.is_whitespace()) && statement.ends_with(';')
            });
            let Some((before, used)) = used else {
                code.push_str(statement);
                continue;
            };
            code.push_str(before);
            for path in expand(used.trim_end_matches(';')) {
                let (path, name) = path.split_once(" as ").unwrap_or((&path, &path));
                let last = name.rsplit("::").next().unwrap_or(name).trim().to_owned();
                names.insert(last, path.to_owned());
                paths.push(path.to_owned());
            }
        }
        let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let words = code.split(|c| !is_path(c)).filter(|word| !word.is_empty());
        paths.extend(
            words
                .filter(|word| ["crate::", "super::"].iter().any(|start| word.starts_with(start)))
                .map(str::to_owned),
        );
        Self { file: file.to_owned(), paths, names }
    }
}

/// Returns the paths of a `use` tree, one for each leaf.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((stem, list)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let list = list.trim_end().strip_suffix('}').unwrap_or(list);
    let mut depth = 0;
    let leaves = list.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let leaves = leaves.map(str::trim).filter(|leaf| !leaf.is_empty());
    leaves.flat_map(|leaf| expand(&format!("{stem}{leaf}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let owned = files.iter().map(|(path, text)| (format!("crates/a/src/{path}"), (*text).to_owned()));
        let found: Vec<_> = circles(&Tree::of(owned)).into_iter().map(|found| found.path).collect();
        let expected: Vec<_> = expected.iter().map(|path| format!("crates/a/src/{path}")).collect();
        assert_eq!(found, expected, "{files:?}");
    }

    #[test]
    fn two_files_that_import_each_other_are_named() {
        check(&[("a.rs", "use crate::b::B;"), ("b.rs", "use std::io;")], &[]);
        check(&[("a.rs", "use crate::b::B;"), ("b.rs", "use super::a::{A, C as D};")], &["a.rs", "b.rs"]);
        check(
            &[("a.rs", "use crate::{\n    b::{B},\n};"), ("b.rs", "fn f() { crate::a::g() }")],
            &["a.rs", "b.rs"],
        );
        check(
            &[("a.rs", "use crate::b::B;"), ("b.rs", "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}")],
            &[],
        );
        check(&[("a.rs", "// use crate::b::B;"), ("b.rs", "use crate::a::A;")], &[]);
    }

    #[test]
    fn a_circle_through_a_third_file_or_a_reexport_is_named() {
        let through = [("a.rs", "use crate::b;"), ("b.rs", "use crate::c;"), ("c.rs", "use crate::a::A;")];
        check(&through, &["a.rs", "b.rs", "c.rs"]);
        let reexported = [
            ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub(crate) use b::B;"),
            ("a.rs", "use crate::B;"),
            ("b.rs", "use crate::A;"),
        ];
        check(&reexported, &["a.rs", "b.rs"]);
    }

    #[test]
    fn a_submodule_may_import_from_its_parent() {
        check(&[("a/mod.rs", "mod b;\nuse b::B;"), ("a/b.rs", "use super::A;")], &[]);
        check(&[("a.rs", "mod b;\nuse b::B;"), ("a/b.rs", "use crate::a::A;")], &[]);
    }
}
