//! Computes the memory of a body's lists before prost allocates it.
//!
//! Strings and byte strings cannot take more than the frame, but an element of a list that is two bytes
//! on the wire takes up to 64 in memory, so a legal frame could ask for half a gigabyte. prost has no
//! limit for that. So a body that is not short is walked once, with prost's own readers and in prost's own
//! order, and each list is charged with the room that its growth takes. What cannot be walked is not
//! judged here: prost stops there too, and says why.

use bytes::Buf as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// The most memory that the lists of one message may take, in bytes.
///
/// The texts that list elements point to are not counted. Room for 262 144 environment variables, or 524 288
/// arguments.
///
/// Rule: `docs/spec/wire.md#limits`.
pub const LIST_MEMORY: usize = wire_frame::MAX_LENGTH as usize;

/// A field that is a list, or a message that reaches one.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) number: u32,
    /// The size of an element in memory; `None` where the field is no list itself.
    pub(crate) element: Option<usize>,
    /// True if the elements may be packed: written without keys between them.
    pub(crate) packed: bool,
    /// The lists inside the field's message.
    pub(crate) within: &'static [Self],
}

/// The lists would take more than [`LIST_MEMORY`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooHeavy;

/// Fails where the lists of the message in `payload` would take more than [`LIST_MEMORY`].
pub(crate) fn check(mut payload: &[u8], lists: &'static [List]) -> Result<(), TooHeavy> {
    match (Scale { room: LIST_MEMORY }).message(&mut payload, 0, lists) {
        Ok(()) | Err(Stop::NotProtobuf) => Ok(()),
        Err(Stop::TooHeavy) => Err(TooHeavy),
    }
}

/// The most lists in one message.
const MOST: usize = 16;

/// Elements that a list makes room for at first.
const FIRST_ROOM: usize = 4;

enum Stop {
    TooHeavy,
    NotProtobuf,
}

impl From<prost::DecodeError> for Stop {
    fn from(_: prost::DecodeError) -> Self {
        Self::NotProtobuf
    }
}

struct Scale {
    room: usize,
}

impl Scale {
    /// Walks a message up to where `end` bytes are left.
    fn message(&mut self, rest: &mut &[u8], end: usize, lists: &'static [List]) -> Result<(), Stop> {
        let mut counts = [0_usize; MOST];
        while rest.remaining() > end {
            let (number, wire_type) = decode_key(rest)?;
            let found = lists.iter().zip(&mut counts).find(|(list, _)| list.number == number);
            let Some((list, count)) = found else {
                skip_field(wire_type, number, rest, DecodeContext::default())?;
                continue;
            };
            if let Some(element) = list.element {
                if list.packed && wire_type == WireType::LengthDelimited {
                    let len = length(rest)?;
                    self.charge(len, element)?; // a number takes at least one byte
                    rest.advance(len);
                    continue;
                }
                self.charge_growth(*count, element)?;
                *count += 1;
            }
            if list.within.is_empty() || wire_type != WireType::LengthDelimited {
                skip_field(wire_type, number, rest, DecodeContext::default())?;
            } else {
                let len = length(rest)?;
                let end = rest.remaining() - len;
                self.message(rest, end, list.within)?;
            }
        }
        if rest.remaining() == end { Ok(()) } else { Err(Stop::NotProtobuf) }
    }

    /// Charges the growth of a list of `count` elements at one more push: a full list doubles.
    fn charge_growth(&mut self, count: usize, element: usize) -> Result<(), Stop> {
        match count {
            0 => self.charge(FIRST_ROOM, element),
            full if full >= FIRST_ROOM && full.is_power_of_two() => self.charge(full, element),
            _ => Ok(()),
        }
    }

    fn charge(&mut self, elements: usize, element: usize) -> Result<(), Stop> {
        let left = self.room.checked_sub(elements.saturating_mul(element));
        self.room = left.ok_or(Stop::TooHeavy)?;
        Ok(())
    }
}

/// Reads the length of what follows, which must be there.
fn length(rest: &mut &[u8]) -> Result<usize, Stop> {
    let len = decode_varint(rest)?;
    match usize::try_from(len) {
        Ok(len) if len <= rest.remaining() => Ok(len),
        _ => Err(Stop::NotProtobuf),
    }
}

/// Returns the length, in bytes, up to which no body's lists can be too heavy.
///
/// An element takes at least a key and a length, and is charged with the room of [`FIRST_ROOM`] at most.
pub(crate) const fn always_light(lists: &[List]) -> usize {
    match largest(lists) {
        0 => usize::MAX,
        element => LIST_MEMORY / (element * FIRST_ROOM) * 2,
    }
}

/// The size of the largest element.
const fn largest(lists: &[List]) -> usize {
    let (mut index, mut most) = (0, 0);
    while index < lists.len() {
        if let Some(element) = lists[index].element
            && element > most
        {
            most = element;
        }
        let within = largest(lists[index].within);
        if within > most {
            most = within;
        }
        index += 1;
    }
    most
}

/// Returns true if no message has more than [`MOST`] lists.
pub(crate) const fn fits(lists: &[List]) -> bool {
    let mut index = 0;
    while index < lists.len() {
        if !fits(lists[index].within) {
            return false;
        }
        index += 1;
    }
    lists.len() <= MOST
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: List = List { number: 2, element: Some(24), packed: false, within: &[] };
    const LISTS: &[List] = &[
        List { number: 1, element: Some(1 << 20), packed: false, within: &[NAMES] },
        List { number: 3, element: Some(8), packed: true, within: &[] },
    ];

    #[test]
    fn lists_are_charged_with_the_room_that_they_grow_to() {
        let weigh = |body: &[u8], expected: Result<(), TooHeavy>| {
            assert_eq!(check(body, LISTS), expected, "{} bytes", body.len());
        };
        let elements = |count: usize| [0x0a, 0x00].repeat(count);
        weigh(&elements(16), Ok(()));
        weigh(&elements(17), Err(TooHeavy));
        // A list within an element counts for each element anew.
        weigh(&[0x0a, 0x02, 0x12, 0x00].repeat(4), Ok(()));
        weigh(&[[0x0a, 0x02, 0x12, 0x00].repeat(16), vec![0x0a]].concat(), Err(TooHeavy));
        // A packed list that is announced longer than the body: prost reports the fault.
        weigh(&[0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f], Ok(()));
        let mut packed = vec![0x1a, 0x81, 0x80, 0x80, 0x01];
        packed.resize(5 + (2 << 20) + 1, 0);
        weigh(&packed, Err(TooHeavy));
        packed[1] = 0x80;
        weigh(&packed[..5 + (2 << 20)], Ok(()));
    }

    #[test]
    fn a_short_body_is_always_light() {
        let most = always_light(LISTS);
        assert_eq!(most, 8);
        for body in [[0x0a, 0x00].repeat(most / 2), [0x0a, 0x02, 0x12, 0x00].repeat(most / 4)] {
            assert_eq!(check(&body, LISTS), Ok(()));
        }
    }

    #[test]
    fn a_list_that_reaches_beyond_its_message_is_still_charged() {
        // prost reads the inner message to its announced end before it notices that the outer one is shorter.
        const INNER: List = List { number: 1, element: None, packed: false, within: LISTS };
        const OUTER: &[List] = &[List { number: 1, element: None, packed: false, within: &[INNER] }];
        let weigh = |outer: u8, expected: Result<(), TooHeavy>| {
            let mut body = vec![0x0a, outer, 0x0a, 34];
            body.extend([0x0a, 0x00].repeat(17));
            assert_eq!(check(&body, OUTER), expected, "an outer message of {outer} bytes");
        };
        weigh(36, Err(TooHeavy));
        weigh(2, Err(TooHeavy));
        weigh(0, Ok(())); // what follows is not within it
    }
}
