//! The names of the daemon that a client of an environment would call.

use crate::environment::Environment;
use crate::locate_error::{LocateError, NamesError};
use crate::locations::Locations;
use crate::names::Names;

impl Names {
    /// Returns the names that the released programs derive in this process.
    ///
    /// Each call reads the environment. A program that needs more than names reads it once, with
    /// [`Environment::from_process`].
    ///
    /// # Errors
    ///
    /// [`NamesError`] if the current directory cannot be read, or a variable is not UTF-8.
    pub fn of_process() -> Result<Self, NamesError> {
        Ok(Self::of(&Environment::from_process()?)?)
    }

    /// Returns the names that the released programs derive from `environment`.
    ///
    /// # Errors
    ///
    /// [`LocateError`] for a variable that is not UTF-8.
    pub fn of(environment: &Environment) -> Result<Self, LocateError> {
        Ok(Locations::for_client(environment, None, None)?.recorded().clone())
    }
}
