//! Calls in a dialect that the caller names.

use ipc_model::{Request, Response};
use wire_dispatch::{DecodedWireMessage, Dialect, Ids, Selector, WirePolicy};

use super::Client;
use crate::CallError;

impl Client {
    /// Sends `request` in `dialect`, whatever the policy; for the rest this is [`call_on`](Self::call_on).
    ///
    /// A daemon that refuses the dialect's number is asked again under the number that it names.
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

    /// Asks with a selector of this call's own.
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
