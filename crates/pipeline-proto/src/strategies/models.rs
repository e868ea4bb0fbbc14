//! What the service tells: workflows, states, logs.

use std::fmt::Debug;

use proptest::{
    collection::{SizeRange, vec},
    option,
    prelude::*,
    sample::select,
    strategy::NewTree,
    test_runner::TestRunner,
};

use super::{graph::nodes, json::extra, node_name, region, text, workflow_name};
use crate::model::{
    LogLine, LogSearch, LogStatus, Metric, NodeState, NodeType, Recommendation, Status, Timestamp,
    Workflow, WorkflowState,
};

/// Statuses: the known ones, and now and then one that nobody has heard of.
pub fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        8 => select(Status::KNOWN),
        1 => "[A-Z][a-z]{2,8}".prop_map(Status::from),
    ]
}

fn node_type() -> impl Strategy<Value = NodeType> {
    prop_oneof![
        8 => select(NodeType::KNOWN),
        1 => "[a-z]{3,8}".prop_map(NodeType::from),
    ]
}

/// In the formats that are known, and in none.
fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(String::new()),
        "20[0-9]{2}-0[1-9]-[0-2][0-9]T1[0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|\\+08:00)",
        "20[0-9]{2}-0[1-9]-[0-2][0-9] 1[0-9]:[0-5][0-9]:[0-5][0-9]",
        text(),
    ]
    .prop_map(Timestamp::from)
}

/// A strategy that can be told more.
///
/// ```
/// use pipeline_proto::{model::Status, strategies::workflow};
/// use proptest::prelude::*;
///
/// proptest! {
///     // In a test, `#[test]` stands here.
///     fn what_runs_has_something_in_it(workflow in workflow().status(Status::Started).nodes(1..=50)) {
///         prop_assert_eq!(&workflow.status, &Status::Started);
///         prop_assert!(!workflow.nodes.unwrap().is_empty());
///     }
/// }
/// # what_runs_has_something_in_it();
/// ```
#[derive(Debug, Clone)]
pub struct Shown<T: Debug>(BoxedStrategy<T>);

impl<T: Debug> Strategy for Shown<T> {
    type Tree = <BoxedStrategy<T> as Strategy>::Tree;
    type Value = T;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        self.0.new_tree(runner)
    }
}

impl<T: Debug + 'static> Shown<T> {
    fn with<V: Debug + Clone + 'static>(
        self,
        value: impl Strategy<Value = V> + 'static,
        set: fn(&mut T, V),
    ) -> Self {
        let both = (self.0, value).prop_map(move |(mut shown, value)| {
            set(&mut shown, value);
            shown
        });
        Self(both.boxed())
    }
}

impl Shown<Workflow> {
    /// All of this name.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(Just(name.into()), |workflow, name| {
            workflow.name = name.into();
        })
    }

    /// All of this status.
    #[must_use]
    pub fn status(self, status: Status) -> Self {
        self.with(Just(status), |workflow, status| workflow.status = status)
    }

    /// All with a graph, of so many nodes.
    #[must_use]
    pub fn nodes(self, size: impl Into<SizeRange>) -> Self {
        self.with(nodes(size.into()), |workflow, nodes| {
            workflow.nodes = Some(nodes);
        })
    }
}

impl Shown<WorkflowState> {
    /// All of this name.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(Just(name.into()), |state, name| {
            state.name = name.into();
        })
    }

    /// All of this status, which says nothing of their nodes'.
    #[must_use]
    pub fn status(self, status: Status) -> Self {
        self.with(Just(status), |state, status| state.status = status)
    }

    /// All with so many nodes.
    #[must_use]
    pub fn nodes(self, size: impl Into<SizeRange>) -> Self {
        self.with(vec(node_state(), size.into()), |state, nodes| {
            state.nodes = nodes;
        })
    }
}

/// Workflows as *get* and *list* show them, with a graph or without one, and with members that
/// this version does not know.
pub fn workflow() -> Shown<Workflow> {
    let any = (
        (workflow_name(), region(), text()),
        (timestamp(), timestamp(), status()),
        (any::<Option<bool>>(), any::<Option<bool>>()),
        option::of(nodes(0..=20)),
        extra(),
    )
        .prop_map(|(texts, times, flags, nodes, extra)| Workflow {
            name: texts.0.into(),
            region: texts.1.into(),
            comment: texts.2,
            create_time: times.0,
            update_time: times.1,
            status: times.2,
            can_start: flags.0,
            is_manual: flags.1,
            nodes,
            extra,
        });
    Shown(any.boxed())
}

fn node_state() -> impl Strategy<Value = NodeState> {
    (node_name(), node_type(), status(), extra()).prop_map(|(name, node_type, status, extra)| {
        NodeState {
            name: name.into(),
            node_type,
            status,
            extra,
        }
    })
}

/// States as *get status* shows them.
pub fn workflow_state() -> Shown<WorkflowState> {
    let nodes = vec(node_state(), 0..4);
    let any = (workflow_name(), region(), status(), nodes, extra()).prop_map(
        |(name, region, status, nodes, extra)| WorkflowState {
            name: name.into(),
            region: region.into(),
            status,
            nodes,
            extra,
        },
    );
    Shown(any.boxed())
}

/// Responses to *search logs*.
pub fn log_search() -> impl Strategy<Value = LogSearch> {
    let entry = || (node_type(), text(), timestamp());
    let status = (entry(), text(), text(), extra()).prop_map(
        |((node_type, name, timestamp), status, reason, extra)| LogStatus {
            node_type,
            name,
            timestamp,
            status,
            reason,
            extra,
        },
    );
    let line =
        (entry(), text(), extra()).prop_map(|((node_type, name, timestamp), log, extra)| LogLine {
            node_type,
            name,
            timestamp,
            log,
            extra,
        });
    let advice =
        (timestamp(), text(), extra()).prop_map(|(timestamp, detail, extra)| Recommendation {
            timestamp,
            detail,
            extra,
        });
    let metric = (entry(), text(), any::<[i64; 4]>(), extra()).prop_map(
        |((node_type, name, timestamp), export_type, counts, extra)| {
            let [total, success, failed, lag] = counts;
            Metric {
                node_type,
                name,
                timestamp,
                export_type,
                total,
                success,
                failed,
                lag,
                extra,
            }
        },
    );
    (
        vec(status, 0..3),
        vec(line, 0..3),
        vec(advice, 0..3),
        vec(metric, 0..3),
        extra(),
    )
        .prop_map(|(status, log, recommend, metric, extra)| LogSearch {
            status,
            log,
            recommend,
            metric,
            extra,
        })
}
