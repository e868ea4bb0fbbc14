use std::{collections::BTreeMap, thread, time::Duration};

use clap::Args;
use pipeline_graph::draw::{Charset, Picture};
use pipeline_proto::{
    ErrorKind, WorkflowName,
    model::{NodeId, Nodes, Status, WorkflowState},
    operation::{GetWorkflow, GetWorkflowStatus},
    wait::Goal,
};
use serde::Serialize;

use crate::{
    duration,
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{self, Format, note, plain},
    remote::By,
    terminal::Screen,
};

/// Show a workflow with the statuses of its nodes, as they change
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow watch nginx_logs
  pipeline workflow watch nginx_logs --for started
  pipeline workflow watch nginx_logs -o json | while read -r change; do …; done

On a terminal, the picture is painted over; elsewhere, each change is a line, with -o json a JSON \
object of its own. Ends with Ctrl-C, when the workflow is gone, or with --for as `wait` does.")]
pub(crate) struct Watch {
    /// Name of the workflow
    name: WorkflowName,

    /// End when it is started, stopped or deleted, or cannot be, or after --timeout [default: 5m]
    #[arg(long = "for", value_name = "STATE")]
    goal: Option<Goal>,

    /// How often to look, without --for
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_timeout, default_value = "1s")]
    interval: Duration,
}

impl Watch {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self {
            name,
            goal,
            interval,
        } = self;
        let remote = global.remote()?;
        let workflow = remote.send(GetWorkflow::new(name.clone()))?;
        let mut view = View::new(&name, workflow.nodes.unwrap_or_default(), global.format());
        if let Some(goal) = goal {
            let mut shown = Ok(());
            let result = remote.wait_watching(&name, goal, By::Looking, |observation| {
                if let Some(state) = &observation.state
                    && shown.is_ok()
                {
                    shown = view.show(state);
                }
            });
            shown?;
            result?;
            return Ok(Exit::Done);
        }
        loop {
            match remote.try_send(GetWorkflowStatus::new(name.clone())) {
                Ok(state) => view.show(&state)?,
                Err(error) if error.is_retryable() && error.kind() != ErrorKind::NotFound => {
                    note(remote.failure(&error, Some(name.clone())));
                }
                Err(error) => return Err(remote.failure(&error, Some(name.clone()))),
            }
            if view.is_done() {
                return Ok(Exit::Done);
            }
            thread::sleep(interval);
        }
    }
}

/// What was shown last, and how.
struct View<'a> {
    name: &'a WorkflowName,
    nodes: Nodes,
    format: Format,
    screen: Option<Screen>,
    /// By node; the workflow's own under the empty id.
    seen: BTreeMap<String, Status>,
    closed: bool,
}

#[derive(Serialize)]
struct ChangeLine<'a> {
    name: &'a str,
    /// None for the workflow itself.
    node: Option<&'a str>,
    status: &'a str,
}

impl<'a> View<'a> {
    fn new(name: &'a WorkflowName, nodes: Nodes, format: Format) -> Self {
        Self {
            name,
            nodes,
            screen: Screen::new().filter(|_| format.is_for_people()),
            format,
            seen: BTreeMap::new(),
            closed: false,
        }
    }

    /// Whether nobody reads any more.
    fn is_done(&self) -> bool {
        self.closed
    }

    fn show(&mut self, state: &WorkflowState) -> Result<(), Failure> {
        if let Some(screen) = &mut self.screen {
            let picture = Picture::new(&self.nodes)
                .title(self.name.as_str())
                .state(state);
            return screen.paint(&picture.tree(Charset::Unicode));
        }
        let nodes = state.nodes.iter().map(|node| {
            let id = NodeId::of(&node.name, &node.node_type);
            (id.as_str().to_owned(), &node.status)
        });
        for (id, status) in std::iter::once((String::new(), &state.status)).chain(nodes) {
            if self.seen.get(&id) != Some(status) {
                let line = self.line(&id, status)?;
                self.closed |= !output::line(&line)?;
                self.seen.insert(id, status.clone());
            }
        }
        Ok(())
    }

    fn line(&self, id: &str, status: &Status) -> Result<String, Failure> {
        let name = self.name.as_str();
        let json = || {
            let change = ChangeLine {
                name,
                node: Some(id).filter(|id| !id.is_empty()),
                status: status.as_str(),
            };
            output::document(&change)
        };
        Ok(match self.format {
            Format::Json => json()?,
            // JSON on one line is YAML, and three dashes begin a document.
            Format::Yaml => format!("--- {}", json()?),
            Format::Name if id.is_empty() => name.to_owned(),
            Format::Name => plain(id),
            Format::Table | Format::Wide if id.is_empty() => {
                format!("{name}  {}", plain(status.as_str()))
            }
            Format::Table | Format::Wide => {
                format!("{name}/{}  {}", plain(id), plain(status.as_str()))
            }
        })
    }
}
