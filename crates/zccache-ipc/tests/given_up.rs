//! A server whose client closes its connection while the server works.

mod common;

use std::sync::Arc;

use common::{Answering, PATIENCE, config, read_all, start};
use testkit::watchdog;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Notify, mpsc, oneshot};
use zccache_ipc::model::Response;

const PING: [u8; 12] = [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];

/// Sends a message when it is dropped.
struct Dropped(mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.send(()).expect("the test waits");
    }
}

#[tokio::test]
async fn work_for_a_closed_connection_is_cancelled() {
    let _watchdog = watchdog(PATIENCE);
    for pipelined in [&PING[..], &PING[..5], &[]] {
        let (dropped, mut seen) = mpsc::unbounded_channel();
        let begun = Arc::new(Notify::new());
        let begins = Arc::clone(&begun);
        let running = start(
            Answering(move |_| {
                begins.notify_one();
                let guard = Dropped(dropped.clone());
                async move {
                    std::future::pending::<()>().await;
                    drop(guard);
                    Response::Pong
                }
            }),
            config(),
        );
        let mut stream = running.raw().await;
        stream.write_all(&[&PING, pipelined].concat()).await.expect("written");
        begun.notified().await;
        drop(stream);
        seen.recv().await.expect("the work is dropped");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_only_stopped_sending_is_answered() {
    let _watchdog = watchdog(PATIENCE);
    let (answer, answered) = oneshot::channel::<()>();
    let answered = Arc::new(tokio::sync::Mutex::new(Some(answered)));
    let running = start(
        Answering(move |_| {
            let answered = Arc::clone(&answered);
            async move {
                let answered = answered.lock().await.take().expect("one request");
                answered.await.expect("the test answers");
                Response::Pong
            }
        }),
        config(),
    );
    let mut stream = running.raw().await;
    stream.write_all(&PING).await.expect("written");
    stream.shutdown().await.expect("no more is sent");
    let looks = std::time::Duration::from_millis(600);
    tokio::time::sleep(looks).await; // meanwhile the server checks that the client is there
    answer.send(()).expect("the server still works");
    assert_eq!(read_all(&mut stream).await, [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0]);
    running.stop().await;
}
