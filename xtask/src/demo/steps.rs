//! The calls of the demo, in order. This is the file to add one to.

use std::path::PathBuf;

use anyhow::Result;

use super::sandbox::Sandbox;

/// One call through the library.
pub(crate) struct Step {
    /// What is called, for the table.
    pub(crate) name: &'static str,
    /// Makes the call and says what came back, in a few words. Its time is the latency shown.
    pub(crate) run: fn(&mut Call) -> Result<String>,
}

/// What the steps share.
pub(crate) struct Call {
    /// Where the daemon listens.
    #[expect(dead_code, reason = "read by the steps")]
    pub(crate) endpoint: String,
    /// A real file, whose bytes are stored and looked up: the daemon's own program.
    #[expect(dead_code, reason = "read by the steps")]
    pub(crate) file: PathBuf,
    /// The wire that the connection speaks, for the table.
    pub(crate) wire: String,
}

impl Call {
    pub(crate) fn new(sandbox: &Sandbox, file: &std::path::Path) -> Self {
        Self { endpoint: sandbox.endpoint().to_owned(), file: file.to_path_buf(), wire: String::new() }
    }
}

/// Every step: ping, status, store and look up, a session, clear, stop. The last one stops the daemon.
pub(crate) fn steps() -> Vec<Step> {
    Vec::new()
}
