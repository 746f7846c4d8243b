//! Changed inputs: all small changes of each, and random ones by a seed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use testkit::measure;

use crate::targets::Target;

/// Largest single allocation of a decoder: a frame, and 1 MiB.
pub const LARGEST_ALLOCATION: usize = 17 << 20;

/// A decoder that takes longer hangs.
pub const HANG: Duration = Duration::from_secs(1);

/// Number of executions of one decoder, and its worst figures.
#[derive(Debug)]
pub struct Tried {
    /// Name of the decoder.
    pub name: &'static str,
    /// Number of inputs that it read.
    pub executions: u64,
    /// Longest time of one execution.
    pub slowest: Duration,
    /// Largest single allocation, in bytes.
    pub largest: usize,
}

impl Tried {
    fn new(name: &'static str) -> Self {
        Self { name, executions: 0, slowest: Duration::ZERO, largest: 0 }
    }

    fn run(&mut self, target: &Target, input: &[u8]) -> Result<()> {
        let began = Instant::now();
        let ended = std::panic::catch_unwind(|| measure(|| (target.run)(input)));
        let (took, shown) = (began.elapsed(), || hex::encode(&input[..input.len().min(4096)]));
        let report = ended.ok().with_context(|| format!("{}: a panic over {}", target.name, shown()))?.1;
        ensure!(took < HANG, "{}: {took:?} over {}", target.name, shown());
        ensure!(
            report.largest <= LARGEST_ALLOCATION,
            "{}: {} bytes for {}",
            target.name,
            report.largest,
            shown()
        );
        self.executions += 1;
        self.slowest = self.slowest.max(took);
        self.largest = self.largest.max(report.largest);
        Ok(())
    }
}

/// Runs a decoder over every truncation and every one-byte change of its seeds.
///
/// Skips seeds of more than `longest` bytes.
///
/// # Errors
///
/// The first panic, hang or allocation above the limit, with its input.
pub fn every_small_change(target: &Target, longest: usize) -> Result<Tried> {
    let mut tried = Tried::new(target.name);
    for seed in (target.seeds)().iter().filter(|seed| seed.len() <= longest) {
        for cut in 0..seed.len() {
            tried.run(target, &seed[..cut])?;
        }
        let mut changed = seed.clone();
        for at in 0..seed.len() {
            for flipped in 1..=u8::MAX {
                changed[at] = seed[at] ^ flipped;
                tried.run(target, &changed)?;
            }
            changed[at] = seed[at];
        }
    }
    Ok(tried)
}

/// Runs a decoder over random changes of its seeds.
///
/// Ends after `executions` runs, or when `limit` has passed.
///
/// # Errors
///
/// As [`every_small_change`].
pub fn random(target: &Target, seed: u64, executions: u64, limit: Duration) -> Result<Tried> {
    let seeds = (target.seeds)();
    let mut random = Random::new(seed, target.slug);
    let mut tried = Tried::new(target.name);
    let end = Instant::now() + limit;
    let mut frame = Vec::new();
    while tried.executions < executions && (!tried.executions.is_multiple_of(1024) || Instant::now() < end) {
        mutate(&seeds, &mut random, &mut frame);
        tried.run(target, &frame)?;
    }
    Ok(tried)
}

/// Fills `frame` with one seed, changed in up to eight places or joined with a part of another one.
fn mutate(seeds: &[Vec<u8>], random: &mut Random, frame: &mut Vec<u8>) {
    frame.clear();
    frame.extend_from_slice(&seeds[random.below(seeds.len())]);
    for _ in 0..=random.below(8) {
        let at = random.below(frame.len().max(1));
        match random.below(7) {
            0 if !frame.is_empty() => frame[at] = random.byte(),
            1 if !frame.is_empty() => frame[at] ^= 1 << random.below(8),
            2 => frame.truncate(at),
            3 => frame.insert(at.min(frame.len()), random.byte()),
            4 if !frame.is_empty() => drop(frame.remove(at)),
            // A length or a number of elements: a large value in four bytes.
            5 if at + 4 <= frame.len() => {
                let value = [u32::MAX, 1 << 24, 0x7fff_ffff, 0][random.below(4)];
                frame[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            _ => {
                let other = &seeds[random.below(seeds.len())];
                frame.truncate(at);
                frame.extend(&other[random.below(other.len())..]);
            }
        }
        // A matching length, so that the decoder reads the body.
        if random.below(2) == 0 && frame.len() > 4 {
            let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
            frame[..4].copy_from_slice(&length.to_le_bytes());
        }
    }
}

/// Numbers that a seed repeats (xorshift64*).
struct Random(u64);

impl Random {
    /// Returns numbers of their own for each name.
    fn new(seed: u64, name: &str) -> Self {
        let start = seed ^ 0xcbf2_9ce4_8422_2325;
        // FNV-1a; xorshift needs a start other than 0.
        Self(
            name.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)) | 1,
        )
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap_or(0) % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}
