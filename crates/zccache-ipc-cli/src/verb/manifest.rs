//! `manifest`: what the running-process registry knows of caches.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zccache_ipc::endpoint::manifest_dir;
use zccache_ipc::manifest::{
    self, BadManifest, Publication, Release, Root, list_manifests, manifest_path, publish_manifest,
    publish_manifest_in, read_manifest,
};

use super::table;
use crate::Exit;
use crate::args::registry::{Manifest, ManifestPlace, Registry};
use crate::failure::Failure;
use crate::output::Output;
use crate::registry_failure::{RegistryFailure, of_manifest};
use crate::report;
use crate::target::Located;
use crate::units;

pub(super) fn run(located: &Located, verb: &Manifest, output: &mut Output) -> Result<Exit, Failure> {
    match verb {
        Manifest::Publish(place) => publish(located, place, output),
        Manifest::Show(place) => show(located, place, output),
        Manifest::List(registry) => list(located, registry, output),
    }
}

fn publish(located: &Located, place: &ManifestPlace, output: &mut Output) -> Result<Exit, Failure> {
    let publication = Publication::new(&located.locations, release(place)?);
    let published = match &place.registry.dir {
        Some(dir) => publish_manifest_in(&located.target.absolute(dir), &publication),
        None => publish_manifest(&located.target.environment, &publication),
    };
    let published = published.map_err(RegistryFailure::from)?;
    let problems: Vec<_> = published.problems.iter().map(|problem| report::chain(problem)).collect();
    if output.is_json() {
        let mut value = value(&published.path, &published.manifest);
        value["result"] = "published".into();
        value["retired"] = published.retired.iter().map(|path| path.to_string_lossy()).collect();
        value["problems"] = problems.into();
        output.json(&value)?;
        return Ok(Exit::Done);
    }
    output.line(format_args!("published: {}", published.path.display()))?;
    for path in &published.retired {
        output.line(format_args!("removed, as out of date: {}", path.display()))?;
    }
    for problem in problems {
        output.line(format_args!("problem: {problem}"))?;
    }
    Ok(Exit::Done)
}

fn show(located: &Located, place: &ManifestPlace, output: &mut Output) -> Result<Exit, Failure> {
    let path = manifest_path(&dir(located, &place.registry)?, &release(place)?);
    let read = read_manifest(&path).map_err(RegistryFailure::from)?;
    let manifest = read.ok_or_else(|| RegistryFailure::NotPublished(path.clone()))?;
    if output.is_json() {
        output.json(&value(&path, &manifest))?;
        return Ok(Exit::Done);
    }
    let row = |name: &str, value: String| [name.to_owned(), value];
    let mut rows = vec![
        row("file", path.display().to_string()),
        row("service", format!("{} {}", manifest.service, manifest.version)),
        row("broker", format!("{} ({})", manifest.broker_instance, manifest.envelope)),
        row("first written", units::moment(manifest.created_unix_ms)),
        row("last written", units::moment(manifest.last_active_unix_ms)),
    ];
    if let Some(host) = &manifest.host {
        rows.push(row("machine", format!("{} ({})", host.name, host.machine_id)));
        rows.push(row("boot", host.boot_id.clone()));
    }
    output.line(table(rows))?;
    output.line(table(manifest.roots.iter().map(|root| {
        ["root".to_owned(), root.path.clone(), root.kind.to_string(), root.disposition.to_string()]
    })))?;
    Ok(Exit::Done)
}

fn list(located: &Located, registry: &Registry, output: &mut Output) -> Result<Exit, Failure> {
    let dir = dir(located, registry)?;
    let listed = list_manifests(&dir).map_err(RegistryFailure::from)?;
    let exit = if listed.iter().any(|entry| entry.manifest.is_err()) { Exit::Failed } else { Exit::Done };
    if output.is_json() {
        let values = listed.iter().map(|entry| match &entry.manifest {
            Ok(manifest) => value(&entry.path, manifest),
            Err(error) => bad(&entry.path, error),
        });
        output.json(&json!({ "dir": dir.to_string_lossy(), "manifests": values.collect::<Vec<_>>() }))?;
        return Ok(exit);
    }
    if listed.is_empty() {
        output.line(format_args!("no manifests in {}", dir.display()))?;
        return Ok(exit);
    }
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    output.line(table(listed.iter().map(|entry| match &entry.manifest {
        Ok(manifest) => {
            let root = manifest.cache_root().map_or("-", |root| root.path.as_str());
            [name(&entry.path), root.to_owned(), units::moment(manifest.last_active_unix_ms)]
        }
        Err(error) => [name(&entry.path), format!("bad: {}", report::chain(error)), "-".to_owned()],
    })))?;
    Ok(exit)
}

fn dir(located: &Located, registry: &Registry) -> Result<PathBuf, RegistryFailure> {
    match &registry.dir {
        Some(dir) => Ok(located.target.absolute(dir)),
        None => Ok(manifest_dir(&located.target.environment)?),
    }
}

fn release(place: &ManifestPlace) -> Result<Release, RegistryFailure> {
    Ok(Release::new(&place.release)?)
}

fn value(path: &Path, manifest: &manifest::Manifest) -> Value {
    let root = |root: &Root| {
        json!({
            "path": root.path,
            "kind": root.kind.to_string(),
            "disposition": root.disposition.to_string(),
            "prunable": root.disposition.is_prunable(),
            "writer": root.writer,
            "endpoint": root.endpoint.as_ref().map(|endpoint| &endpoint.path),
        })
    };
    let host = manifest.host.as_ref().map(|host| {
        json!({
            "name": host.name, "machine_id": host.machine_id, "boot_id": host.boot_id,
            "device": host.device, "namespace": host.namespace,
        })
    });
    json!({
        "file": path.to_string_lossy(),
        "service": manifest.service,
        "version": manifest.version,
        "broker_instance": manifest.broker_instance,
        "created_unix_ms": manifest.created_unix_ms,
        "last_active_unix_ms": manifest.last_active_unix_ms,
        "host": host,
        "roots": manifest.roots.iter().map(root).collect::<Vec<_>>(),
    })
}

fn bad(path: &Path, error: &BadManifest) -> Value {
    let mut value = report::error_value(of_manifest(error), error, None);
    value["file"] = path.to_string_lossy().into();
    value
}
