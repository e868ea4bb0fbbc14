//! What the service has, in place of values that the environment lacks.

use std::collections::HashMap;

use super::{
    WorkflowFile,
    fill::{Gap, Part, change_values},
};
use crate::{
    definition::Definition,
    tree::{Position, Tree, Value},
};

pub(super) fn keep(file: &mut WorkflowFile, gaps: &mut Vec<Gap>, there: &Definition) {
    let mut keeper = Keeper {
        gaps: gaps
            .iter()
            .map(|gap| (gap.at, gap.parts.as_slice()))
            .collect(),
        unmet: Vec::new(),
    };
    if let Some(name) = &file.name
        && keeper.gaps.contains_key(&name.at)
    {
        keeper.unmet.push(name.at);
    }
    for (spot, there) in [
        (&mut file.region, &there.region),
        (&mut file.comment, &there.comment),
    ] {
        if let Some(spot) = spot {
            let mut text = Tree::text(&*spot.text);
            text.at = spot.at;
            keeper.tree(&mut text, Some(&Tree::text(there.as_str())));
            spot.text = text.as_text().unwrap_or_default().into();
        }
    }
    for (id, place) in &mut file.places {
        let node = there.nodes.get(id);
        change_values(file.nodes.get_mut(id), place, |name, tree| {
            let there = node.and_then(|node| match name {
                "data" => node.data.as_ref(),
                name => node.extra.get(name),
            });
            let there = there.and_then(|raw| Tree::of(raw).ok());
            keeper.tree(tree, there.as_ref());
        });
    }
    let unmet = keeper.unmet;
    gaps.retain(|gap| unmet.contains(&gap.at));
}

struct Keeper<'a> {
    gaps: HashMap<Position, &'a [Part]>,
    /// Where nothing was found.
    unmet: Vec<Position>,
}

impl Keeper<'_> {
    fn tree(&mut self, tree: &mut Tree, there: Option<&Tree>) {
        match &mut tree.value {
            Value::Text(_) => {
                let Some(parts) = self.gaps.get(&tree.at) else {
                    return;
                };
                match there.filter(|there| fits(parts, there)) {
                    Some(there) => tree.value = there.value.clone(),
                    None => self.unmet.push(tree.at),
                }
            }
            Value::List(list) => {
                let others = there.and_then(Tree::as_list).unwrap_or_default();
                let same_length = others.len() == list.len();
                for (index, element) in list.iter_mut().enumerate() {
                    let there = match element.identity() {
                        Some(identity) => others.iter().find(|it| it.identity() == Some(identity)),
                        None => others.get(index).filter(|_| same_length),
                    };
                    self.tree(element, there);
                }
            }
            Value::Map(members) => {
                for member in members {
                    let there = there.and_then(|there| there.get(&member.name));
                    self.tree(&mut member.tree, there);
                }
            }
            _ => {}
        }
    }
}

/// Whether the value can be what the parts stand for. Alone, a variable stands for a number as well.
fn fits(parts: &[Part], there: &Tree) -> bool {
    match (parts, &there.value) {
        ([Part::Missing(_)], Value::Number(_) | Value::Bool(_)) => true,
        (_, Value::Text(text)) => matches(parts, text),
        _ => false,
    }
}

fn matches(parts: &[Part], text: &str) -> bool {
    match parts {
        [] => text.is_empty(),
        [Part::Text(start), rest @ ..] => text
            .strip_prefix(start.as_str())
            .is_some_and(|text| matches(rest, text)),
        [Part::Missing(_)] => true,
        [Part::Missing(_), Part::Text(end)] => text.ends_with(end.as_str()),
        [Part::Missing(_), rest @ ..] => match rest {
            // The first place will do: what follows can only get shorter.
            [Part::Text(next), rest @ ..] => text
                .split_once(next.as_str())
                .is_some_and(|(_, text)| matches(rest, text)),
            rest => matches(rest, text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_if_all_but_the_values_is_there() {
        let text = |text: &str| Part::Text(text.to_owned());
        let missing = || Part::Missing("X".to_owned());
        let url = [text("http://u:"), missing(), text("@h/"), missing()];
        let ends = [missing(), text("@h")];
        for (parts, there, expected) in [
            (&url[..], "http://u:p@h/x", true),
            (&url, "http://u:@h/", true),
            (&url, "http://u:p@other/x", false),
            (&ends, "a@h@h", true),
            (&ends, "a@hh", false),
            (&[missing()], "anything", true),
            (&[missing(), missing()], "anything", true),
        ] {
            assert_eq!(matches(parts, there), expected, "{there}");
        }
    }
}
