//! What can be asked.

use std::time::{Duration, SystemTime};

use http::Method;
use proptest::{option, prelude::*, sample::select};

use super::{graph::nodes, node_name, region, text, workflow_name};
use crate::{
    TokenDescriptor, UnixTime,
    model::NodeType,
    operation::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs,
        StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
};

/// One of the operations. It is none itself, because each has an output of its own type: match it.
///
/// A match needs no wildcard, so that an operation that is added later is not passed over.
///
/// ```
/// use pipeline_proto::Idempotency;
/// use pipeline_proto::operation::Operation;
/// use pipeline_proto::strategies::AnyOperation;
///
/// fn idempotency(operation: &AnyOperation) -> Idempotency {
///     fn of<O: Operation>(_: &O) -> Idempotency {
///         O::IDEMPOTENCY
///     }
///     match operation {
///         AnyOperation::Create(operation) => of(operation),
///         AnyOperation::Update(operation) => of(operation),
///         AnyOperation::List(operation) => of(operation),
///         AnyOperation::Get(operation) => of(operation),
///         AnyOperation::Status(operation) => of(operation),
///         AnyOperation::Start(operation) => of(operation),
///         AnyOperation::Stop(operation) => of(operation),
///         AnyOperation::Delete(operation) => of(operation),
///         AnyOperation::Search(operation) => of(operation),
///     }
/// }
/// # let start = pipeline_proto::operation::StartWorkflow::new("w".parse().unwrap());
/// # assert_eq!(idempotency(&AnyOperation::Start(start)), Idempotency::Never);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum AnyOperation {
    /// Create a workflow.
    Create(CreateWorkflow),
    /// Replace the graph of a workflow.
    Update(UpdateWorkflow),
    /// List all workflows.
    List(ListWorkflows),
    /// Show a workflow.
    Get(GetWorkflow),
    /// Show the status of a workflow.
    Status(GetWorkflowStatus),
    /// Start a workflow.
    Start(StartWorkflow),
    /// Stop a workflow.
    Stop(StopWorkflow),
    /// Delete a workflow.
    Delete(DeleteWorkflow),
    /// Search the logs of a workflow.
    Search(SearchLogs),
}

/// Every operation, with input of any kind.
pub fn any_operation() -> impl Strategy<Value = AnyOperation> {
    // Boxed, because this goes into the unions and tuples of whole tests.
    prop_oneof![
        list_workflows().prop_map(AnyOperation::List),
        get_workflow().prop_map(AnyOperation::Get),
        get_workflow_status().prop_map(AnyOperation::Status),
        create_workflow().prop_map(AnyOperation::Create),
        update_workflow().prop_map(AnyOperation::Update),
        start_workflow().prop_map(AnyOperation::Start),
        stop_workflow().prop_map(AnyOperation::Stop),
        delete_workflow().prop_map(AnyOperation::Delete),
        search_logs().prop_map(AnyOperation::Search),
    ]
    .boxed()
}

/// Creations, with a comment or without one.
pub fn create_workflow() -> impl Strategy<Value = CreateWorkflow> {
    (workflow_name(), region(), option::of(text())).prop_map(|(name, region, comment)| {
        CreateWorkflow {
            name,
            region,
            comment,
        }
    })
}

/// Updates with a legal graph.
pub fn update_workflow() -> impl Strategy<Value = UpdateWorkflow> {
    (workflow_name(), region(), nodes())
        .prop_map(|(name, region, nodes)| UpdateWorkflow::new(name, nodes).region(region))
}

/// The one list operation.
pub fn list_workflows() -> impl Strategy<Value = ListWorkflows> {
    Just(ListWorkflows::new())
}

/// Looks at a workflow.
pub fn get_workflow() -> impl Strategy<Value = GetWorkflow> {
    workflow_name().prop_map(GetWorkflow::new)
}

/// Looks at the status of a workflow.
pub fn get_workflow_status() -> impl Strategy<Value = GetWorkflowStatus> {
    workflow_name().prop_map(GetWorkflowStatus::new)
}

/// Starts.
pub fn start_workflow() -> impl Strategy<Value = StartWorkflow> {
    workflow_name().prop_map(StartWorkflow::new)
}

/// Stops.
pub fn stop_workflow() -> impl Strategy<Value = StopWorkflow> {
    workflow_name().prop_map(StopWorkflow::new)
}

/// Deletions.
pub fn delete_workflow() -> impl Strategy<Value = DeleteWorkflow> {
    workflow_name().prop_map(DeleteWorkflow::new)
}

/// Searches, for everything and for one node, with a span of time and without one.
pub fn search_logs() -> impl Strategy<Value = SearchLogs> {
    let node = option::of((select(NodeType::KNOWN), node_name(), node_name()));
    let moment = || {
        option::of(
            (0..4_102_444_800_u64).prop_map(|s| SystemTime::UNIX_EPOCH + Duration::from_secs(s)),
        )
    };
    let what = (workflow_name(), region(), text(), any::<u32>());
    (what, node, moment(), moment()).prop_map(|((name, region, query, size), node, from, until)| {
        let mut search = SearchLogs::new(name).region(region).query(query).size(size);
        if let Some((node_type, node, repo)) = node {
            search = search.node(node_type, node).repo(repo);
        }
        (search.from, search.until) = (from, until);
        search
    })
}

/// What a token can permit, with text that JSON must escape.
pub fn token_descriptor() -> impl Strategy<Value = TokenDescriptor> {
    let method = select(vec![Method::GET, Method::POST, Method::PUT, Method::DELETE]);
    let resource = prop_oneof![
        "/v2/workflows/[a-zA-Z_][a-zA-Z0-9_]{0,11}(/start|/stop|/status)?",
        text(),
    ];
    let texts = (text(), text(), text());
    (method, resource, any::<i64>(), texts).prop_map(|(method, resource, expires, texts)| {
        let mut descriptor = TokenDescriptor::new(&method, resource, UnixTime::from_secs(expires));
        (
            descriptor.content_md5,
            descriptor.content_type,
            descriptor.headers,
        ) = texts;
        descriptor
    })
}
