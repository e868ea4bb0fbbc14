//! Comparison of two JSON values by what they mean.

use std::collections::{BTreeSet, HashMap};

use pipeline_proto::{
    model::{NodeType, RawJson},
    resource::describe::{Member as Described, Object},
};

use super::{Change, MemberChange};
use crate::{
    path::Path,
    secrets::Scope,
    text::number::Decimal,
    tree::{Member, Tree, Value},
};

/// Members that name an element of a list, so that it is known again at another place.
const IDENTITIES: [&str; 3] = ["key", "name", "tableName"];

/// Stands in place of a secret.
const MASK: &str = "***";

pub(super) struct Comparison {
    pub(super) changes: Vec<MemberChange>,
    /// What the data is made of, if that is known.
    description: Option<&'static Object>,
}

impl Comparison {
    pub(super) fn new(node_type: Option<&NodeType>) -> Self {
        Self {
            changes: Vec::new(),
            description: node_type.and_then(NodeType::description),
        }
    }

    /// Whether it is a member of the data that the service adds.
    fn is_added_on_reading(&self, name: &str) -> bool {
        let member = self.description.and_then(|data| data.member(name));
        member.is_some_and(Described::is_added_on_reading)
    }

    /// Compares texts of which an empty one is the same as a missing one.
    pub(super) fn texts(&mut self, name: &str, old: &str, new: &str) {
        if old != new {
            let [old, new] = [old, new].map(|text| (!text.is_empty()).then(|| Tree::text(text)));
            let path = Path::to_member(name);
            self.note(old.as_ref(), new.as_ref(), &path, Scope::default());
        }
    }

    /// Compares members of a node.
    pub(super) fn raws(&mut self, name: &str, old: Option<&RawJson>, new: Option<&RawJson>) {
        if old == new {
            crate::steps::count(1);
            return;
        }
        let mut path = Path::to_member(name);
        let empty = || Ok(Tree::unplaced(Value::Map(Vec::new())));
        // Missing data is the same as data without members.
        let read = |raw: Option<&RawJson>| match raw {
            Some(raw) => Tree::of(raw).map(Some),
            None if name == "data" => empty().map(Some),
            None => Ok(None),
        };
        if let (Ok(old), Ok(new)) = (read(old), read(new)) {
            let scope = Scope::default().member(name);
            self.compare(old.as_ref(), new.as_ref(), &mut path, scope);
        } else {
            let opaque = |raw: Option<&RawJson>| raw.map(|_| Tree::text("(nested too deeply)"));
            self.note(
                opaque(old).as_ref(),
                opaque(new).as_ref(),
                &path,
                Scope::default(),
            );
        }
    }

    fn compare(&mut self, old: Option<&Tree>, new: Option<&Tree>, path: &mut Path, scope: Scope) {
        crate::steps::count(1);
        let present = |tree: &&Tree| !tree.is_null();
        let (old, new) = (old.filter(present), new.filter(present));
        let (Some(old), Some(new)) = (old, new) else {
            if old.is_some() || new.is_some() {
                self.note(old, new, path, scope);
            }
            return;
        };
        let same = match (&old.value, &new.value) {
            (Value::Map(old), Value::Map(new)) => return self.maps(old, new, path, scope),
            (Value::List(a), Value::List(b)) => {
                if self.lists(a, b, path, scope) {
                    return;
                }
                false
            }
            (Value::Number(old), Value::Number(new)) => Decimal::new(old) == Decimal::new(new),
            (old, new) => old == new,
        };
        if !same {
            self.note(Some(old), Some(new), path, scope);
        }
    }

    fn maps(&mut self, old: &[Member], new: &[Member], path: &mut Path, scope: Scope) {
        let [old, new] = [old, new].map(|members| {
            let pairs = members.iter().map(|member| (&*member.name, &member.tree));
            // Of a repeated member the last one counts.
            pairs.collect::<HashMap<&str, &Tree>>()
        });
        let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        for name in names {
            let (old, new) = (old.get(name).copied(), new.get(name).copied());
            if self.is_the_services(name, old.is_some() && new.is_some(), path) {
                continue;
            }
            path.in_member(name, |path| {
                self.compare(old, new, path, scope.member(name));
            });
        }
    }

    fn is_the_services(&self, name: &str, on_both_sides: bool, path: &Path) -> bool {
        match path.as_str() {
            "data" => !on_both_sides && self.is_added_on_reading(name),
            "data.container" => name == "status",
            _ => false,
        }
    }

    /// Compares lists element by element, if it is clear which elements belong together.
    fn lists(&mut self, old: &[Tree], new: &[Tree], path: &mut Path, scope: Scope) -> bool {
        for identity in IDENTITIES {
            let inside = scope.member(identity);
            let sides = (
                by_identity(old, identity, inside),
                by_identity(new, identity, inside),
            );
            if let (Some(old), Some(new)) = sides {
                return self.identified(identity, &old, &new, path, scope);
            }
        }
        if old.len() != new.len() {
            return false;
        }
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            path.in_element(index, |path| {
                // In a list, null is a value like others.
                if old.is_null() == new.is_null() {
                    self.compare(Some(old), Some(new), path, scope);
                } else {
                    self.note(Some(old), Some(new), path, scope);
                }
            });
        }
        true
    }

    /// Compares lists whose elements have names. Those on both sides must be in the same order.
    fn identified(
        &mut self,
        member: &str,
        old: &Identified<'_>,
        new: &Identified<'_>,
        path: &mut Path,
        scope: Scope,
    ) -> bool {
        let kept_old = old
            .names
            .iter()
            .filter(|name| new.trees.contains_key(*name));
        let kept_new = new
            .names
            .iter()
            .filter(|name| old.trees.contains_key(*name));
        if !kept_old.eq(kept_new) {
            return false;
        }
        let added = new
            .names
            .iter()
            .filter(|name| !old.trees.contains_key(*name));
        for name in old.names.iter().chain(added) {
            let (old, new) = (old.trees.get(name), new.trees.get(name));
            path.in_selected(member, name, |path| {
                self.compare(old.copied(), new.copied(), path, scope);
            });
        }
        true
    }

    fn note(&mut self, old: Option<&Tree>, new: Option<&Tree>, path: &Path, scope: Scope) {
        let secret = |tree: &Tree| scope.holds_secret(&tree.value);
        let masked = |tree: &Tree| mask(tree, scope).to_raw();
        self.changes.push(MemberChange {
            change: match (old, new) {
                (None, _) => Change::Added,
                (_, None) => Change::Removed,
                _ => Change::Changed,
            },
            path: path.as_str().to_owned(),
            secret: old.is_some_and(secret) || new.is_some_and(secret),
            old: old.map(masked),
            new: new.map(masked),
        });
    }
}

/// The elements of a list by the text of one of their members.
struct Identified<'a> {
    names: Vec<&'a str>,
    trees: HashMap<&'a str, &'a Tree>,
}

/// `None` unless every element has such a text of its own, which may be shown.
fn by_identity<'a>(list: &'a [Tree], member: &str, scope: Scope) -> Option<Identified<'a>> {
    let public = |tree: &&Tree| !scope.holds_secret(&tree.value);
    let name = |tree: &'a Tree| tree.get(member).filter(public).and_then(Tree::as_text);
    let names: Vec<&str> = list.iter().map(name).collect::<Option<_>>()?;
    let trees: HashMap<&str, &Tree> = names.iter().copied().zip(list).collect();
    (trees.len() == names.len()).then_some(Identified { names, trees })
}

fn mask(tree: &Tree, scope: Scope) -> Tree {
    let value = match &tree.value {
        value if scope.holds_secret(value) => Value::Text(MASK.into()),
        Value::List(list) => Value::List(list.iter().map(|part| mask(part, scope)).collect()),
        Value::Map(members) => {
            let masked = members.iter().map(|member| Member {
                name: member.name.clone(),
                at: member.at,
                tree: mask(&member.tree, scope.member(&member.name)),
            });
            Value::Map(masked.collect())
        }
        value => value.clone(),
    };
    Tree { at: tree.at, value }
}
