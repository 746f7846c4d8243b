//! Releases that a comparison as text misjudges.

use std::cmp::Ordering;
use std::fmt;

use crate::Release;

/// Releases on the wrong side of a minimum for brokers that compare text.
///
/// Brokers v2 of running-process 4.10 compare text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextOrder {
    /// The minimum.
    pub minimum: Release,
    /// A later release that is refused.
    pub refused: Option<Release>,
    /// An earlier release that is admitted.
    pub admitted: Option<Release>,
}

impl TextOrder {
    /// Returns examples of misjudged releases for `minimum`, if there are any.
    ///
    /// It tries releases with one number replaced: by a number with one more digit, and by 9s.
    #[must_use]
    pub fn of(minimum: &Release) -> Option<Self> {
        let parts: Vec<&str> = minimum.core().split('.').collect();
        let with = |at: usize, number: &str| {
            let mut parts = parts.clone();
            parts[at] = number;
            parts[at + 1..].fill("0");
            Release::new(parts.join(".")).ok()
        };
        let wrong = |release: &Release, numbers: Ordering| {
            let text = release.as_str().cmp(minimum.as_str());
            release.cmp_numbers(minimum) == numbers && text == numbers.reverse()
        };
        let longer =
            (0..parts.len()).rev().filter_map(|at| with(at, &format!("1{}", "0".repeat(parts[at].len()))));
        let shorter = (0..parts.len()).rev().flat_map(|at| {
            let digits = (1..parts[at].len()).rev();
            digits.filter_map(|digits| with(at, &"9".repeat(digits))).collect::<Vec<_>>()
        });
        let refused = longer.into_iter().find(|release| wrong(release, Ordering::Greater));
        let admitted = shorter.into_iter().find(|release| wrong(release, Ordering::Less));
        let is_wrong = refused.is_some() || admitted.is_some();
        is_wrong.then(|| Self { minimum: minimum.clone(), refused, admitted })
    }
}

impl fmt::Display for TextOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "brokers v2 compare releases as text: with the minimum {}", self.minimum)?;
        if let Some(refused) = &self.refused {
            write!(f, " they refuse {refused}")?;
        }
        if let Some(admitted) = &self.admitted {
            let and = if self.refused.is_some() { " and" } else { " they" };
            write!(f, "{and} let {admitted} in")?;
        }
        f.write_str("; a list of allowed releases has no such trap")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(minimum: &str, refused: Option<&str>, admitted: Option<&str>) {
        let found = TextOrder::of(&Release::new(minimum).expect("a release"));
        let text = |release: &Option<Release>| release.as_ref().map(ToString::to_string);
        let (found_refused, found_admitted) =
            found.map(|trap| (text(&trap.refused), text(&trap.admitted))).unwrap_or_default();
        assert_eq!((found_refused.as_deref(), found_admitted.as_deref()), (refused, admitted), "{minimum}");
    }

    #[test]
    fn a_minimum_version_whose_text_and_numbers_sort_differently_is_reported() {
        check("1.9.0", Some("1.10.0"), None);
        check("1.9.5", Some("1.9.10"), None);
        check("9.0.0", Some("10.0.0"), None);
        check("1.10.0", None, Some("1.9.0"));
        check("1.12.0", Some("1.100.0"), Some("1.9.0"));
        check("1.10.10", None, Some("1.10.9"));
        check("1.0.0", None, None);
        check("1.1.0", None, None);
    }

    #[test]
    fn the_warning_names_the_releases_and_the_alternative() {
        let warning = |minimum| TextOrder::of(&Release::new(minimum).unwrap()).unwrap().to_string();
        let end = "; a list of allowed releases has no such trap";
        let begin = "brokers v2 compare releases as text: with the minimum ";
        assert_eq!(warning("1.9.0"), format!("{begin}1.9.0 they refuse 1.10.0{end}"));
        assert_eq!(warning("1.10.0"), format!("{begin}1.10.0 they let 1.9.0 in{end}"));
        assert_eq!(warning("1.12.0"), format!("{begin}1.12.0 they refuse 1.100.0 and let 1.9.0 in{end}"));
    }
}
