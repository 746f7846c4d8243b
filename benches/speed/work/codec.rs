//! Encoding and decoding alone, against copies of the same bytes, hand-written code, and prost alone.

use std::hint::black_box;

use anyhow::Result;
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use zccache_ipc::model::{Compile, LookupResult, NormalizedPath, Request, Response};
use zccache_ipc::wire_v16::generated::zccache_v1 as prost_alone;
use zccache_ipc::{wire_v15, wire_v16};

use super::{Outcome, Scale};
use crate::machine::{Pinned, Stopwatch};
use crate::rounds::{Judge, Peer, rounds};
use crate::row::{Row, Target};
use crate::server::artifact;

pub fn run(scale: &Scale) -> Result<Outcome> {
    // On one processor the stopwatch leaves out other processes.
    let _pinned = Pinned::to_one()?;
    let mut rows = hit(scale)?;
    rows.extend(compile(scale)?);
    Ok(rows.into())
}

fn hit(scale: &Scale) -> Result<Vec<Row>> {
    let payload = Bytes::from((0..1 << 20).map(|at: u32| (at ^ (at >> 8)) as u8).collect::<Vec<u8>>());
    let hit = Response::LookupResult(LookupResult::Hit { artifact: artifact(payload.clone()).into() });
    let v15_frame = wire_v15::encode(&hit)?;
    let v16_frame = wire_v16::encode(&hit, "lookup")?;
    let mut copy = vec![0; payload.len()];
    let mut v15 = BytesMut::with_capacity(2 << 20);
    let mut v16 = BytesMut::with_capacity(2 << 20);
    let mut peers = [
        timed("memcpy", || {
            copy.copy_from_slice(black_box(&payload));
            black_box(&copy);
        }),
        timed("encode v15", || {
            v15.clear();
            wire_v15::encode_into(black_box(&hit), &mut v15).expect("fits");
            black_box(&v15);
        }),
        timed("encode v16", || {
            v16.clear();
            wire_v16::encode_into(black_box(&hit), "lookup", &mut v16).expect("fits");
            black_box(&v16);
        }),
        timed("decode v15", || {
            black_box(wire_v15::decode_frame::<Response>(&mut black_box(&v15_frame).clone()).expect("legal"));
        }),
        timed("decode v16", || {
            black_box(wire_v16::decode_frame::<Response>(&mut black_box(&v16_frame).clone()).expect("legal"));
        }),
    ];
    let micros = rounds(&mut peers, scale.rounds(41), scale.times(200))?;
    // A copy would be 1. A smaller ratio depends on the state of the allocator.
    let target = |name: &str| Some(Target::AtMost(if name == "decode v16" { 0.2 } else { 2.0 }));
    let judge =
        Judge { workload: "a lookup hit of 1 MiB", floor: |_| "memcpy", target: &target, bytes: None };
    Ok(judge.rows(&peers, &micros))
}

fn compile(scale: &Scale) -> Result<Vec<Row>> {
    let model = Compile {
        session_id: "0c0b2f54-6c1a-4f0e-9d3f-0a8f6d7a1b2c".into(),
        args: (0..60).map(|index| format!("-I/work/project/include/module_{index}")).collect(),
        cwd: NormalizedPath::new("/work/project/build"),
        compiler: NormalizedPath::new("/usr/bin/clang++"),
        env: Some(
            (0..80).map(|index| (format!("VARIABLE_{index}"), format!("/some/value/{index}"))).collect(),
        ),
        stdin: Bytes::new(),
    };
    let request = Request::from(model.clone());
    let v15_frame = wire_v15::encode(&request)?;
    let mut by_hand = BytesMut::with_capacity(64 << 10);
    write_by_hand(&model, &mut by_hand);
    assert_eq!(by_hand, v15_frame, "the same bytes by hand");
    let mut body = BytesMut::new();
    wire_v16::encode_body(&request, "compile", &mut body)?;
    let body = body.freeze();
    let theirs = prost_alone::Request::decode(body.clone())?;
    let mut v15 = BytesMut::with_capacity(64 << 10);
    let mut v16 = BytesMut::with_capacity(64 << 10);
    let mut prost = BytesMut::with_capacity(64 << 10);
    let mut peers = [
        timed("encode v15 by hand", || {
            by_hand.clear();
            write_by_hand(black_box(&model), &mut by_hand);
            black_box(&by_hand);
        }),
        timed("encode v15", || {
            v15.clear();
            wire_v15::encode_into(black_box(&request), &mut v15).expect("fits");
            black_box(&v15);
        }),
        timed("decode v15 by hand", || {
            black_box(read_by_hand(black_box(&v15_frame)));
        }),
        timed("decode v15", || {
            black_box(wire_v15::decode_frame::<Request>(&mut black_box(&v15_frame).clone()).expect("legal"));
        }),
        timed("encode by prost alone", || {
            prost.clear();
            black_box(&theirs).encode(&mut prost).expect("room");
            black_box(&prost);
        }),
        timed("encode v16", || {
            v16.clear();
            wire_v16::encode_body(black_box(&request), "compile", &mut v16).expect("fits");
            black_box(&v16);
        }),
        timed("decode by prost alone", || {
            black_box(prost_alone::Request::decode(black_box(&body).clone()).expect("legal"));
        }),
        timed("decode v16", || {
            black_box(wire_v16::decode_body::<Request>(black_box(&body).clone()).expect("legal"));
        }),
    ];
    let micros = rounds(&mut peers, scale.rounds(41), scale.times(2000))?;
    let floor = |name: &str| match name {
        "encode v15" => "encode v15 by hand",
        "decode v15" => "decode v15 by hand",
        "encode v16" => "encode by prost alone",
        "decode v16" => "decode by prost alone",
        _ => "",
    };
    // Fixed times in terms of the measured floors: 1.3 µs to 0.9 µs, and 8 µs to 2.9 µs.
    let target = |name: &str| match name {
        "encode v15" => Some(Target::AtMost(1.45)),
        "decode v15" => Some(Target::AtMost(2.76)),
        _ => Some(Target::AtMost(1.3)),
    };
    let workload = "Compile, 60 arguments, 80 variables";
    Ok(Judge { workload, floor, target: &target, bytes: None }.rows(&peers, &micros))
}

fn timed<'a>(name: &str, mut work: impl FnMut() + 'a) -> Peer<'a> {
    Peer::new(name, move |times| {
        let start = Stopwatch::start();
        for _ in 0..times {
            work();
        }
        Ok(start.elapsed())
    })
}

/// Writes the v15 frame of a `Compile`, with code that can write no other message.
fn write_by_hand(compile: &Compile, out: &mut BytesMut) {
    fn text(text: &str, out: &mut BytesMut) {
        out.put_u64_le(text.len() as u64);
        out.put_slice(text.as_bytes());
    }
    out.put_u32_le(0);
    out.put_u32_le(15);
    out.put_u32_le(6);
    text(&compile.session_id, out);
    out.put_u64_le(compile.args.len() as u64);
    for argument in &compile.args {
        text(argument, out);
    }
    text(compile.cwd.to_wire().expect("text"), out);
    text(compile.compiler.to_wire().expect("text"), out);
    out.put_u8(u8::from(compile.env.is_some()));
    if let Some(env) = &compile.env {
        out.put_u64_le(env.len() as u64);
        for (name, value) in env {
            text(name, out);
            text(value, out);
        }
    }
    out.put_u64_le(compile.stdin.len() as u64);
    out.put_slice(&compile.stdin);
    let length = u32::try_from(out.len() - 4).expect("small");
    out[..4].copy_from_slice(&length.to_le_bytes());
}

/// Reads a frame of [`write_by_hand`] without checks.
fn read_by_hand(mut frame: &[u8]) -> Compile {
    fn text(frame: &mut &[u8]) -> String {
        let len = frame.get_u64_le() as usize;
        let (text, rest) = frame.split_at(len);
        *frame = rest;
        std::str::from_utf8(text).expect("text").to_owned()
    }
    frame.advance(12);
    let session_id = text(&mut frame);
    let args = (0..frame.get_u64_le()).map(|_| text(&mut frame)).collect();
    let cwd = NormalizedPath::new(text(&mut frame));
    let compiler = NormalizedPath::new(text(&mut frame));
    let env = (frame.get_u8() == 1)
        .then(|| (0..frame.get_u64_le()).map(|_| (text(&mut frame), text(&mut frame))).collect());
    let len = frame.get_u64_le() as usize;
    Compile { session_id, args, cwd, compiler, env, stdin: Bytes::copy_from_slice(&frame[..len]) }
}
