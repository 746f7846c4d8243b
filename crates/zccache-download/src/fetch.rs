//! HTTP requests for files and ranges of files.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::http::{Response, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, BodyReader};

use crate::Problem;
use crate::redirect;
use crate::source::shown;

/// Timeout of name resolution, and of connecting.
const CONNECT: Duration = Duration::from_secs(15);

/// Maximum number of redirects to follow.
const MAX_REDIRECTS: usize = 10;

/// Identifies a version of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Validator {
    /// A strong entity tag.
    Tag(String),
    /// The time of the last change.
    Modified(String),
}

/// Sends requests for one URL.
#[derive(Debug)]
pub(crate) struct Fetcher {
    agent: Agent,
    url: String,
    stall: Duration,
}

/// A response with the whole file.
pub(crate) struct Offer {
    pub(crate) total: Option<u64>,
    pub(crate) validator: Option<Validator>,
    /// True if the server announces support of ranges.
    pub(crate) has_ranges: bool,
    pub(crate) body: Bytes,
}

/// Response to a request for a range of a version of a file.
pub(crate) enum Rest {
    /// The requested range.
    Part(Bytes),
    /// The whole file: it has changed, or the server does not support ranges.
    Whole(Offer),
}

/// Body of a response.
pub(crate) struct Bytes {
    reader: BodyReader<'static>,
    url: String,
    stall: Duration,
}

impl Fetcher {
    /// Returns a fetcher for `url`; `stall` is the timeout for a server that sends nothing.
    pub(crate) fn new(url: &str, stall: Duration) -> Self {
        // The system's trust store includes certificates that the user or the company added. The default
        // agent would read the proxy from the environment, which a daemon inherits from its first client.
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .http_status_as_error(false)
            // `ask` follows redirects, by the rules of `redirect`.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("zccache-download/", env!("CARGO_PKG_VERSION")))
            // The daemon stores the file, not an encoding of it.
            .accept_encoding("identity")
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(stall))
            .timeout_per_read(Some(stall))
            .timeout_per_write(Some(stall))
            .build();
        Self { agent: config.into(), url: url.to_owned(), stall }
    }

    /// Returns the agent, which can abort all requests from any thread.
    pub(crate) fn agent(&self) -> Agent {
        self.agent.clone()
    }

    /// Requests the whole file.
    pub(crate) fn whole(&self) -> Result<Offer, Problem> {
        let response = self.ask(&[])?;
        match response.status() {
            StatusCode::OK => self.offer(response),
            status => Err(self.refused(status)),
        }
    }

    /// Requests the bytes `from..end` of the version `validator`, which has `total` bytes.
    pub(crate) fn rest(
        &self,
        from: u64,
        end: u64,
        validator: &Validator,
        total: u64,
    ) -> Result<Rest, Problem> {
        let range = format!("bytes={from}-{}", end.saturating_sub(1));
        let response = self.ask(&[(header::RANGE, &range), (header::IF_RANGE, validator.as_str())])?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = text(&response, header::CONTENT_RANGE).and_then(parse_content_range);
                match range {
                    Some((first, last, size)) if first == from && last < end => {
                        // Some servers ignore `If-Range`.
                        let same = Validator::named_by(&response).is_none_or(|found| found == *validator);
                        if size.is_some_and(|size| size != total) || !same {
                            return Err(Problem::Changed);
                        }
                        self.is_plain(&response)?;
                        Ok(Rest::Part(self.body(response)))
                    }
                    _ => Err(Problem::Nonsense(format!(
                        "the range {:?} for bytes {from} to {end}",
                        text(&response, header::CONTENT_RANGE).unwrap_or_default()
                    ))),
                }
            }
            StatusCode::OK => Ok(Rest::Whole(self.offer(response)?)),
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PRECONDITION_FAILED => Err(Problem::Changed),
            status => Err(self.refused(status)),
        }
    }

    /// Sends a request with these headers and follows redirects.
    fn ask(&self, headers: &[(header::HeaderName, &str)]) -> Result<Response<Body>, Problem> {
        let mut url = self.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self.agent.get(&url);
            for (name, value) in headers {
                request = request.header(name, *value);
            }
            let response = request.call().map_err(|error| self.failed(error))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let location = text(&response, header::LOCATION).unwrap_or_default();
            let led = redirect::follow(&url, location);
            url = led.map_err(|why| self.not_followed(format!("{}: {why}", shown(location))))?;
        }
        Err(self.not_followed(format!("more than {MAX_REDIRECTS} redirects")))
    }

    fn not_followed(&self, why: String) -> Problem {
        Problem::Redirected { url: shown(&self.url), why }
    }

    fn offer(&self, response: Response<Body>) -> Result<Offer, Problem> {
        self.is_plain(&response)?;
        let total = match text(&response, header::CONTENT_LENGTH) {
            Some(length) => {
                Some(length.trim().parse().map_err(|_| Problem::Nonsense(format!("the length {length:?}")))?)
            }
            None => None,
        };
        let has_ranges =
            text(&response, header::ACCEPT_RANGES).is_some_and(|units| units.eq_ignore_ascii_case("bytes"));
        Ok(Offer { total, validator: Validator::of(&response), has_ranges, body: self.body(response) })
    }

    /// Refuses an encoded response, because its length is not the file's length.
    fn is_plain(&self, response: &Response<Body>) -> Result<(), Problem> {
        match text(response, header::CONTENT_ENCODING) {
            None | Some("" | "identity") => Ok(()),
            Some(encoding) => Err(Problem::Nonsense(format!("the encoding {encoding:?}"))),
        }
    }

    fn body(&self, response: Response<Body>) -> Bytes {
        Bytes { reader: response.into_body().into_reader(), url: self.url.clone(), stall: self.stall }
    }

    fn refused(&self, status: StatusCode) -> Problem {
        Problem::Status { status: status.as_u16(), url: shown(&self.url) }
    }

    fn failed(&self, error: ureq::Error) -> Problem {
        problem(error, &self.url, self.stall)
    }
}

impl Bytes {
    /// Reads some bytes; 0 is the end of the response, which may be early.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Problem> {
        loop {
            match self.reader.read(buffer) {
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(problem(error.into(), &self.url, self.stall)),
            }
        }
    }
}

impl Validator {
    /// Returns the validator of a response, if it is a strong one.
    fn of(response: &Response<Body>) -> Option<Self> {
        Self::named_by(response).filter(|validator| match validator {
            Self::Tag(_) => true,
            Self::Modified(modified) => is_strong(modified, text(response, header::DATE)),
        })
    }

    /// Returns the strong tag or the date in a response.
    fn named_by(response: &Response<Body>) -> Option<Self> {
        // A weak tag can stay the same after bytes change.
        let tag = text(response, header::ETAG).filter(|tag| tag.starts_with('"'));
        let tag = tag.map(|tag| Self::Tag(tag.to_owned()));
        tag.or_else(|| text(response, header::LAST_MODIFIED).map(|date| Self::Modified(date.to_owned())))
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Tag(text) | Self::Modified(text) => text,
        }
    }
}

fn problem(error: ureq::Error, url: &str, stall: Duration) -> Problem {
    match error {
        ureq::Error::Timeout(ureq::Timeout::PerRead | ureq::Timeout::RecvResponse) => Problem::Stalled(stall),
        error => Problem::Web { url: shown(url), source: Box::new(error) },
    }
}

/// Returns true if no second change can have the time `modified`, as RFC 9110 (8.8.2.2) has it.
///
/// That is known if the response is from a later second by the same clock. Two seconds, because the two times
/// may come from different clocks of one machine.
fn is_strong(modified: &str, date: Option<&str>) -> bool {
    let times = (httpdate::parse_http_date(modified), date.map(httpdate::parse_http_date));
    match times {
        (Ok(modified), Some(Ok(date))) => modified + Duration::from_secs(2) <= date,
        _ => false,
    }
}

fn text(response: &Response<Body>, name: header::HeaderName) -> Option<&str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

/// Parses `bytes 1-2/3` or `bytes 1-2/*`: the first byte, the last byte, and the size if present.
fn parse_content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let size = if size == "*" { None } else { Some(size.trim().parse().ok()?) };
    (first <= last && size.is_none_or(|size| last < size)).then_some((first, last, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_the_same_second_does_not_identify_a_version() {
        for (date, expected) in [
            (Some("Sun, 06 Nov 1994 08:49:39 GMT"), true),
            (Some("Sunday, 06-Nov-94 08:49:40 GMT"), true),
            (Some("Sun, 06 Nov 1994 08:49:38 GMT"), false),
            (Some("Sun, 06 Nov 1994 08:49:37 GMT"), false),
            (Some("Sun, 06 Nov 1994 07:49:37 GMT"), false),
            (Some("yesterday"), false),
            (None, false),
        ] {
            assert_eq!(is_strong("Sun, 06 Nov 1994 08:49:37 GMT", date), expected, "{date:?}");
        }
        assert!(!is_strong("yesterday", Some("Sun, 06 Nov 1994 08:49:39 GMT")));
    }

    #[test]
    fn an_illegal_content_range_is_rejected() {
        for (text, expected) in [
            ("bytes 0-9/10", Some((0, 9, Some(10)))),
            ("bytes 5-9/*", Some((5, 9, None))),
            ("bytes 5-4/10", None),
            ("bytes 0-10/10", None),
            ("bytes */10", None),
            ("lines 0-9/10", None),
            ("bytes -1-9/10", None),
            ("bytes 0-99999999999999999999/*", None),
            ("", None),
        ] {
            assert_eq!(parse_content_range(text), expected, "{text}");
        }
    }
}
