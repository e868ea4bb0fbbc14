//! A tree for the terminal.

use unicode_width::UnicodeWidthStr;

use super::{Charset, Picture, Sketch, TreeRow, status_text};

/// How deep a branch may hang. What is deeper continues further down, so that the text grows with
/// the number of nodes and not with its square.
const MAX_DEPTH: usize = 24;

struct Signs {
    branch: &'static str,
    last: &'static str,
    pass: &'static str,
    blank: &'static str,
    above: &'static str,
    below: &'static str,
    cycle: &'static str,
}

const UNICODE: Signs = Signs {
    branch: "├─ ",
    last: "└─ ",
    pass: "│  ",
    blank: "   ",
    above: "↑ see above",
    below: "↓ see below",
    cycle: "↺ back to above",
};

const ASCII: Signs = Signs {
    branch: "|- ",
    last: "`- ",
    pass: "|  ",
    blank: "   ",
    above: "^ see above",
    below: "v see below",
    cycle: "@ back to above",
};

/// A node that waits to be drawn.
struct Waiting {
    at: u32,
    depth: usize,
    /// What stands before the children of this node's parent.
    prefix: String,
    is_root: bool,
    is_last: bool,
    closes_cycle: bool,
}

pub(super) fn draw(picture: &Picture<'_>, charset: Charset) -> String {
    let mut out = String::new();
    if let Some(heading) = picture.heading() {
        out.push_str(&charset.fit(&heading));
        out.push('\n');
    }
    align(&mut out, &nodes(picture, charset));
    out
}

/// A row for the title, and one for each node.
pub(super) fn rows(picture: &Picture<'_>, charset: Charset) -> Vec<TreeRow> {
    let heading = picture.title.as_ref().map(|title| TreeRow {
        indent: String::new(),
        name: charset.fit(title),
        about: String::new(),
        status: picture
            .status
            .as_ref()
            .map(|status| charset.status(&status_text(status)))
            .unwrap_or_default(),
    });
    heading.into_iter().chain(nodes(picture, charset)).collect()
}

fn nodes(picture: &Picture<'_>, charset: Charset) -> Vec<TreeRow> {
    let sketch = picture.sketch();
    let mut rows = Vec::with_capacity(sketch.items.len());
    let signs = match charset {
        Charset::Unicode => &UNICODE,
        Charset::Ascii => &ASCII,
    };
    let mut tree = Tree {
        sketch: &sketch,
        signs,
        charset,
        drawn: vec![false; sketch.items.len()],
        continued: Vec::new(),
        queued: vec![false; sketch.items.len()],
    };
    for root in sketch.children.positions() {
        if sketch.levels[root as usize] == 0 {
            tree.branch(root, &mut rows);
        }
    }
    let mut next = 0;
    while let Some(root) = tree.continued.get(next).copied() {
        next += 1;
        tree.branch(root, &mut rows);
    }
    rows
}

struct Tree<'a> {
    sketch: &'a Sketch<'a>,
    signs: &'a Signs,
    charset: Charset,
    drawn: Vec<bool>,
    /// Nodes that were too deep and get a branch of their own, in order and by position.
    continued: Vec<u32>,
    queued: Vec<bool>,
}

impl Tree<'_> {
    /// Draws a node and all below it, without recursion.
    fn branch(&mut self, root: u32, rows: &mut Vec<TreeRow>) {
        let mut waiting = vec![Waiting {
            at: root,
            depth: 0,
            prefix: String::new(),
            is_root: true,
            is_last: true,
            closes_cycle: false,
        }];
        while let Some(node) = waiting.pop() {
            let item = &self.sketch.items[node.at as usize];
            let connector = match (node.is_root, node.is_last) {
                (true, _) => "",
                (_, true) => self.signs.last,
                (_, false) => self.signs.branch,
            };
            let row = |about: &str, status: String| TreeRow {
                indent: format!("{}{connector}", node.prefix),
                name: self.charset.fit(&item.name),
                about: about.to_owned(),
                status,
            };
            let refer = |about| row(about, String::new());
            let has_children = !self.sketch.children.of(node.at).is_empty();
            if node.closes_cycle {
                rows.push(refer(self.signs.cycle));
            } else if self.drawn[node.at as usize] {
                rows.push(refer(self.signs.above));
            } else if node.depth == MAX_DEPTH && has_children {
                rows.push(refer(self.signs.below));
                // Several parents may refer to it before it is drawn.
                if !std::mem::replace(&mut self.queued[node.at as usize], true) {
                    self.continued.push(node.at);
                }
            } else {
                self.drawn[node.at as usize] = true;
                let status = item.status.as_deref();
                let status = status.map(|status| self.charset.status(status));
                rows.push(row(
                    &self.charset.fit(&item.about),
                    status.unwrap_or_default(),
                ));
                let below = match (node.is_root, node.is_last) {
                    (true, _) => "",
                    (_, true) => self.signs.blank,
                    (_, false) => self.signs.pass,
                };
                self.push_children(&node, &format!("{}{below}", node.prefix), &mut waiting);
            }
        }
    }

    fn push_children(&self, node: &Waiting, prefix: &str, waiting: &mut Vec<Waiting>) {
        let back = &self.sketch.back;
        let first = back.partition_point(|(parent, _)| *parent < node.at);
        let cycles = back[first..]
            .iter()
            .take_while(|(parent, _)| *parent == node.at);
        let children = self
            .sketch
            .children
            .of(node.at)
            .iter()
            .map(|child| (*child, false));
        let all: Vec<_> = children
            .chain(cycles.map(|(_, child)| (*child, true)))
            .collect();
        for (index, (at, closes_cycle)) in all.iter().enumerate().rev() {
            waiting.push(Waiting {
                at: *at,
                depth: node.depth + 1,
                prefix: prefix.to_owned(),
                is_root: false,
                is_last: index + 1 == all.len(),
                closes_cycle: *closes_cycle,
            });
        }
    }
}

impl Charset {
    fn status(self, status: &str) -> String {
        let sign = match status {
            "Started" => "●",
            "Starting" => "◐",
            "Stopping" => "◑",
            "Stopped" => "○",
            "Ready" => "◌",
            _ => "?",
        };
        match self {
            Self::Unicode => format!("{sign} {status}"),
            Self::Ascii => self.fit(&format!("[{status}]")),
        }
    }

    /// The text in the characters that may be used.
    fn fit(self, text: &str) -> String {
        if self == Self::Unicode || text.is_ascii() {
            return text.to_owned();
        }
        let text = text.replace(" · ", ", ");
        let fit = text.chars().map(|c| match c {
            c if c.is_ascii() => c.to_string(),
            c => format!("\\u{{{:x}}}", u32::from(c)),
        });
        fit.collect()
    }
}

/// Writes rows in columns.
fn align(out: &mut String, rows: &[TreeRow]) {
    let widest = |width: fn(&TreeRow) -> usize| rows.iter().map(width).max().unwrap_or(0);
    let name_width = widest(|row| row.indent.width() + row.name.width());
    let about_width = widest(|row| row.about.width());
    let pad = |out: &mut String, text: &str, width: usize| {
        out.push_str(text);
        out.extend(std::iter::repeat_n(' ', width - text.width()));
    };
    for row in rows {
        out.push_str(&row.indent);
        pad(out, &row.name, name_width + 2 - row.indent.width());
        if row.status.is_empty() {
            out.push_str(&row.about);
        } else {
            pad(out, &row.about, about_width + 2);
            out.push_str(&row.status);
        }
        out.push('\n');
    }
}
