//! A difference as text for people.

use std::fmt;

use pipeline_proto::model::RawJson;
use unicode_width::UnicodeWidthStr as _;

use super::{Change, Diff, MemberChange, lines};
use crate::{
    tree::{Tree, Value, json},
    visible::visible,
};

/// How wide text for nobody in particular is.
const WIDTH: usize = 100;

/// Below this, nothing is readable; the terminal may do with it what it can.
const NARROWEST: usize = 40;

/// A line of a difference as text.
///
/// ```
/// use pipeline_graph::{Definition, diff::{Change, diff}};
/// use pipeline_proto::model::Nodes;
///
/// let old = Definition::new("w", Nodes::new());
/// let mut new = old.clone();
/// new.comment = "Clicks".into();
/// let line = &diff(&old, &new).lines(80)[0];
/// assert_eq!((line.change, line.text.as_str()), (Some(Change::Added), "+ comment: \"Clicks\""));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// What happens to what the line shows; `None` if it is there to find one's way.
    pub change: Option<Change>,
    /// The text, without a line end or anything that a terminal would act upon.
    pub text: String,
}

impl Line {
    pub(super) fn new(change: impl Into<Option<Change>>, text: String) -> Self {
        Self {
            change: change.into(),
            text,
        }
    }
}

impl Change {
    /// `+`, `-` or `~`.
    pub const fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed => '~',
        }
    }
}

impl Diff {
    /// The difference as text for people, wrapped to a number of columns. Of long texts and lists it
    /// shows the lines that change, with some around them, and of long lines the part that changes.
    /// What cannot be seen is made visible where it is all that differs.
    pub fn lines(&self, width: usize) -> Vec<Line> {
        let mut out = Vec::new();
        let width = width.max(NARROWEST);
        for member in &self.members {
            show(&mut out, member, "", width);
        }
        for node in &self.nodes {
            let id = visible(node.node.as_str());
            let text = format!("{} node {id}", node.change.sign());
            out.push(Line::new(node.change, text));
            // What a removed node was made of is of no interest any more.
            if node.change != Change::Removed {
                for member in &node.members {
                    show(&mut out, member, "    ", width);
                }
            }
        }
        for edge in &self.edges {
            let (parent, child) = (visible(edge.parent.as_str()), visible(edge.child.as_str()));
            let text = format!("{} edge {parent} -> {child}", edge.change.sign());
            out.push(Line::new(edge.change, text));
        }
        out
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.lines(WIDTH) {
            writeln!(f, "{}", line.text)?;
        }
        Ok(())
    }
}

fn show(out: &mut Vec<Line>, member: &MemberChange, indent: &str, width: usize) {
    let head = format!("{indent}{} {}", member.change.sign(), visible(&member.path));
    let secret = if member.secret { " (secret)" } else { "" };
    let [old, new] = [&member.old, &member.new].map(|side| side.as_ref().map(RawJson::get));
    let short = match (old, new) {
        (Some(old), Some(new)) if !lines::look_alike(old, new) => {
            format!("{head}: {} -> {}{secret}", visible(old), visible(new))
        }
        (Some(one), None) | (None, Some(one)) => format!("{head}: {}{secret}", visible(one)),
        _ => String::new(),
    };
    let texts = [&member.old, &member.new].map(|side| side.as_ref().map(text));
    let is_block = |text: &Option<Text>| matches!(text, Some(Text::Plain(text)) if text.trim_end().contains('\n'));
    if !short.is_empty() && short.width() <= width && !texts.iter().any(is_block) {
        return out.push(Line::new(member.change, short));
    }
    out.push(Line::new(member.change, format!("{head}:{secret}")));
    let indent = format!("{indent}    ");
    match texts {
        // Text beside text is shown as it is; anything else in JSON, so that nothing is mixed up.
        [Some(Text::Plain(old)), Some(Text::Plain(new))] => {
            lines::show_texts(out, &old, &new, &indent, width);
        }
        [Some(Text::Plain(one)), None] => lines::show_texts(out, &one, "", &indent, width),
        [None, Some(Text::Plain(one))] => lines::show_texts(out, "", &one, &indent, width),
        [old, new] => {
            // The sign stands in front.
            let room = width.saturating_sub(indent.len() + 2);
            let [old, new] = [old, new].map(|side| {
                side.map_or_else(Vec::new, |text| json::lines(&text.into_tree(), room))
            });
            lines::show_lines(out, &old, &new, &indent, width);
        }
    }
}

enum Text {
    Plain(String),
    Json(Tree),
}

impl Text {
    fn into_tree(self) -> Tree {
        match self {
            Self::Plain(text) => Tree::text(text),
            Self::Json(tree) => tree,
        }
    }
}

fn text(raw: &RawJson) -> Text {
    match Tree::of(raw) {
        Ok(Tree {
            value: Value::Text(text),
            ..
        }) => Text::Plain(text.into()),
        Ok(tree) => Text::Json(tree),
        Err(_) => Text::Plain(raw.get().to_owned()),
    }
}
