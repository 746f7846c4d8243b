//! Starting a program that outlives its starter and holds nothing of it.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use thiserror::Error;

use crate::{Pid, os};

/// A program to be started detached: standard streams closed, nothing inherited, the environment as listed.
///
/// The other half is the started program's: it calls [`detach_session`](crate::detach_session) first, so
/// that the terminal of its starter cannot signal it.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    directory: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    messages: Option<PathBuf>,
}

/// A program that was not started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// A path that would depend on the current directory or on `PATH`.
    #[error("the path {} is not absolute", .0.display())]
    Relative(PathBuf),
    /// The descriptors of this process could not be kept from the program.
    #[error("cannot keep open files from {}", program.display())]
    Inheritance {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system did not start it.
    #[error("cannot start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Launch {
    /// Names the program and the directory it starts in, both absolute.
    pub fn new(program: impl Into<PathBuf>, directory: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            directory: directory.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            messages: None,
        }
    }

    /// Appends what the program writes to its standard error to the file at `path`.
    ///
    /// A program says there what is wrong with its command line. A file that cannot be opened takes nothing.
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
    /// While it starts, every descriptor of this process above the standard streams is close-on-exec, those
    /// too that the process was given to pass on; afterwards they are as before. A program that another
    /// thread starts in that moment does not get them either.
    ///
    /// # Errors
    ///
    /// [`LaunchError`]; nothing runs then.
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
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.messages());
        let program = || self.program.clone();
        let child = os::spawn_uninherited(&mut command)
            .map_err(|source| LaunchError::Inheritance { program: program(), source })?
            .map_err(|source| LaunchError::Start { program: program(), source })?;
        Ok(Launched { child })
    }

    fn messages(&self) -> Stdio {
        let file = self.messages.as_ref().map(|path| OpenOptions::new().append(true).create(true).open(path));
        file.and_then(Result::ok).map_or_else(Stdio::null, Stdio::from)
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// A started program. Dropping this does not end it.
#[derive(Debug)]
pub struct Launched {
    child: Child,
}

impl Launched {
    /// Its process id, which stays its own until [`try_wait`](Self::try_wait) has seen it end.
    ///
    /// # Panics
    ///
    /// Never: the system gives no process an id that is not one.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::new(self.child.id()).expect("a started process has the id of one process")
    }

    /// How it ended, or `None` while it runs.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Ends it by force and waits until it is gone, for a starter that has given it up.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub fn kill(mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}
