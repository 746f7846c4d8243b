//! Calls in a dialect that the caller names.

use ipc_model::{Request, Response};
use wire_dispatch::{DecodedWireMessage, Dialect, Ids, Selector, WirePolicy};

use super::Client;
use crate::CallError;

impl Client {
    /// Sends `request` in `dialect` and ignores the policy.
    ///
    /// If the daemon refuses the dialect's number, the client sends again under the number that the daemon
    /// names. Otherwise this is [`call_on`](Self::call_on).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_in(
        &mut self,
        dialect: Dialect,
        ids: Option<&Ids>,
        request: &Request,
    ) -> Result<DecodedWireMessage<Response>, CallError> {
        let policy = WirePolicy::Only(dialect.lane());
        self.ask_with(policy, Selector::new(policy, Some(dialect)), ids, request)
    }

    /// Makes a call with its own selector and restores the client's selector.
    pub(super) fn ask_with(
        &mut self,
        policy: WirePolicy,
        selector: Selector,
        ids: Option<&Ids>,
        request: &Request,
    ) -> Result<DecodedWireMessage<Response>, CallError> {
        let before = std::mem::replace(&mut self.selector, selector);
        let result = self.ask(policy, ids, request);
        self.selector = before;
        result
    }
}
