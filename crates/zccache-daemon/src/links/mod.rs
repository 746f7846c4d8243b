//! Links at the names where later published releases look for their daemon.

mod directory;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use zccache_ipc::endpoint::{
    Endpoint, FileKind, LinkState, Locations, ReleaseNames, blocking, link_to, look_at, look_at_link,
    remove_link,
};

use directory::ReleaseDirectory;

/// Looks at which nobody must answer at a foreign socket before it is taken for abandoned: its daemon may be
/// between bind and listen.
const LOOKS: u8 = 3;

/// The time that a check waits for a socket whose queue is full.
const CONNECT: Duration = Duration::from_millis(20);

/// Links from the versioned names of published releases to the daemon's socket.
///
/// There is no lock file and no identity file at those names: published clients kill what those name. A
/// published daemon that binds at such a name keeps it for as long as it lives.
///
/// Rule: `docs/spec/endpoint.md#links-at-versioned-names`.
#[derive(Debug)]
pub(crate) struct Links {
    socket: PathBuf,
    links: Vec<Link>,
}

/// Links that are looked at once a second, and more often after a `Clear`.
///
/// `clear` of releases from 1.12.16 on removes the directories of all other releases after the daemon has
/// answered. A directory that a published daemon made is removed with the link in it, and the next client of such
/// a release would start a daemon of its own. [`ReleaseDirectory`] is passed over.
#[derive(Debug)]
pub(crate) struct KeptLinks {
    links: Arc<Mutex<Links>>,
    after_clear: JoinHandle<()>,
}

impl KeptLinks {
    /// Makes the links, and looks at them often for a while each time that `cleared` is notified. Call it within
    /// a tokio runtime.
    pub(crate) fn begin(mut links: Links, cleared: Arc<Notify>) -> Self {
        links.keep();
        let links = Arc::new(Mutex::new(links));
        let kept = Arc::clone(&links);
        let after_clear = tokio::spawn(async move {
            loop {
                cleared.notified().await;
                for (pause, looks) in AFTER_CLEAR {
                    for _ in 0..looks {
                        sleep(pause).await;
                        lock(&kept).keep();
                    }
                }
            }
        });
        Self { links, after_clear }
    }

    /// Makes the links that are missing.
    pub(crate) fn keep(&self) {
        lock(&self.links).keep();
    }

    /// Removes the links that still lead to the daemon, for good.
    pub(crate) fn end(&self) {
        self.after_clear.abort();
        let mut links = lock(&self.links);
        links.remove();
        links.links.clear();
    }
}

fn lock(links: &Mutex<Links>) -> MutexGuard<'_, Links> {
    links.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pauses between looks after a `Clear`, and how many looks: the directories are removed at once, and a
/// client that comes meanwhile would start a daemon of its own.
const AFTER_CLEAR: [(Duration, u32); 2] = [(Duration::from_millis(1), 500), (Duration::from_millis(20), 125)];

#[derive(Debug)]
struct Link {
    path: PathBuf,
    /// The release's own directory, where the link is in it: made if it is missing.
    directory: Option<ReleaseDirectory>,
    /// The number of consecutive checks without an answer at a foreign socket.
    silent: u8,
    /// True if the log already names the foreign owner of the link.
    told: bool,
}

impl Links {
    /// Returns the links of the daemon at `locations`; none for an endpoint that is not a default one, which
    /// every release finds by the same name, and none on Windows.
    pub(crate) fn of(locations: &Locations) -> Self {
        let socket = PathBuf::from(locations.endpoint().as_str());
        let environment = locations.daemon_environment();
        let names = if locations.is_default() && environment.platform().is_unix() {
            ReleaseNames::all_versioned(environment).unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the names of later releases are not known");
                Vec::new()
            })
        } else {
            Vec::new()
        };
        let link = |names: ReleaseNames| {
            let path = PathBuf::from(names.endpoint.as_str());
            let root = PathBuf::from(names.root);
            let directory = path.starts_with(&root).then(|| ReleaseDirectory::new(root)).flatten();
            Link { path, directory, silent: 0, told: false }
        };
        Self { socket, links: names.into_iter().map(link).collect() }
    }

    /// Makes the links that are missing, and leaves the names that another daemon has.
    pub(crate) fn keep(&mut self) {
        for link in &mut self.links {
            if let Err(error) = link.keep(&self.socket)
                && !std::mem::replace(&mut link.told, true)
            {
                let error: &dyn std::error::Error = &*error;
                tracing::warn!(link = %link.path.display(), error, "a later release does not find the daemon");
            }
        }
    }

    /// Removes the links that still lead to the daemon.
    pub(crate) fn remove(&self) {
        for link in &self.links {
            let removed = remove_link(&link.path, &self.socket)
                .and_then(|_| link.directory.as_ref().map_or(Ok(()), ReleaseDirectory::remove));
            if let Err(error) = removed {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(link = %link.path.display(), error, "a link is left behind");
            }
        }
    }
}

impl Link {
    /// Returns true if what is at the name is a socket of ours at which nobody listens.
    fn is_abandoned(&self) -> bool {
        let found = look_at(&self.path).ok().flatten();
        if !found.is_some_and(|found| found.kind == FileKind::Socket && found.foreign_owner.is_none()) {
            return false;
        }
        let endpoint = Endpoint::new(self.path.to_string_lossy());
        let connected = blocking::Stream::connect(&endpoint, Instant::now() + CONNECT);
        connected.is_err_and(|error| error.is_no_daemon())
    }

    fn keep(&mut self, socket: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match look_at_link(&self.path, socket)? {
            LinkState::Ours => {
                (self.silent, self.told) = (0, false);
                return Ok(());
            }
            LinkState::Missing => {}
            LinkState::Dangling => std::fs::remove_file(&self.path)?,
            LinkState::Other => {
                if !self.is_abandoned() {
                    self.silent = 0;
                    if !std::mem::replace(&mut self.told, true) {
                        tracing::info!(name = %self.path.display(), "a daemon of that release has its own name");
                    }
                    return Ok(());
                }
                self.silent += 1;
                if self.silent < LOOKS {
                    return Ok(());
                }
                std::fs::remove_file(&self.path)?;
            }
        }
        self.silent = 0;
        if let Some(directory) = &self.directory {
            directory.ensure()?;
        }
        link_to(&self.path, socket)?;
        tracing::debug!(link = %self.path.display(), "linked");
        Ok(())
    }
}
