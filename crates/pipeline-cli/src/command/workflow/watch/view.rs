//! What is shown of the workflows: a frame that is painted over, or a line for each change.

use std::sync::Arc;

use pipeline_graph::draw::{Charset, Picture};
use pipeline_proto::{
    WorkflowName,
    model::{NodeId, Nodes, Status, WorkflowState},
};
use serde::Serialize;

use crate::{
    failure::Failure,
    lang::pick,
    options::Global,
    output::{self, Format, note, plain},
    terminal::{Row, Screen, is_watched},
};

/// In place of a status.
fn gone() -> &'static str {
    pick("gone", "已不存在")
}

pub(super) struct View {
    format: Format,
    screen: Option<Screen>,
    workflows: Vec<Workflow>,
    /// Nobody reads any more.
    closed: bool,
}

/// What was seen of a workflow last.
struct Workflow {
    name: WorkflowName,
    /// It is none of those that are shown any more.
    left: bool,
    state: Option<WorkflowState>,
    nodes: Arc<Nodes>,
    trouble: Option<String>,
    was_there: bool,
    /// By node, the workflow's own first and under the empty id; empty if it is not there.
    statuses: Vec<(String, Status)>,
    /// Shown if there is no state.
    instead: &'static str,
}

#[derive(Serialize)]
struct ChangeLine<'a> {
    name: &'a str,
    /// None for the workflow itself.
    node: Option<&'a str>,
    /// None if it is gone.
    status: Option<&'a str>,
}

impl View {
    pub(super) fn new(names: &[WorkflowName], global: &Global) -> Self {
        let format = global.format();
        // What the wire shows would be written into the frame.
        let paints = format.is_for_people() && !(global.debug_http && is_watched());
        let workflows = names.iter().cloned().map(Workflow::new);
        Self {
            format,
            screen: Screen::new().filter(|_| paints),
            workflows: workflows.collect(),
            closed: false,
        }
    }

    pub(super) fn is_painted(&self) -> bool {
        self.screen.is_some()
    }

    /// Whether nobody reads any more.
    pub(super) fn is_done(&self) -> bool {
        self.closed || !output::has_reader()
    }

    pub(super) fn was_there(&self, at: usize) -> bool {
        self.workflows[at].was_there
    }

    pub(super) fn never_seen(&self) -> impl Iterator<Item = &WorkflowName> {
        let never = self.workflows.iter().filter(|it| !it.was_there);
        never.map(|it| &it.name)
    }

    /// It is shown from now on.
    pub(super) fn came(&mut self, at: usize, name: WorkflowName) -> Result<(), Failure> {
        if at == self.workflows.len() {
            self.workflows.push(Workflow::new(name));
        }
        self.workflows[at].left = false;
        self.paint()
    }

    /// It is not shown any more.
    pub(super) fn left(&mut self, at: usize) -> Result<(), Failure> {
        self.workflows[at].left = true;
        self.workflows[at].statuses.clear();
        self.paint()
    }

    /// Paints anew if the terminal has another size.
    pub(super) fn refresh(&mut self) -> Result<(), Failure> {
        match &self.screen {
            Some(screen) if screen.is_resized() => self.paint(),
            _ => Ok(()),
        }
    }

    /// Lets something be written to stderr that stays above the frame.
    pub(super) fn above(&mut self, write: impl FnOnce()) -> Result<(), Failure> {
        if let Some(screen) = &mut self.screen {
            screen.wipe()?;
        }
        write();
        self.paint()
    }

    pub(super) fn trouble(&mut self, at: usize, text: String) -> Result<(), Failure> {
        let workflow = &mut self.workflows[at];
        if workflow.trouble.as_ref() != Some(&text) {
            if self.screen.is_none() {
                note(&text);
            }
            workflow.trouble = Some(text);
        }
        self.paint()
    }

    /// It is not looked at any more; what was seen last stays.
    pub(super) fn failed(&mut self, at: usize) -> Result<(), Failure> {
        self.workflows[at].instead = pick("failed", "失败");
        self.paint()
    }

    pub(super) fn gone(&mut self, at: usize) -> Result<(), Failure> {
        let workflow = &mut self.workflows[at];
        workflow.state = None;
        workflow.trouble = None;
        workflow.instead = gone();
        if self.screen.is_none() && !std::mem::take(&mut workflow.statuses).is_empty() {
            self.change(at, "", None)?;
        }
        self.paint()
    }

    pub(super) fn show(
        &mut self,
        at: usize,
        state: &WorkflowState,
        nodes: Arc<Nodes>,
    ) -> Result<(), Failure> {
        let workflow = &mut self.workflows[at];
        workflow.state = Some(state.clone());
        workflow.nodes = nodes;
        workflow.trouble = None;
        workflow.was_there = true;
        if self.screen.is_some() {
            return self.paint();
        }
        let nodes = state.nodes.iter().map(|node| {
            let id = NodeId::of(&node.name, &node.node_type);
            (id.as_str().to_owned(), node.status.clone())
        });
        let new = std::iter::once((String::new(), state.status.clone()));
        let new: Vec<_> = new.chain(nodes).collect();
        let old = std::mem::replace(&mut workflow.statuses, new.clone());
        for change in new.iter().filter(|status| !old.contains(status)) {
            self.change(at, &change.0, Some(&change.1))?;
        }
        for (id, _) in &old {
            if new.iter().all(|(known, _)| known != id) {
                self.change(at, id, None)?;
            }
        }
        Ok(())
    }

    fn paint(&mut self) -> Result<(), Failure> {
        let Some(screen) = &mut self.screen else {
            return Ok(());
        };
        let rows: Vec<Row> = self.workflows.iter().flat_map(Workflow::rows).collect();
        screen.paint(&rows)
    }

    /// Writes a line.
    fn change(&mut self, at: usize, id: &str, status: Option<&Status>) -> Result<(), Failure> {
        let name = self.workflows[at].name.as_str();
        let json = || {
            output::document(&ChangeLine {
                name,
                node: Some(id).filter(|id| !id.is_empty()),
                status: status.map(Status::as_str),
            })
        };
        let status = plain(status.map_or(gone(), Status::as_str));
        let line = match self.format {
            Format::Json => json()?,
            // JSON on one line is YAML, and three dashes begin a document.
            Format::Yaml => format!("--- {}", json()?),
            Format::Name if id.is_empty() => name.to_owned(),
            Format::Name => plain(id),
            Format::Table | Format::Wide if id.is_empty() => format!("{name}  {status}"),
            Format::Table | Format::Wide => format!("{name}/{}  {status}", plain(id)),
        };
        self.closed |= !output::line(&line)?;
        Ok(())
    }
}

impl Workflow {
    fn new(name: WorkflowName) -> Self {
        Self {
            name,
            left: false,
            state: None,
            nodes: Arc::default(),
            trouble: None,
            was_there: false,
            statuses: Vec::new(),
            instead: "…",
        }
    }

    fn rows(&self) -> Vec<Row> {
        if self.left {
            return Vec::new();
        }
        let row = |text: &str| Row {
            leads: true,
            name: text.to_owned(),
            ..Row::default()
        };
        let mut rows = Vec::new();
        if let Some(state) = &self.state {
            let picture = Picture::new(&self.nodes)
                .title(self.name.as_str())
                .state(state);
            let drawn = picture.rows(Charset::Unicode).into_iter().enumerate();
            rows.extend(drawn.map(|(at, row)| Row {
                leads: at == 0,
                indent: if at == 0 {
                    row.indent
                } else {
                    format!("  {}", row.indent)
                },
                name: row.name,
                about: row.about,
                status: row.status,
            }));
            // A graph that was read before or after the status may lack some.
            for node in &state.nodes {
                if !self
                    .nodes
                    .contains_key(&NodeId::of(&node.name, &node.node_type))
                {
                    rows.push(Row {
                        leads: false,
                        indent: "  ".to_owned(),
                        name: plain(&node.name),
                        about: plain(node.node_type.as_str()),
                        status: plain(node.status.as_str()),
                    });
                }
            }
        } else {
            rows.push(Row {
                status: self.instead.to_owned(),
                ..row(self.name.as_str())
            });
        }
        if let Some(trouble) = &self.trouble {
            rows.insert(1, row(&format!("! {}", plain(trouble))));
        }
        rows
    }
}
