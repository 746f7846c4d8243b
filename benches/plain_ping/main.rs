//! The smallest program that pings a daemon: the floor of `zccache-ipc ping` as a whole process.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

fn main() -> std::io::Result<()> {
    let endpoint = std::env::args_os().nth(1).ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut stream = UnixStream::connect(endpoint)?;
    stream.set_read_timeout(Some(Duration::from_millis(900)))?;
    let ping = [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];
    let mut pong = [0; 12];
    stream.write_all(&ping)?;
    stream.read_exact(&mut pong)?;
    assert_eq!(pong, ping, "the first response is Pong");
    writeln!(std::io::stdout(), "the daemon answered")
}
