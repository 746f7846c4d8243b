//! `download` over https: from a server whose authority is trusted, and from one whose authority is not.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use testkit::{Process, TempEndpoint, eventually, watchdog};

use crate::support::{SOON, code, program, run};

const BODY: &[u8] = b"what was asked for, and for nobody else's eyes";

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "tls", name].iter().collect()
}

/// Answers every request with [`BODY`], until the process ends; returns the server's address.
fn secure_server() -> String {
    let chain = vec![CertificateDer::from_pem_file(file("server.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(file("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them");
    let config =
        Arc::new(config.with_no_client_auth().with_single_cert(chain, key).expect("they belong together"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            // A client that does not trust the certificate hangs up, which is its business.
            thread::spawn(move || answer(stream, config));
        }
    });
    format!("https://{address}/f")
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let (mut line, mut first) = (String::new(), String::new());
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if first.is_empty() {
            first.clone_from(&line);
        }
    }
    let out = stream.get_mut();
    write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", BODY.len())?;
    if first.starts_with("GET ") {
        out.write_all(BODY)?;
    }
    out.conn.send_close_notify();
    out.flush()
}

/// A download daemon that trusts `authority` and no other.
fn serve(place: &TempEndpoint, authority: &str) -> Process {
    // It takes the place of the program that is told so.
    let _built = testkit::program("zccache-download-daemon");
    let mut command = program(place, &["download", "serve"]);
    let daemon = Process::spawn(command.env("SSL_CERT_FILE", file(authority)));
    eventually(SOON, "the download daemon answers", || code(&run(place, &["download", "status"])) == 0);
    daemon
}

#[test]
fn a_file_is_downloaded_over_https_from_a_server_whose_authority_is_trusted() {
    let _watchdog = watchdog(3 * SOON);
    let (place, url) = (TempEndpoint::new(), secure_server());
    let mut daemon = serve(&place, "authority.pem");
    let got = run(&place, &["download", "get", "--no-start", &url, "f"]);
    assert_eq!(code(&got), 0, "{got:?}");
    assert_eq!(fs::read(place.dir().join("f")).unwrap(), BODY);
    assert_eq!(code(&run(&place, &["download", "stop"])), 0);
    assert!(daemon.wait_exit(SOON).success());
}

#[test]
fn a_server_whose_authority_is_not_trusted_is_refused_and_nothing_is_written() {
    let _watchdog = watchdog(3 * SOON);
    let (place, url) = (TempEndpoint::new(), secure_server());
    // The server's own certificate is no authority.
    let mut daemon = serve(&place, "server.pem");
    let refused = run(&place, &["--timeout", "30", "download", "get", "--no-start", &url, "f"]);
    assert_eq!(code(&refused), 1, "{refused:?}");
    assert!(refused.stderr.to_lowercase().contains("certificate"), "{}", refused.stderr);
    assert!(!place.dir().join("f").exists());
    assert_eq!(code(&run(&place, &["download", "stop"])), 0);
    assert!(daemon.wait_exit(SOON).success());
}
