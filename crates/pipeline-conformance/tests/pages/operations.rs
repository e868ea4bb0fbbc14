//! Operations of workflows, and a push, by the names that the pages give them.

use pipeline_proto::{
    Operation, RepoName, WorkflowName,
    model::Nodes,
    resource::push::PushPoints,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs,
        StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
};

/// Something to be done with an operation, whatever its type.
pub(crate) trait Visitor {
    type Result;
    fn visit<O: Operation + Clone>(&self, operation: O) -> Self::Result;
}

/// Those that behave alike share a column of the tables.
pub(crate) const COLUMNS: [&[&str]; 4] = [
    &["list", "get", "get status", "search"],
    &["update", "push"],
    &["delete"],
    &["create", "start", "stop"],
];

/// Does it with the operation of this name, on a workflow called `logs`.
pub(crate) fn with<V: Visitor>(name: &str, visitor: &V) -> V::Result {
    let logs = WorkflowName::from_static("logs");
    match name {
        "list" => visitor.visit(ListWorkflows::new()),
        "get" => visitor.visit(GetWorkflow::new(logs)),
        "get status" => visitor.visit(GetWorkflowStatus::new(logs)),
        "search" => visitor.visit(SearchLogs::new(logs)),
        "update" => visitor.visit(UpdateWorkflow::new(logs, Nodes::new())),
        "push" => visitor.visit(PushPoints::new(RepoName::from_static("logs"), "a=1".into())),
        "delete" => visitor.visit(DeleteWorkflow::new(logs)),
        "create" => visitor.visit(CreateWorkflow::new(logs)),
        "start" => visitor.visit(StartWorkflow::new(logs)),
        "stop" => visitor.visit(StopWorkflow::new(logs)),
        other => panic!("no operation is called `{other}`"),
    }
}
