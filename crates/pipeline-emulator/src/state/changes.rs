//! What has changed since somebody last asked, for whoever writes it down.

#[cfg(feature = "server")]
use std::time::Duration;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

#[cfg(feature = "server")]
use pipeline_proto::Now;

#[cfg(feature = "server")]
use super::State;
#[cfg(feature = "server")]
use crate::workflow::Workflow;
use crate::{
    id::{Id, Key},
    item::Item,
};

/// What may have changed since somebody last asked, as it was then; none for what was
/// not there. Nothing is recorded until somebody asks.
#[derive(Debug, Default)]
pub(super) struct Touched(Option<BTreeMap<Key, Option<Arc<Item>>>>);

impl Clone for Touched {
    /// Nobody has asked the clone.
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl Touched {
    pub(super) fn note(&mut self, owner: &str, id: &Id, before: Option<&Arc<Item>>) {
        if let Some(touched) = &mut self.0
            && let Entry::Vacant(entry) = touched.entry((owner.to_owned(), id.clone()))
        {
            entry.insert(before.cloned());
        }
    }
}

/// Something that has changed. The copies of a workflow share their members if only the state has.
#[derive(Debug, Clone)]
#[cfg(feature = "server")]
pub(crate) struct Change {
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Item>>,
    pub(crate) after: Option<Arc<Item>>,
    /// When it was seen so.
    pub(crate) at: Now,
}

#[cfg(feature = "server")]
impl State {
    /// Notes what goes on by itself as changed, so that the time that has passed is written down.
    pub(crate) fn touch_under_way(&mut self, now: Now, manual_run: Duration) {
        let owners: Vec<String> = self.accounts.keys().cloned().collect();
        for owner in owners {
            self.of(&owner)
                .edit_those(Workflow::is_under_way, |it| it.settle(now, manual_run));
        }
    }

    /// What has changed since the last call; nothing the first time.
    pub(crate) fn take_changes(&mut self, at: Now) -> Vec<Change> {
        let touched = self.touched.0.replace(BTreeMap::new());
        let touched = touched.into_iter().flatten();
        touched
            .map(|(key, before)| Change {
                after: self.get(&key).cloned(),
                key,
                before,
                at,
            })
            .collect()
    }

    /// All there is. This copies nothing of it.
    pub(crate) fn image(&self) -> BTreeMap<Key, Arc<Item>> {
        let all = self.accounts.iter();
        all.flat_map(|(owner, all)| {
            all.iter()
                .map(move |(id, item)| ((owner.clone(), id.clone()), item.clone()))
        })
        .collect()
    }

    /// What is different from an image, whatever has happened since: another state may be in the place
    /// of the one that it was taken of.
    pub(crate) fn take_difference(
        &mut self,
        mut image: BTreeMap<Key, Arc<Item>>,
        at: Now,
    ) -> Vec<Change> {
        self.touched.0 = Some(BTreeMap::new());
        let mut changes = Vec::new();
        for (key, after) in self.image() {
            let before = image.remove(&key);
            if before.as_ref().is_none_or(|it| !Arc::ptr_eq(it, &after)) {
                let after = Some(after);
                changes.push(Change {
                    key,
                    before,
                    after,
                    at,
                });
            }
        }
        changes.extend(image.into_iter().map(|(key, before)| Change {
            key,
            before: Some(before),
            after: None,
            at,
        }));
        changes
    }

    /// Takes changes back, the last first.
    pub(crate) fn undo(&mut self, changes: impl DoubleEndedIterator<Item = Change>) {
        for Change { key, before, .. } in changes.rev() {
            let all = self.accounts.entry(key.0).or_default();
            match before {
                Some(before) => all.insert(key.1, before),
                None => all.remove(&key.1),
            };
        }
    }

    fn get(&self, (owner, id): &Key) -> Option<&Arc<Item>> {
        self.accounts.get(owner)?.get(id)
    }
}
