//! A broker from running-process's own parts, in the test's process.

use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use prost::Message as _;
use running_process::broker::builders::ServiceDefinitionBuilder;
use running_process::broker::protocol::{
    CONTROL_PAYLOAD_PROTOCOL, ErrorCode, Frame, FrameKind, HelloReply, Negotiated, Refused, encode_framed,
    hello_reply,
};
use running_process::broker::server::{
    HelloHandler, HelloResponder, PeerCredentialPolicy, PeerIdentity, RegisteredBackend,
    serve_local_socket_connections_with_policy,
};

use crate::lane::RefusalKind;

/// The answer of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answers {
    /// running-process's own decision, for one service with a backend.
    ByTheBook {
        /// The service.
        service: String,
        /// The backend's endpoint.
        backend: String,
        /// The oldest version that the definition admits.
        min_version: String,
        /// The number of Hellos that one process may send in a minute.
        questions: u32,
    },
    /// A fixed refusal, for reasons that a test cannot cause.
    Refusal(RefusalKind, String, Duration),
}

impl Answers {
    /// Returns a backend of zccache that admits every version and number of Hellos.
    #[must_use]
    pub fn with_backend(backend: impl Into<String>) -> Self {
        Self::ByTheBook {
            service: "zccache".to_owned(),
            backend: backend.into(),
            min_version: String::new(),
            questions: u32::MAX,
        }
    }
}

/// A broker, on a thread that lives as long as the process.
#[derive(Debug)]
pub struct TestBroker {
    socket: String,
}

impl TestBroker {
    /// Serves at `socket` and returns when the broker listens.
    ///
    /// The directory of the socket must be private.
    ///
    /// # Panics
    ///
    /// If running-process refuses the definition, or the broker does not listen.
    #[must_use]
    pub fn serve(socket: &str, answers: Answers) -> Self {
        let (path, responder) = (socket.to_owned(), Responder::new(answers));
        let policy = PeerCredentialPolicy::current_user().expect("the system tells who we are");
        thread::spawn(move || {
            // A client that hangs up ends the loop in running-process, so it is started again.
            while !path_is_gone_for_good(&path) {
                let _ = serve_local_socket_connections_with_policy(&path, &responder, usize::MAX, &policy);
            }
        });
        for _ in 0..2_000 {
            if Path::new(socket).exists() {
                return Self { socket: socket.to_owned() };
            }
            thread::sleep(Duration::from_millis(5)); // Until the thread has bound it.
        }
        panic!("the broker does not listen at {socket}");
    }

    /// Returns the broker's endpoint.
    #[must_use]
    pub fn socket(&self) -> &str {
        &self.socket
    }
}

/// Returns true if the test has removed the directory.
fn path_is_gone_for_good(path: &str) -> bool {
    Path::new(path).parent().is_none_or(|directory| fs::metadata(directory).is_err())
}

/// Returns the frame in which a broker names `backend`.
///
/// It answers the Hello with `request_id`.
#[must_use]
pub fn answer_frame(request_id: u64, backend: &str) -> Vec<u8> {
    let negotiated = Negotiated {
        negotiated_protocol: 1,
        daemon_version: "1.2.3".to_owned(),
        backend_pipe: backend.to_owned(),
        ..Negotiated::default()
    };
    let reply = HelloReply { result: Some(hello_reply::Result::Negotiated(negotiated)) };
    let request = Frame::request(CONTROL_PAYLOAD_PROTOCOL, Vec::new()).with_request_id(request_id);
    let frame = Frame::response_to(&request, reply.encode_to_vec());
    debug_assert_eq!(frame.kind, FrameKind::Response as i32);
    encode_framed(&frame).expect("a short frame")
}

enum Responder {
    Handler(Box<HelloHandler>),
    Refusal(Refused),
}

impl Responder {
    fn new(answers: Answers) -> Self {
        match answers {
            Answers::ByTheBook { service, backend, min_version, questions } => {
                let definition = ServiceDefinitionBuilder::shared_broker(service, absolute());
                let registered = RegisteredBackend {
                    service_definition: definition.min_version(min_version).build().expect("a definition"),
                    daemon_version: "1.2.3".to_owned(),
                    backend_pipe: backend,
                    server_capabilities: 0,
                };
                let handler = HelloHandler::new().with_backend(registered).expect("a backend");
                Self::Handler(Box::new(handler.with_rate_limit(questions, Duration::from_secs(60))))
            }
            Answers::Refusal(kind, reason, after) => {
                let known = (0..64).filter_map(|number| ErrorCode::try_from(number).ok());
                let code = known.filter(|code| RefusalKind::of(*code) == kind).map(i32::from).next();
                Self::Refusal(Refused {
                    code: code.expect("every kind has a code"),
                    reason,
                    retry_after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
                    ..Refused::default()
                })
            }
        }
    }
}

impl HelloResponder for Responder {
    fn handle_frame(&self, frame: Frame, peer: PeerIdentity) -> HelloReply {
        match self {
            Self::Handler(handler) => handler.handle_frame(frame, peer),
            Self::Refusal(refused) => {
                HelloReply { result: Some(hello_reply::Result::Refused(refused.clone())) }
            }
        }
    }
}

/// A path that is absolute on this system. The test starts no program from it.
fn absolute() -> String {
    std::env::current_exe().expect("this program has a file").to_string_lossy().into_owned()
}
