//! Man pages, and scripts that complete command lines.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
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
        zccache_ipc_cli::wrapper(),
        zccache_daemon::Args::command(),
        zccache_download::Args::command(),
    ]
}
