//! Targets of redirects, without I/O.

/// Returns the URL of `location` in a response from `base`, or the reason not to follow it.
///
/// A redirect must lead to http or https, and never from https to http.
pub(crate) fn follow(base: &str, location: &str) -> Result<String, &'static str> {
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, rest) = base.split_once("://").ok_or("it comes from no address")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('?').next().unwrap_or_default();
    if let Some((found, rest)) = with_scheme(location) {
        let is_secure = scheme.eq_ignore_ascii_case("https");
        return match found.to_ascii_lowercase().as_str() {
            "https" => Ok(location.to_owned()),
            "http" if !is_secure => Ok(location.to_owned()),
            "http" => Err("it leads from https to http"),
            _ if rest.starts_with("//") => Err("it leads away from the web"),
            _ => Err("it leads to no address of the web"),
        };
    }
    if location.starts_with("//") {
        return Ok(format!("{scheme}:{location}"));
    }
    let (target, query) = match location.find('?') {
        Some(at) => location.split_at(at),
        None => (location, ""),
    };
    let target = match target {
        "" => path.to_owned(),
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => format!("{}/{relative}", path.rsplit_once('/').map_or("", |(directory, _)| directory)),
    };
    Ok(format!("{scheme}://{authority}{}{query}", without_dots(&target)))
}

/// Returns the scheme of `text` and the text after its colon, if `text` has a scheme.
fn with_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some((scheme, rest))
}

/// Returns `path` without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut pieces = path.split('/').skip(1).peekable();
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        match piece {
            "." | ".." => {
                if piece == ".." {
                    parts.pop();
                }
                if is_last {
                    parts.push("");
                }
            }
            piece => parts.push(piece),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_resolved_as_in_a_browser() {
        for (base, location, expected) in [
            ("http://h/a/b?q", "/c", "http://h/c"),
            ("http://h/a/b?q", "c", "http://h/a/c"),
            ("http://h/a/b?q", "../c?x=/y", "http://h/c?x=/y"),
            ("http://h/a/b/", "./../..", "http://h/"),
            ("http://h/a", "../../../c", "http://h/c"),
            ("http://h/a?q", "?x", "http://h/a?x"),
            ("http://h?q", "c", "http://h/c"),
            ("https://h:1/a", "//other/c#part", "https://other/c"),
            ("http://h/a", "https://other/c", "https://other/c"),
            ("http://h/a", "HTTP://other/c", "HTTP://other/c"),
            ("http://h/a", "b/c:d", "http://h/b/c:d"),
        ] {
            assert_eq!(follow(base, location).as_deref(), Ok(expected), "{base} {location}");
        }
    }

    #[test]
    fn a_redirect_leads_to_the_web_only_and_never_from_https_to_http() {
        for (base, location) in [
            ("http://h/a", "file:///etc/passwd"),
            ("http://h/a", "FILE:/etc/passwd"),
            ("http://h/a", "ftp://h/a"),
            ("https://h/a", "http://h/a"),
        ] {
            assert!(follow(base, location).is_err(), "{base} {location}");
        }
    }
}
