//! The forms of CONTRIBUTING.md's "Writing" that a program can find in doc comments and help texts.

use super::Finding;
use super::source::{Source, has_word};
use super::tree::Tree;

/// The longest first doc line, in characters.
const LONGEST: usize = 80;

/// Forms that make a sentence hard to read, in lower case, with the advice for each.
const FORMS: &[(&str, &str)] = &[
    ("is what", "name the subject first, without `is what`"),
    ("are what", "name the subject first, without `are what`"),
    ("that of", "repeat the noun instead of `that of`"),
    ("those of", "repeat the noun instead of `those of`"),
    ("of which", "write two sentences instead of `of which`"),
    ("is none", "write `is no …` or `is not …`"),
    ("are none", "write `are no …` or `are not …`"),
    ("whoever", "name the actor instead of `whoever`"),
    ("whosoever", "name the owner instead of `whosoever`"),
    ("who asks", "name the actor instead of `who asks`"),
    ("is told", "write `receives`, `reads` or `reports`"),
    ("are told", "write `receive`, `read` or `report`"),
];

/// Pairs of words with any text between them, with the advice for each.
const PAIRS: &[(&str, &str, &str)] = &[
    ("nobody", "but", "name who does it instead of `nobody … but`"),
    ("nothing", "but", "write `only` instead of `nothing … but`"),
];

/// First words that open a question or a title instead of a sentence.
const OPENINGS: &[(&str, &str)] = &[
    ("what", "say what the item is or returns instead of `What …`"),
    ("whether", "write `Returns true if …`, or `True if …` for a value"),
    ("how", "name the quantity or the way instead of `How …`"),
    ("who", "name the actor instead of `Who …`"),
];

/// First words with a final `s` that do not say what a function does.
const NO_VERBS: &[&str] = &["as", "this", "its", "always", "others", "is", "was", "has", "does"];

/// Checks first doc lines and help texts.
pub(super) fn plain_english(tree: &Tree) -> Vec<Finding> {
    tree.sources().flat_map(|(path, source)| in_file(path, source)).collect()
}

fn in_file(path: &str, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for doc in docs(source) {
        let mut found = |what: &str| findings.push(Finding::at(path, doc.line, what));
        let text = if doc.item == Item::Help { doc.paragraph.as_str() } else { doc.first.as_str() };
        if let Some(advice) = broken_form(text) {
            found(advice);
        }
        if !matches!(doc.item, Item::Public | Item::PublicFunction) {
            continue;
        }
        if doc.first.chars().count() > LONGEST {
            found("the first doc line has more than 80 characters");
        } else if doc.paragraph != doc.first && !doc.first.ends_with(['.', ':', '!', '?']) {
            found("the first sentence goes on in the next line: make it one line");
        }
        if doc.item == Item::PublicFunction && !is_third_person(text) {
            found("the first doc line of a function begins with a verb in the third person");
        }
    }
    findings
}

/// Returns the advice for the first form in `text`.
fn broken_form(text: &str) -> Option<&'static str> {
    let words: Vec<String> = words(text).collect();
    let line = format!(" {} ", words.join(" "));
    let has = |form: &str| line.contains(&format!(" {form} "));
    let first = words.first().map(String::as_str).unwrap_or_default();
    let opening = || OPENINGS.iter().find(|(word, _)| *word == first && !text.contains('?'));
    let form = FORMS.iter().find(|(form, _)| has(form)).map(|(_, advice)| *advice);
    let in_order = |first: &str, second: &str| {
        let mut rest = words.iter().skip_while(|word| *word != first);
        rest.next().is_some() && rest.any(|word| word == second)
    };
    let pair = || PAIRS.iter().find(|(first, second, _)| in_order(first, second));
    opening().map(|(_, advice)| *advice).or(form).or_else(|| pair().map(|(_, _, advice)| *advice))
}

fn is_third_person(text: &str) -> bool {
    let first = words(text).next().unwrap_or_default();
    let is_other = text.starts_with(['`', '[', '"']);
    !is_other && first.ends_with('s') && !first.ends_with("ss") && !NO_VERBS.contains(&first.as_str())
}

/// Returns the words of `text` in lower case, without code spans.
fn words(text: &str) -> impl Iterator<Item = String> {
    let plain: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" \u{1} ");
    let is_part = |c: char| c.is_alphanumeric() || c == '\u{1}' || c == '\'';
    let words: Vec<String> =
        plain.split(|c: char| !is_part(c)).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.into_iter()
}

/// The kind of the item after a doc comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    PublicFunction,
    Public,
    Private,
    /// A part of a command line, whose doc comment is a help text.
    Help,
}

/// A doc comment.
#[derive(Debug)]
struct Doc {
    /// Counted from one.
    line: usize,
    first: String,
    /// The first paragraph in one line.
    paragraph: String,
    item: Item,
}

fn docs(source: &Source) -> Vec<Doc> {
    let mut docs = Vec::new();
    let mut at = 0;
    while at < source.code.len() {
        let Some(first) = doc_text(source, at) else {
            at += 1;
            continue;
        };
        let line = at + 1;
        let block: Vec<String> = (at..).map_while(|index| doc_text(source, index)).collect();
        at += block.len();
        let paragraph: Vec<&str> =
            block.iter().map(String::as_str).take_while(|text| !text.is_empty()).collect();
        docs.push(Doc { line, paragraph: paragraph.join(" "), first, item: item(source, at) });
    }
    docs
}

/// Returns the text of the `///` line with this index.
fn doc_text(source: &Source, index: usize) -> Option<String> {
    let comment = source.comments.get(index)?.trim();
    let text = comment.strip_prefix("///").filter(|text| !text.starts_with('/'))?;
    source.code[index].trim().is_empty().then(|| text.trim().to_owned())
}

/// Returns the kind of the item that the code declares from this line on.
fn item(source: &Source, from: usize) -> Item {
    if is_help(source, from) {
        return Item::Help;
    }
    let mut depth = 0_i32;
    for line in source.code[from..].iter().map(|line| line.trim()) {
        let is_attribute = depth > 0 || line.starts_with("#[");
        if is_attribute {
            depth += count(line, '[') - count(line, ']');
        } else if !line.is_empty() {
            let head = line.split(['(', ':']).next().unwrap_or_default();
            let is_function = has_word(head, "fn");
            return match line.starts_with("pub ") {
                true if is_function => Item::PublicFunction,
                true => Item::Public,
                false => Item::Private,
            };
        }
    }
    Item::Private
}

/// Returns true if the line belongs to a type from which clap derives a command line.
fn is_help(source: &Source, index: usize) -> bool {
    const DERIVES: &[&str] = &["Parser", "Args", "Subcommand", "ValueEnum"];
    let derives = |line: &String| line.contains("derive(") && DERIVES.iter().any(|name| has_word(line, name));
    let starts_item = |line: &str| ["struct", "enum"].iter().any(|word| has_word(line, word));
    // The attributes of an item come after its doc comment.
    let own = source.code[index..].iter().take_while(|line| line.trim().starts_with("#["));
    if own.clone().any(derives) {
        return true;
    }
    let Some(derive) = source.code[..index].iter().rposition(derives) else { return false };
    let body = &source.code[derive..index];
    let Some(open) = body.iter().position(|line| starts_item(line)) else { return false };
    let depth: i32 = body[open..].iter().map(|line| count(line, '{') - count(line, '}')).sum();
    depth > 0
}

fn count(line: &str, wanted: char) -> i32 {
    i32::try_from(line.matches(wanted).count()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the lines of `text` that break the rule.
    #[track_caller]
    fn check(text: &str, expected: &[usize]) {
        let found: Vec<usize> =
            in_file("a.rs", &Source::new(text)).iter().map(|finding| finding.line).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_riddle_in_a_first_doc_line_is_named() {
        for line in [
            "The lock is what counts.",
            "The path is that of the socket.",
            "What stands at the path.",
            "Whether somebody holds it.",
            "Whoever has the lock.",
            "There is none.",
            "Files of which one is open.",
            "Nobody reads it but the daemon.",
            "Holds nothing but the name.",
            "The number that the system is told.",
            "How long a client waits.",
        ] {
            check(&format!("/// {line}\nstruct A;\n"), &[1]);
            check(&format!("/// Plain.\n///\n/// {line}\nstruct A;\n"), &[]);
        }
        for line in ["Process exit status.", "What does a peer see?", "The key `that of` is quoted."] {
            check(&format!("/// {line}\nstruct A;\n"), &[]);
        }
    }

    #[test]
    fn a_public_function_says_what_it_returns_or_does() {
        check("/// Returns the name.\npub fn a() {}\n", &[]);
        check("/// Closes it.\n#[must_use]\npub const fn a() {}\n", &[]);
        for line in ["The name.", "Return the name.", "As `b`.", "`true` if it is open.", "Is told of it."] {
            let text = format!("/// {line}\n#[must_use]\npub async fn a() {{}}\n");
            assert!(!in_file("a.rs", &Source::new(&text)).is_empty(), "{text}");
        }
        check("/// The name.\nfn a() {}\n", &[]);
        check("/// The name.\npub(crate) fn a() {}\n", &[]);
        check("/// The name.\npub name: Option<fn()>,\n", &[]);
    }

    #[test]
    fn a_first_doc_line_of_a_public_item_is_one_short_line() {
        let exactly = "a".repeat(79);
        check(&format!("/// {exactly}.\npub struct A;\n"), &[]);
        check(&format!("/// {exactly}a.\npub struct A;\n"), &[1]);
        check("/// A lock that\n/// is held.\npub struct A;\n", &[1]);
        check("/// A lock.\n/// It is held.\npub struct A;\n", &[]);
        check("/// A lock that\n/// is held.\nstruct A;\n", &[]);
    }

    #[test]
    fn a_help_text_is_checked_as_a_whole_and_may_be_long() {
        let inside =
            |doc: &str| format!("#[derive(Debug, Args)]\npub struct A {{\n{doc}\n    pub a: bool,\n}}\n");
        check(&inside("    /// Print\n    /// JSON"), &[]);
        check(&inside("    /// Print\n    /// that of the daemon"), &[3]);
        check("/// Print\n/// that of the daemon\n#[derive(Parser)]\nstruct A;\n", &[1]);
        check(&format!("{}/// The name.\npub fn f() {{}}\n", inside("    /// Print")), &[6]);
    }
}
