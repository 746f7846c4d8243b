//! `download serve`: let the download daemon's program take the place of this one.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};

use zccache_ipc::daemon::StartConfig;
use zccache_ipc::endpoint::{run_instead, shell_code};

use super::Place;
use crate::Exit;
use crate::args::{Global, Serve};
use crate::failure::Failure;

/// Returns the program: the one beside this one, else the first on `PATH`.
///
/// It is a program of its own because it brings HTTP and TLS, which every other verb would load at each start.
fn program(place: &Place) -> Result<PathBuf, Failure> {
    StartConfig::new(place.locations.clone()).find_program().map_err(Failure::NoDownloads)
}

pub(super) fn run(place: &Place, serve: &Serve, global: &Global) -> Result<Exit, Failure> {
    let program = program(place)?;
    let mut command = command(&program, serve, global);
    match run_instead(&mut command) {
        Ok(status) => exit(shell_code(status)),
        Err(source) => Err(Failure::NotRun { program, source }),
    }
}

/// The daemon's command line that says what ours says.
fn command(program: &Path, serve: &Serve, global: &Global) -> Command {
    let mut command = Command::new(program);
    if let Some(endpoint) = &global.endpoint {
        command.arg("--endpoint").arg(endpoint);
    }
    if let Some(cache_dir) = &global.cache_dir {
        command.arg("--cache-dir").arg(cache_dir);
    }
    if let Some(secs) = serve.idle_timeout {
        command.arg("--idle-timeout").arg(secs.to_string());
    }
    if let Some(file) = &serve.log_file {
        command.arg("--log-file").arg(file);
    }
    command.arg("--max-downloads").arg(serve.max_downloads.to_string());
    command.arg("--stall-timeout").arg(serve.stall_timeout.as_secs_f64().to_string());
    command.args(global.json.then_some("--json"));
    command
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Arguments, Download, Verb};

    #[test]
    fn download_sends_every_option_to_the_daemon() {
        let check = |line: &str, expected: &str| {
            let parsed = Arguments::try_parse_from(line.split(' ')).unwrap();
            let Verb::Download(Download::Serve(serve)) = parsed.verb else { panic!("{line}") };
            let command = command(Path::new("d"), &serve, &parsed.global);
            let told: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
            assert_eq!(told.join(" "), expected, "{line}");
        };
        check("z download serve", "--max-downloads 8 --stall-timeout 30");
        check(
            "z --json --endpoint e --cache-dir c download serve --idle-timeout 0 --log-file l --max-downloads 2 \
                --stall-timeout 0.25",
            "--endpoint e --cache-dir c --idle-timeout 0 --log-file l --max-downloads 2 --stall-timeout 0.25 --json",
        );
    }
}
