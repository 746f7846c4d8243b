//! `wire`: frames in hex to messages in JSON, and back.

use std::io::{self, BufReader};

use bytes::Bytes;
use thiserror::Error;
use zccache_ipc::model::download::{DownloadRequest, DownloadResponse};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_frame::{self, Decoded, MAX_LENGTH};
use zccache_ipc::wire_v15::{self, DecodeError, EncodeError, Message};

use crate::args::{Lines, MessageKind, Wire};
use crate::failure::Failure;
use crate::json::{self, JsonError, to_json};
use crate::kind::Kind;
use crate::lines::{self, Line};
use crate::output::Output;
use crate::{Exit, report};

/// No line is longer: room for the longest frame in hex, and for a message of that length in JSON.
pub(super) const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// Why a line cannot be translated.
#[derive(Debug, Error)]
enum BadLine {
    #[error("the line is longer than {LONGEST_LINE} bytes")]
    TooLong,
    #[error("the line is not text in UTF-8")]
    NotText(#[source] std::str::Utf8Error),
    #[error("the line is not hex")]
    NotHex(#[source] hex::FromHexError),
    #[error("the frame is not complete: {needed} more bytes must follow")]
    Incomplete { needed: usize },
    #[error("{0} bytes follow the frame")]
    Leftover(usize),
    #[error("not a frame with such a message")]
    Decode(#[source] DecodeError),
    #[error("not such a message")]
    Json(#[from] JsonError),
    #[error("the message does not fit this wire")]
    Encode(#[from] EncodeError),
}

/// What becomes of one line.
type Translate = fn(&str) -> Result<String, BadLine>;

pub(super) fn run(wire: &Wire, output: &mut Output) -> Result<Exit, Failure> {
    let (translate, lines) = match wire {
        Wire::Decode(lines) => (decoder(&lines.of), lines),
        Wire::Encode(lines) => (encoder(&lines.of), lines),
    };
    let are_good = if lines.lines.is_empty() {
        translate_input(translate, output)?
    } else {
        translate_arguments(translate, lines, output)?
    };
    Ok(if are_good { Exit::Done } else { Exit::Failed })
}

fn decoder(of: &MessageKind) -> Translate {
    match of {
        MessageKind { request: true, .. } => decode::<Request>,
        MessageKind { response: true, .. } => decode::<Response>,
        MessageKind { download_request: true, .. } => decode::<DownloadRequest>,
        MessageKind { .. } => decode::<DownloadResponse>,
    }
}

fn encoder(of: &MessageKind) -> Translate {
    match of {
        MessageKind { request: true, .. } => encode::<Request>,
        MessageKind { response: true, .. } => encode::<Response>,
        MessageKind { download_request: true, .. } => encode::<DownloadRequest>,
        MessageKind { .. } => encode::<DownloadResponse>,
    }
}

/// Tells whether every line was good.
fn translate_arguments(translate: Translate, lines: &Lines, output: &mut Output) -> Result<bool, Failure> {
    let mut are_good = true;
    for line in &lines.lines {
        are_good &= put(translate(line), output)?;
    }
    Ok(are_good)
}

/// Tells whether every line was good.
fn translate_input(translate: Translate, output: &mut Output) -> Result<bool, Failure> {
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
            Line::TooLong => Err(BadLine::TooLong),
            Line::Whole => std::str::from_utf8(&line).map_err(BadLine::NotText).and_then(translate),
        };
        are_good &= put(result, output)?;
    }
}

/// Writes what became of a line, on one line, and tells whether it was good.
fn put(result: Result<String, BadLine>, output: &mut Output) -> io::Result<bool> {
    match result {
        Ok(text) => output.line(text).map(|()| true),
        Err(error) => output.json(&report::error_value(Kind::BadLine, &error, None)).map(|()| false),
    }
}

fn decode<M: Message>(line: &str) -> Result<String, BadLine> {
    let frame = Bytes::from(hex::decode(line.trim()).map_err(BadLine::NotHex)?);
    let mut rest = frame.clone();
    let message: Option<M> = wire_v15::decode_frame(&mut rest).map_err(BadLine::Decode)?;
    let Some(message) = message else {
        let needed = match wire_frame::decode(&frame).map_err(|error| BadLine::Decode(error.into()))? {
            Decoded::Incomplete { needed } => needed,
            Decoded::Frame { .. } => 0,
        };
        return Err(BadLine::Incomplete { needed });
    };
    if !rest.is_empty() {
        return Err(BadLine::Leftover(rest.len()));
    }
    Ok(to_json(&message)?.to_string())
}

fn encode<M: Message>(line: &str) -> Result<String, BadLine> {
    let message: M = json::parse(line)?;
    Ok(hex::encode(wire_v15::encode(&message)?))
}

const _: () = assert!(LONGEST_LINE > 2 * (MAX_LENGTH as usize + wire_frame::HEADER_LEN));
