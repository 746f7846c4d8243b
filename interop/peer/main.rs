//! running-process's own prober and its own probed daemon, each as a process of its own.
//!
//! `peer probe FILE NAMESPACE PATH` verifies the daemon that the identity file describes: it prints `same`
//! and the pid, or prints the reason and exits with 1. `peer serve FILE NAMESPACE PATH` is a daemon that
//! answers only probes: it prints `ready` and serves until it is killed.
//!
//! The program is built against two versions of running-process. Each version refuses the other's identity
//! file.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use interprocess::local_socket::prelude::*;
use interprocess::local_socket::{GenericFilePath, ListenerOptions};
use running_process::broker::backend_handle::{BackendHandle, DaemonProcess};
use running_process::broker::backend_lifecycle::probe::handle_endpoint_probe;
use running_process::broker::backend_sdk::{try_read_daemon_identity_file, write_daemon_identity_file};
use running_process::broker::protocol::Endpoint;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [verb, file, namespace, path] = arguments.as_slice() else {
        eprintln!("usage: peer probe|serve FILE NAMESPACE PATH");
        return ExitCode::from(2);
    };
    let endpoint = Endpoint { namespace_id: namespace.clone(), path: path.clone() };
    let done = match verb.as_str() {
        "probe" => probe(Path::new(file), &endpoint),
        "serve" => serve(Path::new(file), endpoint),
        other => Err(format!("no verb {other}").into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn probe(file: &Path, endpoint: &Endpoint) -> Result<(), Box<dyn Error>> {
    let identity = try_read_daemon_identity_file(file)?.ok_or("no identity file")?;
    let handle = BackendHandle::probe_with_service("zccache", "1.12.0", endpoint, &identity)?;
    println!("same {}", identity.pid);
    drop(handle);
    Ok(())
}

fn serve(file: &Path, endpoint: Endpoint) -> Result<(), Box<dyn Error>> {
    let name = endpoint.path.as_str().to_fs_name::<GenericFilePath>()?;
    let listener = ListenerOptions::new().name(name).create_sync()?;
    let identity = DaemonProcess::current_process(endpoint, None)?;
    write_daemon_identity_file(file, &identity)?;
    println!("ready");
    std::io::stdout().flush()?;
    for connection in listener.incoming() {
        if let Err(error) = handle_endpoint_probe(&mut connection?, &identity) {
            eprintln!("{error}");
        }
    }
    Ok(())
}
