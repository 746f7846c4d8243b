//! The source that a URL names.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use zccache_ipc::endpoint::Platform;

use crate::Problem;

/// Source of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The URL of a file on a web server.
    Web(String),
    /// A file on this machine.
    File(PathBuf),
}

impl Source {
    /// Parses a URL with the scheme `http`, `https` or `file`.
    pub(crate) fn parse(url: &str) -> Result<Self, Problem> {
        let invalid = |why: &str| Problem::Address { url: shown(url), why: why.to_owned() };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(invalid("it has no scheme, such as https://"));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => {
                // Clients never send the fragment.
                let url = url.split('#').next().unwrap_or(url);
                let uri: ureq::http::Uri = url.parse().map_err(|_| invalid("it is not a valid address"))?;
                if uri.host().is_none_or(str::is_empty) {
                    return Err(invalid("it names no host"));
                }
                Ok(Self::Web(url.to_owned()))
            }
            "file" => {
                let (host, path) = host_and_path(Platform::CURRENT, rest);
                if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                    return Err(invalid("it names a file of another machine"));
                }
                let path =
                    percent_decode_str(path).decode_utf8().map_err(|_| invalid("its path is not UTF-8"))?;
                if path.is_empty() || path.contains('\0') {
                    return Err(invalid("it names no path"));
                }
                Ok(Self::File(local(Platform::CURRENT, &path).into()))
            }
            _ => Err(invalid("only http, https and file are downloaded")),
        }
    }
}

/// Splits a file URL behind `//`. On Windows a drive is no host: `file://C:/dir` and `file://C:\dir` name files.
fn host_and_path(platform: Platform, rest: &str) -> (&str, &str) {
    if platform == Platform::Windows && has_drive(rest) {
        return ("", rest);
    }
    rest.find('/').map_or((rest, ""), |at| rest.split_at(at))
}

/// Returns the path of a file URL; on Windows, `/C:/dir` becomes `C:/dir`.
fn local(platform: Platform, path: &str) -> &str {
    match path.strip_prefix('/') {
        Some(rest) if platform == Platform::Windows && has_drive(rest) => rest,
        _ => path,
    }
}

fn has_drive(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':'
}

/// Returns `url` for logs, without the user name and password.
pub(crate) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://…{}", &rest[at..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_web_server_or_a_file_on_this_machine() {
        let web = |url: &str| Some(Source::Web(url.to_owned()));
        let file = |path: &str| Some(Source::File(path.into()));
        for (url, expected) in [
            ("http://h/a?b=c", web("http://h/a?b=c")),
            ("HTTPS://h:1/a", web("HTTPS://h:1/a")),
            ("http://h/a#part", web("http://h/a")),
            ("file:///a/b%20c", file("/a/b c")),
            ("file://localhost/a", file("/a")),
            ("file://elsewhere/a", None),
            ("file://", None),
            ("file:///a%00b", None),
            ("file:///%ff", None),
            ("http:///a", None),
            ("http://h/a b", None),
            ("ftp://h/a", None),
            ("/a/b", None),
            ("", None),
        ] {
            assert_eq!(Source::parse(url).ok(), expected, "{url}");
        }
    }

    #[test]
    fn a_drive_of_windows_is_part_of_the_path() {
        let path = |platform, rest| {
            let (host, path) = host_and_path(platform, rest);
            (host.to_owned(), local(platform, path).to_owned())
        };
        for (rest, expected) in [
            ("/C:/a/b", ("", "C:/a/b")),
            ("C:/a", ("", "C:/a")),
            (r"C:\a b", ("", r"C:\a b")),
            ("localhost/c:/a", ("localhost", "c:/a")),
            ("server/share", ("server", "/share")),
            ("/a", ("", "/a")),
        ] {
            assert_eq!(
                path(Platform::Windows, rest),
                (expected.0.to_owned(), expected.1.to_owned()),
                "{rest}"
            );
        }
        assert_eq!(path(Platform::Linux, "/C:/a"), (String::new(), "/C:/a".to_owned()));
        assert_eq!(path(Platform::Linux, "C:/a").0, "C:");
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(shown("http://me:secret@h/a@b"), "http://…@h/a@b");
        assert_eq!(shown("http://h/a@b"), "http://h/a@b");
    }
}
