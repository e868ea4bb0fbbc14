//! What the service tells: workflows, states, logs.

use proptest::{collection::vec, option, prelude::*, sample::select};

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

/// Workflows as *get* and *list* show them, with a graph or without one, and with members that
/// this version does not know.
pub fn workflow() -> impl Strategy<Value = Workflow> {
    (
        (workflow_name(), region(), text()),
        (timestamp(), timestamp(), status()),
        (any::<Option<bool>>(), any::<Option<bool>>()),
        option::of(nodes()),
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
        })
}

/// States as *get status* shows them.
pub fn workflow_state() -> impl Strategy<Value = WorkflowState> {
    let node = (node_name(), node_type(), status(), extra()).prop_map(
        |(name, node_type, status, extra)| NodeState {
            name: name.into(),
            node_type,
            status,
            extra,
        },
    );
    (
        workflow_name(),
        region(),
        status(),
        vec(node, 0..4),
        extra(),
    )
        .prop_map(|(name, region, status, nodes, extra)| WorkflowState {
            name: name.into(),
            region: region.into(),
            status,
            nodes,
            extra,
        })
}

/// Answers to *search logs*.
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
