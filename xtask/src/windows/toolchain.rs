//! A compiler for Windows, its standard library and Wine, from Debian's packages.
//!
//! No package has the standard library for this target built. Debian's `rustc-web` comes with the sources of its own
//! version, so the library is built from them once. The Rust that is installed stays as it is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

pub(super) const WINE: &str = "/usr/lib/wine/wine64";
const WINE_SERVER: &str = "/usr/lib/wine/wineserver64";
const TARGET: &str = "x86_64-pc-windows-gnu";
const LINKER: &str = "x86_64-w64-mingw32-gcc";

/// Wine 8 lacks this library, from which Rust takes random numbers.
const RANDOM: &str = "bcryptprimitives.dll";
const RANDOM_SOURCE: &str = include_str!("random.c");

/// Returns the default directory: a folder of the user's cache directory.
pub(super) fn default_dir() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set; use --toolchain")?.join("zccache-ipc-windows"))
}

/// The directory with everything but the two installed packages.
#[derive(Debug)]
pub(super) struct Toolchain(PathBuf);

impl Toolchain {
    pub(super) const fn at(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// Returns true if the last step of the set-up is done, and the installed packages are there.
    pub(super) fn is_ready(&self) -> bool {
        self.random().is_file() && Path::new(WINE).is_file() && is_installed(LINKER)
    }

    /// Returns the path of the compiler.
    pub(super) fn compiler_path(&self) -> PathBuf {
        self.0.join("bin/rustc")
    }

    /// Returns the variables for cargo and Wine.
    pub(super) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("RUSTC", self.compiler_path()),
            ("RUSTDOC", self.0.join("bin/rustdoc")),
            ("CARGO_BUILD_TARGET", TARGET.into()),
            ("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", LINKER.into()),
            // Programs of 40 MB take a few seconds less to link, and the target directory half.
            ("CARGO_PROFILE_DEV_DEBUG", "0".into()),
            ("CARGO_PROFILE_TEST_DEBUG", "0".into()),
            ("CARGO_INCREMENTAL", "0".into()),
            ("WINEDEBUG", "-all".into()),
            ("WINEARCH", "win64".into()),
            ("WINEDLLOVERRIDES", "mscoree,mshtml=".into()),
            ("WINEPREFIX", self.prefix()),
            ("DISPLAY", PathBuf::new()),
        ]
    }

    /// Sets up what is missing.
    pub(super) fn ensure(&self) -> Result<()> {
        if self.is_ready() {
            return Ok(());
        }
        fs::create_dir_all(&self.0).with_context(|| self.0.display().to_string())?;
        step("install the linker and Wine", &mut apt("install", &["gcc-mingw-w64-x86-64-win32", "wine64"]))?;
        self.compiler()?;
        self.standard_library()?;
        self.wine()
    }

    /// Unpacks Debian's compiler, the library that it needs and its sources, and writes a script that starts it.
    fn compiler(&self) -> Result<()> {
        let policy = said(Command::new("apt-cache").args(["policy", "rustc-web"]))?;
        let version = candidate(&policy).context("Debian has no rustc-web")?;
        // The names of these packages have versions in them, which change with security updates.
        let library = format!("libstd-rust-web-{version}");
        let depends = said(Command::new("apt-cache").args(["depends", &library]))?;
        let llvm = dependency(&depends, "libllvm").context("the compiler needs no LLVM")?;
        let debs = self.fresh("debs")?;
        let mut download = Command::new("apt-get");
        download.current_dir(&debs).args(["download", "-qq", "-o", "APT::Sandbox::User=root"]);
        download.args(["rustc-web", &library, "libstd-rust-web-dev", &llvm, "rust-web-src"]);
        step(&format!("download rustc-web {version}"), &mut download)?;
        let root = self.fresh("root")?;
        for deb in fs::read_dir(&debs)? {
            step("unpack", Command::new("dpkg-deb").arg("--extract").arg(deb?.path()).arg(&root))?;
        }
        fs::remove_dir_all(&debs)?;
        let bin = self.fresh("bin")?;
        for tool in ["rustc", "rustdoc"] {
            let libraries = root.join("usr/lib/x86_64-linux-gnu");
            // Other shells drop variables like CARGO_BIN_EXE_zccache-ipc, whose names they cannot use.
            let script = format!(
                "#!/bin/bash\nLD_LIBRARY_PATH={}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}} exec {} \"$@\"\n",
                libraries.display(),
                root.join("usr/bin").join(tool).display()
            );
            fs::write(bin.join(tool), script)?;
            step("make it a program", Command::new("chmod").arg("+x").arg(bin.join(tool)))?;
        }
        Ok(())
    }

    /// Builds the standard library for the target, and puts it where the compiler looks for it.
    fn standard_library(&self) -> Result<()> {
        let empty = self.fresh("std")?;
        fs::create_dir(empty.join("src"))?;
        fs::write(empty.join("src/lib.rs"), "")?;
        let manifest = "[package]\nname = \"empty\"\nedition = \"2021\"\n[workspace]\n";
        fs::write(empty.join("Cargo.toml"), manifest)?;
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&empty).envs(self.environment()).env("RUSTC_BOOTSTRAP", "1");
        cargo.args(["build", "--quiet", "--release", "-Zbuild-std=std,test,panic_abort,panic_unwind"]);
        step("build the standard library", cargo.arg("--target-dir").arg(empty.join("target")))?;
        let place = self.0.join("root/usr/lib/rustlib").join(TARGET).join("lib");
        fs::create_dir_all(&place)?;
        for file in fs::read_dir(empty.join("target").join(TARGET).join("release/deps"))? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            if name.ends_with(".rlib") && !name.starts_with("libempty") {
                fs::copy(file.path(), place.join(name))?;
            }
        }
        fs::remove_dir_all(&empty).context("std")
    }

    /// Makes the prefix that runners copy.
    fn wine(&self) -> Result<()> {
        let prefix = self.fresh("prefix")?;
        let mut boot = Command::new(WINE);
        step("make a Wine prefix", boot.args(["wineboot", "-i"]).envs(self.environment()))?;
        // Wine has no boot id, which tells a daemon's identity file of this boot from one of an earlier boot.
        let key =
            r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters";
        let mut boot_id = Command::new(WINE);
        boot_id.args(["reg", "add", key, "/v", "BootId", "/t", "REG_DWORD", "/d", "7", "/f"]);
        step("set a boot id", boot_id.envs(self.environment()))?;
        self.end_prefix(&prefix)?;
        let source = self.0.join("random.c");
        fs::write(&source, RANDOM_SOURCE)?;
        let mut compile = Command::new(LINKER);
        compile.args(["-shared", "-O2", "-s", "-o"]).arg(self.random()).arg(&source).arg("-ladvapi32");
        step("build the library of random numbers", &mut compile)
    }

    /// Copies the prefix to `place`, by hard links where the files are not written.
    pub(super) fn copy_prefix(&self, place: &Path) -> Result<()> {
        if place.exists() {
            fs::remove_dir_all(place).with_context(|| place.display().to_string())?;
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let prefix = self.prefix();
        let mut copy = Command::new("cp");
        // Across file systems there are no hard links.
        copy.args(["--archive", "--link"]).arg(&prefix).arg(place).stderr(Stdio::null());
        if !copy.status().context("cp")?.success() {
            step("copy the prefix", Command::new("cp").arg("--archive").arg(&prefix).arg(place))?;
        }
        for registry in ["system.reg", "user.reg", "userdef.reg"] {
            fs::remove_file(place.join(registry))?;
            fs::copy(prefix.join(registry), place.join(registry))?;
        }
        Ok(())
    }

    /// Starts the server of a prefix, which goes on when no program runs.
    ///
    /// Otherwise the server ends after each program, and a program that starts at that moment ends without output.
    pub(super) fn start_prefix(&self, prefix: &Path) -> Result<()> {
        let mut server = Command::new(WINE_SERVER);
        server.arg("-p").env("WINEPREFIX", prefix).stdout(Stdio::null()).stderr(Stdio::null());
        step("start the server of the prefix", &mut server)
    }

    /// Ends every process of a prefix, and waits until they are gone.
    pub(super) fn end_prefix(&self, prefix: &Path) -> Result<()> {
        for option in ["-k", "-w"] {
            // Its status says whether a process was left.
            let mut server = Command::new(WINE_SERVER);
            server.arg(option).env("WINEPREFIX", prefix).stdout(Stdio::null()).stderr(Stdio::null());
            server.status().context(WINE_SERVER)?;
        }
        Ok(())
    }

    fn prefix(&self) -> PathBuf {
        self.0.join("prefix")
    }

    fn random(&self) -> PathBuf {
        self.prefix().join("drive_c/windows/system32").join(RANDOM)
    }

    /// Makes an empty directory.
    fn fresh(&self, name: &str) -> Result<PathBuf> {
        let dir = self.0.join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| dir.display().to_string())?;
        }
        fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        Ok(dir)
    }
}

fn apt(verb: &str, packages: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args([verb, "--yes", "-qq", "--no-install-recommends"]).args(packages).stdout(Stdio::null());
    command
}

/// Runs one step of the set-up.
fn step(what: &str, command: &mut Command) -> Result<()> {
    eprintln!("{what}");
    let status = command.status().with_context(|| format!("{what}: {command:?}"))?;
    ensure!(status.success(), "{what}: {command:?} ended with {status}");
    Ok(())
}

/// Returns what a command printed.
fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns the first two numbers of the version that `apt-cache policy` would install.
fn candidate(policy: &str) -> Option<String> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    major.parse::<u32>().ok()?;
    Some(format!("{major}.{minor}"))
}

/// Returns the first dependency in the output of `apt-cache depends` whose name begins with `name`.
fn dependency(depends: &str, name: &str) -> Option<String> {
    let names = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.map(str::to_owned).find(|found| found.starts_with(name))
}

fn is_installed(program: &str) -> bool {
    let mut asked = Command::new(program);
    asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_names_are_read_from_what_apt_prints() {
        let policy = "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.1+dfsg-1\n  Version table:\n";
        assert_eq!(candidate(policy).as_deref(), Some("1.96"));
        assert_eq!(candidate("  Candidate: (none)\n"), None);
        let depends = "libstd-rust-web-1.96\n  Depends: libc6\n  Depends: libllvm19\n";
        assert_eq!(dependency(depends, "libllvm").as_deref(), Some("libllvm19"));
    }
}
