//! Text that a person can paste into a shell.

/// Returns `text` as one word of a POSIX shell.
///
/// ```
/// assert_eq!(ipc_os::shell_word("/run/sock"), "/run/sock");
/// assert_eq!(ipc_os::shell_word("/a b"), "'/a b'");
/// ```
#[must_use]
pub fn shell_word(text: &str) -> String {
    // No file name can have a NUL, and no shell accepts one.
    let text = text.replace('\0', "");
    shlex::try_quote(&text).map_or_else(|_| text.clone(), std::borrow::Cow::into_owned)
}
