//! A published daemon at its versioned name, for a client that finds none at its endpoint.
//!
//! Rule: `docs/spec/endpoint.md#a-client-without-a-daemon`.

use ipc_connection::IpcError;
use ipc_endpoint::{Endpoint, OtherNames};
use ipc_model::{Request, Response};
use wire_dispatch::{DecodedWireMessage, Ids, WirePolicy};

use super::Client;
use crate::CallError;
use crate::config::Limits;
use crate::memory::Memory;

/// The endpoint and the other names of a client.
#[derive(Debug)]
pub(super) struct Elsewhere {
    /// The client's own endpoint, which it tries first.
    home: Endpoint,
    others: OtherNames,
}

impl Client {
    /// Adds names to try, in order, if no daemon listens at the endpoint.
    ///
    /// The client stays with a daemon at another name as long as the connection lasts.
    #[must_use]
    pub fn or_at(mut self, others: Option<OtherNames>) -> Self {
        let home = self.endpoint.clone();
        self.elsewhere = others.map(|others| Box::new(Elsewhere { home, others }));
        self
    }

    /// Connects the client now.
    ///
    /// # Errors
    ///
    /// [`IpcError::Connect`]; [`IpcError::is_no_daemon`] is true if no daemon listens.
    pub fn connected(mut self) -> Result<Self, IpcError> {
        let (policy, limits) = (self.config.wire, Limits::begin(&self.config));
        self.recall(policy);
        match self.dial(&limits) {
            Ok(connection) => self.connection = Some(connection),
            Err(error) if error.is_no_daemon() && self.finds_another(policy, &limits) => {}
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// Makes one call at the client's endpoint, or at another name if no daemon listens there.
    pub(super) fn converse_anywhere(
        &mut self,
        policy: WirePolicy,
        ids: Option<&Ids>,
        request: &Request,
        limits: Limits,
    ) -> Result<DecodedWireMessage<Response>, CallError> {
        if self.connection.is_none()
            && let Some(home) = self.elsewhere.as_ref().map(|elsewhere| &elsewhere.home)
            && *home != self.endpoint
        {
            self.move_to(home.clone(), policy);
        }
        match self.converse(policy, ids, request, limits) {
            Err(error) if error.is_no_daemon() && self.finds_another(policy, &limits) => {
                self.converse(policy, ids, request, limits)
            }
            result => result,
        }
    }

    /// Connects to the first other name where a daemon listens; returns true if there is one.
    fn finds_another(&mut self, policy: WirePolicy, limits: &Limits) -> bool {
        let names = self.elsewhere.as_ref().map(|elsewhere| elsewhere.others.names()).unwrap_or_default();
        let home = self.endpoint.clone();
        for other in names {
            self.move_to(other.endpoint, policy);
            self.recall(policy);
            if let Ok(connection) = self.dial(limits) {
                self.connection = Some(connection);
                return true;
            }
        }
        self.move_to(home, policy);
        false
    }

    /// Changes the endpoint, and forgets the dialect and connection of the former daemon.
    fn move_to(&mut self, endpoint: Endpoint, policy: WirePolicy) {
        if policy == WirePolicy::Auto {
            self.selector.forget();
        }
        self.memory = Memory::default();
        self.connection = None;
        self.endpoint = endpoint;
    }
}
