//! A web server for one test, on the loopback only, with faults that the test chooses.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The longest silence of a peer, so that no thread outlives its test for long.
const PATIENCE: Duration = Duration::from_secs(60);

type Handler = dyn Fn(&WebRequest) -> WebAnswer + Send + Sync;

/// A server that answers with its handler and records the requests. Ends on drop.
pub struct WebServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    handler: Box<Handler>,
    requests: Mutex<Vec<WebRequest>>,
    is_over: AtomicBool,
}

/// A received request.
#[derive(Debug, Clone)]
pub struct WebRequest {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct WebAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The announced length, if any.
    length: Option<usize>,
    cut_after: Option<usize>,
    hold_after: Option<(usize, Gate)>,
}

/// A gate that holds answers until it is opened.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    state: Arc<(Mutex<bool>, Condvar)>,
}

impl WebServer {
    /// Starts a server with `handler`.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start(handler: impl Fn(&WebRequest) -> WebAnswer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            requests: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.is_over.load(Ordering::Acquire) {
                    break;
                }
                let server = Arc::clone(&server);
                // A client that left is not an error of the server.
                thread::spawn(move || server.serve(&stream).ok());
            }
        });
        Self { address, shared }
    }

    /// Returns the address of `path`, which starts with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<WebRequest> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut lines = BufReader::new(stream).lines();
        let mut line = || lines.next().unwrap_or_else(|| Ok(String::new()));
        let first = line()?;
        let mut words = first.split(' ').map(str::to_owned);
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
        let mut headers = Vec::new();
        loop {
            let text = line()?;
            let Some((name, value)) = text.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let request = WebRequest { method, path, headers };
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let answer = (self.handler)(&request);
        answer.send(stream, request.method == "HEAD")
    }
}

impl WebRequest {
    /// Returns the value of the header `name`, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Returns the first requested byte, and the last one if the request names it.
    #[must_use]
    pub fn range(&self) -> Option<(usize, Option<usize>)> {
        let (first, last) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()))
    }
}

impl WebAnswer {
    /// Returns an answer with `body` and its length.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = Some(body.len());
        Self { status, headers: Vec::new(), body, length, cut_after: None, hold_after: None }
    }

    /// Returns the file `body` of version `tag`, or the requested part.
    #[must_use]
    pub fn file(request: &WebRequest, body: &[u8], tag: &str) -> Self {
        let same = request.header("if-range").is_none_or(|found| found == tag);
        let answer = match request.range().filter(|_| same) {
            Some((first, _)) if first >= body.len() => Self::new(416, ""),
            Some((first, last)) => {
                let end = last.map_or(body.len(), |last| (last + 1).min(body.len()));
                let range = format!("bytes {first}-{}/{}", end - 1, body.len());
                Self::new(206, &body[first..end]).with("Content-Range", range)
            }
            None => Self::new(200, body),
        };
        answer.with("Accept-Ranges", "bytes").with("ETag", tag)
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the announced length, or announces none.
    #[must_use]
    pub fn announcing(mut self, length: Option<usize>) -> Self {
        self.length = length;
        self
    }

    /// Closes the connection after `count` bytes of the body.
    #[must_use]
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// Stops after `count` bytes of the body until `gate` is open.
    #[must_use]
    pub fn hold_after(mut self, bytes: usize, gate: &Gate) -> Self {
        self.hold_after = Some((bytes, gate.clone()));
        self
    }

    fn send(&self, mut stream: &TcpStream, is_head: bool) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Whatever\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(length) = self.length {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        stream.write_all((head + "\r\n").as_bytes())?;
        if is_head {
            return Ok(());
        }
        let body = &self.body[..self.cut_after.unwrap_or(usize::MAX).min(self.body.len())];
        let (before, after) = match &self.hold_after {
            Some((bytes, gate)) => {
                let (before, after) = body.split_at((*bytes).min(body.len()));
                (before, Some((gate, after)))
            }
            None => (body, None),
        };
        stream.write_all(before)?;
        if let Some((gate, after)) = after {
            gate.wait();
            stream.write_all(after)?;
        }
        Ok(())
    }
}

impl Gate {
    /// Opens the gate for good.
    pub fn open(&self) {
        *self.state.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.state.1.notify_all();
    }

    fn wait(&self) {
        let is_open = self.state.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A test that forgets to open the gate has its own watchdog.
        let _ = self.state.1.wait_timeout_while(is_open, PATIENCE, |is_open| !*is_open);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_part_of_a_file_is_given_out_for_the_version_that_is_asked_for() {
        let _watchdog = crate::watchdog(Duration::from_secs(60));
        let server = WebServer::start(|request| WebAnswer::file(request, b"0123456789", "\"v1\""));
        let ask = |headers: &str| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            write!(stream, "GET /f HTTP/1.1\r\n{headers}\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        };
        assert!(ask("").ends_with("\r\n\r\n0123456789"));
        let part = ask("Range: bytes=2-4\r\nIf-Range: \"v1\"\r\n");
        assert!(part.starts_with("HTTP/1.1 206") && part.ends_with("\r\n\r\n234"), "{part}");
        assert!(ask("Range: bytes=2-4\r\nIf-Range: \"v0\"\r\n").ends_with("\r\n\r\n0123456789"));
        assert_eq!(server.requests()[1].range(), Some((2, Some(4))));
    }
}
