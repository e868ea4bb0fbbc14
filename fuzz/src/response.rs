//! A body, read as the answer to each operation that expects one.

use std::fmt::Debug;

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    DecodeError, Operation, WorkflowName,
    model::{LogSearch, Workflow, WorkflowState},
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, PollBy,
        SearchLogs, StartWorkflow, StopWorkflow,
    },
};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

/// # Panics
///
/// If a body is neither read nor refused with a decent error, or is not the same after it was
/// written and read again.
pub fn run(data: &[u8]) {
    let response = Response::new(Bytes::copy_from_slice(data));
    let name = WorkflowName::from_static("logs");

    if let Some(list) = decode(&ListWorkflows::new(), &response) {
        list.iter().for_each(check_workflow);
        comes_back::<Vec<Workflow>>(&list);
    }
    if let Some(workflow) = decode(&GetWorkflow::new(name.clone()), &response) {
        assert!(!workflow.name.is_empty());
        check_workflow(&workflow);
        comes_back::<Workflow>(&workflow);
        let by_get = GetWorkflowStatus::new(name.clone()).by(PollBy::Get);
        let polled = decode(&by_get, &response).expect("what get reads, a poll by get reads");
        assert_eq!(polled.status, workflow.status);
    }
    if let Some(state) = decode(&GetWorkflowStatus::new(name.clone()), &response) {
        assert!(!state.name.is_empty());
        comes_back::<WorkflowState>(&state);
    }
    if let Some(found) = decode(&SearchLogs::new(name.clone()), &response) {
        let logs = found.log.iter().map(|line| &line.timestamp);
        for timestamp in logs.chain(found.status.iter().map(|status| &status.timestamp)) {
            let _ = timestamp.to_system_time();
        }
        comes_back::<LogSearch>(&found);
    }

    // Without a result to read, the body must be empty or JSON.
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let text = String::from_utf8_lossy(data);
    let expected =
        data.trim_ascii().is_empty() || serde_json::from_str::<IgnoredAny>(&text).is_ok();
    for done in [
        decode(&CreateWorkflow::new(name.clone()), &response),
        decode(&StartWorkflow::new(name.clone()), &response),
        decode(&StopWorkflow::new(name.clone()), &response),
        decode(&DeleteWorkflow::new(name), &response),
    ] {
        assert_eq!(done.is_some(), expected);
    }
}

fn decode<O: Operation>(operation: &O, response: &Response<Bytes>) -> Option<O::Output> {
    let result = operation.decode(response);
    result
        .map_err(|error: DecodeError| check_error(&error))
        .ok()
}

fn check_error(error: &DecodeError) {
    let line = error.to_string();
    assert!(
        line.len() < 600 && !line.contains(char::is_control),
        "{line:?}"
    );
}

/// The typed views of the nodes and times can be asked for.
fn check_workflow(workflow: &Workflow) {
    let _ = (
        workflow.create_time.to_system_time(),
        workflow.update_time.to_system_time(),
    );
    for (id, node) in workflow.nodes.iter().flatten() {
        let _ = (id.parts(), node.id(), node.spec());
    }
}

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("what was read can be written");
    let again: T = serde_json::from_str(&text).expect("what was written can be read");
    assert_eq!(*value, again, "{text}");
}
