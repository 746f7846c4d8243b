//! One call as a state machine: which exchange comes next, and when it is over.
//!
//! Rule: `docs/spec/wire.md#what-may-be-resent`.

use ipc_model::{Request, Response};
use wire_dispatch::{Lane, Next, Plan, Selector, Setback, mismatch};

use crate::CallError;
use ipc_connection::IpcError;

/// The harmless question.
static PING: Request = Request::Ping;

/// What to do next.
#[derive(Debug)]
pub(crate) enum Do<'a> {
    /// Send `request` on `lane` and tell what came of it.
    Exchange {
        /// What to send.
        request: &'a Request,
        /// On which lane.
        lane: Lane,
        /// Whether only a new connection will do.
        fresh: bool,
    },
    /// Look again which daemon is there, for it may be another one, and [`Calling::start`] again.
    Recall,
    /// The call is over.
    Return(Result<Response, CallError>),
}

/// What came of an exchange.
#[derive(Debug)]
pub(crate) struct Came {
    /// On which lane it was.
    pub(crate) lane: Lane,
    /// Whether its connection had served an earlier exchange, so that the daemon may have closed it.
    pub(crate) reused: bool,
    /// Whether the whole request was sent.
    pub(crate) sent: bool,
    /// The reply, and the lane that it came on.
    pub(crate) reply: Result<(Lane, Response), IpcError>,
}

/// One call. It ends: a connection that was closed is replaced once, a lane is fallen back from once, and
/// a question is asked first at most once.
#[derive(Debug)]
pub(crate) struct Calling<'a> {
    request: &'a Request,
    asking_first: bool,
    replaced: bool,
}

impl<'a> Calling<'a> {
    pub(crate) const fn new(request: &'a Request) -> Self {
        Self { request, asking_first: false, replaced: false }
    }

    /// What to do first, and after [`Do::Recall`].
    pub(crate) fn start(&mut self, selector: &Selector) -> Do<'a> {
        let plan = selector.plan(self.request.is_idempotent());
        self.asking_first = matches!(plan, Plan::AskFirst(_));
        let (Plan::Send(lane) | Plan::AskFirst(lane)) = plan;
        Do::Exchange { request: self.asked(), lane, fresh: self.replaced }
    }

    /// What to do after an exchange.
    pub(crate) fn after(&mut self, selector: &mut Selector, came: Came) -> Do<'a> {
        let Came { lane, reused, sent, reply } = came;
        let idempotent = self.asking_first || self.request.is_idempotent();
        let (setback, result) = match reply {
            Ok((_, Response::Error(error))) if mismatch::is_refusal(&error.message) => {
                (Setback::Refused, Ok(Response::Error(error)))
            }
            // Turned away before it was looked at: nothing was learned, and nothing acted on.
            Ok((_, response @ Response::Backpressure(_))) => return Do::Return(Ok(response)),
            Ok((came_on, response)) => {
                // An answer on another lane does not tell that the one of the request is spoken.
                if came_on == lane {
                    selector.answered(lane);
                }
                return self.answered(lane, response);
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
        match (selector.after(lane, idempotent, setback), result) {
            (Next::Again(lane), _) => {
                // A refusal said what the daemon speaks, so there is nothing left to ask.
                self.asking_first &= setback != Setback::Refused;
                Do::Exchange { request: self.asked(), lane, fresh: true }
            }
            (Next::OutcomeUnknown, Err(source)) => {
                Do::Return(Err(CallError::OutcomeUnknown { request: self.request.kind(), source }))
            }
            (Next::Fail, Err(error)) => Do::Return(Err(error.into())),
            (Next::Fail | Next::OutcomeUnknown, Ok(response)) => Do::Return(Ok(response)),
        }
    }

    /// Whether a connection that failed is worth another: one that the daemon had closed while it was idle,
    /// or that was reset because its daemon ended before it came to it.
    fn may_replace(&self, selector: &Selector, error: &IpcError, reused: bool) -> bool {
        let reset = error.is_reset() && !selector.may_fall_back();
        !self.replaced && error.is_disconnect() && (reused || reset)
    }

    fn answered(&mut self, lane: Lane, response: Response) -> Do<'a> {
        if std::mem::take(&mut self.asking_first) {
            return Do::Exchange { request: self.request, lane, fresh: false };
        }
        Do::Return(Ok(response))
    }

    fn asked(&self) -> &'a Request {
        if self.asking_first { &PING } else { self.request }
    }
}

#[cfg(test)]
mod tests {
    use wire_dispatch::WirePolicy;

    use super::*;

    /// Plays a call against a script of replies and tells what was sent, and how it ended.
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
                Do::Exchange { request, lane, fresh } => {
                    let (reused, sent, reply) = script.next().expect("no exchange too many");
                    log.push(format!("{}{} on {lane}", if fresh { "new: " } else { "" }, request.kind()));
                    let reply = reply.map(|response| (lane, response));
                    step = calling.after(&mut selector, Came { lane, reused, sent, reply });
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
        // A refusal tells what the daemon speaks: two connections, and no second question.
        check(
            Request::Clear,
            auto,
            vec![(false, true, refused()), (false, true, cleared())],
            "Ping on v16, new: Clear on v15, Cleared",
        );
        // A close tells nothing, so the question is asked again.
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
    fn an_answer_on_another_lane_teaches_nothing() {
        let mut selector = Selector::new(WirePolicy::Auto, None);
        let mut calling = Calling::new(&Request::Ping);
        let reply = Ok((Lane::V15, Response::error("disk full")));
        let came = Came { lane: Lane::V16, reused: false, sent: true, reply };
        assert!(matches!(calling.after(&mut selector, came), Do::Return(Ok(Response::Error(_)))));
        assert_eq!(selector.learned(), None);
    }
}
