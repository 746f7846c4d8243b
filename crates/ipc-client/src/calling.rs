//! One call as a state machine that decides on the next exchange and on the end.
//!
//! Rule: `docs/spec/wire.md#what-may-be-resent`.

use ipc_model::{Request, Response};
use wire_dispatch::{Dialect, Lane, Next, Plan, Selector, Setback, mismatch};

use crate::CallError;
use ipc_connection::IpcError;

/// A request that changes nothing and that every daemon answers.
static PING: Request = Request::Ping;

/// The caller's next step.
#[derive(Debug)]
pub(crate) enum Do<'a> {
    /// Send `request` in `dialect` and report the result.
    Exchange {
        /// The request to send.
        request: &'a Request,
        /// The dialect to send it in.
        dialect: Dialect,
        /// True if the exchange needs a new connection.
        fresh: bool,
    },
    /// Look up the daemon again, because another one may listen now, and call [`Calling::start`] again.
    Recall,
    /// The call is over.
    Return(Result<Response, CallError>),
}

/// The result of an exchange.
#[derive(Debug)]
pub(crate) struct Came {
    /// The dialect of the request.
    pub(crate) dialect: Dialect,
    /// True if the connection had served an earlier exchange, so that the daemon may have closed it.
    pub(crate) reused: bool,
    /// True if the whole request was sent.
    pub(crate) sent: bool,
    /// The reply and its dialect.
    pub(crate) reply: Result<(Dialect, Response), IpcError>,
}

/// One call.
///
/// It ends after a few exchanges: it replaces a closed connection once, falls back from a lane once, and asks
/// a question first at most once.
#[derive(Debug)]
pub(crate) struct Calling<'a> {
    request: &'a Request,
    asking_first: bool,
    replaced: bool,
    /// The dialects that the daemon refused; the call tries each at most once.
    refused: Vec<Dialect>,
}

/// The largest number of typed refusals that one call follows.
const MOST_REFUSALS: usize = 3;

impl<'a> Calling<'a> {
    pub(crate) const fn new(request: &'a Request) -> Self {
        Self { request, asking_first: false, replaced: false, refused: Vec::new() }
    }

    /// Returns the first step, also after [`Do::Recall`].
    pub(crate) fn start(&mut self, selector: &Selector) -> Do<'a> {
        let plan = selector.plan(self.request.kind());
        self.asking_first = matches!(plan, Plan::AskFirst(_));
        let (Plan::Send(dialect) | Plan::AskFirst(dialect)) = plan;
        Do::Exchange { request: self.asked(), dialect, fresh: self.replaced }
    }

    /// Returns the step after an exchange.
    pub(crate) fn after(&mut self, selector: &mut Selector, came: Came) -> Do<'a> {
        let Came { dialect, reused, sent, reply } = came;
        let idempotent = self.asking_first || self.request.is_idempotent();
        let (setback, result) = match reply {
            Ok((by, Response::Error(error))) if mismatch::is_refusal(&error.message) => {
                (Setback::Refused { by }, Ok(Response::Error(error)))
            }
            Ok((by, Response::Error(error))) if self.is_unknown_request(by, &error.message) => {
                (Setback::NotKnown, Ok(Response::Error(error)))
            }
            // The daemon turned the request away unread: the call learned nothing, and the daemon did
            // nothing.
            Ok((_, response @ Response::Backpressure(_))) => return Do::Return(Ok(response)),
            Ok((came_on, response)) => {
                // An answer in another dialect does not prove that the daemon speaks the request's dialect.
                if came_on == dialect {
                    selector.answered(dialect);
                }
                return self.answered(selector, dialect, response);
            }
            Err(error) if self.may_replace(selector, &error, reused) && (idempotent || !sent) => {
                self.replaced = true;
                return Do::Recall;
            }
            Err(error @ (IpcError::Connect(_) | IpcError::Encode(_))) => {
                return Do::Return(Err(error.into()));
            }
            Err(error @ IpcError::Version { .. }) => (Setback::ForeignVersion, Err(error)),
            Err(error) if error.is_disconnect() => (Setback::Lost { sent }, Err(error)),
            Err(error) => (Setback::Other { sent }, Err(error)),
        };
        if result.is_ok() {
            self.refused.push(dialect);
        }
        match (selector.after(dialect, idempotent, setback), result) {
            // A daemon has at most two generations, and names them.
            (Next::Again(next), Ok(response))
                if self.refused.len() > MOST_REFUSALS || self.refused.contains(&next) =>
            {
                Do::Return(Ok(response))
            }
            (Next::Again(mut dialect), _) => {
                // The refusal named the daemon's dialect, so no question is necessary.
                if matches!(setback, Setback::Refused { .. })
                    && std::mem::take(&mut self.asking_first)
                    && let Plan::Send(planned) = selector.plan(self.request.kind())
                {
                    dialect = planned;
                }
                Do::Exchange { request: self.asked(), dialect, fresh: true }
            }
            (Next::OutcomeUnknown, Err(source)) => {
                Do::Return(Err(CallError::OutcomeUnknown { request: self.request.kind(), source }))
            }
            (Next::Fail, Err(error)) => Do::Return(Err(error.into())),
            (Next::Fail | Next::OutcomeUnknown, Ok(response)) => Do::Return(Ok(response)),
        }
    }

    /// Returns true if a new connection may replace one that failed.
    ///
    /// The daemon closed the connection while it was idle, or reset it because the daemon ended before it
    /// read the request.
    fn may_replace(&self, selector: &Selector, error: &IpcError, reused: bool) -> bool {
        let reset = error.is_reset() && !selector.may_fall_back();
        !self.replaced && error.is_disconnect() && (reused || reset)
    }

    fn answered(&mut self, selector: &Selector, dialect: Dialect, response: Response) -> Do<'a> {
        if std::mem::take(&mut self.asking_first) {
            let planned = match selector.plan(self.request.kind()) {
                Plan::Send(planned) => planned,
                Plan::AskFirst(_) => dialect,
            };
            return Do::Exchange { request: self.request, dialect: planned, fresh: false };
        }
        Do::Return(Ok(response))
    }

    /// Returns true if the daemon's release does not know the request.
    ///
    /// A protobuf daemon of such a release finds no body.
    fn is_unknown_request(&self, by: Dialect, text: &str) -> bool {
        by.lane() != Lane::V15
            && matches!(self.request, Request::ExecProbe(_) | Request::ExecStore(_))
            && text == wire_v16::ConvertError::NoBody { message: "request" }.to_string()
    }

    fn asked(&self) -> &'a Request {
        if self.asking_first { &PING } else { self.request }
    }
}

#[cfg(test)]
mod tests {
    use wire_dispatch::WirePolicy;

    use super::*;

    /// Plays a call against a script of replies; returns the requests that were sent and the result.
    fn play(
        request: &Request,
        policy: WirePolicy,
        script: Vec<(bool, bool, Result<Response, IpcError>)>,
    ) -> String {
        let mut selector = Selector::new(policy, None);
        let mut calling = Calling::new(request);
        let mut log = Vec::new();
        let mut step = calling.start(&selector);
        let mut script = script.into_iter();
        loop {
            match step {
                Do::Exchange { request, dialect, fresh } => {
                    let (reused, sent, reply) = script.next().expect("no exchange too many");
                    log.push(format!("{}{} on {dialect}", if fresh { "new: " } else { "" }, request.kind()));
                    let reply = reply.map(|response| match response {
                        Response::Error(error) if error.message.starts_with("protocol version") => {
                            (Dialect::V15, Response::Error(error))
                        }
                        other => (dialect, other),
                    });
                    step = calling.after(&mut selector, Came { dialect, reused, sent, reply });
                }
                Do::Recall => step = calling.start(&selector),
                Do::Return(result) => {
                    log.push(match result {
                        Ok(response) => response.kind().to_string(),
                        Err(CallError::OutcomeUnknown { .. }) => "unknown".to_owned(),
                        Err(error) => format!("{error}"),
                    });
                    assert!(script.next().is_none(), "the whole script is played");
                    return log.join(", ");
                }
            }
        }
    }

    fn refused() -> Result<Response, IpcError> {
        Ok(Response::error("protocol version mismatch: daemon"))
    }

    #[test]
    fn exchanges_follow_from_replies() {
        let auto = WirePolicy::Auto;
        let v15 = WirePolicy::Only(Lane::V15);
        let pong = || Ok(Response::Pong);
        let cleared = || Ok(Response::Cleared(ipc_model::Cleared::default()));
        let lost = || Err(IpcError::Closed);
        let check = |request: Request, policy, script, expected: &str| {
            assert_eq!(play(&request, policy, script), expected, "{} {policy:?}", request.kind());
        };
        check(Request::Ping, auto, vec![(false, true, pong())], "Ping on v16, Pong");
        check(
            Request::Ping,
            auto,
            vec![(false, true, refused()), (false, true, pong())],
            "Ping on v16, new: Ping on v15, Pong",
        );
        check(
            Request::Clear,
            auto,
            vec![(false, true, pong()), (true, true, cleared())],
            "Ping on v16, Clear on v16, Cleared",
        );
        // A refusal names the daemon's dialect: two connections, and no second question.
        check(
            Request::Clear,
            auto,
            vec![(false, true, refused()), (false, true, cleared())],
            "Ping on v16, new: Clear on v15, Cleared",
        );
        // A close names no dialect, so the call asks again.
        check(
            Request::Clear,
            auto,
            vec![(false, true, lost()), (false, true, pong()), (true, true, cleared())],
            "Ping on v16, new: Ping on v15, Clear on v15, Cleared",
        );
        check(
            Request::Clear,
            auto,
            vec![(false, true, pong()), (true, true, lost())],
            "Ping on v16, Clear on v16, unknown",
        );
        check(Request::Clear, v15, vec![(false, true, lost())], "Clear on v15, unknown");
        check(
            Request::Clear,
            v15,
            vec![(true, false, lost()), (false, true, cleared())],
            "Clear on v15, new: Clear on v15, Cleared",
        );
        check(
            Request::Ping,
            v15,
            vec![(true, true, lost()), (false, true, lost())],
            "Ping on v15, new: Ping on v15, the peer closed the connection",
        );
        check(Request::Ping, v15, vec![(false, true, refused())], "Ping on v15, Error");
        let timeout = Err(IpcError::TimedOut(std::time::Duration::from_secs(1)));
        check(Request::Clear, v15, vec![(false, true, timeout)], "Clear on v15, unknown");
    }

    #[test]
    fn a_dialect_that_was_refused_is_not_tried_again() {
        for by in Dialect::ALL {
            let mut selector = Selector::new(WirePolicy::Auto, None);
            let mut calling = Calling::new(&Request::Ping);
            let mut tried = Vec::new();
            let mut step = calling.start(&selector);
            while let Do::Exchange { dialect, .. } = step {
                assert!(!tried.contains(&dialect), "{by}: {dialect} after {tried:?}");
                tried.push(dialect);
                let reply = refused().map(|refusal| (by, refusal));
                step = calling.after(&mut selector, Came { dialect, reused: false, sent: true, reply });
            }
            assert!(matches!(step, Do::Return(Ok(Response::Error(_)))), "{by}: {tried:?}");
        }
    }

    #[test]
    fn an_answer_on_another_lane_teaches_nothing() {
        let mut selector = Selector::new(WirePolicy::Auto, None);
        let mut calling = Calling::new(&Request::Ping);
        let reply = Ok((Dialect::V15, Response::error("disk full")));
        let came = Came { dialect: Dialect::V16, reused: false, sent: true, reply };
        assert!(matches!(calling.after(&mut selector, came), Do::Return(Ok(Response::Error(_)))));
        assert_eq!(selector.learned(), None);
    }
}
