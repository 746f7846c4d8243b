//! How much a session may make the daemon keep.

use zccache_ipc::model::{NormalizedPath, SessionStart};

use super::SessionError;

/// The longest path or name that a session keeps, in bytes: the limit of system calls.
pub(super) const LONGEST_TEXT: usize = 4096;

/// The most bytes that all open sessions together keep.
pub(super) const MOST_KEPT: usize = 16 << 20;

/// The longest part of an id that an error repeats, in bytes: more than the id of a session has.
const LONGEST_ECHO: usize = 64;

/// Returns how many bytes of `start` a session keeps.
///
/// # Errors
///
/// [`SessionError::TooLong`] for a path or a name that is too long, and for too many variables.
pub(super) fn kept(start: &SessionStart) -> Result<usize, SessionError> {
    let path = |path: &NormalizedPath| path.as_path().as_os_str().len();
    let mut texts = vec![("working_dir", path(&start.working_dir))];
    texts.extend(start.log_file.as_ref().map(|file| ("log_file", path(file))));
    texts.extend(start.journal_path.as_ref().map(|file| ("journal_path", path(file))));
    let mut others = 0;
    if let Some(private) = &start.private_daemon {
        texts.extend(private.daemon_name.as_ref().map(|name| ("daemon_name", name.len())));
        texts.extend(private.endpoint.as_ref().map(|endpoint| ("endpoint", endpoint.len())));
        texts.extend(private.cache_dir.as_ref().map(|directory| ("cache_dir", path(directory))));
        others += private.owner_pids.len() * size_of::<u32>();
        let variable = |(name, value): &(String, String)| name.len() + value.len() + 2 * size_of::<String>();
        others += private.env.iter().map(variable).sum::<usize>();
    }
    if let Some((field, len)) = texts.iter().find(|(_, len)| *len > LONGEST_TEXT) {
        return Err(SessionError::TooLong { field, len: *len });
    }
    Ok(texts.iter().map(|(_, len)| len).sum::<usize>() + others)
}

/// Returns the beginning of an id that a peer sent, for an error that repeats it.
pub(super) fn echo(id: &str) -> String {
    if id.len() <= LONGEST_ECHO {
        return id.to_owned();
    }
    let end = (0..=LONGEST_ECHO).rev().find(|end| id.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &id[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_have_limits_and_an_error_repeats_little() {
        let start = |len: usize| SessionStart {
            working_dir: "d".repeat(len).as_str().into(),
            ..SessionStart::default()
        };
        assert_eq!(kept(&start(LONGEST_TEXT)), Ok(LONGEST_TEXT));
        let too_long = SessionError::TooLong { field: "working_dir", len: LONGEST_TEXT + 1 };
        assert_eq!(kept(&start(LONGEST_TEXT + 1)), Err(too_long));
        assert_eq!(echo("abc"), "abc");
        assert_eq!(echo(&"é".repeat(1 << 20)), format!("{}…", "é".repeat(32)));
    }
}
