use std::{collections::BTreeMap, fmt, time::Duration};

use pipeline_proto::{Error, RetryReason, StopReason, wait::WaitFailure};

use super::trouble::Trouble;

/// What was met in one run or in many. `Display` is a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How many runs.
    pub runs: u64,
    /// Calls that were made, those of waits among them.
    pub calls: u64,
    /// Requests that were sent.
    pub attempts: u64,
    /// Requests that the service handled, copies among them.
    pub handled: u64,
    /// Time that passed in the runs.
    pub time: Duration,
    troubles: BTreeMap<Trouble, u64>,
    counts: BTreeMap<(Group, &'static str), u64>,
}

/// What a count of a [`Summary`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Group {
    /// Calls that succeeded, by operation.
    Succeeded,
    /// Calls that failed, by the kind of the error.
    Failed,
    /// Calls that failed, by the reason for which they were not tried again.
    Stopped,
    /// Attempts that were made again, by the reason.
    Retried,
    /// Waits, by how they ended.
    Waited,
    /// Records of shippers, by what became of them.
    Shipped,
    /// Requests that the service handled, by the verdict on their signature or token.
    Judged,
}

impl Group {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Succeeded, "calls that succeeded"),
        (Self::Failed, "calls that failed"),
        (Self::Stopped, "not tried again because of"),
        (Self::Retried, "tried again after"),
        (Self::Waited, "waits ended with"),
        (Self::Shipped, "records that were shipped"),
        (
            Self::Judged,
            "requests handled, with a signature or token that is",
        ),
    ];
}

impl Summary {
    /// How often a trouble was met.
    pub fn troubles(&self, trouble: Trouble) -> u64 {
        self.troubles.get(&trouble).copied().unwrap_or(0)
    }

    /// How often something happened, by its name in the table.
    pub fn count(&self, group: Group, name: &str) -> u64 {
        let counts = self.counts.iter();
        counts
            .filter(|((of, known), _)| *of == group && *known == name)
            .map(|(_, count)| count)
            .sum()
    }

    /// Adds what was met in other runs.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.calls += other.calls;
        self.attempts += other.attempts;
        self.handled += other.handled;
        self.time += other.time;
        for (trouble, count) in &other.troubles {
            *self.troubles.entry(*trouble).or_default() += count;
        }
        for (name, count) in &other.counts {
            *self.counts.entry(*name).or_default() += count;
        }
    }

    pub(super) fn met(&mut self, trouble: Trouble) {
        *self.troubles.entry(trouble).or_default() += 1;
    }

    pub(super) fn tally(&mut self, group: Group, name: &'static str) {
        self.tally_many(group, name, 1);
    }

    pub(super) fn tally_many(&mut self, group: Group, name: &'static str, count: u64) {
        *self.counts.entry((group, name)).or_default() += count;
    }

    pub(super) fn failed(&mut self, error: &Error) {
        self.tally(Group::Failed, error.kind().as_str());
        let stop = match error.stop_reason() {
            StopReason::NotRetryable => "not retryable",
            StopReason::NotRepeatable => "not repeatable",
            StopReason::AttemptsExhausted => "attempts exhausted",
            StopReason::BudgetExhausted => "budget exhausted",
            StopReason::DeadlineNear => "deadline near",
            _ => "something new",
        };
        self.tally(Group::Stopped, stop);
    }

    pub(super) fn retried(&mut self, reason: RetryReason) {
        let reason = match reason {
            RetryReason::Clock(_) => "wrong clock",
            RetryReason::Fallback(_) => "unknown request",
            RetryReason::Fault(_) => "fault",
            RetryReason::Status(_) => "status",
            _ => "something new",
        };
        self.tally(Group::Retried, reason);
    }

    pub(super) fn wait_failed(&mut self, failure: &WaitFailure) {
        let failure = match failure {
            WaitFailure::TimedOut(None) => "timed out",
            WaitFailure::TimedOut(Some(_)) => "timed out after an error",
            WaitFailure::Settled(_) => "settled elsewhere",
            WaitFailure::NotFound(_) => "not found",
            WaitFailure::Failed(_) => "failed",
            _ => "something new",
        };
        self.tally(Group::Waited, failure);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            runs,
            calls,
            attempts,
            handled,
            ..
        } = self;
        let days = self.time.as_secs() / 86_400;
        writeln!(
            f,
            "{runs} runs, {calls} calls, {attempts} attempts, {handled} requests handled, {days} days of virtual time"
        )?;
        for (group, title) in Group::ALL {
            writeln!(f, "{title}")?;
            let counts = self.counts.iter().filter(|((of, _), _)| *of == group);
            for ((_, name), count) in counts {
                writeln!(f, "{count:>12}  {name}")?;
            }
        }
        writeln!(f, "troubles met")?;
        for trouble in Trouble::ALL {
            writeln!(f, "{:>12}  {trouble}", self.troubles(*trouble))?;
        }
        Ok(())
    }
}
