/// The one table of operations, from which clients expand their convenience methods.
///
/// Hands every row to the macro that it is given:
///
/// ```text
/// /// Documentation.
/// method[name](parameter: Type, …) -> Output = operation;
/// ```
///
/// `[name]` stands for a first parameter that converts into a [`WorkflowName`](crate::WorkflowName);
/// it may be empty. To add an operation: its file, its `mod` line, and a row here.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_operation {
    ($callback:ident) => {
        $callback! {
            /// Creates an empty workflow in the default region. To give a region or a comment, send a
            /// [`CreateWorkflow`](pipeline_proto::operation::CreateWorkflow).
            create_workflow[name]() -> () = $crate::operation::CreateWorkflow::new(name);

            /// Replaces the graph of a workflow in the default region. *Not on the API page.* For
            /// another region, send an
            /// [`UpdateWorkflow`](pipeline_proto::operation::UpdateWorkflow).
            update_workflow[name](nodes: $crate::model::Nodes) -> () =
                $crate::operation::UpdateWorkflow::new(name, nodes);

            /// Lists all workflows of the account.
            list_workflows[]() -> Vec<$crate::model::Workflow> = $crate::operation::ListWorkflows::new();

            /// Shows one workflow with its graph.
            get_workflow[name]() -> $crate::model::Workflow = $crate::operation::GetWorkflow::new(name);

            /// Shows the status of a workflow and of each of its nodes. *Not on the API page.*
            get_workflow_status[name]() -> $crate::model::WorkflowState =
                $crate::operation::GetWorkflowStatus::new(name);

            /// Asks for a workflow to be started, without waiting for it.
            start_workflow[name]() -> () = $crate::operation::StartWorkflow::new(name);

            /// Asks for a workflow to be stopped, without waiting for it.
            stop_workflow[name]() -> () = $crate::operation::StopWorkflow::new(name);

            /// Deletes a workflow.
            delete_workflow[name]() -> () = $crate::operation::DeleteWorkflow::new(name);

            /// Searches the logs of a workflow's nodes. *Not on the API page.*
            search_logs[](search: $crate::operation::SearchLogs) -> $crate::model::LogSearch = search;
        }
    };
}
