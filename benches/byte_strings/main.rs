//! Measures a large byte string on wire v15 against copies of the same bytes.
//!
//! Encoding into a kept buffer, as a connection does, is compared with a copy into a kept buffer; encoding
//! into fresh memory with a copy into fresh memory. Decoding shares the received buffer, so it is compared
//! with the copy that it avoids.

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use ipc_model::{ArtifactData, ArtifactOutput, ArtifactPayload, LookupResult, Response};
use wire_v15::{decode_frame, encode, encode_into};

const ROUNDS: usize = 41;
const TIMES: u32 = 200;

fn main() {
    let payload = Bytes::from((0..1 << 20).map(|at: u32| (at ^ (at >> 8)) as u8).collect::<Vec<u8>>());
    let outputs = vec![ArtifactOutput { name: "o".into(), payload: ArtifactPayload::Bytes(payload.clone()) }];
    let artifact = ArtifactData { outputs, ..ArtifactData::default() };
    let response = Response::LookupResult(LookupResult::Hit { artifact: artifact.into() });
    let frame = encode(&response).expect("fits");

    let mut kept_copy = vec![0; payload.len()];
    let mut kept_frame = BytesMut::with_capacity(2 << 20);
    let mut kinds: [(&str, &str, Box<dyn FnMut()>); 6] = [
        (
            "memcpy, kept buffer",
            "memcpy, kept buffer",
            Box::new(|| {
                kept_copy.copy_from_slice(black_box(&payload));
                black_box(&kept_copy);
            }),
        ),
        (
            "encode, kept buffer",
            "memcpy, kept buffer",
            Box::new(|| {
                kept_frame.clear();
                encode_into(black_box(&response), &mut kept_frame).expect("fits");
                black_box(&kept_frame);
            }),
        ),
        (
            "memcpy, fresh buffer",
            "memcpy, fresh buffer",
            Box::new(|| {
                black_box(black_box(&payload).to_vec());
            }),
        ),
        (
            "encode, fresh buffer",
            "memcpy, fresh buffer",
            Box::new(|| {
                black_box(encode(black_box(&response)).expect("fits"));
            }),
        ),
        (
            "decode",
            "memcpy, fresh buffer",
            Box::new(|| {
                let mut received = black_box(&frame).clone();
                black_box(decode_frame::<Response>(&mut received).expect("legal"));
            }),
        ),
        (
            "decode",
            "memcpy, kept buffer",
            Box::new(|| {
                let mut received = black_box(&frame).clone();
                black_box(decode_frame::<Response>(&mut received).expect("legal"));
            }),
        ),
    ];

    // Each round runs every kind once, in the same order, so that a disturbance slows all kinds of the round.
    let mut micros = vec![Vec::with_capacity(ROUNDS); kinds.len()];
    for _ in 0..ROUNDS {
        for (kind, times) in kinds.iter_mut().zip(&mut micros) {
            let start = Instant::now();
            for _ in 0..TIMES {
                (kind.2)();
            }
            times.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
        }
    }

    println!("1 MiB in an artifact, {ROUNDS} rounds of {TIMES}\n");
    println!("| | µs | against | ratio |\n|---|---|---|---|");
    for (index, (name, against, _)) in kinds.iter().enumerate() {
        let base = kinds.iter().position(|kind| kind.0 == *against).expect("listed");
        let ratios = micros[index].iter().zip(&micros[base]).map(|(a, b)| a / b).collect();
        println!("| {name} | {:.2} | {against} | {:.3} |", median(micros[index].clone()), median(ratios));
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
