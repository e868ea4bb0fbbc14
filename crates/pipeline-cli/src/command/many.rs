//! The same for many resources or files: done to each, told, written, and summed up in an exit code.

mod progress;

use std::{fmt::Display, num::NonZeroUsize};

use serde::Serialize;

use super::resource::Mention;
use crate::{
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{self, Show, note},
    remote,
};

/// Names in a line are so many at most, so that it stays readable.
const MOST_NAMES: usize = 20;

/// What a command is about, found.
pub(crate) struct Chosen<N> {
    pub(crate) names: Vec<N>,
    /// It was named on the command line, and so is no list of one.
    pub(crate) one: bool,
    pub(crate) parallel: NonZeroUsize,
}

impl<N: Display + Serialize + Sync> Chosen<N> {
    /// Writes what is found out about it, or a list of what is found out about each.
    pub(crate) fn show<T: Show + Send>(
        &self,
        global: &Global,
        get: impl Fn(&N) -> Result<T, Failure> + Sync,
    ) -> Result<Exit, Failure> {
        if let ([name], true) = (self.names.as_slice(), self.one) {
            global.format().write(&get(name)?)?;
            return Ok(Exit::Done);
        }
        Many::run(&self.names, self.parallel, "shown", get).show(global)
    }

    /// Changes it or each of several, and says so. `done` says in the past tense what is done.
    pub(crate) fn act(
        &self,
        global: &Global,
        done: &'static str,
        act: impl Fn(&N, remote::Show) -> Result<Mention, Failure> + Sync,
    ) -> Result<Exit, Failure> {
        if let ([name], true) = (self.names.as_slice(), self.one) {
            return act(name, remote::Show::Line)?.report(global);
        }
        let act = |name: &N| act(name, remote::Show::Nothing);
        Many::run(&self.names, self.parallel, done, act).report(global)
    }
}

/// What came of each, in the order of the names.
pub(crate) struct Many<'a, T, N> {
    names: &'a [N],
    results: Vec<Result<T, Failure>>,
    /// What is done to each, in the past tense.
    done: &'static str,
}

impl<'a, T: Send, N: Display + Sync> Many<'a, T, N> {
    /// Does it to each, so many at a time. A failure is told at once, on a line of its own.
    ///
    /// `done` says in the past tense what is done, for the line of an interruption and the summary.
    pub(crate) fn run(
        names: &'a [N],
        parallel: NonZeroUsize,
        done: &'static str,
        act: impl Fn(&N) -> Result<T, Failure> + Sync,
    ) -> Self {
        Self {
            names,
            results: progress::run(names, parallel, done, act),
            done,
        }
    }
}

impl<'a, T, N> Many<'a, T, N> {
    /// What came of each, found out in another way than by [`run`](Self::run).
    pub(crate) fn of(names: &'a [N], results: Vec<Result<T, Failure>>, done: &'static str) -> Self {
        Self {
            names,
            results,
            done,
        }
    }

    pub(crate) fn successes(&self) -> impl Iterator<Item = &T> {
        self.results
            .iter()
            .filter_map(|result| result.as_ref().ok())
    }

    /// Those that went well, in their order.
    pub(crate) fn into_successes(self) -> Vec<T> {
        self.results.into_iter().filter_map(Result::ok).collect()
    }

    /// 0, the code that all failures have, or 1.
    pub(crate) fn exit(&self) -> Exit {
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
    pub(crate) fn tell(&self) -> Exit {
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
    pub(crate) fn report(&self, global: &Global) -> Result<Exit, Failure> {
        let written = self.write(global);
        self.tell_alike();
        if !self.results.is_empty() {
            note(self.summary());
        }
        self.end(written)
    }

    /// Writes what was found out about them, and a summary only if that is not all.
    pub(crate) fn show(&self, global: &Global) -> Result<Exit, Failure> {
        let written = self.write(global);
        self.tell_alike();
        if self.exit() != Exit::Done {
            note(self.summary());
        }
        self.end(written)
    }

    /// What went wrong with the things counts more than that it could not be written down.
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
pub(crate) fn listed<N: Display>(names: impl IntoIterator<Item = N>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_that_of_the_failures_if_they_agree() {
        let exit = |failures: &[(usize, Exit)]| {
            let names = ["w0", "w1", "w2", "w3"];
            let many = Many::run(&names, NonZeroUsize::MIN, "tried", |name| {
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
}
