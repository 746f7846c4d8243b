//! Decoded messages are encoded again, and must be decoded to the same message.

use std::fmt::Debug;

use bytes::BytesMut;
use ipc_model::{Request, Response};
use wire_dispatch::{
    DecodedWireMessage, EncodeError, FrameKind, Ids, Message, Received, Wires, encode, receive,
};

/// Decodes the bytes as request and as reply, and encodes and decodes each again.
///
/// # Panics
///
/// Panics if a message is not the same afterwards.
pub fn run(bytes: &[u8]) {
    check::<Request>(bytes, FrameKind::Request);
    check::<Response>(bytes, FrameKind::Response);
}

fn check<M: Message + PartialEq + Debug>(bytes: &[u8], kind: FrameKind) {
    let Ok(Received::Message(read)) = receive::<M>(&mut bytes.into(), Wires::ALL) else { return };
    let dialect = read.dialect();
    let mut written = BytesMut::new();
    match encode(&read.message, dialect, &read.ids, kind, &mut written) {
        Ok(()) => {}
        // Number 16 is read with the members of later generations, and sent to a peer that may not know them.
        Err(EncodeError::NotCarried { .. }) => return,
        // Defaults that the sender left out can take a little more room than the limit.
        Err(EncodeError::TooLong { .. }) if bytes.len() > 1 << 23 => return,
        Err(error) => panic!("{dialect:?} cannot carry {read:?}: {error}"),
    }
    let again = match receive::<M>(&mut written.clone(), Wires::ALL) {
        Ok(Received::Message(again)) => again,
        other => panic!("{read:?} was encoded to a frame that ends as {other:?}"),
    };
    assert_same(&read, &again);
    let mut twice = BytesMut::new();
    encode(&again.message, dialect, &again.ids, kind, &mut twice).expect("it was encoded before");
    assert_eq!(hex::encode(written), hex::encode(twice), "{read:?}");
}

/// Compares by their text where they differ: a number that is not a number is unequal to itself.
fn assert_same<M: PartialEq + Debug>(read: &DecodedWireMessage<M>, again: &DecodedWireMessage<M>) {
    if read.message != again.message || read.ids != again.ids || read.dialect() != again.dialect() {
        let text = |message: &M, ids: &Ids| format!("{message:?} with {ids:?}");
        assert_eq!(text(&read.message, &read.ids), text(&again.message, &again.ids));
        assert_eq!(read.dialect(), again.dialect());
    }
}
