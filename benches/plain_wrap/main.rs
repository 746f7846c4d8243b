//! The smallest program that lets a daemon compile: the floor of `zccache-ipc wrap` as a whole process.

use std::env;
use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let compiler = arguments.next().ok_or(ErrorKind::InvalidInput)?;
    let arguments: Vec<String> = arguments.collect();
    let variables: Vec<(String, String)> = env::vars().collect();
    let endpoint = env::var("ZCCACHE_ENDPOINT").map_err(Error::other)?;
    let cwd = env::current_dir()?;
    let cwd = cwd.to_str().ok_or(ErrorKind::InvalidInput)?;

    let mut frame = Vec::with_capacity(16 << 10);
    frame.extend([0; 4]);
    for number in [15, 9, std::process::id()] {
        frame.extend(number.to_le_bytes());
    }
    let text = |frame: &mut Vec<u8>, text: &str| {
        frame.extend((text.len() as u64).to_le_bytes());
        frame.extend(text.as_bytes());
    };
    text(&mut frame, cwd);
    text(&mut frame, &compiler);
    frame.extend((arguments.len() as u64).to_le_bytes());
    arguments.iter().for_each(|argument| text(&mut frame, argument));
    text(&mut frame, cwd);
    frame.push(1);
    frame.extend((variables.len() as u64).to_le_bytes());
    for (name, value) in &variables {
        text(&mut frame, name);
        text(&mut frame, value);
    }
    frame.extend(0_u64.to_le_bytes());
    let length = (frame.len() - 4) as u32;
    frame[..4].copy_from_slice(&length.to_le_bytes());

    let mut stream = UnixStream::connect(endpoint)?;
    stream.set_read_timeout(Some(Duration::from_secs(90)))?;
    stream.write_all(&frame)?;
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let mut reply = vec![0; u32::from_le_bytes(head) as usize];
    stream.read_exact(&mut reply)?;
    let (head, mut rest) = reply.split_at(12);
    assert_eq!(head[..8], [15, 0, 0, 0, 6, 0, 0, 0], "the sixth response is CompileResult");
    let mut take = || -> &[u8] {
        let (len, after) = rest.split_at(8);
        let (bytes, after) = after.split_at(u64::from_le_bytes(len.try_into().expect("eight")) as usize);
        rest = after;
        bytes
    };
    std::io::stdout().write_all(take())?;
    std::io::stderr().write_all(take())?;
    std::process::exit(i32::from_le_bytes(head[8..].try_into().expect("four")))
}
