//! The names at which a client looks for a daemon, and which of them answers.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{Endpoint, LinkState, look_at_link};

use crate::target::Located;

/// Timeout of one name.
const TO_ANSWER: Duration = Duration::from_millis(300);

/// One name, looked at once.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) endpoint: Endpoint,
    /// The release that has this name; `None` for this project's own name.
    pub(crate) release: Option<String>,
    /// True for a link to the first name.
    pub(crate) is_link: bool,
    pub(crate) answers: bool,
}

/// Asks at every name where a client of `located` would look, in its order.
pub(crate) fn look(located: &Located) -> Vec<Looked> {
    let own = &located.target.endpoint;
    let others = located.locations.other_names().map(|others| others.names()).unwrap_or_default();
    let others = others.into_iter().map(|names| (names.endpoint, Some(names.release)));
    let first = answers(own);
    let names = std::iter::once((own.clone(), None)).chain(others);
    let look = |(endpoint, release): (Endpoint, Option<String>)| {
        let (name, own) = (Path::new(endpoint.as_str()), Path::new(own.as_str()));
        let is_link = release.is_some() && matches!(look_at_link(name, own), Ok(LinkState::Ours));
        // A daemon that does not answer is waited for once.
        let answers = if is_link || release.is_none() { first } else { answers(&endpoint) };
        Looked { endpoint, release, is_link, answers }
    };
    names.map(look).collect()
}

fn answers(endpoint: &Endpoint) -> bool {
    Client::new(endpoint.clone(), ClientConfig::within(TO_ANSWER)).ping().is_ok()
}

/// Returns the name that a client uses.
pub(crate) fn found(looked: &[Looked]) -> Option<&Endpoint> {
    looked.iter().find(|name| name.answers).map(|name| &name.endpoint)
}

/// Returns the names for programs.
pub(crate) fn to_json(looked: &[Looked]) -> Value {
    let name = |name: &Looked| {
        json!({
            "endpoint": name.endpoint.as_str(),
            "release": name.release,
            "is_link": name.is_link,
            "answers": name.answers,
        })
    };
    looked.iter().map(name).collect()
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, release, is_link, answers } = self;
        let answer = if *answers { "answers" } else { "nobody answers" };
        let of = release.as_deref().map(|release| format!(" of release {release}")).unwrap_or_default();
        let link = if *is_link { ", a link to the first name" } else { "" };
        write!(f, "{endpoint}{of}: {answer}{link}")
    }
}
