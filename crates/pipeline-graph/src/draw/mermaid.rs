//! A flowchart for Mermaid.

use std::fmt::Write as _;

use super::{Direction, Item, Kind, Picture, kinds};

pub(super) fn draw(picture: &Picture<'_>) -> String {
    let sketch = picture.sketch();
    let mut out = String::new();
    if let Some(heading) = picture.heading() {
        // A JSON string is a YAML string.
        let heading = serde_json::Value::from(heading);
        let _ = writeln!(out, "---\ntitle: {heading}\n---");
    }
    out.push_str(match picture.direction {
        Direction::Right => "flowchart LR\n",
        Direction::Down => "flowchart TB\n",
    });
    for (at, item) in sketch.items.iter().enumerate() {
        let (open, close) = brackets(item.kind);
        let _ = writeln!(out, "    n{at}{open}\"{}\"{close}", label(item));
    }
    for (parent, child) in sketch.children.edges() {
        let _ = writeln!(out, "    n{parent} --> n{child}");
    }
    for (parent, child) in &sketch.back {
        let _ = writeln!(out, "    n{parent} -.-> n{child}");
    }
    for kind in kinds(&sketch) {
        let (word, colours) = (kind.word(), kind.light());
        let _ = writeln!(
            out,
            "    classDef t_{word} fill:{},stroke:{},color:{}",
            colours.fill, colours.line, colours.text
        );
        let with_kind = sketch
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.kind == kind);
        let names: Vec<String> = with_kind.map(|(at, _)| format!("n{at}")).collect();
        let _ = writeln!(out, "    class {} t_{word}", names.join(","));
    }
    out
}

fn brackets(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Repo => ("[(", ")]"),
        Kind::Transform => ("{{", "}}"),
        Kind::Export => ("([", "])"),
        Kind::Datasource => ("[/", "/]"),
        Kind::Job => ("[[", "]]"),
        Kind::ExportBatch => ("[/", "\\]"),
        Kind::Other => ("[", "]"),
    }
}

fn label(item: &Item<'_>) -> String {
    let mut lines = vec![escape(&item.name), escape(&item.about)];
    lines.extend(item.status.as_deref().map(escape));
    lines.join("<br/>")
}

/// Whatever could mean something to Mermaid or to HTML becomes a number.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '·') {
            out.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}
