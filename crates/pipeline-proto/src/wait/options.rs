use std::time::Duration;

use crate::{resource::workflow::PollBy, word::words};

words! {
    /// What a wait is for.
    ///
    /// ```
    /// use pipeline_proto::wait::Goal;
    ///
    /// assert_eq!("started".parse(), Ok(Goal::Started));
    /// assert_eq!(Goal::Deleted.to_string(), "deleted");
    /// ```
    #[non_exhaustive]
    pub enum Goal: "a goal of a wait" {
        /// Every resource is started.
        Started = "started",
        /// Nothing runs. `Ready` counts as well: no source says whether a workflow can return to it. A run of
        /// a job has ended.
        Stopped = "stopped",
        /// It is gone.
        Deleted = "deleted",
    }
}

/// How long to wait, and how often to look.
///
/// ```
/// use pipeline_proto::wait::WaitOptions;
/// use std::time::Duration;
///
/// let options = WaitOptions::default().timeout(Duration::from_secs(60)).interval(Duration::from_millis(500));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitOptions {
    pub(super) timeout: Duration,
    pub(super) interval: Duration,
    pub(super) max_interval: Duration,
    pub(super) settled_reads: u32,
    pub(super) poll_by: PollBy,
}

impl Default for WaitOptions {
    /// Five minutes, looking after 1 s, then half as long again each time, up to 10 s; *get status*;
    /// a settled state other than the wanted one counts at once.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(300),
            interval: Duration::from_secs(1),
            max_interval: Duration::from_secs(10),
            settled_reads: 1,
            poll_by: PollBy::Status,
        }
    }
}

impl WaitOptions {
    /// How long to wait in all.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The first pause between two looks; each further one is half as long again. At least 1 ms.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_millis(1));
        self
    }

    /// The longest pause between two looks. At least 1 ms.
    #[must_use]
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// How often a settled state other than the wanted one must be seen in a row before the wait
    /// fails; 0 counts as 1. More than 1 allows for a service that is slow to show a change that was
    /// just asked for; after an action of its own, a waiter takes at least 3.
    #[must_use]
    pub fn settled_reads(mut self, reads: u32) -> Self {
        self.settled_reads = reads.max(1);
        self
    }

    /// Which request to look with. *Get status* falls back to *get* by itself where it is missing.
    #[must_use]
    pub fn poll_by(mut self, by: PollBy) -> Self {
        self.poll_by = by;
        self
    }
}
