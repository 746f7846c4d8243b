//! Man pages, and scripts that complete command lines.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Arg, Command, CommandFactory as _, ValueHint};
use clap_complete::Shell;

/// Each shell with the path of a script, where packages put it; `*` stands for the program.
const SHELLS: &[(Shell, &str)] = &[
    (Shell::Bash, "share/bash-completion/completions/*"),
    (Shell::Zsh, "share/zsh/site-functions/_*"),
    (Shell::Fish, "share/fish/vendor_completions.d/*.fish"),
    (Shell::Elvish, "share/elvish/lib/*.elv"),
    (Shell::PowerShell, "share/powershell/*.ps1"),
];

/// Writes the pages and scripts of each program below `directory`.
pub(crate) fn write(directory: &Path) -> Result<()> {
    let pages = directory.join("share/man/man1");
    fs::create_dir_all(&pages).with_context(|| pages.display().to_string())?;
    for command in programs() {
        let name = command.get_name().to_owned();
        clap_mangen::generate_to(command.clone(), &pages).with_context(|| format!("the page of {name}"))?;
        for (shell, path) in SHELLS {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command.clone(), &name, &mut script);
            super::write(&directory.join(path.replace('*', &name)), &script)?;
        }
    }
    Ok(())
}

fn programs() -> [Command; 4] {
    [
        zccache_ipc_cli::command(),
        wrapper(),
        zccache_daemon::Args::command(),
        zccache_download::Args::command(),
    ]
}

/// Describes `zccache-wrap`, whose arguments belong to the compiler.
fn wrapper() -> Command {
    let command = Arg::new("command")
        .help("The compiler and its arguments")
        .value_name("COMPILER ARGS")
        .num_args(1..)
        .required(true)
        .trailing_var_arg(true)
        .allow_hyphen_values(true)
        .value_hint(ValueHint::CommandWithArguments);
    Command::new("zccache-wrap")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Run a compiler with a cache in front of it; a call that is not cached is executed untouched")
        .after_help(
            "Examples:\n  make CC='zccache-wrap cc'\n  zccache-wrap cc -O2 -c main.c -o main.o\n\n\
            The exit code is the compiler's. See zccache-ipc-wrap(1).",
        )
        .arg(command)
}
