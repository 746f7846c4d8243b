//! One direction of a connection, cut into messages.

use bytes::{Buf as _, Bytes, BytesMut};
use zccache_ipc::wire_dispatch::{Dialect, Message, Opening, Received, receive};
use zccache_ipc::wire_frame::{FrameError, Version};
use zccache_ipc::wire_v16::frame_v1;
use zccache_ipc::{DecodedWireMessage, Ids, Wires};

/// Memory that all readers of a program share, in bytes.
#[derive(Debug)]
pub(crate) struct Room {
    left: usize,
}

impl Room {
    pub(crate) const fn new(bytes: usize) -> Self {
        Self { left: bytes }
    }

    /// Returns true if `bytes` were free and are now taken.
    fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    const fn give_back(&mut self, bytes: usize) {
        self.left += bytes;
    }
}

/// One thing that a direction said, with all its bytes where they were kept.
#[derive(Debug)]
pub(crate) enum Heard<M> {
    Message {
        message: DecodedWireMessage<M>,
        raw: Bytes,
    },
    /// A whole frame whose body is not a message.
    Undecodable {
        dialect: Dialect,
        ids: Ids,
        error: String,
        /// The number of an envelope's protocol that is not zccache's.
        protocol: Option<u32>,
        raw: Bytes,
    },
    /// A whole header frame with a number that has no known body.
    UnknownVersion {
        version: Version,
        raw: Bytes,
    },
    /// A whole frame that had no room in memory.
    NotKept {
        /// `None` for an envelope.
        version: Option<Version>,
        length: usize,
    },
    /// Bytes that start no legal frame; no later frame can be found.
    Lost {
        error: String,
        raw: Bytes,
    },
    /// Bytes after [`Lost`](Self::Lost).
    After {
        raw: Bytes,
    },
    /// The start of a frame, at the end of the direction.
    Part {
        raw: Bytes,
    },
}

/// Cuts one direction; holds at most one frame, and its memory comes from a [`Room`].
#[derive(Debug, Default)]
pub(crate) struct Reader {
    buffer: BytesMut,
    state: State,
    /// Bytes that are taken from the room.
    taken: usize,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Frames,
    /// Inside of a frame that had no room.
    Skipping {
        version: Option<Version>,
        length: usize,
        left: usize,
    },
    Lost,
}

/// The first frame of a buffer, as far as its head tells.
enum Front {
    Incomplete,
    Frame { version: Option<Version>, length: usize },
    Illegal(FrameError),
}

impl Reader {
    /// Reads `bytes`, and returns what is complete now.
    pub(crate) fn feed<M: Message>(&mut self, mut bytes: &[u8], room: &mut Room) -> Vec<Heard<M>> {
        let mut heard = Vec::new();
        while !bytes.is_empty() {
            match &mut self.state {
                State::Lost => {
                    heard.push(Heard::After { raw: Bytes::copy_from_slice(bytes) });
                    break;
                }
                State::Skipping { version, length, left } => {
                    let skipped = bytes.len().min(*left);
                    *left -= skipped;
                    bytes.advance(skipped);
                    if *left == 0 {
                        heard.push(Heard::NotKept { version: *version, length: *length });
                        self.state = State::Frames;
                    }
                }
                State::Frames => {
                    self.buffer.extend_from_slice(bytes);
                    bytes = &[];
                    self.cut(room, &mut heard);
                }
            }
        }
        heard
    }

    /// Ends the direction: returns the part of a frame that came last, and gives all memory back.
    pub(crate) fn end<M>(&mut self, room: &mut Room) -> Option<Heard<M>> {
        room.give_back(std::mem::take(&mut self.taken));
        let raw = std::mem::take(&mut self.buffer).freeze();
        let skipped = match std::mem::replace(&mut self.state, State::Lost) {
            State::Skipping { version, length, left } => {
                Some(Heard::NotKept { version, length: length - left })
            }
            State::Frames | State::Lost => None,
        };
        skipped.or_else(|| (!raw.is_empty()).then_some(Heard::Part { raw }))
    }

    /// Takes every whole frame off the buffer.
    fn cut<M: Message>(&mut self, room: &mut Room, heard: &mut Vec<Heard<M>>) {
        while !self.buffer.is_empty() {
            let (version, length) = match front(&self.buffer) {
                Front::Incomplete => return,
                Front::Illegal(error) => {
                    let raw = std::mem::take(&mut self.buffer).freeze();
                    heard.push(Heard::Lost { error: error.to_string(), raw });
                    self.state = State::Lost;
                    return;
                }
                Front::Frame { version, length } => (version, length),
            };
            if self.buffer.len() >= length {
                room.give_back(std::mem::take(&mut self.taken));
                heard.push(decode(self.buffer.split_to(length).freeze(), version));
            } else if self.taken == 0 && !room.take(length) {
                let left = length - self.buffer.len();
                self.buffer = BytesMut::new();
                self.state = State::Skipping { version, length, left };
                return;
            } else {
                self.taken = length;
                return;
            }
        }
        // The next frame starts with a buffer of its own size.
        self.buffer = BytesMut::new();
    }
}

fn front(buffer: &[u8]) -> Front {
    match Opening::of(buffer) {
        Ok(Opening::Incomplete { .. }) => Front::Incomplete,
        Ok(Opening::Header(header)) => {
            Front::Frame { version: Some(header.version()), length: header.frame_len() }
        }
        Ok(Opening::Envelope) => match frame_v1::peek(buffer) {
            Ok(frame_v1::Peeked::Head { frame_len }) => Front::Frame { version: None, length: frame_len },
            Err(zccache_ipc::wire_v16::DecodeError::Frame(error)) => Front::Illegal(error),
            // An envelope is told by its five bytes of head, so that these are there and legal.
            Ok(frame_v1::Peeked::Incomplete { .. }) | Err(_) => Front::Incomplete,
        },
        Err(error) => Front::Illegal(error),
    }
}

/// Decodes the whole frame `raw`.
fn decode<M: Message>(raw: Bytes, version: Option<Version>) -> Heard<M> {
    if let Some(version) = version.filter(|version| Dialect::of(*version).is_none()) {
        return Heard::UnknownVersion { version, raw };
    }
    match receive::<M>(&mut BytesMut::from(&raw[..]), Wires::ALL) {
        Ok(Received::Message(message)) => Heard::Message { message, raw },
        Ok(Received::Undecodable { dialect, ids, error, foreign }) => {
            let error = chain(&error);
            Heard::Undecodable { dialect, ids, error, protocol: foreign.map(|foreign| foreign.protocol), raw }
        }
        Ok(Received::Read { .. }) => Heard::Part { raw },
        Err(error) => Heard::Lost { error: error.to_string(), raw },
    }
}

/// Returns an error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    let mut text = error.to_string();
    for cause in causes.map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use zccache_ipc::model::{Request, Response};

    use super::*;

    const V15_PING: &str = "080000000f00000000000000";
    const V16_PING: &str = "15000000100000000a00a2060c636f6e74726f6c2d70696e67";
    const FRAME_PING: &str = "011b000000080118e3f40122110a00a2060c636f6e74726f6c2d70696e672801";
    /// A FrameV1 envelope around a message of the identity probe.
    const PROBE: &str = "0108000000080118b2e4022200";
    const UNKNOWN: &str = "060000001a0000000a00";

    fn told<M: Message + std::fmt::Debug>(heard: &Heard<M>) -> String {
        match heard {
            Heard::Message { message, raw } => {
                let id = &message.ids.request_id;
                format!("{:?} {} {id} {}", message.message, message.dialect(), raw.len())
            }
            Heard::Undecodable { dialect, protocol, error, raw, .. } => {
                format!("undecodable {dialect} {protocol:?} {} {}", raw.len(), !error.is_empty())
            }
            Heard::UnknownVersion { version, raw } => format!("unknown {version} {}", raw.len()),
            Heard::NotKept { version, length } => format!("not kept {version:?} {length}"),
            Heard::Lost { error, raw } => format!("lost {} {error}", raw.len()),
            Heard::After { raw } => format!("after {}", raw.len()),
            Heard::Part { raw } => format!("part {}", raw.len()),
        }
    }

    /// Feeds `hex` in pieces of `step` bytes, and returns what was heard.
    fn read<M: Message + std::fmt::Debug>(hex: &str, step: usize, room: usize) -> Vec<String> {
        let (mut reader, mut room) = (Reader::default(), Room::new(room));
        let before = room.left;
        let mut all = Vec::new();
        for piece in hex::decode(hex).unwrap().chunks(step) {
            all.extend(reader.feed::<M>(piece, &mut room).iter().map(told));
        }
        all.extend(reader.end::<M>(&mut room).iter().map(told));
        assert_eq!(room.left, before, "all memory is given back");
        all
    }

    #[test]
    fn every_lane_and_generation_is_cut_and_decoded_however_the_bytes_arrive() {
        let pong = "080000001700000000000000";
        let v24 = "15000000180000000a00a2060c636f6e74726f6c2d70696e67";
        let check = |hex: &str, expected: &[&str]| {
            for step in [1, 3, 7, 4096] {
                assert_eq!(read::<Request>(hex, step, 1 << 20), expected, "in pieces of {step}");
            }
        };
        check(V15_PING, &["Ping v15  12"]);
        check(V16_PING, &["Ping v16 control-ping 25"]);
        check(FRAME_PING, &["Ping frame_v1 control-ping 32"]);
        check(v24, &["Ping v24 control-ping 25"]);
        check(
            &[V15_PING, FRAME_PING, UNKNOWN, V16_PING].concat(),
            &["Ping v15  12", "Ping frame_v1 control-ping 32", "unknown v26 10", "Ping v16 control-ping 25"],
        );
        check(PROBE, &["undecodable frame_v1 Some(45618) 13 true"]);
        check("080000000f000000ffffffff", &["undecodable v15 None 12 true"]);
        check("080000000f0000", &["part 7"]);
        check("", &[]);
        assert_eq!(read::<Response>(pong, 5, 1 << 20), ["Pong v23  12"]);
    }

    #[test]
    fn bytes_after_an_illegal_length_are_passed_over() {
        let text = format!("{}{}", hex::encode("GET / HTTP/1.1"), V15_PING);
        assert_eq!(
            read::<Request>(&text, 4096, 1 << 20),
            ["lost 26 message too large: 542393671 bytes"],
            "one piece"
        );
        let pieces = read::<Request>(&text, 20, 1 << 20);
        assert_eq!(pieces, ["lost 20 message too large: 542393671 bytes", "after 6"]);
    }

    #[test]
    fn a_frame_without_room_is_skipped_and_the_next_one_is_read() {
        let long = format!("{}{}", "fc0000001a000000", "00".repeat(248));
        let all = [&long, V15_PING].concat();
        assert_eq!(read::<Request>(&all, 100, 255), ["not kept Some(Version(26)) 256", "Ping v15  12"]);
        assert_eq!(read::<Request>(&all, 100, 256), ["unknown v26 256", "Ping v15  12"]);
        assert_eq!(read::<Request>(&long[..200], 10, 255), ["not kept Some(Version(26)) 100"]);
    }
}
