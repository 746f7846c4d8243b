//! `service-definition`: what brokers are told about the daemon.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zccache_ipc::daemon::StartConfig;
use zccache_ipc::endpoint::{DirPolicy, service_definition_dir};
use zccache_ipc::manifest::{
    DefinitionError, InstalledDefinition, Release, ServiceDefinition, install_service_definition,
    read_service_definition, remove_service_definition,
};

use super::table;
use crate::Exit;
use crate::args::registry::{self as args, Install, Services};
use crate::failure::Failure;
use crate::output::Output;
use crate::registry_failure::{RegistryFailure, of_definition};
use crate::report;
use crate::target::Located;

pub(super) fn run(
    located: &Located,
    verb: &args::ServiceDefinition,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match verb {
        args::ServiceDefinition::Install(options) => install(located, options, output),
        args::ServiceDefinition::Show(services) => show(located, services, output),
        args::ServiceDefinition::Remove(services) => remove(located, services, output),
    }
}

fn install(located: &Located, options: &Install, output: &mut Output) -> Result<Exit, Failure> {
    let definition = definition(located, options)?;
    let (dir, policy) = dir(located, &options.services)?;
    let files = install_service_definition(&dir, policy, &definition).map_err(RegistryFailure::from)?;
    let warnings = warnings(&definition);
    if output.is_json() {
        let mut value = value(&definition);
        value["result"] = "installed".into();
        value["files"] = texts(&files);
        value["warnings"] = warnings.into();
        output.json(&value)?;
        return Ok(Exit::Done);
    }
    for file in &files {
        output.line(format_args!("installed: {}", file.display()))?;
    }
    for warning in warnings {
        output.line(format_args!("warning: {warning}"))?;
    }
    Ok(Exit::Done)
}

fn definition(located: &Located, options: &Install) -> Result<ServiceDefinition, Failure> {
    let mut program = StartConfig::new(located.locations.clone());
    program.program = options.daemon_binary.as_deref().map(|path| located.target.absolute(path));
    let binary = program.find_program()?;
    let directory = options.per_version_binary_dir.as_deref().map(|path| located.target.absolute(path));
    let mut definition = ServiceDefinition::of_program(&binary, directory.as_deref())
        .map_err(|error| RegistryFailure::from(DefinitionError::from(error)))?;
    let release = |text: &String| Release::new(text).map_err(RegistryFailure::from);
    definition.min_version = options.min_version.as_ref().map(release).transpose()?;
    definition.allowed_versions = options.allow_version.iter().map(release).collect::<Result<_, _>>()?;
    definition.labels = options.label.iter().cloned().collect();
    Ok(definition)
}

fn show(located: &Located, services: &Services, output: &mut Output) -> Result<Exit, Failure> {
    let (dir, _) = dir(located, services)?;
    let installed = read_service_definition(&dir).map_err(RegistryFailure::from)?;
    if installed.is_empty() {
        return Err(RegistryFailure::NotInstalled(dir).into());
    }
    let exit = if installed.iter().any(|file| file.definition.is_err()) { Exit::Failed } else { Exit::Done };
    let warnings = warnings_of(&installed);
    if output.is_json() {
        let values: Vec<_> = installed.iter().map(installed_value).collect();
        output.json(&json!({ "dir": dir.to_string_lossy(), "definitions": values, "warnings": warnings }))?;
        return Ok(exit);
    }
    for file in &installed {
        output.line(table(rows(file)))?;
    }
    for warning in warnings {
        output.line(format_args!("warning: {warning}"))?;
    }
    Ok(exit)
}

fn remove(located: &Located, services: &Services, output: &mut Output) -> Result<Exit, Failure> {
    let (dir, _) = dir(located, services)?;
    let removed = remove_service_definition(&dir).map_err(RegistryFailure::from)?;
    if removed.is_empty() {
        output.either(
            &json!({ "result": "nothing-to-remove", "files": [] }),
            format_args!("no service definition in {}; nothing to remove", dir.display()),
        )?;
        return Ok(Exit::Done);
    }
    if output.is_json() {
        output.json(&json!({ "result": "removed", "files": texts(&removed) }))?;
        return Ok(Exit::Done);
    }
    for file in &removed {
        output.line(format_args!("removed: {}", file.display()))?;
    }
    Ok(Exit::Done)
}

/// The directory, which the naming rules own unless it was given.
fn dir(located: &Located, services: &Services) -> Result<(PathBuf, DirPolicy), RegistryFailure> {
    match &services.dir {
        Some(dir) => Ok((located.target.absolute(dir), DirPolicy::Shared)),
        None => Ok((service_definition_dir(&located.target.environment)?, DirPolicy::Dedicated)),
    }
}

fn warnings(definition: &ServiceDefinition) -> Vec<String> {
    let script = definition
        .is_script()
        .then(|| format!("{} is a script, and brokers refuse what runs then", definition.binary.display()));
    let elsewhere = (!definition.has_directory())
        .then(|| "there is no directory of the programs, and brokers start nothing without it".to_owned());
    let order = definition.text_order().map(|order| order.to_string());
    [script, elsewhere, order].into_iter().flatten().collect()
}

fn warnings_of(installed: &[InstalledDefinition]) -> Vec<String> {
    let good: Vec<_> = installed.iter().filter_map(|file| file.definition.as_ref().ok()).collect();
    let mut warnings: Vec<String> = good.iter().flat_map(|definition| warnings(definition)).collect();
    warnings.dedup();
    if good.windows(2).any(|two| two[0] != two[1]) {
        warnings
            .push("the two files differ, and brokers of different releases read different ones".to_owned());
    }
    if let [only] = installed {
        warnings.push(format!("there is only the file for brokers {}", only.format.label()));
    }
    warnings
}

fn rows(file: &InstalledDefinition) -> Vec<[String; 2]> {
    let row = |name: &str, value: String| [name.to_owned(), value];
    let mut rows = vec![row("file", file.path.display().to_string())];
    match &file.definition {
        Err(error) => rows.push(row("bad", report::chain(error))),
        Ok(definition) => {
            let any = |texts: Vec<String>| if texts.is_empty() { "-".to_owned() } else { texts.join(", ") };
            rows.push(row("program", definition.binary.display().to_string()));
            rows.push(row("programs in", definition.per_version_binary_dir.display().to_string()));
            rows.push(row("from", any(definition.min_version.iter().map(Release::to_string).collect())));
            rows.push(row("only", any(definition.allowed_versions.iter().map(Release::to_string).collect())));
            let labels = definition.labels.iter().map(|(name, value)| format!("{name}={value}"));
            rows.push(row("labels", any(labels.collect())));
        }
    }
    rows
}

fn installed_value(file: &InstalledDefinition) -> Value {
    let mut all = match &file.definition {
        Ok(definition) => value(definition),
        Err(error) => report::error_value(of_definition(error), error, None),
    };
    all["format"] = file.format.label().into();
    all["file"] = file.path.to_string_lossy().into();
    all
}

fn value(definition: &ServiceDefinition) -> Value {
    let releases = |all: &[Release]| all.iter().map(Release::as_str).map(Value::from).collect::<Value>();
    json!({
        "binary": definition.binary.to_string_lossy(),
        "per_version_binary_dir": definition.per_version_binary_dir.to_string_lossy(),
        "min_version": definition.min_version.as_ref().map(Release::as_str),
        "allowed_versions": releases(&definition.allowed_versions),
        "labels": definition.labels,
    })
}

fn texts(files: &[impl AsRef<Path>]) -> Value {
    files.iter().map(|file| file.as_ref().to_string_lossy().into_owned()).collect()
}
