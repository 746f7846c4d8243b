//! `lookup`: what is cached under a key.

use std::fs::File;
use std::io::{Write as _, stderr};
use std::path::Path;

use serde_json::json;
use zccache_ipc::model::{ArtifactData, ArtifactOutput, ArtifactPayload};

use super::store::key;
use crate::args::Lookup;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{TO_WORK, Target};
use crate::{Exit, output_file, units};

pub(super) fn run(target: &Target, lookup: &Lookup, output: &mut Output) -> Result<Exit, Failure> {
    let key = key(&lookup.key)?;
    let Some(artifact) = target.client(TO_WORK).lookup(key)? else {
        output.either(
            &json!({ "result": "Miss", "key": key }),
            format_args!("nothing is cached under {key}"),
        )?;
        return Ok(Exit::NotCached);
    };
    let chosen = choose(&artifact, lookup.name.as_deref())?;
    let is_stdout = output_file::is_stdout(&lookup.output);
    let bytes = if is_stdout {
        stream(&chosen.payload, output)?
    } else {
        write(&chosen.payload, &target.absolute(&lookup.output))?
    };
    let value = json!({
        "result": "Hit",
        "key": key,
        "name": chosen.name,
        "file": lookup.output.to_string_lossy(),
        "bytes": bytes,
        "exit_code": artifact.exit_code,
    });
    let text = format!("wrote {} ({}) to {}", chosen.name, units::bytes(bytes), lookup.output.display());
    if is_stdout {
        // The standard output is the file. The lookup succeeds even if standard error takes no message.
        let line = if output.is_json() { format!("{value}\n") } else { format!("{text}\n") };
        let _ = stderr().write_all(line.as_bytes());
    } else {
        output.either(&value, text)?;
    }
    Ok(Exit::Done)
}

fn choose<'a>(artifact: &'a ArtifactData, name: Option<&str>) -> Result<&'a ArtifactOutput, Failure> {
    let names = || artifact.outputs.iter().map(|output| output.name.clone()).collect();
    match (artifact.outputs.as_slice(), name) {
        ([], None) => Err(Failure::NoOutput),
        ([only], None) => Ok(only),
        (_, None) => Err(Failure::SeveralOutputs(names())),
        (outputs, Some(name)) => outputs
            .iter()
            .find(|output| output.name == name)
            .ok_or_else(|| Failure::NoSuchOutput { name: name.to_owned(), has: names() }),
    }
}

/// Writes the contents to the standard output, and returns how many bytes they have.
fn stream(payload: &ArtifactPayload, output: &mut Output) -> Result<u64, Failure> {
    match payload {
        ArtifactPayload::Bytes(bytes) => Ok(output.copy(&mut &bytes[..])?),
        ArtifactPayload::Path(from) => {
            let failed = |source| Failure::Read { path: from.as_path().to_owned(), source };
            Ok(output.copy(&mut File::open(from).map_err(failed)?)?)
        }
    }
}

/// Writes the contents to `path`, and returns how many bytes they have.
fn write(payload: &ArtifactPayload, path: &Path) -> Result<u64, Failure> {
    let failed = |source| Failure::Write { path: path.to_owned(), source };
    match payload {
        ArtifactPayload::Bytes(bytes) => output_file::write(path, &mut &bytes[..]).map_err(failed),
        ArtifactPayload::Path(from) => {
            let mut from = File::open(from)
                .map_err(|source| Failure::Read { path: from.as_path().to_owned(), source })?;
            output_file::write(path, &mut from).map_err(failed)
        }
    }
}
