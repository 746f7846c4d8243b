//! Tools that cannot be started, write too much, or are killed.

use zccache_ipc::model::LinkEphemeral;

use super::*;

impl Sut {
    /// A request whose tool does what `actions` say.
    fn acting(&self, actions: &[&str]) -> CompileEphemeral {
        CompileEphemeral {
            args: actions.iter().map(|&action| action.to_owned()).collect(),
            ..self.request(testkit::stand_in(self.dir.path(), "acts"), "")
        }
    }

    fn link(&self, tool: impl Into<NormalizedPath>, args: &[&str]) -> Request {
        Request::from(LinkEphemeral {
            tool: tool.into(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            cwd: self.path("").into(),
            env: self.env(),
            client_pid: 1,
        })
    }
}

#[tokio::test]
async fn a_tool_that_does_not_run_is_reported_as_by_released_daemons() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    let missing = std::io::Error::from_raw_os_error(2);
    let tool = sut.path("missing");
    assert_eq!(
        sut.ask(Request::from(sut.request(tool.clone(), "-c a.c"))).await,
        Response::error(format!("failed to run compiler: {missing}"))
    );
    let nowhere =
        CompileEphemeral { cwd: sut.path("nowhere").into(), ..sut.request(sut.compiler(), "-c a.c") };
    // ERROR_DIRECTORY
    let no_directory = std::io::Error::from_raw_os_error(if cfg!(windows) { 267 } else { 2 });
    assert_eq!(
        sut.ask(Request::from(nowhere)).await,
        Response::error(format!("failed to run compiler: {no_directory}"))
    );
    let name = NormalizedPath::from(tool.clone());
    assert_eq!(
        sut.ask(sut.link(tool, &[])).await,
        Response::error(format!("failed to run {name}: {missing}"))
    );
    match sut.ask(Request::from(sut.acting(&["zeros=104857600"]))).await {
        Response::Error(error) => {
            assert!(error.message.contains("wrote more than 16773120 bytes"), "{}", error.message);
        }
        other => panic!("{:?}", other.kind()),
    }
    let status = sut.status().await;
    let figures = (status.total_compilations, status.compile_errors, status.non_cacheable);
    assert_eq!(figures, (3, 3, 0));
    assert_eq!((status.total_links, status.link_non_cacheable), (1, 1));
}

#[cfg(unix)]
#[tokio::test]
async fn a_killed_tool_is_reported_as_by_released_daemons() {
    use zccache_ipc::model::LinkResult;
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    let killed = CompileEphemeral {
        args: vec!["-c".to_owned(), "cat; kill -9 $$".to_owned()],
        stdin: Bytes::from_static(b"in"),
        ..sut.request("/bin/sh", "")
    };
    let killed = sut.compile_as(killed).await;
    assert_eq!((killed.exit_code, &killed.stdout[..]), (-1, &b"in"[..]));
    match sut.ask(sut.link("/bin/sh", &["-c", "echo out; kill -9 $$"])).await {
        Response::LinkResult(result) => {
            let expected = LinkResult { exit_code: 1, stdout: "out\n".into(), ..LinkResult::default() };
            assert_eq!(*result, expected);
        }
        other => panic!("{other:?}"),
    }
    let status = sut.status().await;
    assert_eq!((status.total_compilations, status.non_cacheable), (1, 1));
    assert_eq!((status.total_links, status.link_non_cacheable), (1, 1));
}
