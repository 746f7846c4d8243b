//! `wire`: frames in hex to messages in JSON, and back.

use std::io::{self, BufReader};

use zccache_ipc::Lane;
use zccache_ipc::model::download::{DownloadRequest, DownloadResponse};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_frame::{HEADER_LEN, MAX_LENGTH};

use crate::Exit;
use crate::args::{Lines, MessageKind, Wire};
use crate::failure::Failure;
use crate::lines::{self, Line};
use crate::output::Output;
use crate::translate::{BadLine, decode, decode_download, encode_download, encode_line};

/// No line is longer: room for the longest frame in hex, and for a message of that length in JSON.
pub(super) const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// Translates one line.
type Translate = fn(&str, Option<Lane>) -> Result<String, BadLine>;

pub(super) fn run(wire: &Wire, output: &mut Output) -> Result<Exit, Failure> {
    let (translate, lines) = match wire {
        Wire::Decode(lines) => (decoder(&lines.of), lines),
        Wire::Encode(lines) => (encoder(&lines.of), lines),
    };
    let are_good = if lines.lines.is_empty() {
        translate_input(translate, lines.lane, output)?
    } else {
        translate_arguments(translate, lines, output)?
    };
    Ok(if are_good { Exit::Done } else { Exit::Failed })
}

fn decoder(of: &MessageKind) -> Translate {
    match of {
        MessageKind { request: true, .. } => decode::<Request>,
        MessageKind { response: true, .. } => decode::<Response>,
        MessageKind { download_request: true, .. } => decode_download::<DownloadRequest>,
        MessageKind { .. } => decode_download::<DownloadResponse>,
    }
}

fn encoder(of: &MessageKind) -> Translate {
    match of {
        MessageKind { request: true, .. } => encode_line::<Request>,
        MessageKind { response: true, .. } => encode_line::<Response>,
        MessageKind { download_request: true, .. } => encode_download::<DownloadRequest>,
        MessageKind { .. } => encode_download::<DownloadResponse>,
    }
}

/// Tells whether every line was good.
fn translate_arguments(translate: Translate, lines: &Lines, output: &mut Output) -> Result<bool, Failure> {
    let mut are_good = true;
    for line in &lines.lines {
        are_good &= put(translate(line, lines.lane), output)?;
    }
    Ok(are_good)
}

/// Tells whether every line was good.
fn translate_input(translate: Translate, lane: Option<Lane>, output: &mut Output) -> Result<bool, Failure> {
    let mut input = BufReader::with_capacity(64 * 1024, io::stdin().lock());
    let mut line = Vec::new();
    let mut are_good = true;
    loop {
        if input.buffer().is_empty() {
            // Whoever writes the next line may be waiting for the answer to this one.
            output.flush()?;
        }
        let result = match lines::next(&mut input, LONGEST_LINE, &mut line).map_err(Failure::Input)? {
            Line::End => return Ok(are_good),
            Line::TooLong => Err(BadLine::TooLong(LONGEST_LINE)),
            Line::Whole => {
                std::str::from_utf8(&line).map_err(BadLine::NotText).and_then(|line| translate(line, lane))
            }
        };
        are_good &= put(result, output)?;
    }
}

/// Writes what became of a line, on one line, and tells whether it was good.
fn put(result: Result<String, BadLine>, output: &mut Output) -> io::Result<bool> {
    match result {
        Ok(text) => output.line(text).map(|()| true),
        Err(error) => output.json(&error.to_json()).map(|()| false),
    }
}

const _: () = assert!(LONGEST_LINE > 2 * (MAX_LENGTH as usize + HEADER_LEN));
