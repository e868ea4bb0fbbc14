//! Calls that are about the queue itself, and what came of them.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use pipeline_proto::{
    ApiError, BuildError, CallOptions, DecodeError, RetryPolicy, WorkflowName,
    model::{Workflow, WorkflowState},
    observe::Subject,
    operation::{Idempotency, Operation, RequestTemplate},
    resource::{
        export::{CreateExport, ExportSpec, ListExports, UpdateExport},
        logdb::{CreateLogdbRepo, GetLogdbRepo, LogdbRepo, UpdateLogdbRepo},
        repo::{CreateRepo, GetRepo, RepoSpec, UpdateRepo},
        tsdb::{CreateTsdbRepo, CreateTsdbSeries},
        workflow::{CreateWorkflow, GetWorkflow},
    },
    wait,
};

use crate::exports::Service;

/// A call to make for the schema of the queue; see [`Step::Ask`](crate::Step::Ask).
#[must_use = "say what became of it"]
pub struct Ask {
    pub(crate) number: u64,
    pub(crate) call: Box<Call>,
    pub(crate) calls: CallOptions,
}

impl Ask {
    /// What to send.
    pub fn operation(&self) -> Call {
        (*self.call).clone()
    }

    /// The service that it is for, which has an endpoint of its own.
    pub fn service(&self) -> Service {
        match *self.call {
            Call::GetLogdbRepo(_) | Call::CreateLogdbRepo(_) | Call::UpdateLogdbRepo(_) => {
                Service::Logdb
            }
            Call::CreateTsdbRepo(_) | Call::CreateTsdbSeries(_) => Service::Tsdb,
            _ => Service::Pipeline,
        }
    }

    /// The options to send it with. The call makes a single attempt: it is the shipper that tries again.
    pub fn options(&self) -> CallOptions {
        self.calls.clone().retry(RetryPolicy::none())
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("number", &self.number)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// What a [`Call`] brought.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reply {
    /// Nothing but that it was done.
    Done,
    /// The queue.
    Repo(Box<RepoSpec>),
    /// The workflow.
    Workflow(Box<Workflow>),
    /// The state of a workflow that is waited for.
    State(Box<WorkflowState>),
    /// The exports of the queue.
    Exports(Vec<ExportSpec>),
    /// A repo of LogDB.
    Logdb(Box<LogdbRepo>),
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self::Done
    }
}

impl From<RepoSpec> for Reply {
    fn from(repo: RepoSpec) -> Self {
        Self::Repo(Box::new(repo))
    }
}

impl From<Vec<ExportSpec>> for Reply {
    fn from(exports: Vec<ExportSpec>) -> Self {
        Self::Exports(exports)
    }
}

impl From<LogdbRepo> for Reply {
    fn from(repo: LogdbRepo) -> Self {
        Self::Logdb(Box::new(repo))
    }
}

impl From<Workflow> for Reply {
    fn from(workflow: Workflow) -> Self {
        Self::Workflow(Box::new(workflow))
    }
}

impl From<Option<WorkflowState>> for Reply {
    fn from(state: Option<WorkflowState>) -> Self {
        state.map_or(Self::Done, |state| Self::State(Box::new(state)))
    }
}

/// Makes the type that is any one of these operations, and is sent as that one. Their outputs become a [`Reply`].
macro_rules! calls {
    ($($(#[$about:meta])+ $Call:ident($Operation:ty);)+) => {
        /// One of the calls that a shipper makes for the schema of a queue. As an [`Operation`] it is the one that it
        /// holds.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub enum Call {
            $($(#[$about])+ $Call($Operation),)+
        }

        $(impl From<$Operation> for Call {
            fn from(operation: $Operation) -> Self {
                Self::$Call(operation)
            }
        })+

        impl Operation for Call {
            type Output = Reply;

            /// Of no request; each has its [`name`](Operation::name).
            const NAME: &'static str = "keep_schema";

            /// Of the least harmless; each has its [`idempotency`](Operation::idempotency).
            const IDEMPOTENCY: Idempotency = Idempotency::Never;

            fn name(&self) -> &'static str {
                match self { $(Self::$Call(operation) => operation.name(),)+ }
            }

            fn subject(&self) -> Subject {
                match self { $(Self::$Call(operation) => operation.subject(),)+ }
            }

            fn idempotency(&self) -> Idempotency {
                match self { $(Self::$Call(operation) => operation.idempotency(),)+ }
            }

            fn template(&self) -> Result<RequestTemplate, BuildError> {
                match self { $(Self::$Call(operation) => operation.template(),)+ }
            }

            fn is_success(&self, status: StatusCode) -> bool {
                match self { $(Self::$Call(operation) => operation.is_success(status),)+ }
            }

            fn decode(&self, response: &Response<Bytes>) -> Result<Reply, DecodeError> {
                match self { $(Self::$Call(operation) => operation.decode(response).map(Reply::from),)+ }
            }

            fn accepts(&self, error: &ApiError) -> Option<Reply> {
                match self { $(Self::$Call(operation) => operation.accepts(error).map(Reply::from),)+ }
            }

            fn done_before(&self, error: &ApiError) -> Option<Reply> {
                match self { $(Self::$Call(operation) => operation.done_before(error).map(Reply::from),)+ }
            }

            fn fallback(&self) -> Option<Self> {
                match self { $(Self::$Call(operation) => operation.fallback().map(Self::$Call),)+ }
            }
        }
    };
}

calls! {
    /// Shows the queue.
    GetRepo(GetRepo);
    /// Makes the queue.
    CreateRepo(CreateRepo);
    /// Replaces its schema.
    UpdateRepo(UpdateRepo);
    /// Shows the workflow that the queue is to be made in.
    GetWorkflow(GetWorkflow);
    /// Makes that workflow.
    CreateWorkflow(CreateWorkflow);
    /// Looks at a workflow, stops it or starts it.
    Watch(wait::Ask<WorkflowName>);
    /// Lists the exports of the queue.
    ListExports(ListExports);
    /// Makes an export.
    CreateExport(CreateExport);
    /// Changes one.
    UpdateExport(UpdateExport);
    /// Shows a repo of LogDB.
    GetLogdbRepo(GetLogdbRepo);
    /// Makes one.
    CreateLogdbRepo(CreateLogdbRepo);
    /// Adds fields to one.
    UpdateLogdbRepo(UpdateLogdbRepo);
    /// Makes a repo of TSDB.
    CreateTsdbRepo(CreateTsdbRepo);
    /// Makes a series in it.
    CreateTsdbSeries(CreateTsdbSeries);
}
