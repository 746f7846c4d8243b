//! Normalisation and comparison keys of path text, for every platform.

use crate::Platform;

/// Returns `text` with `.`, repeated separators and resolvable `..` removed.
///
/// `..` removes an ordinary name before it and stays otherwise, so `/..` stays `/..` and `a/../..`
/// becomes `..`. Case and other characters stay (`docs/spec/endpoint.md#normal-form`).
#[must_use]
pub fn normalize(text: &str, platform: Platform) -> String {
    let (prefix, rest) = match platform {
        Platform::Windows => text.split_at(windows_prefix_len(text)),
        Platform::Linux | Platform::Macos => ("", text),
    };
    let is_separator = |c: char| c == '/' || (platform == Platform::Windows && c == '\\');
    let separator = if platform == Platform::Windows { '\\' } else { '/' };

    let mut kept: Vec<&str> = Vec::new();
    for segment in rest.split(is_separator) {
        push_segment(&mut kept, segment);
    }
    let mut out = String::with_capacity(text.len());
    out.push_str(prefix);
    if rest.starts_with(is_separator) {
        out.push(separator);
    }
    for (index, segment) in kept.iter().enumerate() {
        if index > 0 {
            out.push(separator);
        }
        out.push_str(segment);
    }
    out
}

/// Returns true if [`normalize`] is known to return `text` itself; false may also mean that it does.
///
/// It spares the copy for the paths that peers send, which are in normal form already.
pub(crate) fn is_normal(text: &str, platform: Platform) -> bool {
    let mut segments = text.strip_prefix('/').unwrap_or(text).split('/');
    platform != Platform::Windows
        && (matches!(text, "" | "/") || segments.all(|segment| !matches!(segment, "" | "." | "..")))
}

/// Returns the key by which paths are compared and hashed.
///
/// Linux: the normalised text. macOS: lower-cased. Windows: ASCII lower-cased, `\` as `/`, and a
/// leading `//?/` removed (`docs/spec/endpoint.md#path-key`).
#[must_use]
pub fn key(text: &str, platform: Platform) -> String {
    let normal = normalize(text, platform);
    match platform {
        Platform::Linux => normal,
        Platform::Macos => normal.to_lowercase(),
        Platform::Windows => {
            let key = normal.to_ascii_lowercase().replace('\\', "/");
            match key.strip_prefix("//?/") {
                Some(rest) => rest.to_owned(),
                None => key,
            }
        }
    }
}

/// Adds one segment to `kept`; `..` removes an ordinary name instead.
pub(crate) fn push_segment<'a, S>(kept: &mut Vec<S>, segment: S)
where
    S: AsRef<std::ffi::OsStr> + 'a,
{
    let text = segment.as_ref();
    if text.is_empty() || text == "." {
        return;
    }
    if text == ".." && kept.last().is_some_and(|last| last.as_ref() != "..") {
        kept.pop();
    } else {
        kept.push(segment);
    }
}

/// Returns the length of the Windows prefix of `text` in bytes.
///
/// A prefix is a drive, a UNC share, or a verbatim or device form of either.
fn windows_prefix_len(text: &str) -> usize {
    let is_separator = |b: u8| b == b'/' || b == b'\\';
    let bytes = text.as_bytes();
    let starts_with_two = bytes.len() > 2 && is_separator(bytes[0]) && is_separator(bytes[1]);
    // The end of the segment that starts at `from`.
    let segment_end =
        |from: usize| bytes[from..].iter().position(|b| is_separator(*b)).map_or(bytes.len(), |at| from + at);
    if starts_with_two && matches!(bytes[2], b'?' | b'.') && bytes.get(3).is_some_and(|b| is_separator(*b)) {
        let end = segment_end(4);
        if text.get(4..end).is_some_and(|s| s.eq_ignore_ascii_case("UNC")) && end < bytes.len() {
            let server = segment_end(end + 1);
            return if server < bytes.len() { segment_end(server + 1) } else { server };
        }
        return end;
    }
    if starts_with_two && !is_separator(bytes[2]) {
        let server = segment_end(2);
        return if server < bytes.len() { segment_end(server + 1) } else { 0 };
    }
    if bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' { 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_that_normalising_keeps_is_normal() {
        for platform in [Platform::Linux, Platform::Macos, Platform::Windows] {
            for text in [
                "", "/", "a", "/a", "/a/b", "..a/.b", "/ /b", "a//b", "//a", "a/", ".", "./a", "/..", "a/..",
                "a\\b",
            ] {
                assert!(!is_normal(text, platform) || normalize(text, platform) == text, "{text}");
            }
        }
        assert!(is_normal("/usr/bin/cc", Platform::Linux));
        assert!(!is_normal("/..", Platform::Linux));
    }

    #[test]
    fn windows_paths_normalise_within_their_prefix() {
        for (input, expected) in [
            (r"C:\Users\x\..\y", r"C:\Users\y"),
            ("c:/a//b/./c/", r"c:\a\b\c"),
            (r"\\?\C:\x\.\y", r"\\?\C:\x\y"),
            (r"\\server\share\a\..\b", r"\\server\share\b"),
            (r"\\?\UNC\server\share\..\b", r"\\?\UNC\server\share\..\b"),
            ("C:..", "C:.."),
            ("C:a/..", "C:"),
            (r"\a\..", r"\"),
            ("", ""),
        ] {
            assert_eq!(normalize(input, Platform::Windows), expected, "{input}");
        }
    }

    #[test]
    fn keys_follow_the_platform() {
        for (platform, input, expected) in [
            (Platform::Linux, "/A/./B", "/A/B"),
            (Platform::Macos, "/Users/Alice/ÄB", "/users/alice/äb"),
            (Platform::Windows, r"\\?\C:\Users\X", "c:/users/x"),
            (Platform::Windows, r"C:\Ä", "c:/Ä"),
        ] {
            assert_eq!(key(input, platform), expected, "{input}");
        }
    }
}
