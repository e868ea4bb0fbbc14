//! A difference as text for people.

use std::fmt;

use pipeline_proto::model::RawJson;

use super::{Change, Diff, MemberChange};
use crate::visible::visible;

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

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for member in &self.members {
            show(f, member, "")?;
        }
        for node in &self.nodes {
            writeln!(
                f,
                "{} node {}",
                node.change.sign(),
                visible(node.node.as_str())
            )?;
            // What a removed node was made of is of no interest any more.
            if node.change != Change::Removed {
                for member in &node.members {
                    show(f, member, "    ")?;
                }
            }
        }
        for edge in &self.edges {
            let (parent, child) = (visible(edge.parent.as_str()), visible(edge.child.as_str()));
            writeln!(f, "{} edge {parent} -> {child}", edge.change.sign())?;
        }
        Ok(())
    }
}

fn show(f: &mut fmt::Formatter<'_>, member: &MemberChange, indent: &str) -> fmt::Result {
    write!(
        f,
        "{indent}{} {}",
        member.change.sign(),
        visible(&member.path)
    )?;
    let text = |raw: &Option<RawJson>| raw.as_ref().and_then(|raw| raw.parse::<String>().ok());
    let several = |text: &Option<String>| {
        text.as_ref()
            .is_some_and(|text| text.trim_end().contains('\n'))
    };
    let (old, new) = (text(&member.old), text(&member.new));
    if several(&old) || several(&new) {
        writeln!(f, ":")?;
        return show_lines(
            f,
            old.as_deref().unwrap_or(""),
            new.as_deref().unwrap_or(""),
            indent,
        );
    }
    let sides = [&member.old, &member.new].map(|side| side.as_ref().map(RawJson::get));
    match sides {
        [Some(old), Some(new)] => write!(f, ": {} -> {}", visible(old), visible(new))?,
        [Some(one), None] | [None, Some(one)] => write!(f, ": {}", visible(one))?,
        [None, None] => {}
    }
    writeln!(f, "{}", if member.secret { " (secret)" } else { "" })
}

/// Shows the lines between what is the same at the beginning and at the end.
fn show_lines(f: &mut fmt::Formatter<'_>, old: &str, new: &str, indent: &str) -> fmt::Result {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let before = old.iter().zip(&new).take_while(same).count();
    let shorter = old.len().min(new.len()) - before;
    let after = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(shorter)
        .take_while(same)
        .count();
    let omitted = |f: &mut fmt::Formatter<'_>, count| match count {
        0 => Ok(()),
        1 => writeln!(f, "{indent}      (1 line the same)"),
        count => writeln!(f, "{indent}      ({count} lines the same)"),
    };
    omitted(f, before)?;
    for line in &old[before..old.len() - after] {
        writeln!(f, "{indent}    - {}", visible(line))?;
    }
    for line in &new[before..new.len() - after] {
        writeln!(f, "{indent}    + {}", visible(line))?;
    }
    omitted(f, after)
}
