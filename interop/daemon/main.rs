//! zccache-daemon as a broker launches it, but with a cache and a manifest in the directory for temporary
//! files.
//!
//! A broker gives its daemons the home directory of the user database, and a test must not write there. A
//! broker also gives them the directory for temporary files.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use zccache_daemon::{Args, chain, start};
use zccache_ipc::endpoint::{Environment, Variable};

fn main() -> ExitCode {
    let environment = Environment::from_process().expect("the current directory is there");
    let temporary = environment.var(Variable::TmpDir).map(std::path::PathBuf::from);
    let temporary = temporary.expect("the test sets TMPDIR");
    let environment = environment
        .with(Variable::CacheDir, temporary.join("cache"))
        .with(Variable::RunningProcessManifestDir, temporary.join("manifests"));
    let args: Args = clap::Parser::parse();
    match start(&args, &environment) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", chain(&error));
            ExitCode::FAILURE
        }
    }
}
