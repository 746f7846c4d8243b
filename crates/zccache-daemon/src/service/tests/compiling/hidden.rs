//! What a result depends on without the text of its source showing it.

use super::*;

#[tokio::test]
async fn what_the_text_of_a_source_does_not_show_is_run_each_time_or_in_the_key() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    // A directory that is missing, of which the compiler says so.
    sut.write("e.c", "int e;\n");
    sut.write("inc/x", "");
    let line = "-Wmissing-include-dirs -Iinc -c e.c";
    assert!(!sut.is_hit(line).await);
    assert!(sut.is_hit(line).await);
    fs::remove_dir_all(sut.path("inc")).unwrap();
    let missing = sut.cc(line).await;
    assert!(!missing.cached && !missing.stderr.is_empty(), "{missing:?}");
    // The standard input, by a name of a file.
    for text in ["int a;", "int bb;"] {
        let mut request = sut.request(cc(), "-x c -c /dev/stdin -o s.o");
        request.stdin = Bytes::from(text);
        assert!(!sut.compile_as(request).await.cached, "{text}");
    }
    // A file that only the assembler reads.
    sut.write("i.c", "__asm__(\".inc\" \"bin \\\"h.h\\\"\");\n");
    for _ in 0..2 {
        assert!(!sut.is_hit("-c i.c").await);
    }
    // What is no file is not waited for.
    let fifo = std::process::Command::new("mkfifo").arg(sut.path("pipe")).status();
    assert!(fifo.unwrap().success());
    sut.write("p.c", "#line 1 \"pipe\"\nint p;\n");
    for _ in 0..2 {
        assert!(!sut.is_hit("-c p.c").await);
    }
}
