//! The nodes of a workflow, put together by a program.
//!
//! ```
//! use pipeline_graph::Graph;
//! use pipeline_proto::WorkflowName;
//! use pipeline_proto::resource::{export::KodoTarget, schema::Schema, workflow::UpdateWorkflow};
//!
//! let clean: Schema = "ip string, *at date".parse()?;
//! let nodes = Graph::builder()
//!     .repo("clicks", "ip string, *at date, tags array(string), geo map{lat float, lon float}")
//!     .transform("clean", "select ip, at from stream").from("clicks").to("clean_clicks")
//!     .repo("clean_clicks", clean.clone())
//!     .export("save", KodoTarget::new("archive", clean.mapping())).from("clean_clicks")
//!     .build()?;
//!
//! assert_eq!(nodes["clean-transform"].parents[0].name, "clicks");
//! assert_eq!(nodes["clicks-repo"].children[0].name, "clean");
//! let update = UpdateWorkflow::new(WorkflowName::new("clicks")?, nodes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use pipeline_proto::{
    model::{Node, NodeRef, NodeType, Nodes, RawJson},
    resource::{
        datasource::DatasourceSpec,
        export::ExportSpec,
        job::{JobSource, JobSpec},
        job_export::JobExportSpec,
        repo::RepoSpec,
        transform::TransformSpec,
    },
};
use serde::Serialize;

use crate::{
    finding::{Finding, Rule, Severity},
    graph::{GraphError, Side, complete_edges, may_feed},
    lint::lint_nodes,
};

/// Nodes and edges as they are named, in any order; [`build`](Self::build) joins and checks them.
///
/// Each node takes the spec that its resource has elsewhere, or what can be made into one: a repo also the
/// [short form of its schema](pipeline_proto::resource::schema::Schema), a transform also SQL, an export also its
/// target.
///
/// ```
/// use pipeline_graph::Graph;
///
/// let error = Graph::builder()
///     .repo("clicks", "ip strng")
///     .transform("clean", "select 1").from("click")
///     .build()
///     .unwrap_err();
/// assert_eq!(error.findings().len(), 3);
/// let first = r#"node "clicks-repo": column 4: 'strng' is not a type; known are "#;
/// assert!(error.to_string().starts_with(first) && error.to_string().ends_with("and 2 more faults"));
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct GraphBuilder {
    nodes: Vec<Node>,
    /// The ends that were said: of which node, on which side, and what is there.
    edges: Vec<(usize, Side, String)>,
    findings: Vec<Finding>,
}

impl GraphBuilder {
    /// Adds a message queue.
    pub fn repo(
        self,
        name: impl Into<String>,
        spec: impl TryInto<RepoSpec, Error: fmt::Display>,
    ) -> Self {
        self.typed(name.into(), NodeType::Repo, spec.try_into())
    }

    /// Adds a stream computation, which is [from](Self::from) one queue [to](Self::to) another.
    pub fn transform(self, name: impl Into<String>, spec: impl Into<TransformSpec>) -> Self {
        self.spec(name, NodeType::Transform, &spec.into())
    }

    /// Adds an export, which is [from](Self::from) a queue.
    pub fn export(self, name: impl Into<String>, spec: impl Into<ExportSpec>) -> Self {
        self.spec(name, NodeType::Export, &spec.into())
    }

    /// Adds a batch data source.
    pub fn datasource(self, name: impl Into<String>, spec: impl Into<DatasourceSpec>) -> Self {
        self.spec(name, NodeType::Datasource, &spec.into())
    }

    /// Adds a batch computation, which is [from](Self::from) datasources and jobs. If its spec has no sources, these
    /// become tables of the same name.
    pub fn job(self, name: impl Into<String>, spec: impl Into<JobSpec>) -> Self {
        self.spec(name, NodeType::Job, &spec.into())
    }

    /// Adds the export of a batch computation, which is [from](Self::from) a job.
    pub fn job_export(self, name: impl Into<String>, spec: impl Into<JobExportSpec>) -> Self {
        self.spec(name, NodeType::ExportBatch, &spec.into())
    }

    /// Adds a node of any kind.
    pub fn node(mut self, node: Node) -> Self {
        self.nodes.push(node);
        self
    }

    /// The node before this call reads from the one of this name.
    pub fn from(self, parent: impl Into<String>) -> Self {
        self.edge(Side::Parents, parent.into())
    }

    /// The node before this call writes to the one of this name.
    pub fn to(self, child: impl Into<String>) -> Self {
        self.edge(Side::Children, child.into())
    }

    /// The nodes with their edges at both ends, as `UpdateWorkflow` takes them.
    ///
    /// What is doubtful, and yet possible, is told by [`lint_nodes`].
    ///
    /// # Errors
    ///
    /// All findings of severity error.
    pub fn build(self) -> Result<Nodes, GraphError> {
        let mut findings = self.findings;
        let mut list = self.nodes;
        for (at, side, name) in self.edges {
            let own = &list[at].node_type;
            let fits = |other: &NodeType| match side {
                Side::Parents => may_feed(other, own),
                Side::Children => may_feed(own, other),
            };
            let there = list.iter().filter(|node| node.name == name);
            let mut types = there.map(|node| &node.node_type).chain(NodeType::KNOWN);
            let other = types.find(|other| fits(other)).cloned();
            // An export writes to no node; lint will say so.
            let reference = NodeRef::new(name, other.unwrap_or(NodeType::Repo));
            side.list(&mut list[at]).push(reference);
        }
        let mut nodes = Nodes::new();
        for node in list {
            let id = node.id();
            if nodes.insert(id.clone(), node).is_some() {
                let message = format!("there are two nodes {id:?}");
                findings.push(Finding::new(Rule::DuplicateNode, message).node(&id));
            }
        }
        complete_edges(&mut nodes);
        for job in nodes.values_mut() {
            if job.node_type == NodeType::Job {
                name_sources(job);
            }
        }
        findings.extend(lint_nodes(&nodes));
        findings.retain(|finding| finding.severity() == Severity::Error);
        if findings.is_empty() {
            Ok(nodes)
        } else {
            Err(GraphError::new(findings))
        }
    }

    fn spec<T: Serialize>(self, name: impl Into<String>, node_type: NodeType, spec: &T) -> Self {
        self.add(name.into(), node_type, RawJson::from_value(spec))
    }

    fn typed<T: Serialize, E: fmt::Display>(
        self,
        name: String,
        node_type: NodeType,
        spec: Result<T, E>,
    ) -> Self {
        match spec {
            Ok(spec) => self.spec(name, node_type, &spec),
            Err(error) => self.add(name, node_type, Err(error)),
        }
    }

    fn add(
        mut self,
        name: String,
        node_type: NodeType,
        data: Result<RawJson, impl fmt::Display>,
    ) -> Self {
        let mut node = Node::default();
        (node.name, node.node_type) = (name, node_type);
        match data {
            Ok(data) => node.data = Some(data),
            Err(error) => {
                let finding = Finding::new(Rule::MalformedValue, error.to_string());
                self.findings.push(finding.node(&node.id()));
            }
        }
        self.node(node)
    }

    fn edge(mut self, side: Side, name: String) -> Self {
        if let Some(last) = self.nodes.len().checked_sub(1) {
            self.edges.push((last, side, name));
        } else {
            let message = format!("an edge leads to {name:?} before there is a node");
            let finding = Finding::new(Rule::DanglingEdge, message);
            self.findings.push(finding);
        }
        self
    }
}

/// Makes what leads to a job its sources, unless it has some.
fn name_sources(job: &mut Node) {
    let spec = job.data.as_ref().map(RawJson::parse::<JobSpec>);
    let Some(Ok(mut spec)) = spec else { return };
    if spec.srcs.is_empty() {
        let sources = job
            .parents
            .iter()
            .map(|parent| JobSource::new(&*parent.name, parent.node_type.as_str(), &*parent.name));
        spec.srcs = sources.collect();
        job.data = RawJson::from_value(&spec).ok().or(job.data.take());
    }
}
