//! Changed frames: all small changes of each, and random ones by a seed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use testkit::measure;

use crate::targets::{Golden, TARGETS, Target, golden};

/// What a decoder may ask for at once: a frame, and 1 MiB.
const LARGEST_ALLOCATION: usize = 17 << 20;

/// A decoder that takes longer hangs.
const HANG: Duration = Duration::from_secs(1);

/// What was tried with one decoder, and the worst that it did.
pub(crate) struct Tried {
    pub(crate) name: &'static str,
    pub(crate) executions: u64,
    pub(crate) slowest: Duration,
    pub(crate) largest: usize,
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

/// Runs every decoder over every truncation and every change of one byte of each recorded frame that it reads and
/// that has at most `longest` bytes.
///
/// # Errors
///
/// The first panic, hang or allocation above the limit, with its input.
pub(crate) fn every_small_change(longest: usize) -> Result<Vec<Tried>> {
    let golden = golden();
    TARGETS
        .iter()
        .map(|target| {
            let mut tried = Tried::new(target.name);
            let read = golden.iter().filter(|golden| target.reads(golden) && golden.frame.len() <= longest);
            for Golden { frame, .. } in read {
                for cut in 0..frame.len() {
                    tried.run(target, &frame[..cut])?;
                }
                let mut changed = frame.clone();
                for at in 0..frame.len() {
                    for flipped in 1..=u8::MAX {
                        changed[at] = frame[at] ^ flipped;
                        tried.run(target, &changed)?;
                    }
                    changed[at] = frame[at];
                }
            }
            Ok(tried)
        })
        .collect()
}

/// Runs every decoder over `executions` random changes of recorded frames.
///
/// # Errors
///
/// As [`every_small_change`].
pub(crate) fn random(seed: u64, executions: u64) -> Result<Vec<Tried>> {
    let golden = golden();
    TARGETS
        .iter()
        .enumerate()
        .map(|(number, target)| {
            let mut random = Random(seed ^ ((number as u64 + 1) << 32) | 1);
            let mut tried = Tried::new(target.name);
            for _ in 0..executions {
                let input = mutated(&golden, &mut random);
                tried.run(target, &input)?;
            }
            Ok(tried)
        })
        .collect()
}

/// Changes one recorded frame in up to eight places, or joins it with a part of another one.
fn mutated(golden: &[Golden], random: &mut Random) -> Vec<u8> {
    let mut frame = golden[random.below(golden.len())].frame.clone();
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
                let other = &golden[random.below(golden.len())];
                frame.truncate(at);
                frame.extend(&other.frame[random.below(other.frame.len().max(1)).min(other.frame.len())..]);
            }
        }
        // So that the body is judged, and not only its length.
        if random.below(2) == 0 && frame.len() > 4 {
            let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
            frame[..4].copy_from_slice(&length.to_le_bytes());
        }
    }
    frame
}

/// Numbers that a seed repeats (xorshift64*).
struct Random(u64);

impl Random {
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
