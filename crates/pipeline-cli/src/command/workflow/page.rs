//! A workflow as people read it.

use pipeline_graph::draw::{Charset, Picture};
use pipeline_proto::model::{NodeRef, Workflow};

use super::yes_or_no;
use crate::{
    command::resource::Item,
    output::{Cell, Table},
    time,
};

/// Facts and the graph, and if that is asked for the neighbours of each node, which a tree cannot show all.
pub(super) fn page(item: &Item, wide: bool) -> String {
    let workflow: Workflow = item.typed();
    let mut text = facts(&workflow);
    text.push('\n');
    match workflow.nodes.as_ref().filter(|nodes| !nodes.is_empty()) {
        Some(nodes) => text.push_str(&Picture::new(nodes).tree(Charset::Unicode)),
        None => text.push_str("No nodes yet.\n"),
    }
    if !wide {
        return text;
    }
    let mut table = Table::new(&["NODE", "TYPE", "DATA", "READS", "READ BY"]);
    let ids = |neighbours: &[NodeRef]| {
        let ids: Vec<String> = neighbours.iter().map(|it| it.id().to_string()).collect();
        Cell::from(ids.join(", "))
    };
    for node in workflow.nodes.iter().flat_map(|nodes| nodes.values()) {
        let size = node
            .data
            .as_ref()
            .map(|data| format!("{} B", data.get().len()));
        table.row([
            Cell::from(&node.name),
            Cell::from(node.node_type.as_str()),
            Cell::from(size.unwrap_or_default()),
            ids(&node.parents),
            ids(&node.children),
        ]);
    }
    if !table.is_empty() {
        text.push('\n');
        text.push_str(&table.render());
    }
    text
}

fn facts(workflow: &Workflow) -> String {
    let mut facts = Table::of_pairs();
    facts.pair("Name", Cell::from(&workflow.name));
    facts.pair("Status", Cell::status(&workflow.status));
    facts.pair(
        "Can start",
        Cell::from(workflow.can_start.map_or("", yes_or_no)),
    );
    facts.pair("Region", Cell::from(&workflow.region));
    facts.pair("Comment", Cell::from(&workflow.comment));
    facts.pair("Created", Cell::from(time::shown(&workflow.create_time)));
    facts.pair("Updated", Cell::from(time::shown(&workflow.update_time)));
    if workflow.is_manual == Some(true) {
        facts.pair("Runs", Cell::from("by hand, once per start"));
    }
    facts.render()
}
