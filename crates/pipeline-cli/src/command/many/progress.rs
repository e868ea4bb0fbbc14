//! The same for many things or files: some at a time, none left out because another one failed.

use std::{
    fmt::Display,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    thread,
};

use super::listed;
use crate::{failure::Failure, interrupt, output, terminal::StatusLine};

/// Does it to each, so many at a time. A failure is told at once, on a line of its own.
///
/// `done` says in the past tense what is done, for the line of an interruption.
pub(super) fn run<T: Send, N: Display + Sync>(
    names: &[N],
    parallel: NonZeroUsize,
    done: &'static str,
    act: impl Fn(&N) -> Result<T, Failure> + Sync,
) -> Vec<Result<T, Failure>> {
    let progress = Mutex::new(Progress::new(names, done));
    let locked = || progress.lock().unwrap_or_else(PoisonError::into_inner);
    let worker = || {
        // Not in the loop's condition, which would keep it locked meanwhile.
        let begin = || locked().begin();
        while let Some((at, name)) = begin() {
            let result = act(name);
            locked().end(at, result);
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
    // Every name was begun, and what is begun ends.
    progress.results.into_iter().flatten().collect()
}

/// How far it has come.
struct Progress<'a, T, N> {
    names: &'a [N],
    done: &'static str,
    /// Names before this one were begun.
    next: usize,
    results: Vec<Option<Result<T, Failure>>>,
    line: StatusLine,
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

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("w{number}")).collect()
    }

    #[test]
    fn so_many_are_under_way_at_a_time_and_no_more() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // Nobody gets past it unless three are there together.
        let together = Barrier::new(3);
        let names = names(12);
        let met = run(&names, NonZeroUsize::new(3).unwrap(), "met", |name| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait();
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(name.clone())
        });
        assert_eq!(most.into_inner(), 3);
        let met: Vec<String> = met.into_iter().map(Result::unwrap).collect();
        assert_eq!(met, names);
    }

    #[test]
    fn progress_says_what_is_done_and_what_is_left() {
        let names = names(40);
        let mut progress: Progress<'_, (), String> = Progress::new(&names[..5], "started");
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
        let many: Progress<'_, (), String> = Progress::new(&names, "started");
        assert!(many.left().ends_with(", w19 and 20 more"));
    }
}
