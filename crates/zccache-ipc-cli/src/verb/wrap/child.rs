//! The compiler as a child of this program: its output is passed on as it comes, and kept.

use std::io::{self, Read, Write};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use run_cache::{Ask, Ran};
use zccache_ipc::endpoint::{Variable, name_itself, spawn_as_called, wait_as_called};

use super::Command;

/// The most bytes of messages that are kept for later calls.
const MOST_MESSAGES: usize = 16 << 20;

/// Timeouts of the pipes after the compiler exited, and after a signal ended it.
const AFTER_EXIT: Duration = Duration::from_secs(2);
/// The part of it in which an open pipe has nothing to read.
const IDLE_AFTER_EXIT: Duration = Duration::from_millis(500);
const AFTER_SIGNAL: Duration = Duration::from_millis(20);

/// Pause before the next write to a full pipe that does not block.
const FULL_PIPE: Duration = Duration::from_millis(1);

/// Result of a compiler process.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) took: Duration,
    /// Both outputs; `None` if they were too long, or their reader did not take them.
    pub(super) printed: Option<(Vec<u8>, Vec<u8>)>,
}

/// Runs the program of `command` with `args` and the standard input of this program.
///
/// Signals that end this program go to the compiler first, which removes its unfinished files.
///
/// # Errors
///
/// What the system said when the compiler could not be started; nothing has run then.
pub(super) fn run(command: &Command, args: &[String]) -> io::Result<Ended> {
    let mut process = command.to_process();
    process.env(Variable::WrapActive.name(), "1");
    set_args(&mut process, command, args);
    process.stdin(Stdio::inherit());
    passed_on(process, io::stdout(), io::stderr(), AFTER_SIGNAL)
}

/// Runs `process` and passes its outputs on as they come.
///
/// `after_signal` is the timeout of the pipes after a signal ended the process.
fn passed_on(
    mut process: std::process::Command,
    stdout: impl Write + Send + 'static,
    stderr: impl Write + Send + 'static,
    after_signal: Duration,
) -> io::Result<Ended> {
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    // Both at once, because a full pipe stops the compiler; and before it, because there may be no thread.
    let (to_out, out) = reader(stdout)?;
    let (to_err, err) = reader(stderr)?;
    let began = Instant::now();
    let mut child = spawn_as_called(&mut process)?;
    // The threads wait for them.
    let _ = to_out.send(child.stdout.take());
    let _ = to_err.send(child.stderr.take());
    let status = wait_as_called(&mut child)?;
    let took = began.elapsed();
    // A helper that outlives its compiler may hold the pipes open.
    let limit = if status.code().is_some() { AFTER_EXIT } else { after_signal };
    let ended = Instant::now();
    let printed = |from: Messages| from.received(ended, limit);
    Ok(Ended { status, took, printed: printed(out).zip(printed(err)) })
}

/// The bytes that a thread has passed on; `None` if they were too many or were not taken.
struct Messages {
    result: Receiver<Option<Vec<u8>>>,
    /// True while the thread writes what it has read.
    is_writing: Arc<AtomicBool>,
}

impl Messages {
    /// Waits for the end of the pipe, at most `limit` from `ended` on and less if nothing more is read.
    fn received(&self, ended: Instant, limit: Duration) -> Option<Vec<u8>> {
        let left = |limit: Duration| limit.saturating_sub(ended.elapsed());
        match self.result.recv_timeout(left(limit.min(IDLE_AFTER_EXIT))) {
            Err(RecvTimeoutError::Timeout) if self.is_writing.load(Ordering::Relaxed) => {
                self.result.recv_timeout(left(limit)).ok().flatten()
            }
            result => result.ok().flatten(),
        }
    }
}

/// Starts a thread that passes on everything from the pipe that it is sent.
fn reader<R: Read + Send + 'static>(
    mut to: impl Write + Send + 'static,
) -> io::Result<(Sender<Option<R>>, Messages)> {
    let ((pipe, from), (done, result)) = (mpsc::channel(), mpsc::channel());
    let is_writing = Arc::new(AtomicBool::new(false));
    let tells = Arc::clone(&is_writing);
    let pass = move || done.send(pass_on(from.recv().ok().flatten(), &mut to, &tells));
    std::thread::Builder::new().spawn(pass)?;
    Ok((pipe, Messages { result, is_writing }))
}

/// Passes everything on at once; returns it unless it was too much or was not taken.
///
/// Where the reader of this program has gone, the pipe is closed, so that the compiler learns of it as without a
/// wrapper. After any other error, as on a full disk, the rest is read and dropped: compilers go on.
fn pass_on(from: Option<impl Read>, to: &mut impl Write, is_writing: &AtomicBool) -> Option<Vec<u8>> {
    let mut from = from?;
    let (mut kept, mut buffer) = (Some(Vec::<u8>::new()), [0; 16 * 1024]);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return kept,
            Ok(read) => &buffer[..read],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return None,
        };
        is_writing.store(true, Ordering::Relaxed);
        let written = write_all(to, read);
        is_writing.store(false, Ordering::Relaxed);
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return None,
            Err(_) => kept = None,
        }
        if let Some(bytes) = &mut kept {
            bytes.extend_from_slice(read);
        }
        kept = kept.filter(|bytes| bytes.len() <= MOST_MESSAGES);
    }
}

/// Writes and flushes `bytes`; waits where a stream of the caller is one that does not block.
pub(super) fn write_all(to: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    loop {
        let written = if bytes.is_empty() { to.flush().map(|()| 0) } else { to.write(bytes) };
        match written {
            Ok(0) if bytes.is_empty() => return Ok(()),
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL_PIPE),
            Err(error) => return Err(error),
        }
    }
}

/// Asks the compiler of a command about itself.
pub(super) struct Asker<'a> {
    pub(super) command: &'a Command,
    /// Set when the daemon cannot be used: no compiler needs to be asked then.
    pub(super) is_moot: &'a std::cell::Cell<bool>,
}

impl Ask for Asker<'_> {
    fn ask(&mut self, args: &[String]) -> io::Result<Ran> {
        if self.is_moot.get() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut process = self.command.to_process();
        process.env(Variable::WrapActive.name(), "1").env("LC_ALL", "C").stdin(Stdio::null());
        set_args(&mut process, self.command, args);
        let began = Instant::now();
        let ended = passed_on(process, io::sink(), io::sink(), AFTER_EXIT)?;
        let (stdout, stderr) = ended.printed.ok_or(io::ErrorKind::TimedOut)?;
        Ok(Ran { success: ended.status.success(), stdout, stderr, took: began.elapsed() })
    }
}

/// Replaces the arguments of the process.
fn set_args(process: &mut std::process::Command, command: &Command, args: &[String]) {
    let mut other = std::process::Command::new(process.get_program());
    name_itself(&mut other, &command.called);
    other.args(args);
    for (name, value) in process.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    *process = other;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes bytes one by one between errors.
    struct Rough(Vec<u8>, Vec<io::ErrorKind>);

    impl Write for Rough {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(kind) = self.1.pop() {
                return Err(kind.into());
            }
            self.0.push(bytes[0]);
            Ok(1)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn messages_reach_a_stream_that_does_not_block() {
        let mut rough = Rough(Vec::new(), vec![io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted]);
        assert_eq!(
            pass_on(Some(&b"warning"[..]), &mut rough, &AtomicBool::new(false)),
            Some(b"warning".to_vec())
        );
        assert_eq!(rough.0, b"warning");
    }

    #[test]
    fn a_full_disk_does_not_end_the_compiler() {
        let mut messages = io::Cursor::new(b"warning".to_vec());
        let mut full = Rough(Vec::new(), vec![io::ErrorKind::StorageFull]);
        assert_eq!(
            pass_on(Some(&mut messages), &mut full, &AtomicBool::new(false)),
            None,
            "they are not kept"
        );
        assert_eq!(messages.position(), 7, "all of them are read");
        let mut messages = io::Cursor::new(vec![0; 40_000]);
        let mut gone = Rough(Vec::new(), vec![io::ErrorKind::BrokenPipe]);
        assert_eq!(pass_on(Some(&mut messages), &mut gone, &AtomicBool::new(false)), None);
        assert!(messages.position() < 40_000, "the pipe is closed");
    }

    #[test]
    fn a_helper_that_holds_an_idle_pipe_is_not_waited_for() {
        let (held, result) = mpsc::channel();
        let messages = Messages { result, is_writing: Arc::new(AtomicBool::new(false)) };
        let long = Duration::from_secs(600);
        let ended = Instant::now();
        assert_eq!(messages.received(ended, long), None);
        assert_eq!(messages.received(ended, long), None, "both pipes have one timeout");
        messages.is_writing.store(true, Ordering::Relaxed);
        let late = std::thread::spawn(move || held.send(Some(b"slow".to_vec())));
        assert_eq!(messages.received(ended, long).as_deref(), Some(&b"slow"[..]));
        late.join().unwrap().unwrap();
    }
}
