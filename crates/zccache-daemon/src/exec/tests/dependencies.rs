//! Includes that are found, and dependencies that the tool lists.

use super::*;

#[tokio::test]
async fn a_header_that_changes_or_newly_comes_first_is_another_run() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    for dir in ["i1", "i2"] {
        fs::create_dir(sut.cwd().join(dir)).unwrap();
    }
    sut.put("m.c", "#include <x.h>\n#include \"y.h\"\n");
    sut.put("i2/x.h", "#include \"y.h\"\n");
    sut.put("y.h", "#include \"m.c\"\n");
    let request = GenericToolExec {
        include_scan_files: vec![sut.path("m.c")],
        include_dirs: vec![sut.path("i1"), sut.path("i2")],
        ..sut.request(&["out=a"])
    };
    assert!(!sut.hits(&request).await && sut.hits(&request).await);
    sut.put("y.h", "#include \"m.c\" // changed\n");
    assert!(!sut.hits(&request).await && sut.hits(&request).await);
    sut.put("i1/x.h", "#include \"y.h\"\n");
    assert!(!sut.hits(&request).await, "the same text from another place");
    sut.put("i1/x.h", "#include HEADER\n");
    assert!(!sut.hits(&request).await && !sut.hits(&request).await, "nobody knows what that is");
}

fn listing(sut: &Sut, rule: &str) -> GenericToolExec {
    GenericToolExec { depfile: Some("a.d".into()), ..sut.request(&[&format!("write=a.d={rule}")]) }
}

#[tokio::test]
async fn listed_inputs_are_part_of_the_key_from_the_second_run_on() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    sut.put("with space.h", "1");
    sut.put("b.h", "1");
    let rule = "a.o: in.txt \\\n with\\ space.h b.h";
    let request = listing(&sut, rule);
    assert!(!sut.hits(&request).await);
    assert_eq!(text(sut.cwd().join("a.d")).as_deref(), Some(rule), "the tool writes what it is told");
    fs::remove_file(sut.cwd().join("a.d")).unwrap();
    assert!(sut.hits(&request).await);
    assert_eq!(text(sut.cwd().join("a.d")).as_deref(), Some(rule), "the list is an output, too");
    for name in ["in.txt", "with space.h", "b.h"] {
        sut.put(name, "changed");
        assert!(!sut.hits(&request).await, "{name}");
        assert!(sut.hits(&request).await, "{name}");
    }
    // A content that was there before is found again.
    sut.put("b.h", "1");
    assert!(sut.hits(&listing(&sut, rule)).await);
    fs::remove_file(sut.cwd().join("b.h")).unwrap();
    assert!(!sut.hits(&request).await, "one that is gone");
}

#[tokio::test]
async fn a_missing_old_or_invalid_list_stores_no_result() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    sut.put("a.d", "a.o: in.txt");
    let silent = GenericToolExec { depfile: Some("a.d".into()), ..sut.request(&["out=a"]) };
    assert!(!sut.hits(&silent).await && !sut.hits(&silent).await, "that of another run");
    let nonsense = listing(&sut, "nonsense");
    assert!(!sut.hits(&nonsense).await && !sut.hits(&nonsense).await);
    let fresh = listing(&sut, "a.o: fresh.h");
    fs::write(sut.cwd().join("fresh.h"), "1").unwrap();
    let later = SystemTime::now() + Duration::from_secs(60);
    fs::File::options().write(true).open(sut.cwd().join("fresh.h")).unwrap().set_modified(later).unwrap();
    assert!(!sut.hits(&fresh).await && !sut.hits(&fresh).await, "it may have changed while the tool ran");
}

#[cfg(unix)]
#[tokio::test]
async fn a_dependency_replaced_by_an_older_file_stores_no_result() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    sut.put("h.h", "old");
    sut.put("new.h", "new, and written long ago");
    let script = "printf 'a.o: h.h' > a.d; [ -e new.h ] && mv new.h h.h; exit 0";
    let request = GenericToolExec { depfile: Some("a.d".into()), ..sut.script(script) };
    assert!(!sut.hits(&request).await);
    assert!(!sut.hits(&request).await, "the first run read the old file");
}

#[tokio::test]
async fn a_further_list_of_dependencies_replaces_another_one() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    sut.put("which", "0");
    let actions = ["write=a.d=a.o: which h", "extend=a.d=which"];
    let request = GenericToolExec { depfile: Some("a.d".into()), ..sut.request(&actions) };
    for round in 0..2 * LISTS {
        sut.put(&format!("h{round}"), "");
        sut.put("which", &round.to_string());
        assert!(!sut.hits(&request).await, "{round}");
        fs::remove_file(sut.cwd().join("a.d")).unwrap();
        assert!(sut.hits(&request).await, "{round}");
    }
}
