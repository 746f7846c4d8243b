//! Starts a program that outlives its starter and inherits nothing from it.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use thiserror::Error;

use crate::{Pid, os};

/// A program to start detached: no streams, no descriptors, the listed environment.
///
/// Its standard streams are null. The started program must call [`detach_session`](crate::detach_session)
/// first, so that its starter's terminal cannot signal it.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    directory: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    messages: Option<PathBuf>,
}

/// A failed start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// A path depends on the current directory or on `PATH`.
    #[error("the path {} is not absolute", .0.display())]
    Relative(PathBuf),
    /// The program would have inherited this process's descriptors.
    #[error("cannot keep open files from {}", program.display())]
    Inheritance {
        /// The program.
        program: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The system did not start the program.
    #[error("cannot start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl Launch {
    /// Names the program and its working directory, both absolute.
    pub fn new(program: impl Into<PathBuf>, directory: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            directory: directory.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            messages: None,
        }
    }

    /// Appends the program's standard error to the file at `path`.
    ///
    /// A program reports an invalid command line there. If the file cannot be opened, the messages are lost.
    #[must_use]
    pub fn messages_to(mut self, path: impl Into<PathBuf>) -> Self {
        self.messages = Some(path.into());
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the environment, which is otherwise empty.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts the program and does not wait for it.
    ///
    /// During the start, every descriptor of this process above the standard streams is close-on-exec,
    /// including descriptors that the process got to pass on; afterwards they are as before. A program that
    /// another thread starts at that moment does not inherit them either. On Windows the program inherits its
    /// standard streams and no other handle, and leaves the job of its starter if that job allows it.
    ///
    /// # Errors
    ///
    /// [`LaunchError`]; no program runs then.
    pub fn spawn(&self) -> Result<Launched, LaunchError> {
        for path in [&self.program, &self.directory] {
            if !path.is_absolute() {
                return Err(LaunchError::Relative(path.clone()));
            }
        }
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory);
        let program = || self.program.clone();
        let child = os::spawn_uninherited(&mut command, self.messages())
            .map_err(|source| LaunchError::Inheritance { program: program(), source })?
            .map_err(|source| LaunchError::Start { program: program(), source })?;
        Ok(Launched { child })
    }

    fn messages(&self) -> Option<File> {
        OpenOptions::new().append(true).create(true).open(self.messages.as_ref()?).ok()
    }

    /// Returns the program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// A started program. Dropping this value does not end the program.
#[derive(Debug)]
pub struct Launched {
    child: os::Spawned,
}

impl Launched {
    /// Returns the process id.
    ///
    /// The system does not reuse the id before [`try_wait`](Self::try_wait) has seen the end of the process.
    ///
    /// # Panics
    ///
    /// Never: the system gives every process a valid id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::new(self.child.id()).expect("a started process has the id of one process")
    }

    /// Returns the exit status, or `None` while the program runs.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Kills the program and waits until it is gone.
    ///
    /// For a starter that has no more use for the program.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub fn kill(mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}
