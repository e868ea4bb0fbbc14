use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::options::{Goal, WaitOptions};
use crate::{
    error::{ApiError, BuildError, DecodeError, Error, ErrorCode},
    model::{Status, WorkflowState},
    name::WorkflowName,
    observe::Subject,
    operation::{Idempotency, Operation, RequestTemplate},
    resource::workflow::{GetWorkflowStatus, StartWorkflow, StopWorkflow},
    word::words,
};

/// What can be waited for, known by its name: how to look at it, to start and to stop it, and what a
/// look tells.
///
/// ```
/// use pipeline_proto::WorkflowName;
/// use pipeline_proto::wait::{Goal, Progress, Watch};
///
/// let state = serde_json::from_str(r#"{"name":"logs","status":"Starting"}"#)?;
/// assert_eq!(WorkflowName::progress(&state, Goal::Started), Progress::UnderWay);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Watch: Clone + fmt::Debug + fmt::Display + Send + 'static {
    /// What a look shows.
    type State: fmt::Debug + Send;
    /// A look.
    type Look: Operation<Output = Self::State> + Clone + fmt::Debug + Send;
    /// A start.
    type Start: Operation + Clone + fmt::Debug + Send;
    /// A stop.
    type Stop: Operation + Clone + fmt::Debug + Send;

    /// Looks at it.
    fn look(&self, options: &WaitOptions) -> Self::Look;

    /// Starts it.
    fn start(&self) -> Self::Start;

    /// Stops it.
    fn stop(&self) -> Self::Stop;

    /// What messages call its state.
    fn status(state: &Self::State) -> Status;

    /// How far it is from a goal.
    fn progress(state: &Self::State, goal: Goal) -> Progress;

    /// Whether an error says that it does not exist. Another 404 may speak of something else that is
    /// not there, such as the resource owner, or come from a proxy that does not know the service.
    fn is_gone(error: &Error) -> bool;

    /// Whether a start or stop that was refused for the state will be refused again, whatever the
    /// next look shows; the default says no.
    fn stays_refused(error: &Error) -> bool {
        let _ = error;
        false
    }
}

words! {
    /// How far something is from what it is waited for.
    #[non_exhaustive]
    pub enum Progress: "a progress of a wait" {
        /// It is there.
        Reached = "reached",
        /// It is on its way there.
        UnderWay = "under-way",
        /// It will change by itself, or nothing is known of it: look again.
        Open = "open",
        /// It stays as it is until somebody acts.
        Settled = "settled",
    }
}

impl Watch for WorkflowName {
    type State = WorkflowState;
    type Look = GetWorkflowStatus;
    type Start = StartWorkflow;
    type Stop = StopWorkflow;

    fn look(&self, options: &WaitOptions) -> GetWorkflowStatus {
        GetWorkflowStatus::new(self.clone()).by(options.poll_by)
    }

    fn start(&self) -> StartWorkflow {
        StartWorkflow::new(self.clone())
    }

    fn stop(&self) -> StopWorkflow {
        StopWorkflow::new(self.clone())
    }

    fn status(state: &WorkflowState) -> Status {
        state.status.clone()
    }

    fn progress(state: &WorkflowState, goal: Goal) -> Progress {
        progress_of(&state.status, goal)
    }

    fn is_gone(error: &Error) -> bool {
        error.code() == Some(ErrorCode::WORKFLOW_NOT_FOUND)
    }

    fn stays_refused(error: &Error) -> bool {
        error.code() == Some(ErrorCode::NOTHING_TO_RUN)
    }
}

/// How far it is to a goal by the words that workflows have.
pub(super) fn progress_of(status: &Status, goal: Goal) -> Progress {
    let (reached, under_way) = match goal {
        Goal::Started => (*status == Status::Started, *status == Status::Starting),
        Goal::Stopped => (status.is_idle(), *status == Status::Stopping),
        Goal::Deleted => return Progress::Open,
    };
    match status {
        _ if reached => Progress::Reached,
        _ if under_way => Progress::UnderWay,
        // Not `Unknown`, nor a status that this version does not know.
        _ if status.is_settled() => Progress::Settled,
        _ => Progress::Open,
    }
}

/// The next request of a wait. As an [`Operation`], it is what it holds: same name, same request,
/// same rules for a second sending. Its output is the state after a look, and nothing after a start
/// or stop. Exhaustive, as there is nothing else that a wait asks for.
#[derive(Debug, Clone)]
pub enum Ask<W: Watch = WorkflowName> {
    /// Look.
    Look(W::Look),
    /// Start.
    Start(W::Start),
    /// Stop.
    Stop(W::Stop),
}

macro_rules! each {
    ($ask:expr, $operation:ident => $what:expr) => {
        match $ask {
            Ask::Look($operation) => $what,
            Ask::Start($operation) => $what,
            Ask::Stop($operation) => $what,
        }
    };
}

impl<W: Watch> Operation for Ask<W> {
    type Output = Option<W::State>;

    /// Of no request; each has its [`name`](Operation::name).
    const NAME: &'static str = "wait";

    /// Of the least harmless; each has its [`idempotency`](Operation::idempotency).
    const IDEMPOTENCY: Idempotency = Idempotency::Never;

    fn name(&self) -> &'static str {
        each!(self, operation => operation.name())
    }

    fn subject(&self) -> Subject {
        each!(self, operation => operation.subject())
    }

    /// That it is gone, which is what the wait is for or what it ends with and tells.
    fn expects(error: &Error) -> bool {
        W::is_gone(error)
    }

    fn idempotency(&self) -> Idempotency {
        each!(self, operation => operation.idempotency())
    }

    fn template(&self) -> Result<RequestTemplate, BuildError> {
        each!(self, operation => operation.template())
    }

    fn is_success(&self, status: StatusCode) -> bool {
        each!(self, operation => operation.is_success(status))
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<Self::Output, DecodeError> {
        match self {
            Self::Look(look) => look.decode(response).map(Some),
            Self::Start(start) => start.decode(response).map(|_| None),
            Self::Stop(stop) => stop.decode(response).map(|_| None),
        }
    }

    fn done_before(&self, error: &ApiError) -> Option<Self::Output> {
        match self {
            Self::Look(look) => look.done_before(error).map(Some),
            Self::Start(start) => start.done_before(error).map(|_| None),
            Self::Stop(stop) => stop.done_before(error).map(|_| None),
        }
    }

    fn fallback(&self) -> Option<Self> {
        match self {
            Self::Look(look) => look.fallback().map(Self::Look),
            Self::Start(start) => start.fallback().map(Self::Start),
            Self::Stop(stop) => stop.fallback().map(Self::Stop),
        }
    }
}
