//! Parts that are measured from outside, as a process of their own: `speed child …`.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::caller::{Caller, Kind};
use crate::machine::{many_files, memory};
use crate::server::{Answerer, Payloads, listen, serve};
use crate::work::embedder;
use crate::work::many::Crowd;

/// Runs the arguments of `speed child`.
pub fn run(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", answerer, path] => {
            many_files()?;
            let answerer = Answerer::of_name(answerer).context("no such server")?;
            let listener = listen(Path::new(path))?;
            // The child ends with its parent, which holds the other end of the pipe.
            std::thread::spawn(|| {
                let _ = std::io::stdin().read(&mut [0]);
                std::process::exit(0);
            });
            println!("ready");
            std::io::stdout().flush()?;
            serve(answerer, listener, Payloads::made_anew())
        }
        ["call", kind, path, len, times] => {
            let kind = Kind::of_name(kind).context("no such client")?;
            let mut caller = Caller::connect(kind, Path::new(path))?;
            caller.fetches(len.parse()?, times.parse()?)?;
            Ok(())
        }
        // No workload uses this part: it is for callgrind, perf and strace.
        ["crowd", kind, path, clients, times] => {
            many_files()?;
            let kind = Kind::of_name(kind).context("no such client")?;
            let mut crowd = Crowd::connect(kind, Path::new(path), clients.parse()?)?;
            crowd.pings(times.parse()?)?;
            Ok(())
        }
        // Likewise, with client and server on one thread.
        ["embedded", kind, len, times] => {
            let kind = Kind::of_name(kind).context("no such client")?;
            embedder::fetches(kind, len.parse()?, times.parse()?)
        }
        ["embedded-crowd", kind, clients, times] => {
            many_files()?;
            let kind = Kind::of_name(kind).context("no such client")?;
            embedder::pings(kind, clients.parse()?, times.parse()?)
        }
        ["peak", kind, path, len, times] => {
            let kind = Kind::of_name(kind).context("no such client")?;
            let mut caller = Caller::connect(kind, Path::new(path))?;
            caller.pings(1)?;
            let before = memory(std::process::id(), "VmHWM")?;
            caller.fetches(len.parse()?, times.parse()?)?;
            println!("{}", memory(std::process::id(), "VmHWM")? - before);
            Ok(())
        }
        _ => bail!("no such child"),
    }
}

pub fn command() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("child");
    Ok(command)
}

/// A server in a process of its own, which is killed on drop.
pub struct Process {
    child: Child,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Process {
    pub fn start(answerer: Answerer) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("s");
        let mut command = command()?;
        command.arg("serve").arg(answerer.name()).arg(&path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut ready = [0; 6];
        child.stdout.as_mut().context("its output")?.read_exact(&mut ready)?;
        Ok(Self { child, path, _directory: directory })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn memory(&self, name: &str) -> Result<f64> {
        memory(self.child.id(), name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already, which fails its peers.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
