//! Writes the recorded inputs of each target into `corpus/<target>/`, from which libFuzzer starts.
#![forbid(unsafe_code)]

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let corpus = env::args().nth(1).unwrap_or_else(|| "corpus".to_owned());
    for target in zccache_ipc_fuzz::all() {
        let folder = Path::new(&corpus).join(target.slug);
        fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(folder.join(format!("recorded-{number}")), seed)?;
        }
    }
    Ok(())
}
