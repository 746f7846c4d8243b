//! The figures of all rounds, and the table of their medians.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::processor::Spent;
use crate::sources::Workload;
use crate::way::{Kind, Wrapper};

/// The most that a warm hit, a miss and a call without a daemon may cost.
const WARM_OF_CCACHE: f64 = 0.7;
const WARM_OF_PUBLISHED: f64 = 1.0;
const COLD_OF_COMPILER: f64 = 1.05;
const ALONE_MS: f64 = 1.0;

/// Processor time of one compilation, by way, phase and round.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    rows: BTreeMap<(Kind, &'static str), BTreeMap<usize, Spent>>,
    names: BTreeMap<Kind, String>,
}

impl Figures {
    pub(crate) fn add(&mut self, round: usize, wrapper: &Wrapper, phase: &'static str, spent: Spent) {
        self.names.insert(wrapper.kind, wrapper.name.clone());
        self.rows.entry((wrapper.kind, phase)).or_default().insert(round, spent);
    }

    /// Returns the table of a workload, in Markdown.
    pub(crate) fn table(&self, workload: &Workload) -> String {
        let mut text = format!(
            "| {}, {} files | phase | ms | of it in the daemon | ratio | target |\n|---|---|---|---|---|---|\n",
            workload.name,
            workload.sources.len()
        );
        for ((kind, phase), rounds) in &self.rows {
            let all = rounds.values();
            let ms = median(all.clone().map(|spent| milliseconds(*spent)));
            let daemon = median(all.map(|spent| spent.daemon.as_secs_f64() * 1e3));
            let (ratio, target) = self.verdict(*kind, phase);
            let daemon = if daemon > 0.0 { format!("{daemon:.2}") } else { String::new() };
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "| {} | {phase} | {ms:.2} | {daemon} | {ratio} | {target} |",
                self.names[kind]
            );
        }
        text
    }

    /// Returns the ratio of a row to another one, and what it should be.
    fn verdict(&self, kind: Kind, phase: &str) -> (String, String) {
        let of = |other: Kind, name: &str, phase: &'static str, most: Option<f64>| {
            let ratio = self.ratio((kind, phase), (other, phase))?;
            let word = if most.is_none_or(|most| ratio <= most) { "reached" } else { "MISSED" };
            Some((format!("{ratio:.2} × {name}"), most.map(|most| format!("≤ {most}: {word}"))))
        };
        let parts: Vec<_> = match (kind, phase) {
            (Kind::Compiler, _) => Vec::new(),
            (Kind::Ours, "cold") => vec![of(Kind::Compiler, "no cache", "cold", Some(COLD_OF_COMPILER))],
            (Kind::Ours, _) => vec![
                of(Kind::Ccache, "ccache", "warm", Some(WARM_OF_CCACHE)),
                of(Kind::Published, "published", "warm", Some(WARM_OF_PUBLISHED)),
            ],
            (Kind::OursAlone, _) => {
                let more = self.difference((kind, "cold"), (Kind::Compiler, "cold"));
                vec![more.map(|more| {
                    let word = if more <= ALONE_MS { "reached" } else { "MISSED" };
                    (format!("{more:+.2} ms"), Some(format!("≤ +{ALONE_MS:.0} ms: {word}")))
                })]
            }
            (_, "cold") => vec![of(Kind::Compiler, "no cache", "cold", None)],
            _ => Vec::new(),
        };
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let ratios: Vec<_> = parts.iter().map(|(ratio, _)| ratio.clone()).collect();
        let targets: Vec<_> = parts.into_iter().filter_map(|(_, target)| target).collect();
        (ratios.join(", "), targets.join(", "))
    }

    /// Returns the median of the ratios of each round.
    fn ratio(&self, one: (Kind, &str), other: (Kind, &str)) -> Option<f64> {
        self.compare(one, other, |one, other| one / other)
    }

    fn difference(&self, one: (Kind, &str), other: (Kind, &str)) -> Option<f64> {
        self.compare(one, other, |one, other| one - other)
    }

    fn compare(&self, one: (Kind, &str), other: (Kind, &str), by: fn(f64, f64) -> f64) -> Option<f64> {
        let rounds = |(kind, phase): (Kind, &str)| {
            self.rows.iter().find(|((k, p), _)| *k == kind && *p == phase).map(|(_, rounds)| rounds)
        };
        let (one, other) = (rounds(one)?, rounds(other)?);
        let pairs = one.iter().filter_map(|(round, spent)| Some((*spent, *other.get(round)?)));
        let compared: Vec<_> = pairs.map(|(one, other)| by(milliseconds(one), milliseconds(other))).collect();
        (!compared.is_empty()).then(|| median(compared))
    }
}

fn milliseconds(spent: Spent) -> f64 {
    spent.total().as_secs_f64() * 1e3
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
