//! Paths, names, owners and modes.

use std::path::Path;

use zccache_ipc::endpoint::{
    DirPolicy, DirectoryError, DirectoryState, FileKind, Locations, Platform, Problem, RegistryError, Rule,
    Variable, allow_owner, inspect_directory, is_writable, look_at, manifest_dir, show_file,
};

use super::finding::Finding;

/// Looks at every place that a daemon and its clients use.
pub(super) fn look(locations: &Locations) -> Vec<Finding> {
    let mut findings = vec![name(locations)];
    findings.extend(locations.problems().iter().filter_map(problem));
    let socket = Path::new(locations.endpoint().as_str());
    let cache_root = Path::new(locations.cache_root().path());
    if Platform::CURRENT.is_unix() {
        let directory = socket.parent().unwrap_or(Path::new("/"));
        findings.push(directory_of("socket directory", directory, locations.dir_policy()));
        if locations.rule() == Rule::RuntimeDir
            && let Some(above) = directory.parent()
        {
            findings.push(directory_of("runtime directory", above, DirPolicy::Shared));
        }
    }
    findings.push(directory_of("cache root", cache_root, DirPolicy::Dedicated));
    let parents = [
        ("lock directory", locations.lock_file()),
        ("log directory", locations.lifecycle_log()),
        ("identity directory", locations.identity_file()),
    ];
    for (check, file) in parents {
        let parent = file.parent().unwrap_or(Path::new("/"));
        let is_seen = |path: &str| Path::new(path) == parent;
        if !findings.iter().any(|finding| finding.path.as_deref().is_some_and(is_seen)) {
            findings.push(directory_of(check, parent, DirPolicy::Dedicated));
        }
    }
    findings.push(file("store", locations.store_file()));
    findings.push(file("lifecycle log", locations.lifecycle_log()));
    findings.push(registry(locations));
    findings
}

/// The endpoint's name, with the rule that chose it.
fn name(locations: &Locations) -> Finding {
    let endpoint = locations.endpoint();
    let bytes = endpoint.as_str().len();
    match endpoint.check(Platform::CURRENT) {
        Ok(()) => Finding::ok("endpoint", format!("{endpoint}, {bytes} bytes: {}", locations.rule())),
        Err(error) => Finding::error("endpoint", format!("{error}: {}", locations.rule()))
            .fix("choose a shorter --endpoint or --cache-dir"),
    }
    .at(endpoint)
}

fn problem(problem: &Problem) -> Option<Finding> {
    Some(match problem {
        // Told with the name itself.
        Problem::Endpoint(_) => return None,
        Problem::DownloadEndpoint(_) => {
            Finding::warning("download endpoint", problem.to_string()).fix("choose a shorter --cache-dir")
        }
        Problem::Ignored(variable) => Finding::warning("environment", problem.to_string())
            .fix(format!("give {variable} in UTF-8, or unset it")),
        Problem::Relative { setting, used, .. } => {
            Finding::warning("environment", problem.to_string()).fix(format!("set {setting} to {used}"))
        }
        Problem::NoHome { .. } => {
            Finding::warning("environment", problem.to_string()).fix("set HOME, or ZCCACHE_CACHE_DIR")
        }
        _ => Finding::warning("environment", problem.to_string())
            .fix("set ZCCACHE_CACHE_DIR to a directory of your own"),
    })
}

fn directory_of(check: &'static str, path: &Path, policy: DirPolicy) -> Finding {
    match inspect_directory(path, policy) {
        Ok(_) if !is_writable(path) => Finding::error(check, format!("{} cannot be written", path.display()))
            .fix(format!("make it writable, for instance: {}", allow_owner(path, "u+rwx"))),
        Ok(DirectoryState::Missing) => {
            Finding::ok(check, format!("{} is made when a daemon starts", path.display()))
        }
        Ok(DirectoryState::Loose { mode }) => Finding::warning(
            check,
            format!(
                "{} has mode {mode:04o}: others can look into it; the next daemon tightens it",
                path.display()
            ),
        )
        .fix(allow_owner(path, "700")),
        Ok(_) => Finding::ok(check, path.display().to_string()),
        Err(error @ DirectoryError::Io { .. }) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            Finding::error(check, format!("{error}{}", cause.unwrap_or_default())).fix(error.fix())
        }
        Err(error) => Finding::error(check, error.to_string()).fix(error.fix()),
    }
    .at(path.display())
}

/// A file that is the daemon's own, and may not be there yet.
fn file(check: &'static str, path: &Path) -> Finding {
    let at = path.display();
    let look = || format!("see whose it is: {}; or choose another --cache-dir", show_file(path));
    match look_at(path) {
        Ok(None) => Finding::ok(check, format!("{at} is made by a daemon")),
        Ok(Some(found)) => match (found.kind, found.foreign_owner) {
            (FileKind::File, None) if found.mode.is_some_and(|mode| mode & 0o022 != 0) => {
                Finding::warning(check, format!("{at} can be written by others"))
                    .fix(allow_owner(path, "600"))
            }
            (FileKind::File, None) => Finding::ok(check, format!("{at}, {} bytes", found.length)),
            (FileKind::File, Some(owner)) => {
                Finding::error(check, format!("{at} belongs to user {owner}")).fix(look())
            }
            (kind, _) => Finding::error(check, format!("{at} is {kind}, not a file")).fix(look()),
        },
        Err(error) => Finding::error(check, format!("{at} cannot be looked at: {error}")),
    }
    .at(at)
}

/// Where the cache manifest goes, which a daemon can do without.
fn registry(locations: &Locations) -> Finding {
    let environment = locations.daemon_environment();
    let is_off = environment.var(Variable::RunningProcessDisable).is_some_and(|value| value == "1");
    if is_off {
        return Finding::ok("registry", "turned off by RUNNING_PROCESS_DISABLE");
    }
    let path = match manifest_dir(environment) {
        Ok(path) => path,
        // Not wrong by itself: who is given no home is to write into none.
        Err(error @ RegistryError::NoHome(_)) => {
            return Finding::ok("registry", format!("there is none: {error}"));
        }
        Err(error) => {
            return Finding::warning("registry", format!("there is none: {error}"))
                .fix("a daemon works without it; set RUNNING_PROCESS_MANIFEST_DIR to have one");
        }
    };
    let finding = match inspect_directory(&path, DirPolicy::Dedicated) {
        Ok(DirectoryState::Missing) => Finding::ok("registry", format!("{} is not there", path.display())),
        Ok(DirectoryState::Loose { mode }) if is_writable(&path) => Finding::warning(
            "registry",
            format!("{} has mode {mode:04o}; the next daemon tightens it", path.display()),
        )
        .fix(allow_owner(&path, "700")),
        Ok(_) if is_writable(&path) => Finding::ok("registry", path.display().to_string()),
        Ok(_) => Finding::warning("registry", format!("{} cannot be written", path.display()))
            .fix("a daemon works without it; set RUNNING_PROCESS_MANIFEST_DIR to have one"),
        Err(error) => Finding::warning("registry", error.to_string()).fix(error.fix()),
    };
    finding.at(path.display())
}
