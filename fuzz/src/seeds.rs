//! Writes the recorded inputs of each target into `<folder>/<target>/`, from which libFuzzer starts.
//!
//! `seeds corpus` writes all of them. `seeds --small seeds` writes what the repository has: of inputs that begin
//! alike the shortest one, and at most 2 KiB for each target.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs, io};

/// Bytes of the small selection of one target.
const SMALL: usize = 2 << 10;

/// Bytes that tell the kinds of messages apart: of the header and of the first field, and of an envelope.
const START: usize = 13;
const START_OF_ENVELOPE: usize = 40;

fn main() -> io::Result<()> {
    let (options, folders): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|arg| arg.starts_with('-'));
    let is_small = options.iter().any(|option| option == "--small");
    let folder = folders.first().map_or("corpus", String::as_str);
    for target in zccache_ipc_fuzz::all() {
        let folder = Path::new(folder).join(target.slug);
        fs::create_dir_all(&folder)?;
        let all = (target.seeds)();
        let chosen = if is_small { small(all) } else { all };
        for (number, seed) in chosen.iter().enumerate() {
            fs::write(folder.join(format!("recorded-{number}")), seed)?;
        }
    }
    Ok(())
}

/// Returns the shortest input of each kind, shorter ones first.
fn small(all: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut kinds = BTreeMap::<Vec<u8>, Vec<u8>>::new();
    for seed in all {
        // The length says nothing about the kind.
        let start = if seed.first() == Some(&1) { START_OF_ENVELOPE } else { START };
        let kind = seed.get(4..).unwrap_or(&seed).iter().take(start - 4).copied().collect();
        let shortest = kinds.entry(kind).or_insert_with(|| seed.clone());
        if seed.len() < shortest.len() {
            *shortest = seed;
        }
    }
    let mut chosen: Vec<_> = kinds.into_values().collect();
    chosen.sort_by_key(Vec::len);
    let mut bytes = 0;
    chosen.retain(|seed| {
        bytes += seed.len();
        bytes <= SMALL
    });
    chosen
}
