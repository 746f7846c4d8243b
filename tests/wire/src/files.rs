//! The parsers of files that other programs write, each as a function over bytes.

use std::cell::OnceCell;
use std::fs;
use std::path::PathBuf;

use run_cache::Call;
use tempfile::TempDir;

use crate::targets::Target;
use crate::vectors::{folder, load};

/// The parsers of files.
pub const FILES: &[Target] = &[
    Target { name: "identity file", slug: "identity", run: identity, seeds: identities },
    Target { name: "cache manifest", slug: "manifest", run: manifest, seeds: manifests },
    Target { name: "`@file`", slug: "response_file", run: response_file, seeds: response_files },
    Target {
        name: "depfile",
        slug: "depfile",
        run: |bytes| drop(run_cache::prerequisites(bytes)),
        seeds: depfiles,
    },
];

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// Runs `read` on a file with these bytes.
fn with_file<T>(bytes: &[u8], read: impl FnOnce(PathBuf) -> T) -> T {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| TempDir::new().expect("a temporary directory"));
        let path = folder.path().join("file");
        fs::write(&path, bytes).expect("a temporary file");
        read(path)
    })
}

fn identity(bytes: &[u8]) {
    drop(with_file(bytes, |path| rp_broker::identity::read(&path)));
}

fn manifest(bytes: &[u8]) {
    drop(with_file(bytes, |path| rp_manifest::read_manifest(&path)));
}

fn response_file(bytes: &[u8]) {
    let plan = |path: PathBuf| {
        run_cache::plan(&Call {
            program: "/usr/bin/gcc".into(),
            name: "gcc".into(),
            args: vec![format!("@{}", path.display())],
            env: Vec::new(),
            cwd: path.parent().expect("a folder").to_owned(),
            colour: false,
            terminal: false,
            base_dir: None,
        })
    };
    drop(with_file(bytes, plan));
}

fn identities() -> Vec<Vec<u8>> {
    let recorded = load("probe_public.json");
    let texts = recorded.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
    let mut all: Vec<_> = texts.map(|text| text.as_bytes().to_vec()).collect();
    all.extend([
        br#"{"pid":7,"exe_path":"/usr/bin/zccache-daemon","boot_id":"b","start_time":1700000000,"endpoint":"/tmp/s"}"#
            .to_vec(),
        br#"{"schema":1,"process":{"pid":7,"created_at_unix_ms":1700000000000},"exe_sha256":"00"}"#.to_vec(),
    ]);
    all
}

fn manifests() -> Vec<Vec<u8>> {
    vec![fs::read(folder().join("manifest_1.12.0.pb")).expect("a recorded manifest")]
}

fn response_files() -> Vec<Vec<u8>> {
    [
        r#"-O2 -g -c "a b.c" -o a.o -DX=\"y\" -I inc -isystem /usr/include -MD -MF a.d"#,
        "-std=c++20 -c\n\ta.cpp\r\n-fmodules-ts @other -Wl,--start-group '-DZ=c d'",
        "-x assembler-with-cpp -Wp,-MD,a.d -Xassembler -g a.S -Xclang -load",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn depfiles() -> Vec<Vec<u8>> {
    [
        "a.o: a.c a\\ b.h \\\n  c:\\d.h \\\n  $$x.h\n\na.h:\n",
        "C:/x/a.o b.o : a.c\\\r\n b.h #c\n",
        "a.o:\\\n a.c \\\n \\\n b\\#c.h\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
