//! Comparison of two JSON values by what they mean.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use pipeline_proto::{
    describe::{Member as Described, Object},
    model::{NodeType, RawJson},
};

use super::{Change, MemberChange};
use crate::{
    path::Path,
    secrets::{Scope, hide},
    tree::{IDENTITIES, Member, Tree, Value, number::Decimal},
};

/// Stands in place of a secret.
const MASK: &str = "***";

/// Stands for what nobody knows whether it may be shown.
static HIDDEN: LazyLock<Tree> = LazyLock::new(|| Tree::text(MASK));

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

    /// Compares texts of which an empty one is the same as a missing one. With each stands what may be
    /// shown of it.
    pub(super) fn texts(&mut self, name: &str, old: (&str, &str), new: (&str, &str)) {
        if old.0 != new.0 {
            let [old, new] = [old, new].map(|(value, shown)| {
                (!value.is_empty()).then(|| (Tree::text(value), Tree::text(shown)))
            });
            let [old, new] = [&old, &new].map(|side| {
                let (value, shown) = side.as_ref()?;
                Some(Part::new(value, shown))
            });
            self.note(old, new, &Path::to_member(name), Scope::default());
        }
    }

    /// Compares members of a node. With each stands what may be shown of it.
    pub(super) fn raws(&mut self, name: &str, old: Option<Raws<'_>>, new: Option<Raws<'_>>) {
        if old.map(|(raw, _)| raw) == new.map(|(raw, _)| raw) {
            return;
        }
        let mut path = Path::to_member(name);
        let read = |raws: Option<Raws<'_>>| -> Result<_, ()> {
            let Some((raw, shown)) = raws else {
                // Missing data is the same as data without members.
                let empty = || Tree::unplaced(Value::Map(Vec::new()));
                return Ok((name == "data").then(|| (empty(), None)));
            };
            let value = Tree::of(raw).map_err(drop)?;
            let shown = match shown {
                Some(shown) if shown != raw => Some(Tree::of(shown).map_err(drop)?),
                Some(_) => None,
                None => Some(Tree::text(MASK)),
            };
            Ok(Some((value, shown)))
        };
        if let (Ok(old), Ok(new)) = (read(old), read(new)) {
            let scope = Scope::default().member(name);
            let [old, new] = [&old, &new].map(|side| {
                let (value, shown) = side.as_ref()?;
                Some(Part::new(value, shown.as_ref().unwrap_or(value)))
            });
            self.compare(old, new, &mut path, scope);
        } else {
            let deep = Tree::text("(nested too deeply)");
            let opaque = |raws: Option<Raws<'_>>| raws.map(|_| Part::new(&deep, &deep));
            self.note(opaque(old), opaque(new), &path, Scope::default());
        }
    }

    fn compare(
        &mut self,
        old: Option<Part<'_>>,
        new: Option<Part<'_>>,
        path: &mut Path,
        scope: Scope<'_>,
    ) {
        let present = |part: &Part<'_>| !part.value.is_null();
        let (old, new) = (old.filter(present), new.filter(present));
        let (Some(old), Some(new)) = (old, new) else {
            if old.is_some() || new.is_some() {
                self.note(old, new, path, scope);
            }
            return;
        };
        let same = match (&old.value.value, &new.value.value) {
            (Value::Map(_), Value::Map(_)) => return self.maps(old, new, path, scope),
            (Value::List(_), Value::List(_)) => {
                if self.lists(&old.elements(), &new.elements(), path, scope) {
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

    fn maps(&mut self, old: Part<'_>, new: Part<'_>, path: &mut Path, scope: Scope<'_>) {
        let (old, new) = (old.members(), new.members());
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
    fn lists(
        &mut self,
        old: &[Part<'_>],
        new: &[Part<'_>],
        path: &mut Path,
        scope: Scope<'_>,
    ) -> bool {
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
                if old.value.is_null() == new.value.is_null() {
                    self.compare(Some(*old), Some(*new), path, scope);
                } else {
                    self.note(Some(*old), Some(*new), path, scope);
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
        scope: Scope<'_>,
    ) -> bool {
        let kept_old = old
            .names
            .iter()
            .filter(|name| new.parts.contains_key(*name));
        let kept_new = new
            .names
            .iter()
            .filter(|name| old.parts.contains_key(*name));
        if !kept_old.eq(kept_new) {
            return false;
        }
        let added = new
            .names
            .iter()
            .filter(|name| !old.parts.contains_key(*name));
        for name in old.names.iter().chain(added) {
            let (old, new) = (old.parts.get(name), new.parts.get(name));
            path.in_selected(member, name, |path| {
                self.compare(old.copied(), new.copied(), path, scope);
            });
        }
        true
    }

    fn note(
        &mut self,
        old: Option<Part<'_>>,
        new: Option<Part<'_>>,
        path: &Path,
        scope: Scope<'_>,
    ) {
        let filled = |side: Option<Part<'_>>| side.is_some_and(Part::is_filled);
        // What stands where a value of the environment will stand is most likely an earlier one.
        let show = |side: Option<Part<'_>>, other| {
            let part = side?;
            Some(if filled(other) && !part.is_filled() {
                Tree::text(MASK).to_raw()
            } else {
                let mut shown = part.shown.clone();
                hide(&mut shown, scope, MASK);
                shown.to_raw()
            })
        };
        let secret = |side: Option<Part<'_>>| {
            side.is_some_and(|part| scope.holds_secret(&part.value.value) || part.is_filled())
        };
        self.changes.push(MemberChange {
            change: match (old, new) {
                (None, _) => Change::Added,
                (_, None) => Change::Removed,
                _ => Change::Changed,
            },
            path: path.as_str().to_owned(),
            secret: secret(old) || secret(new),
            old: show(old, new),
            new: show(new, old),
        });
    }
}

/// A value as JSON, and what may be shown of it: nothing at all, if that is not known.
type Raws<'a> = (&'a RawJson, Option<&'a RawJson>);

/// A value that is compared, and what may be shown of it: the reference, if it came from the environment.
#[derive(Clone, Copy)]
struct Part<'a> {
    value: &'a Tree,
    shown: &'a Tree,
}

impl<'a> Part<'a> {
    fn new(value: &'a Tree, shown: &'a Tree) -> Self {
        Self { value, shown }
    }

    /// Whether a part of it came from the environment.
    fn is_filled(self) -> bool {
        !std::ptr::eq(self.value, self.shown) && !self.value.is_same(self.shown)
    }

    /// What is not of the same shape is not shown.
    fn elements(self) -> Vec<Self> {
        let values = self.value.as_list().unwrap_or_default();
        let shown = self.shown.as_list().unwrap_or_default();
        let pair = |(at, value)| Self::new(value, shown.get(at).unwrap_or(&HIDDEN));
        values.iter().enumerate().map(pair).collect()
    }

    /// Of a repeated member the last one counts.
    fn members(self) -> HashMap<&'a str, Self> {
        let values = self.value.as_map().unwrap_or_default();
        let shown = self.shown.as_map().unwrap_or_default();
        let pair = |(at, member): (usize, &'a Member)| {
            let same = shown.get(at).filter(|shown| shown.name == member.name);
            let shown = same.map_or(&*HIDDEN, |shown| &shown.tree);
            (&*member.name, Self::new(&member.tree, shown))
        };
        values.iter().enumerate().map(pair).collect()
    }
}

/// The elements of a list by the text of one of their members.
struct Identified<'a> {
    names: Vec<&'a str>,
    parts: HashMap<&'a str, Part<'a>>,
}

/// `None` unless every element has such a text of its own, which may be shown.
fn by_identity<'a>(list: &[Part<'a>], member: &str, scope: Scope<'_>) -> Option<Identified<'a>> {
    let name = |part: &Part<'a>| {
        let (value, shown) = (part.value.get(member)?, part.shown.get(member)?);
        let public = value.is_same(shown) && !scope.holds_secret(&value.value);
        value.as_text().filter(|_| public)
    };
    let names: Vec<&str> = list.iter().map(name).collect::<Option<_>>()?;
    let parts: HashMap<&str, Part<'_>> = names.iter().copied().zip(list.iter().copied()).collect();
    (parts.len() == names.len()).then_some(Identified { names, parts })
}
