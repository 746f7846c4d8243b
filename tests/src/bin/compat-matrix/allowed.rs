//! Differences between two outcomes that have a known reason.

use super::outcome::{Outcome, Without};

/// One known difference: the part of the outcome that is left out for it, and the reason.
const KNOWN: [(Without, &str); 3] = [
    (
        Without::VersionDirectory,
        "releases from 1.12.9 on keep their cache in a directory of their own release, below the one that they are \
         given, and say so; ours is where it is told to be",
    ),
    (
        Without::LaterFigures,
        "later generations carry more figures (`lookup_outcomes`, `staged`, the watcher's health), whose keys are an \
         open set; our daemon adds its report (`daemon`); rates depend on the calls before",
    ),
    (
        Without::PrunedVersions,
        "`clear` from 1.12.16 on removes the directories of all other releases, which were called before; it passes \
         over the links to our daemon",
    ),
];

/// Returns why `mine` may differ from `other` as it does; `None` for a difference without a reason.
pub(crate) fn reasons(mine: &Outcome, other: &Outcome) -> Option<Vec<&'static str>> {
    let sets = (0..1_usize << KNOWN.len()).map(|set| {
        let known = KNOWN.iter().enumerate().filter(move |(index, _)| set & (1 << index) != 0);
        known.map(|(_, known)| *known).collect::<Vec<_>>()
    });
    // The smallest set of reasons that explains it.
    let mut sets: Vec<_> = sets.collect();
    sets.sort_by_key(Vec::len);
    let explains = |set: &Vec<(Without, &str)>| {
        let parts: Vec<_> = set.iter().map(|(part, _)| *part).collect();
        mine.without(&parts).difference(&other.without(&parts)).is_empty()
    };
    sets.into_iter().find(explains).map(|set| set.into_iter().map(|(_, why)| why).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mine: &str, other: &str, reasons_expected: Option<usize>) {
        let found = reasons(&Outcome::saying(mine), &Outcome::saying(other));
        assert_eq!(found.map(|found| found.len()), reasons_expected, "{mine:?} {other:?}");
    }

    #[test]
    fn a_difference_is_explained_by_the_smallest_set_of_reasons() {
        check("same", "same", Some(0));
        check("one", "two", None);
        check(r#"{"cache_dir":"DIR/cache/v1.13.1"}"#, r#"{"cache_dir":"DIR/cache"}"#, Some(1));
        check(r#"{"a":1,"lookup_outcomes":{"b":2}}"#, r#"{"a":1}"#, Some(1));
        check(r#"{"a":1,"lookup_outcomes":{"b":2}}"#, r#"{"c":1}"#, None);
        check(r#"{"a":1,"daemon":{"program_version":"0.1.0","b":2}}"#, r#"{"a":1}"#, Some(1));
        check(r#"{"daemon":{"a":1}}"#, r#"{"daemon":{"a":2}}"#, Some(0));
        check(r#"{"daemon":{"a":"x"}}"#, r#"{"daemon":{"a":"y"}}"#, None);
        check("it answered after 3 µs on v16", "it answered after 12 ms on v16", Some(0));
        check(r#"{"d":"DIR/cache/v1.13.1","watcher_active":true}"#, r#"{"d":"DIR/cache"}"#, Some(2));
        check("Cleared:\n Stale versions: pruned v1.13.1\n", "Cleared:\n", Some(1));
    }
}
