//! Which artifacts are Rust's.

use std::path::Path;

use zccache_ipc::model::{ArtifactData, RustArtifactInfo};

/// Describes `artifact` if rustc made its outputs.
///
/// Only rustc makes `.rlib` and `.rmeta`. Every other output of rustc (`.d`, `.so`, `.o`, programs) may be
/// a C compiler's too, unless cargo has named it: its stem then ends in `-` and 16 hexadecimal digits.
pub(super) fn info(key: &str, artifact: &ArtifactData) -> Option<RustArtifactInfo> {
    if !artifact.outputs.iter().any(|output| is_rust(&output.name)) {
        return None;
    }
    Some(RustArtifactInfo {
        cache_key: key.to_owned(),
        output_names: artifact.outputs.iter().map(|output| output.name.clone()).collect(),
        payload_count: artifact.outputs.len() as u64,
    })
}

fn is_rust(name: &str) -> bool {
    let path = Path::new(name);
    let extension = path.extension().and_then(|extension| extension.to_str());
    if matches!(extension, Some("rlib" | "rmeta")) {
        return true;
    }
    // `name-0123456789abcdef.crate.0123-cgu.0.rcgu.o` has more than one extension.
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = file_name.split('.').next().unwrap_or_default();
    let hash = stem.rsplit_once('-').map(|(_, hash)| hash);
    hash.is_some_and(|hash| {
        hash.len() == 16 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rusts_own_extensions_and_cargos_own_names_are_rust() {
        #[track_caller]
        fn check(name: &str, expected: bool) {
            assert_eq!(is_rust(name), expected, "{name:?}");
        }
        check("libmylib-0123456789abcdef.rlib", true);
        check("libx.rlib", true);
        check("libx.rmeta", true);
        check("out/libx.rmeta", true);
        check("mylib-0123456789abcdef.d", true);
        check("libproc-0123456789abcdef.so", true);
        check("proc-0123456789abcdef.dll", true);
        check("main-0123456789abcdef", true);
        check("a-0123456789abcdef.c1-cgu.0.rcgu.o", true);
        check("a.o", false);
        check("a.d", false);
        check("liba.so", false);
        check("a-0123456789ABCDEF.o", false);
        check("a-0123.o", false);
        check("rlib", false);
        check("", false);
    }
}
