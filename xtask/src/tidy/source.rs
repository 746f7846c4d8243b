//! A Rust file as two texts of the same lines: its code without literals, and its comments.

/// A Rust source file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The code, with comments and the content of literals blanked.
    pub(super) code: Vec<String>,
    /// The comments, documentation included, with everything else blanked.
    pub(super) comments: Vec<String>,
    /// Index of the first line of the test module that ends the file.
    tests_from: usize,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let (code, comments) = split(text);
        let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (code, comments) = (lines(code), lines(comments));
        let tests_from = tests_from(&code);
        Self { code, comments, tests_from }
    }

    /// Returns true if the line with this index belongs to the test module at the end.
    pub(super) fn is_test_line(&self, index: usize) -> bool {
        index >= self.tests_from
    }

    /// Returns the names of the modules that are for tests only and have their own file.
    pub(super) fn test_modules(&self) -> impl Iterator<Item = &str> {
        let after_cfg = test_items(&self.code);
        after_cfg.filter_map(|(_, item)| item.strip_prefix("mod ")?.strip_suffix(';'))
    }
}

/// Returns true if `text` has `word` with no letter, digit or underscore on either side.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back().is_some_and(is_part);
        let after = text[start + word.len()..].chars().next().is_some_and(is_part);
        !before && !after
    })
}

/// Returns the index of each `cfg` with `test`, and the trimmed item after it.
fn test_items(code: &[String]) -> impl Iterator<Item = (usize, &str)> {
    let is_cfg = |line: &str| line.trim_start().starts_with("#[cfg(") && has_word(line, "test");
    let item = |from: usize| {
        let items = code[from..].iter().map(|line| line.trim());
        items.clone().find(|line| !line.is_empty() && !line.starts_with("#["))
    };
    let cfgs = code.iter().enumerate().filter(move |(_, line)| is_cfg(line));
    cfgs.filter_map(move |(index, _)| Some((index, item(index)?)))
}

fn tests_from(code: &[String]) -> usize {
    let module = test_items(code).find(|(_, item)| item.starts_with("mod ") && item.ends_with('{'));
    module.map_or(usize::MAX, |(index, _)| index)
}

/// The state of the scanner in a Rust text.
#[derive(Clone, Copy)]
enum State {
    Code,
    LineComment,
    /// A block comment with its depth.
    BlockComment(usize),
    /// A string with escapes.
    Text,
    /// A raw string with this many `#`.
    Raw(usize),
}

fn split(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::with_capacity(text.len()), String::with_capacity(text.len()));
    let mut state = State::Code;
    let mut at = 0;
    while at < chars.len() {
        let (length, next) = step(&chars, at, state);
        for &c in &chars[at..at + length] {
            let blank = if c == '\n' { '\n' } else { ' ' };
            let (in_code, in_comment) = match (state, next) {
                (State::LineComment | State::BlockComment(_), _)
                | (_, State::LineComment | State::BlockComment(_)) => (blank, c),
                (State::Code, State::Code) if length == 1 => (c, blank),
                (State::Code, State::Text | State::Raw(_)) | (State::Text | State::Raw(_), State::Code) => {
                    (c, blank)
                }
                _ => (blank, blank),
            };
            code.push(in_code);
            comments.push(in_comment);
        }
        (at, state) = (at + length, next);
    }
    (code, comments)
}

/// Returns the length of the token at `at`, and the state after it.
fn step(chars: &[char], at: usize, state: State) -> (usize, State) {
    let starts = |with: &str| with.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    match state {
        State::LineComment if chars[at] == '\n' => (1, State::Code),
        State::BlockComment(depth) if starts("/*") => (2, State::BlockComment(depth + 1)),
        State::BlockComment(1) if starts("*/") => (2, State::Code),
        State::BlockComment(depth) if starts("*/") => (2, State::BlockComment(depth - 1)),
        State::Text if chars[at] == '\\' => (2.min(chars.len() - at), state),
        State::Text if chars[at] == '"' => (1, State::Code),
        State::Raw(hashes) if starts(&format!("\"{}", "#".repeat(hashes))) => (1 + hashes, State::Code),
        State::Code if starts("//") => (2, State::LineComment),
        State::Code if starts("/*") => (2, State::BlockComment(1)),
        State::Code if chars[at] == '"' => (1, State::Text),
        State::Code if chars[at] == 'r' => raw_string(chars, at).unwrap_or((1, state)),
        State::Code if chars[at] == '\'' => (character(chars, at), state),
        _ => (1, state),
    }
}

/// Returns the opening of a raw string at `at`, which holds `r`.
fn raw_string(chars: &[char], at: usize) -> Option<(usize, State)> {
    let before = at.checked_sub(1).map(|index| chars[index]);
    if before.is_some_and(|c| (c.is_alphanumeric() || c == '_') && c != 'b' && c != 'c') {
        return None; // the end of a name
    }
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some((2 + hashes, State::Raw(hashes)))
}

/// Returns the length of the character literal at `at`, or 1 if `'` begins a lifetime.
fn character(chars: &[char], at: usize) -> usize {
    match chars.get(at + 1) {
        Some('\\') => {
            let close = chars[at + 2..].iter().skip(1).position(|c| *c == '\'');
            close.map_or(1, |index| index + 4)
        }
        Some(_) if chars.get(at + 2) == Some(&'\'') => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, comments: &str) {
        let (seen_code, seen_comments) = split(text);
        assert_eq!((seen_code.trim_end(), seen_comments.trim()), (code, comments), "{text}");
    }

    #[test]
    fn comments_and_literals_are_distinguished_from_code() {
        check("let a = 1; // why", "let a = 1;", "// why");
        check("a /* b /* c */ d */ e", "a                   e", "/* b /* c */ d */");
        check(r#"f("unsafe // no", x)"#, r#"f("            ", x)"#, "");
        check(r#"f("a\"b", x)"#, r#"f("    ", x)"#, "");
        check(r###"f(r#"a"b"#, x)"###, r###"f(r#"   "#, x)"###, "");
        check(r#"f(br"\", x)"#, r#"f(br" ", x)"#, "");
        check("f('\"', '\\'', '/', x)", "f(   ,     ,    , x)", "");
        check(r"f('\u{7f}', x)", "f(        , x)", "");
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}", "");
        check("r#type // r", "r#type", "// r");
        check("let var = for_r\"\"", "let var = for_r\"\"", "");
    }

    #[test]
    fn a_test_module_at_the_end_is_seen() {
        let source = Source::new("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n");
        let lines: Vec<_> = (0..6).map(|index| source.is_test_line(index)).collect();
        assert_eq!(lines, [false, false, true, true, true, true]);
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_is_seen() {
        let source = Source::new("#[cfg(all(test, unix))]\n#[path = \"x.rs\"]\nmod b;\nmod c;\nfn d() {}\n");
        assert_eq!(source.test_modules().collect::<Vec<_>>(), ["b"]);
        assert!(!source.is_test_line(4));
    }

    #[test]
    fn words_are_matched_whole() {
        assert!(has_word("an unsafe { block }", "unsafe"));
        assert!(!has_word("#![forbid(unsafe_code)]", "unsafe"));
        assert!(!has_word("nounsafe", "unsafe"));
    }
}
