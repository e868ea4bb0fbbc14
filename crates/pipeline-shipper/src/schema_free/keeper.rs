//! Keeps the schema of a queue: which calls to make so that it has the fields that records need.

mod replies;

use std::{sync::Arc, time::Duration};

use pipeline_proto::{
    Error, Now, Region, RepoName, WorkflowName,
    points::union,
    resource::{
        repo::{CreateRepo, GetRepo, RepoSpec, UpdateRepo},
        schema::SchemaEntry,
        workflow::{CreateWorkflow, GetWorkflow},
    },
    wait::{self, Goal, WaitError, WaitOptions, Waiter},
};

use super::maker::{Maker, News};
use crate::{
    ask::{Ask, Call},
    settings::{SchemaFree, Settings},
    verdict::Reason,
};

/// How often a field is added that is not there afterwards, before it is given up: somebody else takes it away.
const MOST_ROUNDS: u32 = 8;

/// How long a schema is taken for the one that there is, when records do not fit it; as the vendor's agent.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// How often a workflow is stopped for the same fields: somebody else starts it.
const MOST_STOPS: u32 = 8;

/// What the queue is, as far as it is known at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queue {
    Unread,
    Absent,
    There,
}

/// The workflow that the queue is to be made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Unread,
    Absent,
    There,
}

/// A call that is under way.
#[derive(Debug)]
enum Task {
    Get,
    GetWorkflow,
    CreateWorkflow,
    Create(Box<RepoSpec>),
    Update,
    Wait(Goal, Box<wait::Due>),
    Export,
}

/// A workflow that is being stopped or started.
#[derive(Debug)]
enum Wait {
    Due(Box<wait::Due>),
    Paused(Box<wait::Pause>, Duration),
}

/// What a reply has changed.
#[derive(Debug)]
pub(crate) enum Turn {
    Nothing,
    /// The queue was changed, and is to be read.
    Written,
    /// The queue is another than it was. Whether it was changed here.
    Changed(bool),
    /// The queue was read, and is as before.
    Same,
    /// It is tried again after this delay.
    Failed(Arc<Error>, Duration),
    /// What is wanted cannot be had.
    Refused(Reason),
    /// The workflow that was stopped does not start.
    NotStarted(WaitError),
    /// What has become of exports.
    Exports(Vec<News>),
}

#[derive(Debug)]
pub(crate) struct Keeper {
    repo: RepoName,
    queue: Queue,
    /// The queue as it was read, while it is there.
    seen: Option<RepoSpec>,
    /// Its fields, none of them required that has a tag.
    checked: Vec<SchemaEntry>,
    /// When it was read.
    seen_at: Duration,
    /// The queue, also when it is gone: with it, it is made again.
    last: Option<RepoSpec>,
    /// All fields that it has had: points that are under way may have them.
    had: Vec<SchemaEntry>,
    flow: Flow,
    /// The fields that are to be there, apart from those that are.
    wanted: Vec<SchemaEntry>,
    /// Whether somebody waits for the queue to be known, and to have what is wanted.
    is_needed: bool,
    /// Whether the queue is made if it is not there.
    may_make: bool,
    /// Whether it was changed here since it was read.
    is_ours: bool,
    under_way: Option<(u64, Task)>,
    asked: u64,
    wait: Option<(Goal, Wait)>,
    /// The workflow that the queue is in, and how often it was stopped for what is wanted.
    stops: Option<(WorkflowName, u32)>,
    /// The workflow that has to be started, since it was stopped or made here.
    owed: Option<WorkflowName>,
    /// What is made after the schema has changed. Data does not wait for it.
    exports: Maker,
    failures: u32,
    rounds: u32,
    /// How often the schema was written.
    writes: u32,
    not_before: Duration,
}

/// What is wanted.
impl Keeper {
    pub(crate) fn new(repo: RepoName, options: &SchemaFree) -> Self {
        let exports = Maker::new(repo.clone(), &options.exports, &options.services);
        Self {
            repo,
            queue: Queue::Unread,
            seen: None,
            checked: Vec::new(),
            seen_at: Duration::ZERO,
            last: None,
            had: Vec::new(),
            flow: Flow::Unread,
            wanted: Vec::new(),
            is_needed: false,
            may_make: false,
            is_ours: false,
            under_way: None,
            asked: 0,
            wait: None,
            stops: None,
            owed: None,
            exports,
            failures: 0,
            rounds: 0,
            writes: 0,
            not_before: Duration::ZERO,
        }
    }

    /// The fields of the queue, as they were read last, unless it is known to be gone.
    pub(crate) fn schema(&self) -> Option<&[SchemaEntry]> {
        self.seen.as_ref().map(|_| &*self.checked)
    }

    /// Whether it was read so long ago that it is worth a look what has become of it.
    pub(crate) fn is_old(&self, now: Duration) -> bool {
        self.seen.is_some() && now.saturating_sub(self.seen_at) >= LOOK_AGAIN
    }

    /// The fields that a queue would have that is made now, if it is known that there is none.
    pub(crate) fn schema_to_make(&self, options: &SchemaFree) -> Option<Vec<SchemaEntry>> {
        (self.queue == Queue::Absent).then(|| self.all_wanted(options))
    }

    /// Whether it is busy with what was wanted.
    pub(crate) fn is_busy(&self) -> bool {
        self.is_needed && (self.queue != Queue::Absent || self.may_make)
    }

    pub(crate) fn writes(&self) -> u32 {
        self.writes
    }

    /// Reads the queue, also if it was read before: it may be another.
    pub(crate) fn read(&mut self) {
        self.queue = Queue::Unread;
        self.is_needed = true;
    }

    /// Wants these fields in the queue, and the queue.
    pub(crate) fn want(&mut self, fields: Vec<SchemaEntry>) {
        self.wanted = fields;
        (self.is_needed, self.may_make) = (true, true);
        (self.rounds, self.stops) = (0, None);
        if self.queue == Queue::There {
            // The schema is replaced as a whole, so it has to be the present one that grows.
            self.queue = Queue::Unread;
        }
    }

    /// The queue may not have all the fields that it had: sees to it that it has.
    pub(crate) fn restore(&mut self) {
        let wanted = union(&self.had, &self.wanted);
        if self.is_busy() {
            self.wanted = wanted;
        } else {
            self.want(wanted);
        }
        self.queue = Queue::Unread;
    }

    /// The queue is gone: makes it once more, with the fields that it had.
    pub(crate) fn lost(&mut self) {
        if self.seen.take().is_some() || !self.is_busy() {
            self.restore();
        }
    }

    /// Whether nothing is left to be done, apart from what is wanted.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.owed.is_none() && !self.exports.is_busy() && self.under_way.is_none()
    }

    /// The workflow that has to be started.
    pub(crate) fn owed(&self) -> Option<&WorkflowName> {
        self.owed.as_ref()
    }

    /// Calls nothing any more, and gives the workflow that stays stopped.
    pub(crate) fn abandon(&mut self) -> Option<WorkflowName> {
        (self.is_needed, self.wait, self.under_way) = (false, None, None);
        self.exports.abandon();
        self.owed.take()
    }

    /// Does not wait for the end of a back-off.
    pub(crate) fn hurry(&mut self, now: Duration) {
        self.not_before = self.not_before.min(now);
    }

    /// When what is wanted is tried again, if it is not being tried.
    pub(crate) fn paused_until(&self) -> Duration {
        if self.under_way.is_some() {
            return Duration::ZERO;
        }
        match self.wait {
            Some((_, Wait::Paused(_, at))) => at,
            _ => self.not_before,
        }
    }

    fn all_wanted(&self, options: &SchemaFree) -> Vec<SchemaEntry> {
        union(&union(&self.had, &options.spec.schema), &self.wanted)
    }
}

/// Which calls to make.
impl Keeper {
    /// The next call, or when there may be one.
    pub(crate) fn poll(
        &mut self,
        settings: &Settings,
        options: &SchemaFree,
        now: Now,
    ) -> Result<Ask, Option<Duration>> {
        if self.under_way.is_some() {
            return Err(None);
        }
        let (task, call) = self.task(settings, options, now)?;
        self.asked += 1;
        self.under_way = Some((self.asked, task));
        Ok(Ask {
            number: self.asked,
            call: Box::new(call),
            calls: settings.calls.clone(),
        })
    }

    fn task(
        &mut self,
        settings: &Settings,
        options: &SchemaFree,
        now: Now,
    ) -> Result<(Task, Call), Option<Duration>> {
        loop {
            match self.wait.take() {
                Some((goal, Wait::Due(due))) => {
                    let call = due.operation();
                    if matches!(call, wait::Ask::Stop(_)) {
                        // Whatever comes of it: what one stops, one starts.
                        self.owed = self.stops.as_ref().map(|(name, _)| name.clone());
                    }
                    return Ok((Task::Wait(goal, due), call.into()));
                }
                Some((goal, Wait::Paused(pause, at))) => {
                    if at > now.mono {
                        self.wait = Some((goal, Wait::Paused(pause, at)));
                        return Err(Some(at));
                    }
                    self.go_on(goal, pause.resume(), settings, now);
                    continue;
                }
                None => {}
            }
            if (self.is_busy() || self.owed.is_some()) && self.not_before > now.mono {
                return Err(Some(self.not_before));
            }
            if self.is_busy() {
                return Ok(self.task_of_queue(options));
            }
            if let Some(call) = self.exports.next(now.mono) {
                return Ok((Task::Export, call));
            }
            let workflow = self.owed.clone().ok_or(self.exports.retry_at())?;
            let step = Waiter::ensure(workflow, Goal::Started, WaitOptions::default(), now);
            self.go_on(Goal::Started, step, settings, now);
        }
    }

    fn task_of_queue(&self, options: &SchemaFree) -> (Task, Call) {
        let repo = self.repo.clone();
        let present = match (self.queue, &self.seen) {
            (Queue::Absent, _) => return self.task_of_absent(options),
            (Queue::There, Some(present)) => present,
            (Queue::Unread, _) | (Queue::There, None) => {
                return (Task::Get, GetRepo::new(repo).into());
            }
        };
        let mut spec = as_written(present);
        spec.schema = union(&present.schema, &self.wanted);
        (Task::Update, UpdateRepo::new(repo, spec).into())
    }

    fn task_of_absent(&self, options: &SchemaFree) -> (Task, Call) {
        if let Some(name) = options.workflow.clone() {
            match self.flow {
                Flow::Unread => return (Task::GetWorkflow, GetWorkflow::new(name).into()),
                Flow::Absent => {
                    let mut create = CreateWorkflow::new(name);
                    create.region = options
                        .spec
                        .region
                        .as_ref()
                        .and_then(|region| Region::try_from(region).ok());
                    return (Task::CreateWorkflow, create.into());
                }
                Flow::There => {}
            }
        }
        let mut spec = as_written(self.last.as_ref().unwrap_or(&options.spec));
        spec.schema = self.all_wanted(options);
        if let Some(workflow) = &options.workflow {
            spec.workflow = Some(workflow.clone().into());
        }
        let create = CreateRepo::new(self.repo.clone(), spec.clone());
        (Task::Create(Box::new(spec)), create.into())
    }
}

/// A queue as it was read, without what is only read.
fn as_written(repo: &RepoSpec) -> RepoSpec {
    let mut spec = repo.clone();
    (spec.name, spec.derived_from, spec.from_dag, spec.perms) = (None, None, None, None);
    spec
}
