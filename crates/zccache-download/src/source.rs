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
                let (host, path) = rest.find('/').map(|at| rest.split_at(at)).unwrap_or((rest, ""));
                if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                    return Err(invalid("it names a file of another machine"));
                }
                let path =
                    percent_decode_str(path).decode_utf8().map_err(|_| invalid("its path is not UTF-8"))?;
                if path.is_empty() || path.contains('\0') {
                    return Err(invalid("it names no path"));
                }
                Ok(Self::File(local(&path)))
            }
            _ => Err(invalid("only http, https and file are downloaded")),
        }
    }
}

/// Returns the path of a file URL; on Windows, `/C:/dir` becomes `C:/dir`.
fn local(path: &str) -> PathBuf {
    let bytes = path.as_bytes();
    let has_drive = bytes.len() > 2 && bytes[1].is_ascii_alphabetic() && bytes[2] == b':';
    PathBuf::from(if Platform::CURRENT == Platform::Windows && has_drive { &path[1..] } else { path })
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
    fn a_password_is_not_shown() {
        assert_eq!(shown("http://me:secret@h/a@b"), "http://…@h/a@b");
        assert_eq!(shown("http://h/a@b"), "http://h/a@b");
    }
}
