//! Runs the parts of the matrix, several at a time where that was asked for.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow};

use super::cell::Cell;

/// One part of the matrix.
pub(crate) type Job<'a> = Box<dyn Fn() -> Result<Vec<Cell>> + Sync + Send + 'a>;

/// Runs the jobs on `threads` threads and returns their cells in the order of the jobs.
///
/// # Errors
///
/// The first error of a job; the other jobs are run all the same.
pub(crate) fn run(threads: usize, jobs: Vec<Job<'_>>) -> Result<Vec<Cell>> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<Vec<Cell>>>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some((job, result)) = Some(next.fetch_add(1, Ordering::Relaxed))
            .and_then(|index| jobs.get(index).zip(results.get(index)))
        {
            let cells = job();
            *result.lock().expect("no thread panics while it holds a result") = Some(cells);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(work);
        }
    });
    let mut cells = Vec::new();
    for result in results {
        let result = result.into_inner().map_err(|_| anyhow!("a job panicked"))?;
        cells.extend(result.context("a job was not run")??);
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Subject;

    fn cell(line: &'static str) -> Cell {
        Cell {
            subject: Subject::Download(None),
            line,
            column: "",
            expected: String::new(),
            observed: String::new(),
            short: String::new(),
            explained: true,
            why: Vec::new(),
        }
    }

    #[test]
    fn cells_come_in_the_order_of_the_jobs() {
        for threads in [0, 1, 3, 9] {
            let jobs: Vec<Job<'_>> =
                ["a", "b", "c"].map(|line| Box::new(move || Ok(vec![cell(line)])) as Job<'_>).into();
            let lines: Vec<_> = run(threads, jobs).unwrap().into_iter().map(|cell| cell.line).collect();
            assert_eq!(lines, ["a", "b", "c"]);
        }
        let fails: Vec<Job<'_>> = vec![Box::new(|| Err(anyhow!("no daemon")))];
        assert!(run(1, fails).is_err());
    }
}
