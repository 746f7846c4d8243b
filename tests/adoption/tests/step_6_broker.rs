//! Step 6 of `docs/adopting.md`: identity, probes and the broker lane.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use testkit::{TempEndpoint, watchdog};
use tokio::sync::Notify;
use zccache_ipc::endpoint::{Endpoint, IdentityEndpoint};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::rp_broker::identity;
use zccache_ipc::rp_broker::lane::{AdoptError, AdoptFailure, classify_adopt_error};
use zccache_ipc::rp_broker::probe::{Ask, Outcome, Responder, verify_async};
use zccache_ipc::{Incoming, IpcListener, Wires};

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_own_loop_answers_probes_and_hashes_the_executable_elsewhere() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let listener = IpcListener::bind(place.name()).expect("binds");
    let named = IdentityEndpoint { namespace_id: "default".to_owned(), path: place.name() };
    let file = place.cache_dir().join("daemon.running-process.json");
    let (known, at) = (Arc::new(Notify::new()), file.clone());
    let is_known = Arc::clone(&known);
    let responder = Responder::of_this_process(named.clone(), SystemTime::now(), move |identity| {
        identity::write(&at, identity.expect("readable")).expect("written");
        is_known.notify_one();
    })
    .expect("a thread");
    let server = tokio::spawn(async move {
        while let Ok(mut connection) = listener.accept().await {
            while let Ok(Some(incoming)) = connection.recv_incoming::<Request>(Wires::ALL).await {
                match incoming {
                    Incoming::Message(_) => connection.send(&Response::Pong).await.expect("answered"),
                    Incoming::Foreign(frame) => {
                        let answer = responder.answer(&frame.envelope).await.expect("a probe");
                        connection.send_frame(&answer).await.expect("answered");
                    }
                }
            }
        }
    });
    known.notified().await;
    let ask = Ask::new(&file, &Endpoint::new(place.name()), named).within(LIMIT);
    assert!(matches!(verify_async(ask).await, Outcome::Same(_)));
    server.abort();
}

#[test]
fn a_failed_adoption_is_classified_and_kept() {
    let error = AdoptError::BrokerDisabled;
    assert_eq!(classify_adopt_error(&error), AdoptFailure::Disabled);
    assert!(!error.to_string().is_empty(), "the caller still has the error");
}
