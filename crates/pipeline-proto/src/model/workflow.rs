use crate::name::{ShownName, kind};

use super::{
    json::object,
    node::{NodeType, Nodes},
    status::Status,
    timestamp::Timestamp,
};

object! {
    /// A workflow, as `list` and `get` show it.
    ///
    /// ```
    /// use pipeline_proto::model::{Status, Workflow};
    ///
    /// let text = r#"{"name":"logs","status":"Started","canStart":true,"tier":"gold"}"#;
    /// let workflow: Workflow = serde_json::from_str(text)?;
    /// assert_eq!((workflow.status.clone(), workflow.can_start), (Status::Started, Some(true)));
    /// // What is not known is kept, and written out again.
    /// assert!(serde_json::to_string(&workflow)?.contains(r#""tier":"gold""#));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct Workflow {
        /// The name. Responses may lack it; `get` then fills in the one that was asked for.
        "name" => name: ShownName<kind::Workflow>,
        /// Where it computes and stores.
        "region" => region: ShownName<kind::Region>,
        /// Free text given on creation.
        "comment" => comment: String,
        /// When it was created.
        "createTime" => create_time: Timestamp,
        /// When it was last changed.
        "updateTime" => update_time: Timestamp,
        /// Its status.
        "status" => status: Status,
        /// Whether it may be started: only with a stream computation, an export of a message queue
        /// or an export of a batch computation in it.
        "canStart" => can_start: Option<bool>,
        /// Whether it consists of manually run batch jobs. From the vendor's SDKs only.
        "isManualWorkflow" => is_manual: Option<bool>,
        /// The graph. `None` when the response has none, as in a list.
        "nodes" => nodes: Option<Nodes>,
    }
}

object! {
    /// The response to *get status*, which only the vendor's SDKs show.
    ///
    /// ```
    /// use pipeline_proto::model::{Status, WorkflowState};
    ///
    /// let text = r#"{"status":"Starting","nodes":[{"name":"clicks","type":"repo","status":"Started"}]}"#;
    /// let state: WorkflowState = serde_json::from_str(text)?;
    /// let waiting = state.nodes.iter().filter(|node| node.status != Status::Started);
    /// assert_eq!(waiting.count(), 0);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct WorkflowState {
        /// The workflow's name.
        "name" => name: ShownName<kind::Workflow>,
        /// Its region.
        "region" => region: ShownName<kind::Region>,
        /// Its status.
        "status" => status: Status,
        /// Its nodes, as a list here and without edges.
        "nodes" => nodes: Vec<NodeState>,
    }
}

object! {
    /// The status of one node.
    pub struct NodeState {
        /// The node's name.
        "name" => name: String,
        /// What the node is.
        "type" => node_type: NodeType,
        /// Its status; the possible strings are listed nowhere.
        "status" => status: Status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_survive_a_round_trip() {
        let text = r#"{"name":"w","status":"Paused","nodes":{"a-repo":{"name":"a","type":"lake","data":{"x": 1},"weight":1e400}},"new":[1, 2]}"#;
        let workflow: Workflow = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&workflow).unwrap(), text);
        assert_eq!(workflow.can_start, None);
    }

    #[test]
    fn null_and_repeats_are_taken_as_in_go() {
        let workflow: Workflow = serde_json::from_str(
            r#"{"name":null,"nodes":null,"status":"Ready","status":"Started","canStart":null}"#,
        )
        .unwrap();
        assert_eq!(workflow.name, "");
        assert_eq!(workflow.nodes, None);
        assert_eq!(workflow.status, Status::Started);
        let empty: Workflow = serde_json::from_str(r#"{"nodes":{}}"#).unwrap();
        assert_eq!(empty.nodes, Some(Nodes::new()));
    }

    #[test]
    fn a_status_response_has_its_nodes_in_a_list() {
        let state: WorkflowState = serde_json::from_str(
            r#"{"name":"w","region":"nb","status":"Starting","nodes":[{"name":"a","type":"export","status":"Created"}]}"#,
        )
        .unwrap();
        assert_eq!(state.status, Status::Starting);
        assert_eq!(state.nodes[0].status.as_str(), "Created");
    }
}
