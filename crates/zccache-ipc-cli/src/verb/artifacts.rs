//! `artifacts`: the Rust artifacts that are cached.

use zccache_ipc::model::{Response, RustArtifactInfo, RustArtifactList};

use super::{contents, table};
use crate::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::{TO_WORK, Target};

pub(super) fn run(target: &Target, output: &mut Output) -> Result<Exit, Failure> {
    let artifacts = target.client(TO_WORK).list_rust_artifacts()?;
    if output.is_json() {
        output.json(&contents(&Response::RustArtifactList(RustArtifactList { artifacts })))?;
    } else if artifacts.is_empty() {
        output.line("no artifacts of rustc are cached")?;
    } else {
        let rows = artifacts.into_iter().map(|artifact| {
            let RustArtifactInfo { cache_key, output_names, payload_count } = artifact;
            [cache_key, payload_count.to_string(), output_names.join(" ")]
        });
        output.line(table(rows))?;
    }
    Ok(Exit::Done)
}
