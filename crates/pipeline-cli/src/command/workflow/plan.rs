//! What has to be done for a workflow to become what a file says, and doing it step by step.

use std::fmt;

use clap::Args;
use pipeline_graph::{
    Definition, Graph,
    diff::{self, Change, Diff},
};
use pipeline_proto::{
    Region, WorkflowName,
    model::{NodeId, Status, Workflow},
    resource::workflow::{CreateWorkflow, StartWorkflow, UpdateWorkflow},
    wait::Goal,
};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    interrupt,
    output::{note, plain},
    remote::{By, Remote, Show},
    terminal::{self, StatusLine},
};

/// So many things that go are named in a question at most.
const MOST_LOSSES: usize = 10;

/// A step that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    Create,
    Stop,
    Update,
    Start,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Stop => "stop",
            Self::Update => "update",
            Self::Start => "start",
        })
    }
}

/// What the user allows.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Allowed {
    /// Wait for a workflow that is stopping, and until it is started again
    #[arg(short, long)]
    wait: bool,

    /// If the workflow runs and has to be changed, stop it and start it again
    #[arg(long)]
    restart: bool,

    /// Start the workflow afterwards, whether it ran before or not
    #[arg(long)]
    start: bool,
}

/// The steps, in their order, and the difference that they make.
pub(super) struct Plan {
    name: WorkflowName,
    /// The name as it is written, for what is shown.
    label: String,
    region: Region,
    definition: Definition,
    pub(super) diff: Diff,
    pub(super) steps: Vec<Step>,
    /// Why the steps cannot be taken, if they cannot.
    pub(super) obstacle: Option<Failure>,
    allowed: Allowed,
    /// Whether it is on its way already to where it shall end.
    starting: bool,
}

impl Plan {
    /// Compares what is wanted with what is there.
    pub(super) fn new(
        name: WorkflowName,
        region: Region,
        definition: Definition,
        there: Option<&Workflow>,
        allowed: Allowed,
    ) -> Self {
        let mut plan = Self {
            name,
            label: definition.written().name.clone(),
            region,
            definition,
            diff: Diff::default(),
            steps: Vec::new(),
            obstacle: None,
            allowed,
            starting: false,
        };
        match there {
            Some(workflow) => plan.change(workflow),
            None => plan.make(),
        }
        plan
    }

    /// Whether it can be started if it is wanted; says so if it cannot.
    fn starts(&self, wanted: bool) -> bool {
        let startable = || Graph::new(&self.definition.nodes).is_ok_and(|graph| graph.can_start());
        let starts = wanted && startable();
        if wanted && !starts {
            note(format_args!(
                "{} will not be started: it has no transform, export or exportBatch",
                self.label
            ));
        }
        starts
    }

    fn make(&mut self) {
        self.diff = diff::diff(&Definition::default(), &self.definition);
        self.steps.push(Step::Create);
        if !self.definition.nodes.is_empty() {
            self.steps.push(Step::Update);
        }
        if self.starts(self.allowed.start) {
            self.steps.push(Step::Start);
        }
    }

    fn change(&mut self, workflow: &Workflow) {
        let old = Definition::from(workflow);
        if old.region.is_empty() {
            // The service does not tell it.
            self.definition.region.clear();
        } else if old.region != self.definition.region {
            self.obstacle = Some(Failure::new(
                Exit::Conflict,
                format!(
                    "{} is in region {}, the file says {}: a workflow cannot be moved; correct the \
                     file, or delete the workflow first",
                    self.label,
                    old.region,
                    self.definition.written().region
                ),
            ));
        }
        if old.comment != self.definition.comment {
            if !self.definition.comment.is_empty() {
                note("the comment differs and stays: no request can change it");
            }
            self.definition.comment.clone_from(&old.comment);
        }
        self.diff = diff::diff(&old, &self.definition);
        let status = &workflow.status;
        let runs = matches!(status, Status::Started | Status::Starting);
        let leaves = runs || *status == Status::Stopping;
        if !self.diff.is_empty() {
            if leaves {
                self.steps.push(Step::Stop);
                self.obstacle = self.obstacle.take().or_else(|| self.refusal(status));
            }
            self.steps.push(Step::Update);
        }
        let changes = !self.steps.is_empty();
        let again = self.allowed.restart && runs && changes;
        let runs_on = runs && !changes;
        if !runs_on && self.starts(again || self.allowed.start) {
            if !changes && leaves {
                // It is stopping already; what is left is to wait for it.
                self.steps.push(Step::Stop);
            }
            self.steps.push(Step::Start);
        }
        let concerned = self.allowed.restart || self.allowed.start;
        self.starting = concerned && runs_on && *status == Status::Starting;
    }

    /// Why a workflow in this state must not be changed.
    fn refusal(&self, status: &Status) -> Option<Failure> {
        let Allowed { restart, wait, .. } = self.allowed;
        let how = match status {
            Status::Stopping if !(wait || restart) => {
                "wait until it is, or repeat the command with --wait"
            }
            Status::Started | Status::Starting if !restart => {
                "repeat the command with --restart to stop it, change it and start it again"
            }
            _ => return None,
        };
        let name = &self.label;
        let line =
            format!("{name} is {status}, and can be changed only while it is stopped: {how}");
        Some(Failure::new(Exit::Conflict, line))
    }

    /// Does it, and says in one line what was done. A failure says what is not.
    /// `rest` names what comes after it.
    pub(super) fn carry_out(&self, remote: &Remote, rest: &str) -> Result<(), Failure> {
        let rest = if rest.is_empty() {
            String::new()
        } else {
            format!("; not begun: {rest}")
        };
        let mut line = StatusLine::new();
        for (at, step) in self.steps.iter().enumerate() {
            line.show(format_args!("{}: {step}", self.label));
            let left = self.left(at);
            interrupt::task(format!("the {step} was under way; {left}{rest}"));
            self.take(*step, remote)
                .map_err(|failure| failure.and(self.left(at)))?;
        }
        interrupt::task("");
        if self.steps.is_empty() && self.starting && self.allowed.wait {
            remote.wait(&self.name, Goal::Started, By::Looking, Show::Line)?;
        }
        line.clear();
        if !self.steps.is_empty() {
            let done = |step: &Step| match step {
                Step::Create => "created",
                Step::Stop => "stopped",
                Step::Update => "updated",
                Step::Start if self.allowed.wait => "started",
                Step::Start => "starting",
            };
            let done: Vec<&str> = self.steps.iter().map(done).collect();
            note(format_args!("{}: {}", self.label, done.join(", ")));
        }
        Ok(())
    }

    fn take(&self, step: Step, remote: &Remote) -> Result<(), Failure> {
        let name = &self.name;
        match step {
            Step::Create => {
                let mut create = CreateWorkflow::new(name.clone()).region(self.region.clone());
                if !self.definition.comment.is_empty() {
                    create = create.comment(self.definition.comment.clone());
                }
                remote.send(create)
            }
            Step::Stop => {
                let by = if self.allowed.restart {
                    By::Acting
                } else {
                    By::Looking
                };
                remote.wait(name, Goal::Stopped, by, Show::Line).map(|_| ())
            }
            Step::Update => {
                let update = UpdateWorkflow::new(name.clone(), self.definition.nodes.clone());
                remote.send(update.region(self.region.clone()))
            }
            Step::Start if self.allowed.wait => remote
                .wait(name, Goal::Started, By::Acting, Show::Line)
                .map(|_| ()),
            Step::Start => remote.send(StartWorkflow::new(name.clone())),
        }
    }

    /// What was done before a step, what was not done from it on, and how to go on.
    fn left(&self, at: usize) -> String {
        let list = |steps: &[Step]| {
            let words: Vec<String> = steps.iter().map(ToString::to_string).collect();
            words.join(", ")
        };
        let (done, open) = self.steps.split_at(at);
        // It may be stopped by now, and --restart alone leaves one that is stopped as it is.
        let restarts = self.steps[..=at].contains(&Step::Stop) && self.steps.contains(&Step::Start);
        let again = if restarts && !self.allowed.start {
            "the same command again, with --start, does the rest"
        } else {
            "the same command again does the rest"
        };
        let done = if done.is_empty() {
            "nothing".to_owned()
        } else {
            list(done)
        };
        format!(
            "of the plan for {}, done: {done}; not finished: {}; {again}",
            self.label,
            list(open)
        )
    }
}

/// The nodes that go, and the edges between those that stay.
fn losses(diff: &Diff) -> Option<String> {
    let removed = |change| change == Change::Removed;
    let nodes = diff.nodes.iter().filter(|node| removed(node.change));
    let nodes: Vec<&NodeId> = nodes.map(|node| &node.node).collect();
    let edges = diff.edges.iter().filter(|edge| {
        let gone = nodes.contains(&&edge.parent) || nodes.contains(&&edge.child);
        removed(edge.change) && !gone
    });
    let id = |id: &NodeId| plain(id.as_str());
    let edges = edges.map(|edge| format!("edge {} -> {}", id(&edge.parent), id(&edge.child)));
    let nodes = nodes.iter().map(|node| format!("node {}", id(node)));
    let mut losses: Vec<String> = nodes.chain(edges).collect();
    let more = losses.len().saturating_sub(MOST_LOSSES);
    losses.truncate(MOST_LOSSES);
    losses.extend((more > 0).then(|| format!("and {more} more")));
    (!losses.is_empty()).then(|| losses.join(", "))
}

/// Asks before nodes and edges are removed from workflows.
pub(super) fn confirm_losses<'a>(
    changes: impl IntoIterator<Item = (&'a str, &'a Diff)>,
    yes: bool,
) -> Result<(), Failure> {
    let losses = changes
        .into_iter()
        .filter_map(|(name, diff)| Some(format!("{} from {name}", losses(diff)?)));
    let losses: Vec<String> = losses.collect();
    if losses.is_empty() {
        return Ok(());
    }
    terminal::confirm(&format!("Remove {}?", losses.join("; ")), yes)
}
