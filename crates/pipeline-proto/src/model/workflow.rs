use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

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

/// The response to *list*: an array, or leniently an object around exactly one array, or `null`.
///
/// The API page prints an object around a nameless array, which is no JSON; the vendor's SDKs read
/// an array, and one of them knows a class with a member `workflowLists`. A Go service that has no
/// workflow may well write `null`.
#[derive(Debug, Default)]
pub(crate) struct WorkflowList(pub(crate) Vec<Workflow>);

impl<'de> Deserialize<'de> for WorkflowList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;

        impl<'de> Visitor<'de> for ListVisitor {
            type Value = WorkflowList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of workflows, or an object with exactly one such array")
            }

            fn visit_unit<E>(self) -> Result<WorkflowList, E> {
                Ok(WorkflowList::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<WorkflowList, A::Error> {
                read_workflows(seq).map(WorkflowList)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WorkflowList, A::Error> {
                let mut found = None;
                while map.next_key::<IgnoredAny>()?.is_some() {
                    if let ArrayOrOther::Array(list) = map.next_value()?
                        && found.replace(list).is_some()
                    {
                        return Err(serde::de::Error::custom(
                            "the object has more than one array",
                        ));
                    }
                }
                found
                    .map(WorkflowList)
                    .ok_or_else(|| serde::de::Error::custom("the object has no array"))
            }
        }

        deserializer.deserialize_any(ListVisitor)
    }
}
/// Reads the workflows of an array.
///
/// Its length is not known beforehand, and a workflow takes about as much room as its text. Growing
/// by a quarter at a time instead of doubling leaves at most a fifth of the room unused, not half.
fn read_workflows<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Vec<Workflow>, A::Error> {
    let mut list: Vec<Workflow> = Vec::new();
    while let Some(workflow) = seq.next_element()? {
        if list.len() == list.capacity() {
            list.reserve_exact(list.len() / 4 + 4);
        }
        list.push(workflow);
    }
    Ok(list)
}

enum ArrayOrOther {
    Array(Vec<Workflow>),
    Other,
}

impl<'de> Deserialize<'de> for ArrayOrOther {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MemberVisitor;

        impl<'de> Visitor<'de> for MemberVisitor {
            type Value = ArrayOrOther;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<ArrayOrOther, A::Error> {
                read_workflows(seq).map(ArrayOrOther::Array)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ArrayOrOther, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(ArrayOrOther::Other)
            }

            fn visit_unit<E>(self) -> Result<ArrayOrOther, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<ArrayOrOther, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<ArrayOrOther, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<ArrayOrOther, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<ArrayOrOther, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_str<E>(self, _: &str) -> Result<ArrayOrOther, E> {
                Ok(ArrayOrOther::Other)
            }
        }

        deserializer.deserialize_any(MemberVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, String> {
        serde_json::from_str::<WorkflowList>(text)
            .map(|list| {
                list.0
                    .into_iter()
                    .map(|workflow| workflow.name.into())
                    .collect()
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_an_array_or_an_object_around_one() {
        assert_eq!(names(r#"[{"name":"a"},{"name":"b"}]"#).unwrap(), ["a", "b"]);
        assert_eq!(names(r#"{"workflows":[{"name":"a"}]}"#).unwrap(), ["a"]);
        assert_eq!(
            names(r#"{"total":1,"x":null,"y":{"z":[1]},"t":true,"workflowLists":[{"name":"a"}],"s":"","f":1.5,"n":-1}"#)
                .unwrap(),
            ["a"]
        );
        assert!(names("[]").unwrap().is_empty());
        assert!(names("null").unwrap().is_empty());
    }

    #[test]
    fn anything_else_is_no_list() {
        assert!(
            names(r#"{"a":[],"b":[]}"#)
                .unwrap_err()
                .contains("more than one array")
        );
        assert!(names("{}").unwrap_err().contains("no array"));
        assert!(names("[1]").is_err());
        assert!(names("\"x\"").is_err());
    }

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
