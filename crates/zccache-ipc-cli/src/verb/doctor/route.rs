//! By which way a call reaches the daemon.

use zccache_ipc::endpoint::{Platform, look_at};
use zccache_ipc::rp_broker::lane::{Decision, Values, shared_broker_endpoint};

use super::finding::Finding;
use crate::suggest::Suggest;
use crate::target::Located;

/// Says which way the environment asks for. Nobody is asked: a broker may start a daemon.
pub(super) fn look(located: &Located, suggest: &Suggest) -> Finding {
    const CHECK: &str = "route";
    match Values::from_environment(&located.target.environment).decide(Platform::CURRENT) {
        Decision::Disabled => Finding::ok(CHECK, "direct: RUNNING_PROCESS_DISABLE is 1"),
        Decision::NotAsked => Finding::ok(CHECK, "direct: ZCCACHE_BROKER_CONNECT is not 1"),
        Decision::FakeBackend(endpoint) => Finding::warning(
            CHECK,
            format!("RUNNING_PROCESS_FAKE_BACKEND leads to {endpoint}, and no broker is asked"),
        )
        .fix("unset RUNNING_PROCESS_FAKE_BACKEND, which is for tests"),
        Decision::Broker => match shared_broker_endpoint() {
            Ok(broker) => {
                let path = std::path::Path::new(broker.as_str());
                let is_there = !Platform::CURRENT.is_unix() || matches!(look_at(path), Ok(Some(_)));
                if is_there {
                    Finding::ok(CHECK, "the broker is asked first")
                        .at(&broker)
                        .fix(suggest.verb("broker status"))
                } else {
                    Finding::warning(
                        CHECK,
                        format!("the broker is asked first, and there is none at {broker}: direct"),
                    )
                    .fix("start the broker, or unset ZCCACHE_BROKER_CONNECT")
                }
            }
            Err(error) => {
                Finding::warning(CHECK, format!("the broker is asked first, and has no place: {error}"))
                    .fix("unset ZCCACHE_BROKER_CONNECT")
            }
        },
        _ => Finding::ok(CHECK, "direct"),
    }
}
