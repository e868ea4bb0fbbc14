//! A graph for Graphviz.

use std::fmt::Write as _;

use super::{Direction, Item, Kind, Picture};
use crate::visible::visible;

pub(super) fn draw(picture: &Picture<'_>) -> String {
    let sketch = picture.sketch();
    let heading = picture.heading();
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "digraph {} {{",
        quote(heading.as_deref().unwrap_or("workflow"))
    );
    out.push_str(match picture.direction {
        Direction::Right => "    rankdir=LR\n",
        Direction::Down => "    rankdir=TB\n",
    });
    if let Some(heading) = &heading {
        let _ = writeln!(out, "    label={}\n    labelloc=t", quote(heading));
    }
    out.push_str("    node [style=filled, fontname=Helvetica]\n");
    out.push_str("    edge [color=\"#6b7480\"]\n");
    let name = |item: &Item<'_>| quote(&visible(item.id.as_str()));
    for item in &sketch.items {
        let colours = item.kind.light();
        let mut lines = vec![item.name.as_str(), item.about.as_str()];
        lines.extend(item.status.as_deref());
        let lines: Vec<String> = lines.into_iter().map(escape).collect();
        let _ = writeln!(
            out,
            "    {} [label=\"{}\", shape={}, fillcolor=\"{}\", color=\"{}\", fontcolor=\"{}\"]",
            name(item),
            lines.join("\\n"),
            shape(item.kind),
            colours.fill,
            colours.line,
            colours.text
        );
    }
    let edges = sketch.children.edges().map(|edge| (edge, ""));
    let back = sketch
        .back
        .iter()
        .map(|edge| (*edge, " [style=dashed, constraint=false]"));
    for ((parent, child), style) in edges.chain(back) {
        let [parent, child] = [parent, child].map(|at| name(&sketch.items[at as usize]));
        let _ = writeln!(out, "    {parent} -> {child}{style}");
    }
    out.push_str("}\n");
    out
}

fn shape(kind: Kind) -> &'static str {
    match kind {
        Kind::Repo => "cylinder",
        Kind::Transform => "hexagon",
        Kind::Export => "cds",
        Kind::Datasource => "folder",
        Kind::Job => "component",
        Kind::ExportBatch => "rarrow",
        Kind::Other => "box",
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
