//! Joins and splits path text of any platform.
//!
//! `std::path` follows the rules of the platform that it is built for only.

use ipc_path::Platform;

/// Returns true if `text` does not depend on a current directory.
pub(crate) fn is_absolute(text: &str, platform: Platform) -> bool {
    if platform.is_unix() {
        return text.starts_with('/');
    }
    let (volume, rest) = split_volume(text);
    volume.len() > DRIVE_LEN || (!volume.is_empty() && rest.starts_with(['/', '\\']))
}

/// Returns `text` as seen from the directory `base`, not normalised.
///
/// Adds a separator only where one is missing, and removes nothing. On Windows a path that starts at a root
/// keeps the volume of `base`, and `d:name` of another drive starts at that drive's root, because the drive's
/// current directory is not known.
pub(crate) fn join(base: &str, text: &str, platform: Platform) -> String {
    if is_absolute(text, platform) {
        return text.to_owned();
    }
    let (mut base, mut text) = (base, text);
    if platform == Platform::Windows {
        let (volume, rest) = split_volume(text);
        if !volume.is_empty() {
            if !split_volume(base).0.eq_ignore_ascii_case(volume) {
                return format!("{volume}\\{rest}");
            }
            text = rest;
        } else if text.starts_with(['/', '\\']) {
            base = split_volume(base).0;
        }
    }
    let mut out = String::with_capacity(base.len() + 1 + text.len());
    out.push_str(base);
    let joined =
        text.is_empty() || is_separator_end(base, platform) || text.starts_with(separators(platform));
    if !base.is_empty() && !joined {
        out.push(separator(platform));
    }
    out.push_str(text);
    out
}

/// Returns everything before the last name of `text`.
pub(crate) fn parent(text: &str, platform: Platform) -> &str {
    text.trim_end_matches(separators(platform)).rfind(separators(platform)).map_or("", |at| &text[..=at])
}

/// Returns the last name of `text`; empty if `text` is only a volume.
pub(crate) fn file_name(text: &str, platform: Platform) -> &str {
    let names = if platform.is_unix() { text } else { split_volume(text).1 };
    names.trim_end_matches(separators(platform)).rsplit(separators(platform)).next().unwrap_or_default()
}

/// Returns the root of the volume that the absolute path `text` is on.
pub(crate) fn volume_root(text: &str, platform: Platform) -> String {
    if platform.is_unix() { "/".to_owned() } else { format!("{}\\", split_volume(text).0) }
}

fn separator(platform: Platform) -> char {
    if platform.is_unix() { '/' } else { '\\' }
}

fn separators(platform: Platform) -> &'static [char] {
    if platform.is_unix() { &['/'] } else { &['/', '\\'] }
}

fn is_separator_end(text: &str, platform: Platform) -> bool {
    text.ends_with(separators(platform))
}

/// The length of a volume that is a drive letter and a colon.
const DRIVE_LEN: usize = 2;

/// Splits Windows path text into its volume (`C:`, `\\server\share`, `\\?\C:`, …) and the rest.
fn split_volume(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let is_separator = |byte: &u8| matches!(byte, b'/' | b'\\');
    if bytes.len() >= DRIVE_LEN && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' {
        return text.split_at(DRIVE_LEN);
    }
    if bytes.len() <= 2 || !bytes[..2].iter().all(is_separator) || is_separator(&bytes[2]) {
        return ("", text);
    }
    // Counts the names after the two leading separators: server and share, or a device and its target.
    let device =
        bytes.get(..3).is_some_and(|b| matches!(b[2], b'?' | b'.')) && bytes.get(3).is_some_and(is_separator);
    let is_unc =
        device && bytes.get(4..8).is_some_and(|b| b[..3].eq_ignore_ascii_case(b"unc") && is_separator(&b[3]));
    let names = if is_unc { 4 } else { 2 };
    let end = bytes[2..].iter().enumerate().filter(|(_, byte)| is_separator(byte)).nth(names - 1);
    text.split_at(end.map_or(bytes.len(), |(at, _)| at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_as_their_platform_does() {
        for (platform, base, text, expected) in [
            (Platform::Linux, "/a", "b", "/a/b"),
            (Platform::Linux, "/a/", "b", "/a/b"),
            (Platform::Linux, "", "b", "b"),
            (Platform::Linux, "/a", "/b", "/b"),
            (Platform::Linux, "/a", "", "/a"),
            (Platform::Macos, "/", "b\\c", "/b\\c"),
            (Platform::Windows, r"C:\a", "b", r"C:\a\b"),
            (Platform::Windows, r"C:\a", r"\b", r"C:\b"),
            (Platform::Windows, r"C:\a", r"D:\b", r"D:\b"),
            (Platform::Windows, r"C:\a", "c:b", r"C:\a\b"),
            (Platform::Windows, r"C:\a", "d:b", r"d:\b"),
            (Platform::Windows, r"\\srv\share\a", "/b", r"\\srv\share/b"),
            (Platform::Windows, "C:", "b", r"C:\b"),
        ] {
            assert_eq!(join(base, text, platform), expected, "{base} + {text}");
        }
    }

    #[test]
    fn absolute_needs_a_root_and_on_windows_a_volume() {
        for (platform, text, expected) in [
            (Platform::Linux, "/", true),
            (Platform::Linux, "a/b", false),
            (Platform::Linux, "", false),
            (Platform::Linux, r"C:\a", false),
            (Platform::Windows, r"C:\a", true),
            (Platform::Windows, "c:/a", true),
            (Platform::Windows, "c:a", false),
            (Platform::Windows, r"\a", false),
            (Platform::Windows, r"\\srv\share", true),
            (Platform::Windows, r"\\?\C:\a", true),
            (Platform::Windows, r"\\", false),
            (Platform::Windows, "é:", false),
        ] {
            assert_eq!(is_absolute(text, platform), expected, "{text}");
        }
    }

    #[test]
    fn the_volume_root_is_that_of_the_prefix() {
        for (text, expected) in [
            (r"C:\a\b", r"C:\"),
            (r"\\srv\share\a", r"\\srv\share\"),
            (r"\\?\C:\a", r"\\?\C:\"),
            (r"\\?\UNC\srv\share\a", r"\\?\UNC\srv\share\"),
        ] {
            assert_eq!(volume_root(text, Platform::Windows), expected);
        }
        assert_eq!(volume_root("/a/b", Platform::Macos), "/");
    }

    #[test]
    fn a_path_is_split_before_its_last_name() {
        for (platform, text, directory, name) in [
            (Platform::Linux, "/a/b", "/a/", "b"),
            (Platform::Linux, "/a/b/", "/a/", "b"),
            (Platform::Linux, "b", "", "b"),
            (Platform::Linux, "/", "", ""),
            (Platform::Windows, r"C:\Users\Zach", r"C:\Users\", "Zach"),
            (Platform::Windows, r"C:\", "", ""),
        ] {
            assert_eq!((parent(text, platform), file_name(text, platform)), (directory, name), "{text}");
        }
    }
}
