//! Console events that ask this process to end.

use std::io;
use std::task::{Context, Poll};

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
    ctrl_shutdown,
};

/// See [`crate::Terminations`].
#[derive(Debug)]
pub(crate) struct Terminations {
    c: CtrlC,
    r#break: CtrlBreak,
    close: CtrlClose,
    logoff: CtrlLogoff,
    shutdown: CtrlShutdown,
}

impl Terminations {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            c: ctrl_c()?,
            r#break: ctrl_break()?,
            close: ctrl_close()?,
            logoff: ctrl_logoff()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Each is polled, so that each wakes this task.
        let polled = [
            self.c.poll_recv(cx),
            self.r#break.poll_recv(cx),
            self.close.poll_recv(cx),
            self.logoff.poll_recv(cx),
            self.shutdown.poll_recv(cx),
        ];
        if polled.contains(&Poll::Ready(Some(()))) { Poll::Ready(()) } else { Poll::Pending }
    }
}
