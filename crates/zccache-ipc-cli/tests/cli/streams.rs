//! What is written to the standard output, or through another descriptor.

use std::fs;

use testkit::{Process, TempEndpoint, watchdog};

use crate::real::{Place, daemon, start};
use crate::support::{self, SOON, code, path, run};

#[test]
fn a_cached_file_is_streamed_after_earlier_output() {
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = Place(TempEndpoint::new());
    let place = &place.0;
    assert_eq!(code(&run(place, &start(&daemon))), 0);
    fs::write(place.dir().join("a.o"), "contents\n").unwrap();
    assert_eq!(support::json(place, &["store", "k", "a.o"]).0, 0);

    for output in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let mut command = place.command("/bin/sh");
        // The output of `Process` is a regular file, which both programs write to.
        command.args(["-c", r#"echo before; "$0" lookup k -o "$1" && echo after"#]).arg(path()).arg(output);
        let finished = Process::spawn(&mut command).finish(SOON);
        assert_eq!(finished.stdout, "before\ncontents\nafter\n", "{output}: {}", finished.stderr);
        assert_eq!(finished.stderr, format!("wrote a.o (9 B) to {output}\n"));
    }
    assert!(!place.dir().join("-").exists());

    // A descriptor of another file is written through, and its file stays the same one.
    let mut command = place.command("/bin/sh");
    command.args(["-c", r#"exec 5>out; echo longer than the contents >&5; "$0" lookup k -o /dev/fd/5; test out -ef /dev/fd/5"#]).arg(path());
    let finished = Process::spawn(&mut command).finish(SOON);
    assert_eq!(code(&finished), 0, "{finished:?}");
    assert_eq!(fs::read_to_string(place.dir().join("out")).unwrap(), "contents\n");

    let json = run(place, &["--json", "lookup", "k", "-o", "-"]);
    assert_eq!(json.stdout, "contents\n");
    assert_eq!(support::parse(&json.stderr)["result"], "Hit");
}
