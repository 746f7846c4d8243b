//! Dependencies of a result that the text of its source does not show.

use super::*;

#[tokio::test]
async fn hidden_inputs_are_part_of_the_key_or_prevent_caching() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    // A missing directory, which the compiler reports.
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
        let mut request = sut.request(sut.compiler(), "-x c -c /dev/stdin -o s.o");
        request.stdin = Bytes::from(text);
        assert!(!sut.compile_as(request).await.cached, "{text}");
    }
    // A file that only the assembler reads.
    sut.write("i.c", "__asm__(\".inc\" \"bin \\\"h.h\\\"\");\n");
    assert!(!sut.is_hit("-c i.c").await);
    assert!(sut.is_hit("-c i.c").await);
    sut.write("h.h", "#define TEXT \"two\"\n");
    assert!(!sut.is_hit("-c i.c").await);
    // A pipe is not waited for.
    let fifo = std::process::Command::new("mkfifo").arg(sut.path("pipe")).status();
    assert!(fifo.unwrap().success());
    sut.write("p.c", "#line 1 \"pipe\"\nint p;\n");
    assert!(!sut.is_hit("-Wall -c p.c").await);
    assert!(sut.is_hit("-Wall -c p.c").await, "nothing was said of it");
}

#[tokio::test]
async fn precompiled_headers_and_files_of_the_assembler_are_inputs() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    sut.write("i.c", "__asm__(\".incbin \\\"h.h\\\"\");\n");
    assert!(!sut.is_hit("-c i.c").await);
    assert!(sut.is_hit("-c i.c").await);
    sut.write("h.h", "#define TEXT \"two\"\n");
    assert!(!sut.is_hit("-c i.c").await);
    // A precompiled header that appears, and takes the place of its header or not.
    assert!(!sut.is_hit("-c a.c").await);
    assert!(sut.is_hit("-c a.c").await);
    sut.write("h.h.gch", "");
    assert!(!sut.is_hit("-c a.c").await);
    // A real one, in a directory before the directory of its header.
    sut.write("pch/x", "");
    sut.write("pre/p.h", "int p;\n");
    sut.write("p.c", "#include \"p.h\"\nint q;\n");
    assert!(!sut.is_hit("-Ipch -Ipre -c p.c").await);
    let made = sut.cc("-x c-header pre/p.h -o pch/p.h.gch").await;
    assert_eq!((made.exit_code, made.cached), (0, false), "{made:?}");
    assert!(!sut.is_hit("-Ipch -Ipre -c p.c").await, "the precompiled header is used");
}

#[tokio::test]
async fn a_call_that_only_its_caller_can_make_is_refused() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    sut.write("rsp", "-x c -c - -o o.o\n");
    sut.write("outer", "@rsp\n");
    for line in ["@rsp", "@outer", "@/dev/stdin", "-include /dev/fd/63 -c a.c", "-c a.c -o /proc/self/fd/5"] {
        match sut.ask(Request::from(sut.request(sut.compiler(), line))).await {
            Response::Error(error) => assert!(error.message.contains("descriptor"), "{line}: {error:?}"),
            other => panic!("{line}: {other:?}"),
        }
    }
    match sut.ask(Request::from(sut.request(sut.compiler(), "-c a.c -o a.c"))).await {
        Response::Error(error) => assert!(error.message.contains("also an input"), "{error:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read_to_string(sut.path("a.c")).unwrap(), SOURCE);
    // The sent contents can be read.
    let mut request = sut.request(sut.compiler(), "-x c -c - -o s.o");
    request.stdin = Bytes::from("int a;");
    assert_eq!(sut.compile_as(request).await.exit_code, 0);
}
