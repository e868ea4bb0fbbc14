//! Workflows: created, given their graph, shown, started, stopped, searched and deleted.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Response;
use serde::Serialize;

use crate::{
    error::{BuildError, DecodeError},
    model::{LogSearch, NodeType, Nodes, Workflow, WorkflowState},
    name::{NameError, NodeName, Region, WorkflowName},
    operation::{
        List, Operation, RequestTemplate,
        read::{json, named, nothing},
        table::operations,
    },
    word::words,
};

operations! { workflow workflow_operations;
    /// Creates an empty workflow. Its graph is given afterwards, by [`UpdateWorkflow`] or node by node.
    ///
    /// Sent again only where the service cannot have acted on the first attempt. After an error whose
    /// `effect` is not known, look whether the workflow is there.
    CreateWorkflow create_workflow(name: WorkflowName) {
        /// Where it computes and stores; `nb` unless set.
        region: Region,
        /// Free text. No call can change it later.
        comment: String,
    } = POST "/v2/workflows/{name}" Never Page, json by hand -> () = nothing;

    /// Replaces the graph of a workflow, as a whole.
    ///
    /// What a request without nodes would do is not known, so a complete map is required. Refused by the
    /// service while the workflow runs or changes state (E18643). The comment cannot be changed.
    UpdateWorkflow update_workflow(name: WorkflowName; json nodes: Nodes) {
        /// Its region, `nb` unless set. Whether it can be changed is not known, so give the one it has.
        region: Region,
    } = PUT "/v2/workflows/{name}" Idempotent Sdk, json by hand -> () = nothing;

    /// Lists all workflows of the account. The graphs are usually not in the response. No paging is known.
    ListWorkflows list_workflows() = GET "/v2/workflows" Safe Page -> Vec<Workflow> = list;

    /// Shows one workflow with its graph.
    GetWorkflow get_workflow(name: WorkflowName) = GET "/v2/workflows/{name}" Safe Page
        -> Workflow = json, then |get, workflow| named(&get.name, &mut workflow.name), none on WORKFLOW_NOT_FOUND;

    /// Shows the status of a workflow and of each of its nodes.
    ///
    /// An installation may lack it. Where it is met by 404, 405 or 501 without a code, the call goes on
    /// with `GET /v2/workflows/{name}`, which shows the status of the workflow but not of its nodes; see
    /// `Operation::fallback`.
    GetWorkflowStatus get_workflow_status(name: WorkflowName) {
        /// By which request; by *get status* unless set.
        by: PollBy,
    } = GET "/v2/workflows/{name}/status" Safe Sdk, bodiless by hand
        -> WorkflowState = GetWorkflowStatus::read, none on WORKFLOW_NOT_FOUND, or GetWorkflowStatus::other;

    /// Asks for a workflow to be started, without waiting for it.
    ///
    /// Allowed when `can_start` is set and nothing runs, else E18644 or
    /// E18650. The status goes to `Starting` and later to `Started`. No body and no content type, as on the API page.
    StartWorkflow start_workflow(name: WorkflowName) = POST "/v2/workflows/{name}/start" Never Page -> () = nothing;

    /// Asks for a workflow to be stopped, without waiting for it.
    ///
    /// Allowed when it is started, else E18645. The status goes to `Stopping` and later to `Stopped`. No body
    /// and no content type, as on the API page.
    StopWorkflow stop_workflow(name: WorkflowName) = POST "/v2/workflows/{name}/stop" Never Page -> () = nothing;

    /// Deletes a workflow.
    ///
    /// Whether the service demands that it be stopped first, and whether it deletes the nodes with it,
    /// is documented nowhere: stop it and wait before deleting, and expect the nodes to go.
    DeleteWorkflow delete_workflow(name: WorkflowName) = DELETE "/v2/workflows/{name}" Idempotent Page
        -> () = nothing, done on WORKFLOW_NOT_FOUND;

    /// Searches the logs of a workflow's nodes; the ten latest records of all nodes unless told otherwise.
    ///
    /// Which parts of the request the service needs is not known: all are sent, and what is not set is
    /// sent empty. An installation may lack it (E9001).
    SearchLogs search_logs(workflow: WorkflowName) {
        /// The kind of the node to look at.
        node_type: NodeType,
        /// The name of the node to look at.
        node: String,
        /// The message queue that the node hangs on.
        repo: String,
        /// Text to look for; `*`, which is everything, unless set.
        query: String,
        /// At most this many records; 10 unless set.
        size: u32,
        /// The region of the workflow; `nb` unless set.
        region: Region,
        /// Leaves out records before this moment.
        from: SystemTime,
        /// Leaves out records after this moment.
        until: SystemTime,
    } = POST "/v2/workflows/{workflow}/search" Safe Sdk, json by hand -> LogSearch = json;
}

fn list(
    operation: &ListWorkflows,
    response: &Response<Bytes>,
) -> Result<Vec<Workflow>, DecodeError> {
    json(operation, response).map(|List(list)| list)
}

impl CreateWorkflow {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        #[derive(Serialize)]
        struct Body<'a> {
            region: &'a Region,
            #[serde(skip_serializing_if = "Option::is_none")]
            comment: Option<&'a str>,
        }
        self.target().json(&Body {
            region: self.region.as_ref().unwrap_or(&Region::default()),
            comment: self.comment.as_deref(),
        })
    }
}

impl UpdateWorkflow {
    /// An update of a workflow that was read: of its name, and in its region, where [`new`](Self::new) goes by
    /// the default.
    ///
    /// ```
    /// use pipeline_proto::{model::{Nodes, Workflow}, resource::workflow::UpdateWorkflow};
    ///
    /// let read: Workflow = serde_json::from_str(r#"{"name":"logs","region":"z0"}"#)?;
    /// let update = UpdateWorkflow::of(&read, read.nodes.clone().unwrap_or_default())?;
    /// assert_eq!(update.region.unwrap().as_str(), "z0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the name or the region of the response is not legal.
    pub fn of(workflow: &Workflow, nodes: Nodes) -> Result<Self, NameError> {
        let update = Self::new((&workflow.name).try_into()?, nodes);
        if workflow.region.is_empty() {
            return Ok(update);
        }
        Ok(update.region(Region::try_from(&workflow.region)?))
    }

    /// The name stands in the body as well, as in the vendor's clients; so do the names of nodes, which
    /// may have come from a response and are judged here.
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        #[derive(Serialize)]
        struct Body<'a> {
            name: &'a WorkflowName,
            region: &'a Region,
            nodes: &'a Nodes,
        }
        for node in self.nodes.values() {
            NodeName::new(node.name.as_str())?;
        }
        self.target().json(&Body {
            name: &self.name,
            region: self.region.as_ref().unwrap_or(&Region::default()),
            nodes: &self.nodes,
        })
    }
}

words! {
    /// Which request shows the status of a workflow. Exhaustive: no other one shows it.
    ///
    /// ```
    /// use pipeline_proto::{resource::workflow::PollBy, wait::WaitOptions};
    ///
    /// // For an installation that is known to lack *get status*.
    /// let options = WaitOptions::default().poll_by(PollBy::Get);
    /// ```
    #[derive(Default)]
    pub enum PollBy: "a request to look with" {
        /// *Get status*: small, with the status of each node; from the vendor's SDKs.
        #[default]
        Status = "status",
        /// *Get*: on the API page, but carries the whole graph, and no status of nodes.
        Get = "get",
    }
}

impl GetWorkflowStatus {
    fn by_get(&self) -> Option<GetWorkflow> {
        (self.by == Some(PollBy::Get)).then(|| GetWorkflow::new(self.name.clone()))
    }

    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        self.by_get()
            .map_or_else(|| Ok(self.target()), |get| get.template())
    }

    fn read(&self, response: &Response<Bytes>) -> Result<WorkflowState, DecodeError> {
        if let Some(get) = self.by_get() {
            let workflow = get.decode(response)?;
            return Ok(WorkflowState {
                name: workflow.name,
                region: workflow.region,
                status: workflow.status,
                ..WorkflowState::default()
            });
        }
        let mut state: WorkflowState = json(self, response)?;
        named(&self.name, &mut state.name)?;
        Ok(state)
    }

    fn other(&self) -> Option<Self> {
        self.by_get()
            .is_none()
            .then(|| self.clone().by(PollBy::Get))
    }
}

impl SearchLogs {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            r#type: &'a NodeType,
            name: &'a str,
            // All in lower case, unlike the others.
            reponame: &'a str,
            query: &'a str,
            size: u32,
            region: &'a Region,
            start_time: u64,
            end_time: u64,
        }
        self.target().json(&Body {
            r#type: self.node_type.as_ref().unwrap_or(&NodeType::default()),
            name: self.node.as_deref().unwrap_or_default(),
            reponame: self.repo.as_deref().unwrap_or_default(),
            query: self.query.as_deref().unwrap_or("*"),
            size: self.size.unwrap_or(10),
            region: self.region.as_ref().unwrap_or(&Region::default()),
            start_time: milliseconds(self.from),
            end_time: milliseconds(self.until),
        })
    }
}

/// Milliseconds since 1970, with 0 for "not given". The unit is that of a sister service's query
/// with members of the same names; no source states it for this one.
fn milliseconds(time: Option<SystemTime>) -> u64 {
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .map_or(0, |since: Duration| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}
