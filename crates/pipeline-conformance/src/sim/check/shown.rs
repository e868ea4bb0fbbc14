use pipeline_proto::model::{NodeState, Workflow};

use crate::sim::{
    machine::Output,
    model::View,
    work::{Kind, comment},
};

/// Whether what a client was given is what the service had, with every status replaced by `Unknown`
/// on the way if `unknown`. A state has its nodes `with_nodes`.
pub(super) fn agrees(
    kind: Kind,
    with_nodes: bool,
    output: &Output,
    views: &[View],
    unknown: bool,
) -> bool {
    let status = |view: &View| if unknown { "Unknown" } else { view.status };
    match (kind, output, views) {
        (Kind::List, Output::List(list), views) => {
            list.len() == views.len()
                && list.iter().zip(views).all(|(workflow, view)| {
                    is_view(workflow, view, status(view)) && workflow.nodes.is_none()
                })
        }
        (Kind::Get, Output::Workflow(workflow), [view]) => {
            is_view(workflow, view, status(view)) && workflow.nodes.as_ref() == Some(&view.nodes)
        }
        (Kind::Status | Kind::Get, Output::State(state), [view]) => {
            let node = |node: &NodeState| {
                let there = view
                    .nodes
                    .values()
                    .any(|known| known.name == node.name && known.node_type == node.node_type);
                there && node.status.as_str() == status(view)
            };
            // A look by *get* has no nodes to show.
            let nodes = if with_nodes { view.nodes.len() } else { 0 };
            state.name == view.name
                && state.region == view.region
                && state.status.as_str() == status(view)
                && state.nodes.len() == nodes
                && state.nodes.iter().all(node)
        }
        (_, Output::Nothing, _) => kind.is_write(),
        _ => false,
    }
}

fn is_view(workflow: &Workflow, view: &View, status: &str) -> bool {
    workflow.name == view.name
        && workflow.region == view.region
        && workflow.comment == view.comment.map(comment).unwrap_or_default()
        && workflow.status.as_str() == status
        && workflow.can_start == Some(view.can_start)
        && workflow.is_manual == Some(view.manual)
}
