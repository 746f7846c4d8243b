//! Runs test programs under Wine, each runner in a prefix of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::list::List;
use super::table::{self, Row};
use super::{Program, Toolchain};

/// The inputs of every runner.
#[derive(Debug)]
pub(super) struct Runner<'a> {
    pub(super) toolchain: &'a Toolchain,
    pub(super) list: &'a List,
    pub(super) timeout: Duration,
    /// Prefixes and printed output.
    pub(super) scratch: PathBuf,
}

/// The most tests of a program that are run once more; more than these have a common reason.
const MOST_AGAIN: usize = 20;

impl Runner<'_> {
    /// Runs `programs`, at most `jobs` at once, and returns a row for each.
    pub(super) fn run(&self, mut programs: Vec<Program>, jobs: usize) -> Result<Vec<Row>> {
        programs.reverse();
        let (queue, rows) = (&Mutex::new(programs), Mutex::new(Vec::new()));
        let sink = &rows;
        thread::scope(|scope| {
            let runners: Vec<_> =
                (0..jobs).map(|number| scope.spawn(move || self.work(number, queue, sink))).collect();
            for runner in runners {
                runner.join().expect("a runner does not panic")?;
            }
            anyhow::Ok(())
        })?;
        let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.sort_by(|one, other| one.program.cmp(&other.program));
        Ok(rows)
    }

    /// Runs programs from `queue` in a prefix of its own.
    fn work(&self, number: usize, queue: &Mutex<Vec<Program>>, rows: &Mutex<Vec<Row>>) -> Result<()> {
        let prefix = self.scratch.join(format!("prefix-{number}"));
        self.toolchain.copy_prefix(&prefix)?;
        self.toolchain.start_prefix(&prefix)?;
        let done = self.empty(queue, &prefix, rows);
        // The server would go on without a program.
        self.toolchain.end_prefix(&prefix)?;
        done
    }

    /// Takes programs from `queue` until it is empty.
    fn empty(&self, queue: &Mutex<Vec<Program>>, prefix: &Path, rows: &Mutex<Vec<Row>>) -> Result<()> {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(program) = next else { return Ok(()) };
            let row = self.one(&program, prefix).with_context(|| program.name())?;
            let state = if row.is_good() { "ok" } else { "FAILED" };
            eprintln!("{} {state}: {} passed, {} failed", row.program, row.passed, row.failed);
            rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
        }
    }

    fn one(&self, program: &Program, prefix: &Path) -> Result<Row> {
        let name = program.name();
        let tests = self.names(program, prefix)?;
        if self.list.has_all_of(&name) {
            return Ok(Row { program: name, listed: tests.len(), ..Row::default() });
        }
        let listed: Vec<&str> = self.list.of(&name).collect();
        for test in &listed {
            // A test that was renamed would be run, and its line would stay.
            ensure!(tests.iter().any(|known| known == test), "{name} has no test {test}, which is listed");
        }
        // Wine starts programs slowly, and tests wait for the programs that they start.
        let mut arguments = vec!["--test-threads=2", "--exact"];
        arguments.extend(listed.iter().flat_map(|test| ["--skip", *test]));
        let printed = self.scratch.join(format!("{}.txt", name.replace('/', "-")));
        let began = Instant::now();
        let ended = self.wine(program, prefix, &arguments, &printed, self.timeout)?;
        let text = read(&printed)?;
        let mut row = table::read(&name, &text);
        row.listed = listed.len();
        if ended.is_none() {
            row.trouble = Some(format!("ended after {} s", self.timeout.as_secs()));
            // The prefix may hold processes of the program.
            self.toolchain.end_prefix(prefix)?;
            self.toolchain.start_prefix(prefix)?;
        }
        let missing = |test: &&String| !listed.contains(&test.as_str()) && !table::is_done(&text, test);
        self.again(program, prefix, &tests.iter().filter(missing).collect::<Vec<_>>(), &mut row)?;
        row.took = began.elapsed();
        Ok(row)
    }

    /// Runs each of `tests`, which have not passed, once more and alone; `row` has what comes of it.
    ///
    /// On a busy machine Wine fails to start a program now and then, and a test that is aborted takes the rest of its
    /// program with it.
    fn again(&self, program: &Program, prefix: &Path, tests: &[&String], row: &mut Row) -> Result<()> {
        if tests.is_empty() || tests.len() > MOST_AGAIN {
            return Ok(());
        }
        let printed = self.scratch.join(format!("{}.again.txt", program.name().replace('/', "-")));
        let mut all = String::new();
        (row.failed, row.trouble) = (0, None);
        for test in tests {
            self.wine(program, prefix, &["--exact", test], &printed, self.timeout)?;
            let text = read(&printed)?;
            if table::is_done(&text, test) {
                row.passed += 1;
                row.again.push((*test).clone());
            } else {
                row.failed += 1;
            }
            all += &text;
        }
        fs::write(&printed, all).with_context(|| printed.display().to_string())
    }

    /// Returns the names of the tests in `program`.
    fn names(&self, program: &Program, prefix: &Path) -> Result<Vec<String>> {
        let printed = self.scratch.join(format!("{}.list", program.name().replace('/', "-")));
        let arguments = ["--list", "--format", "terse"];
        let Some(_) = self.wine(program, prefix, &arguments, &printed, Duration::from_secs(120))? else {
            bail!("it does not list its tests");
        };
        let text = read(&printed)?;
        Ok(text.lines().filter_map(|line| Some(line.strip_suffix(": test")?.to_owned())).collect())
    }

    /// Runs `program` with its output in `printed`. `None` after `timeout`.
    fn wine(
        &self,
        program: &Program,
        prefix: &Path,
        arguments: &[&str],
        printed: &Path,
        timeout: Duration,
    ) -> Result<Option<i32>> {
        let output = File::create(printed).with_context(|| printed.display().to_string())?;
        let mut command = Command::new(super::toolchain::WINE);
        command
            .arg(&program.file)
            .args(arguments)
            .current_dir(&program.directory)
            .envs(self.toolchain.environment())
            .env("WINEPREFIX", prefix)
            // Every program was built before.
            .env("ZCCACHE_TESTKIT_PREBUILT", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let mut child = command.spawn().context(super::toolchain::WINE)?;
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status.code().unwrap_or(-1)));
            }
            if Instant::now() >= deadline {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(50)); // std has no wait with a timeout
        }
    }
}

fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    Ok(String::from_utf8_lossy(&bytes).replace('\r', ""))
}
