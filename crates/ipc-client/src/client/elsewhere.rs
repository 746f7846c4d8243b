//! A published daemon at its versioned name, for a client that finds none at its endpoint.
//!
//! Rule: `docs/spec/endpoint.md#a-client-without-a-daemon`.

use std::sync::{Mutex, PoisonError};

use ipc_endpoint::OtherNames;
use ipc_model::{Request, Response};

use super::Client;
use crate::CallError;

/// The other names of a client, and the daemon found at one of them.
#[derive(Debug)]
pub(super) struct Elsewhere {
    others: OtherNames,
    /// The client of the daemon that was found there.
    found: Mutex<Option<Client>>,
}

impl Client {
    /// Adds names to try, in order, if no daemon listens at the endpoint.
    ///
    /// The client and its clones stay with a daemon at another name as long as a connection to it lasts. A second
    /// call of this method changes nothing.
    #[must_use]
    pub fn or_at(self, others: Option<OtherNames>) -> Self {
        if let Some(others) = others {
            self.shared.elsewhere.get_or_init(|| Elsewhere { others, found: Mutex::new(None) });
        }
        self
    }

    /// Returns the client of the daemon that was found at another name, if it is still connected.
    pub(super) fn connected_elsewhere(&self) -> Option<Self> {
        let found = self.shared.elsewhere.get()?.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone().filter(Self::is_connected)
    }

    /// Calls the first daemon that listens at another name; returns `error` without one.
    pub(super) async fn call_elsewhere(
        &self,
        request: &Request,
        error: CallError,
    ) -> Result<Response, CallError> {
        let Some(elsewhere) = self.shared.elsewhere.get() else { return Err(error) };
        for other in elsewhere.others.names() {
            if let Ok(client) = Self::connect(other.endpoint, *self.config()).await {
                *elsewhere.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
                return client.call_here(request).await;
            }
        }
        Err(error)
    }
}
