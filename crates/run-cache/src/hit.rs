//! A result that was found.

use crate::bundle::Bundle;
use crate::explanation::Explanation;
use crate::place::is_too_large;
use crate::plan::Plan;

/// A result that is to be put in its place.
#[derive(Debug)]
pub struct Hit {
    pub(crate) plan: Plan,
    pub(crate) bundle: Bundle,
    pub(crate) explanation: Explanation,
}

impl Hit {
    /// Puts the outputs in their places.
    ///
    /// # Errors
    ///
    /// What the system said. The caller then runs the compiler, which says it better.
    pub fn place(&self) -> std::io::Result<()> {
        if is_too_large(self.bundle.len() as u64) {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        for output in &self.plan.outputs {
            if let Some(contents) = self.bundle.output(output.role) {
                output.place(contents)?;
            }
        }
        Ok(())
    }

    /// Returns what the compiler wrote to standard output.
    #[must_use]
    pub fn stdout(&self) -> &[u8] {
        &self.bundle.stdout
    }

    /// Returns what the compiler wrote to standard error.
    #[must_use]
    pub fn stderr(&self) -> &[u8] {
        &self.bundle.stderr
    }

    /// Returns how long the compiler took when the result was made.
    #[must_use]
    pub const fn took(&self) -> std::time::Duration {
        self.bundle.took
    }

    /// Returns the number of bytes of all outputs and messages.
    #[must_use]
    pub fn stored_len(&self) -> u64 {
        self.bundle.len() as u64
    }

    /// Returns the plan that was looked up.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns what the key was made of.
    #[must_use]
    pub const fn explanation(&self) -> &Explanation {
        &self.explanation
    }
}
