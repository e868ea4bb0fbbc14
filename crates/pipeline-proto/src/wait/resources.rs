//! What can be waited for beside workflows.

use std::fmt;

use super::{
    options::{Goal, WaitOptions},
    watch::{Progress, Watch, progress_of},
};
use crate::{
    error::{Error, ErrorCode},
    model::Status,
    name::{GroupName, JobName},
    resource::{
        group::{GetGroup, GroupSpec, StartGroup, StopGroup},
        job::{
            Batch, BatchStatus, GetJob, History, JobSpec, ListBatches, RerunBatch, StartJob,
            StopBatch, StopJob,
        },
    },
};

/// What has no status but that of its container. Nothing is known of one without.
macro_rules! by_container {
    ($($Name:ident: $State:ident by $Look:ident $Start:ident $Stop:ident, $gone:ident $(, $refused:ident)?;)+) => {
        $(impl Watch for $Name {
            type State = $State;
            type Look = $Look;
            type Start = $Start;
            type Stop = $Stop;

            fn look(&self, _: &WaitOptions) -> $Look {
                $Look::new(self.clone())
            }

            fn start(&self) -> $Start {
                $Start::new(self.clone())
            }

            fn stop(&self) -> $Stop {
                $Stop::new(self.clone())
            }

            fn status(state: &$State) -> Status {
                let container = state.container.as_ref();
                let status = container.and_then(|it| it.status.as_deref());
                Status::from(status.unwrap_or_default())
            }

            fn progress(state: &$State, goal: Goal) -> Progress {
                progress_of(&Self::status(state), goal)
            }

            fn is_gone(error: &Error) -> bool {
                error.code() == Some(ErrorCode::$gone)
            }

            $(fn stays_refused(error: &Error) -> bool {
                error.code() == Some(ErrorCode::$refused)
            })?
        })+
    };
}

by_container! {
    JobName: JobSpec by GetJob StartJob StopJob, JOB_NOT_FOUND, CANNOT_START_OR_STOP_BATCH_JOB;
    GroupName: GroupSpec by GetGroup StartGroup StopGroup, GROUP_NOT_FOUND;
}

/// A run of a job, to be waited for. Its goals: `Started` while it runs, `Stopped` once it has ended,
/// well or not; the [`History`] that was seen last says which. Ensuring that it is started runs it again
/// once it has ended. One that runs is waited for and never stopped.
///
/// ```
/// use pipeline_proto::{name::JobName, wait::JobRun};
///
/// let latest = JobRun::latest(JobName::from_static("daily"));
/// assert_eq!(latest.to_string(), "the latest run of daily");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    job: JobName,
    /// -1 for the latest.
    id: i64,
}

impl JobRun {
    /// The run with this number.
    pub fn new(job: JobName, id: i64) -> Self {
        Self { job, id }
    }

    /// Whichever run is the latest at each look. It cannot be run again without its number.
    pub fn latest(job: JobName) -> Self {
        Self::new(job, -1)
    }
}

impl fmt::Display for JobRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            -1 => write!(f, "the latest run of {}", self.job),
            id => write!(f, "run {id} of {}", self.job),
        }
    }
}

impl Watch for JobRun {
    type State = History;
    type Look = ListBatches;
    type Start = RerunBatch;
    type Stop = StopBatch;

    fn look(&self, _: &WaitOptions) -> ListBatches {
        ListBatches::new(self.job.clone()).run_id(self.id)
    }

    fn start(&self) -> RerunBatch {
        RerunBatch::new(Batch::of(&self.job, self.id))
    }

    fn stop(&self) -> StopBatch {
        StopBatch::new(Batch::of(&self.job, self.id))
    }

    fn status(history: &History) -> Status {
        let run = history.runs.first();
        Status::from(run.map_or("", |run| run.status.as_str()))
    }

    fn progress(history: &History, goal: Goal) -> Progress {
        use BatchStatus::{Canceled, Failed, Ready, Restarting, Running, Successful};
        match (goal, history.runs.first().map(|run| &run.status)) {
            (Goal::Started, Some(Running))
            | (Goal::Stopped, Some(Successful | Failed | Canceled)) => Progress::Reached,
            (Goal::Started, Some(Ready | Restarting)) => Progress::UnderWay,
            (Goal::Started, Some(Successful | Failed | Canceled)) => Progress::Settled,
            _ => Progress::Open,
        }
    }

    fn is_gone(error: &Error) -> bool {
        let gone = [ErrorCode::JOB_NOT_FOUND, ErrorCode::JOB_RUN_NOT_FOUND];
        error.code().is_some_and(|code| gone.contains(&code))
    }
}
