//! The same for many workflows or files: some at a time, none left out because another one failed.

use std::{
    fmt::Display,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use pipeline_proto::WorkflowName;
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    interrupt,
    options::Global,
    output::{self, Show, note},
    terminal::StatusLine,
};

/// Names in a line are so many at most, so that it stays readable.
const MOST_NAMES: usize = 20;

/// What came of each workflow or file, in the order of the names.
pub(super) struct Many<'a, T, N = WorkflowName> {
    names: &'a [N],
    results: Vec<Result<T, Failure>>,
    /// What is done to each, in the past tense.
    done: &'static str,
}

impl<'a, T: Send, N: Display + Sync> Many<'a, T, N> {
    /// Does it to each, so many at a time. A failure is told at once, on a line of its own.
    ///
    /// `done` says in the past tense what is done, for the line of an interruption and the summary.
    pub(super) fn run(
        names: &'a [N],
        parallel: NonZeroUsize,
        done: &'static str,
        act: impl Fn(&N) -> Result<T, Failure> + Sync,
    ) -> Self {
        let progress = Mutex::new(Progress::new(names, done));
        let worker = || {
            // Not in the loop's condition, which would keep it locked meanwhile.
            let begin = || locked(&progress).begin();
            while let Some((at, name)) = begin() {
                let result = act(name);
                locked(&progress).end(at, result);
            }
        };
        thread::scope(|scope| {
            // This thread is one of the workers.
            for _ in 1..parallel.get().min(names.len()) {
                // Without a further thread, the others do its share.
                let _ = thread::Builder::new().spawn_scoped(scope, worker);
            }
            worker();
        });
        let progress = progress
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Self {
            names,
            // Every name was begun, and what is begun ends.
            results: progress.results.into_iter().flatten().collect(),
            done,
        }
    }
}

impl<'a, T, N> Many<'a, T, N> {
    /// What came of each, found out in another way than by [`run`](Self::run).
    pub(super) fn of(names: &'a [N], results: Vec<Result<T, Failure>>, done: &'static str) -> Self {
        Self {
            names,
            results,
            done,
        }
    }

    pub(super) fn successes(&self) -> impl Iterator<Item = &T> {
        self.results
            .iter()
            .filter_map(|result| result.as_ref().ok())
    }

    /// Those that went well, in their order.
    pub(super) fn into_successes(self) -> Vec<T> {
        self.results.into_iter().filter_map(Result::ok).collect()
    }

    /// 0, the code that all failures have, or 1.
    pub(super) fn exit(&self) -> Exit {
        let mut failures = self
            .results
            .iter()
            .filter_map(|result| result.as_ref().err());
        let Some(first) = failures.next() else {
            return Exit::Done;
        };
        if failures.all(|failure| failure.exit() == first.exit()) {
            first.exit()
        } else {
            Exit::Service
        }
    }
}

impl<T, N: Display> Many<'_, T, N> {
    fn failures(&self) -> impl Iterator<Item = (&N, &Failure)> {
        let results = self.names.iter().zip(&self.results);
        results.filter_map(|(name, result)| Some((name, result.as_ref().err()?)))
    }

    /// A line for each reason that several may have failed for.
    fn tell_alike(&self) {
        let mut reasons: Vec<(&str, Vec<(&N, &Failure)>)> = Vec::new();
        for (name, failure) in self.failures() {
            let Some(reason) = failure.alike() else {
                continue;
            };
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, failures)) => failures.push((name, failure)),
                None => reasons.push((reason, vec![(name, failure)])),
            }
        }
        for (reason, failures) in reasons {
            if let [(_, failure)] = failures.as_slice() {
                output::report(failure);
            } else {
                let names = listed(failures.into_iter().map(|(name, _)| name));
                output::report(&format_args!("{names}: {reason}"));
            }
        }
    }

    /// Says how it went, and nothing else.
    pub(super) fn tell(&self) -> Exit {
        self.tell_alike();
        note(self.summary());
        self.exit()
    }

    /// How it went, in one line.
    fn summary(&self) -> String {
        let (done, all) = (self.successes().count(), self.results.len());
        let failed = match all - done {
            0 => String::new(),
            failed => {
                let names = listed(self.failures().map(|(name, _)| name));
                format!("; {failed} failed: {names}")
            }
        };
        format!("{} {done} of {all}{failed}", self.done)
    }
}

impl<T: Show, N: Serialize + Display> Many<'_, T, N> {
    /// Writes what came of them, and the summary of something that was changed.
    pub(super) fn report(&self, global: &Global) -> Result<Exit, Failure> {
        let written = self.write(global);
        self.tell_alike();
        if !self.results.is_empty() {
            note(self.summary());
        }
        self.end(written)
    }

    /// Writes what was found out about them, and a summary only if that is not all.
    pub(super) fn show(&self, global: &Global) -> Result<Exit, Failure> {
        let written = self.write(global);
        self.tell_alike();
        if self.exit() != Exit::Done {
            note(self.summary());
        }
        self.end(written)
    }

    /// What went wrong with the workflows counts more than that it could not be written down.
    fn end(&self, written: Result<(), Failure>) -> Result<Exit, Failure> {
        match (self.exit(), written) {
            (Exit::Done, Err(failure)) => Err(failure),
            (exit, written) => {
                let _ = written.inspect_err(|failure| output::report(failure));
                Ok(exit)
            }
        }
    }

    fn write(&self, global: &Global) -> Result<(), Failure> {
        let items = self.names.iter().zip(&self.results);
        let items = items.map(|(name, result)| match result {
            Ok(thing) => Item::Done(thing),
            Err(failure) => Item::Failed {
                name,
                error: ErrorItem::from(failure),
            },
        });
        global.format().write(&Items(items.collect()))
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Items<'a, T, N>(Vec<Item<'a, T, N>>);

#[derive(Serialize)]
#[serde(untagged)]
enum Item<'a, T, N> {
    Done(&'a T),
    Failed { name: &'a N, error: ErrorItem },
}

/// A failure as data.
#[derive(Serialize)]
struct ErrorItem {
    /// The service's, if it gave one.
    code: Option<String>,
    kind: &'static str,
    message: String,
    /// What the command would have ended with for this one alone.
    exit_code: u8,
}

impl From<&Failure> for ErrorItem {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code().map(|code| code.to_string()),
            kind: failure.kind(),
            message: failure.message(),
            exit_code: failure.exit().code(),
        }
    }
}

impl<T: Show, N> Items<'_, T, N> {
    fn done(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|item| match item {
            Item::Done(thing) => Some(*thing),
            Item::Failed { .. } => None,
        })
    }

    fn joined(&self, text: impl Fn(&T) -> String) -> String {
        let texts: Vec<String> = self.done().map(text).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let said = texts.into_iter().filter(|text| !text.is_empty());
        said.collect::<Vec<_>>().join("\n")
    }
}

impl<T: Show, N: Serialize> Show for Items<'_, T, N> {
    fn names(&self) -> Vec<&str> {
        self.done().flat_map(Show::names).collect()
    }

    fn table(&self) -> String {
        self.joined(Show::table)
    }

    fn wide(&self) -> String {
        self.joined(Show::wide)
    }
}

/// Names in a line, not all of them if they are many.
pub(super) fn listed<N: Display>(names: impl IntoIterator<Item = N>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
    }
}

/// How far it has come.
struct Progress<'a, T, N = WorkflowName> {
    names: &'a [N],
    done: &'static str,
    /// Names before this one were begun.
    next: usize,
    results: Vec<Option<Result<T, Failure>>>,
    line: StatusLine,
}

fn locked<'a, 'b, T, N>(
    progress: &'a Mutex<Progress<'b, T, N>>,
) -> MutexGuard<'a, Progress<'b, T, N>> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a, T, N: Display> Progress<'a, T, N> {
    fn new(names: &'a [N], done: &'static str) -> Self {
        Self {
            names,
            done,
            next: 0,
            results: names.iter().map(|_| None).collect(),
            line: StatusLine::new(),
        }
    }

    fn begin(&mut self) -> Option<(usize, &'a N)> {
        let at = self.next;
        let name = self.names.get(at)?;
        self.next += 1;
        self.tell();
        Some((at, name))
    }

    fn end(&mut self, at: usize, result: Result<T, Failure>) {
        let result = result.map_err(|failure| failure.about(&self.names[at]));
        // What others may fail with as well is told in one line at the end.
        if let Err(failure) = &result
            && failure.alike().is_none()
        {
            self.line.clear();
            output::report(failure);
        }
        self.results[at] = Some(result);
        self.tell();
    }

    /// Says on the terminal how far it is, and to the interruption what it would leave behind.
    fn tell(&mut self) {
        self.line.show(self.counts());
        interrupt::task(self.left());
    }

    fn counts(&self) -> String {
        let ended = self.results.iter().flatten();
        let failed = ended.clone().filter(|result| result.is_err()).count();
        let failed = match failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!("{} of {}{failed}", ended.count(), self.names.len())
    }

    /// What was done and what was not.
    fn left(&self) -> String {
        let (mut done, mut failed, mut under_way) = (Vec::new(), Vec::new(), Vec::new());
        let (begun, open) = self.names.split_at(self.next);
        for (name, result) in begun.iter().zip(&self.results) {
            match result {
                None => under_way.push(name),
                Some(Ok(_)) => done.push(name),
                Some(Err(_)) => failed.push(name),
            }
        }
        let parts = [
            (self.done, done),
            ("failed", failed),
            ("under way", under_way),
            ("not begun", open.iter().collect()),
        ];
        let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<String> = parts
            .map(|(what, names)| format!("{what}: {}", listed(names)))
            .collect();
        parts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn names(count: usize) -> Vec<WorkflowName> {
        let name = |number| WorkflowName::new(format!("w{number}")).unwrap();
        (0..count).map(name).collect()
    }

    fn parallel(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    #[test]
    fn so_many_are_under_way_at_a_time_and_no_more() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // Nobody gets past it unless three are there together.
        let together = Barrier::new(3);
        let names = names(12);
        let many = Many::run(&names, parallel(3), "met", |name| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait();
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(name.clone())
        });
        assert_eq!(most.into_inner(), 3);
        assert!(many.successes().eq(&names));
    }

    #[test]
    fn the_exit_code_is_that_of_the_failures_if_they_agree() {
        let exit = |failures: &[(usize, Exit)]| {
            let names = names(4);
            let many = Many::run(&names, parallel(2), "tried", |name| {
                let failure = failures.iter().find(|(at, _)| *name == names[*at]);
                failure.map_or(Ok(()), |(_, exit)| Err(Failure::new(*exit, "no")))
            });
            (many.exit(), many.summary())
        };
        let of = |exit, summary: &str| (exit, summary.to_owned());
        assert_eq!(exit(&[]), of(Exit::Done, "tried 4 of 4"));
        assert_eq!(
            exit(&[(1, Exit::Conflict)]),
            of(Exit::Conflict, "tried 3 of 4; 1 failed: w1")
        );
        assert_eq!(
            exit(&[(0, Exit::NotFound), (3, Exit::NotFound)]),
            of(Exit::NotFound, "tried 2 of 4; 2 failed: w0, w3")
        );
        assert_eq!(
            exit(&[(0, Exit::NotFound), (3, Exit::Network)]),
            of(Exit::Service, "tried 2 of 4; 2 failed: w0, w3")
        );
    }

    #[test]
    fn progress_says_what_is_done_and_what_is_left() {
        let names = names(40);
        let mut progress: Progress<'_, ()> = Progress::new(&names[..5], "started");
        assert_eq!(
            (progress.counts(), progress.left()),
            (
                "0 of 5".to_owned(),
                "not begun: w0, w1, w2, w3, w4".to_owned()
            )
        );
        for _ in 0..4 {
            progress.begin();
        }
        progress.end(2, Ok(()));
        progress.end(0, Err(Failure::usage("no")));
        progress.end(3, Ok(()));
        assert_eq!(progress.counts(), "3 of 5, 1 failed");
        assert_eq!(
            progress.left(),
            "started: w2, w3; failed: w0; under way: w1; not begun: w4"
        );
        let many: Progress<'_, ()> = Progress::new(&names, "started");
        assert!(many.left().ends_with(", w19 and 20 more"));
    }
}
