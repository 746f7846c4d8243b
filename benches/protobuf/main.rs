//! Measures wire v16 in multiples of the time that prost alone takes for the same bytes.
//!
//! prost alone encodes prepared messages and drops the decoded ones; our codec converts between model and
//! bytes, so the ratio is the price of a model that is not protobuf.

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use ipc_model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, Compile, LookupResult, NormalizedPath, Request, Response,
};
use wire_v16::generated::zccache_v1 as wire;
use wire_v16::{decode_body, encode_body};

const ROUNDS: usize = 41;

fn main() {
    let compile = Request::from(Compile {
        session_id: "0c0b2f54-6c1a-4f0e-9d3f-0a8f6d7a1b2c".into(),
        args: (0..60).map(|index| format!("-I/work/project/include/module_{index}")).collect(),
        cwd: NormalizedPath::new("/work/project/build"),
        compiler: NormalizedPath::new("/usr/bin/clang++"),
        env: Some(
            (0..80).map(|index| (format!("VARIABLE_{index}"), format!("/some/value/{index}"))).collect(),
        ),
        stdin: Bytes::new(),
    });
    let mut body = BytesMut::new();
    encode_body(&compile, "compile", &mut body).expect("fits");
    compare::<Request, wire::Request>(
        "Compile, 60 arguments, 80 variables",
        &compile,
        "compile",
        body.freeze(),
        2000,
    );

    let payload = Bytes::from((0..1 << 20).map(|at: u32| (at ^ (at >> 8)) as u8).collect::<Vec<u8>>());
    let outputs = vec![ArtifactOutput { name: "o".into(), payload: ArtifactPayload::Bytes(payload) }];
    let artifact = ArtifactData { outputs, ..ArtifactData::default() };
    let hit = Response::LookupResult(LookupResult::Hit { artifact: artifact.into() });
    let mut body = BytesMut::new();
    encode_body(&hit, "lookup", &mut body).expect("fits");
    compare::<Response, wire::Response>("lookup hit of 1 MiB", &hit, "lookup", body.freeze(), 200);

    let mut body = BytesMut::new();
    encode_body(&Request::Ping, "control-ping", &mut body).expect("fits");
    compare::<Request, wire::Request>("Ping", &Request::Ping, "control-ping", body.freeze(), 20_000);
}

fn compare<M: wire_v16::Message, W: prost::Message + Default>(
    name: &str,
    message: &M,
    request_id: &str,
    body: Bytes,
    times: u32,
) {
    let by_prost = W::decode(body.clone()).expect("legal");
    let mut ours = BytesMut::with_capacity(2 << 20);
    let mut theirs = BytesMut::with_capacity(2 << 20);
    let mut copy = vec![0; body.len()];
    let mut kinds: [(&str, usize, Box<dyn FnMut()>); 5] = [
        (
            "memcpy, kept buffer",
            0,
            Box::new(|| {
                copy.copy_from_slice(black_box(&body));
                black_box(&copy);
            }),
        ),
        (
            "encode, prost alone",
            0,
            Box::new(|| {
                theirs.clear();
                black_box(&by_prost).encode(&mut theirs).expect("room");
                black_box(&theirs);
            }),
        ),
        (
            "encode",
            1,
            Box::new(|| {
                ours.clear();
                encode_body(black_box(message), black_box(request_id), &mut ours).expect("fits");
                black_box(&ours);
            }),
        ),
        (
            "decode, prost alone",
            0,
            Box::new(|| {
                black_box(W::decode(black_box(&body).clone()).expect("legal"));
            }),
        ),
        (
            "decode",
            3,
            Box::new(|| {
                black_box(decode_body::<M>(black_box(&body).clone()).expect("legal"));
            }),
        ),
    ];

    // Each round runs every kind once, in the same order, so that a disturbance slows all kinds of the round.
    let mut micros = vec![Vec::with_capacity(ROUNDS); kinds.len()];
    for _ in 0..ROUNDS {
        for (kind, taken) in kinds.iter_mut().zip(&mut micros) {
            let start = Instant::now();
            for _ in 0..times {
                (kind.2)();
            }
            taken.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(times));
        }
    }

    println!("\n{name}: {} bytes, {ROUNDS} rounds of {times}\n", body.len());
    println!("| | µs | against | ratio |\n|---|---|---|---|");
    for (index, (kind, against, _)) in kinds.iter().enumerate() {
        let ratios = micros[index].iter().zip(&micros[*against]).map(|(a, b)| a / b).collect();
        let against = kinds[*against].0;
        println!("| {kind} | {:.3} | {against} | {:.3} |", median(micros[index].clone()), median(ratios));
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
