//! `status`: the state of the daemon.

mod rows;

use std::io::{self, IsTerminal as _};
use std::thread;
use std::time::Duration;

use terminal_size::{Height, Width, terminal_size_of};
use zccache_ipc::CallError;
use zccache_ipc::blocking::Client;
use zccache_ipc::model::{Request, RequestKind, Response};

use super::contents;
use crate::args::Status;
use crate::failure::Failure;
use crate::operator::{Operator, Report};
use crate::output::Output;
use crate::style::Paint;
use crate::suggest::Suggest;
use crate::target::{TO_ASK, Target};
use crate::{Exit, layout, report};

pub(super) use rows::share;

pub(super) fn run(
    target: &Target,
    status: &Status,
    suggest: &Suggest,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match status.watch {
        None => output.line(Looker::new(target).look(output.is_json())?)?,
        Some(pause) => watch(target, pause, suggest, output)?,
    }
    Ok(Exit::Done)
}

/// Asks one daemon, over one connection for each lane.
struct Looker<'a> {
    target: &'a Target,
    client: Client,
    operator: Operator,
}

impl<'a> Looker<'a> {
    fn new(target: &'a Target) -> Self {
        Self { target, client: target.client(TO_ASK), operator: Operator::new(target, TO_ASK) }
    }

    /// Returns the state for a person or a program.
    fn look(&mut self, is_json: bool) -> Result<String, Failure> {
        let (lane, answer) = self.target.ask_by(&mut self.client, &Request::Status)?;
        // A daemon of another project has no state but the published message.
        let state = self.operator.ask(Report::State, "").ok();
        match &answer {
            Response::Status(_) if is_json => {
                let mut status = contents(&answer);
                status["lane"] = lane.name().into();
                if let Some(state) = state {
                    status["daemon"] = state;
                }
                Ok(status.to_string())
            }
            Response::Status(status) => {
                let rows = rows::of(status, state.as_ref(), lane);
                Ok(layout::rows(rows, layout::columns(), Paint::stdout()))
            }
            other => Err(CallError::Unexpected { request: RequestKind::Status, answer: other.kind() }.into()),
        }
    }
}

/// Shows the state again and again, until a signal or the reader of the output ends it.
fn watch(target: &Target, pause: Duration, suggest: &Suggest, output: &mut Output) -> Result<(), Failure> {
    let is_screen = io::stdout().is_terminal() && !output.is_json();
    let (mut looker, mut drawn) = (Looker::new(target), 0);
    loop {
        // A daemon that restarts is away for a moment, so a failure does not end the watch.
        let block = looker.look(output.is_json()).unwrap_or_else(|failure| {
            report::text_or_json(&failure, suggest, output.is_json()).trim_end().to_owned()
        });
        if is_screen {
            output.bytes(clear(drawn).as_bytes())?;
        } else if drawn > 0 && !output.is_json() {
            output.line("")?;
        }
        output.line(&block)?;
        output.flush()?;
        drawn = lines(&block);
        thread::sleep(pause);
    }
}

/// Returns the control codes that clear the last `lines` lines of a terminal.
fn clear(lines: usize) -> String {
    let height = terminal_size_of(io::stdout()).map_or(24, |(_, Height(height))| usize::from(height));
    match lines {
        0 => String::new(),
        // The first line has left the screen.
        _ if lines >= height => "\u{1b}[H\u{1b}[J".to_owned(),
        _ => format!("\u{1b}[{lines}A\u{1b}[J"),
    }
}

/// Returns the number of lines that `block` takes on the terminal.
fn lines(block: &str) -> usize {
    let width = terminal_size_of(io::stdout()).map_or(80, |(Width(width), _)| usize::from(width)).max(1);
    block.lines().map(|line| layout::width(line).div_ceil(width).max(1)).sum()
}
