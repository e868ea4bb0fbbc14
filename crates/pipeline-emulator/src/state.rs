//! What all accounts have, and the ways to look at it and to change it.

mod changes;

#[cfg(feature = "server")]
pub(crate) use changes::Change;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pipeline_proto::{Now, WorkflowName};

use changes::Touched;

use crate::{
    id::{Id, Kind},
    item::{Item, Members},
    snapshot::{Snapshot, Stored},
    workflow::Workflow,
};

/// Everything that outlives a request.
///
/// The only way to anything that can be changed leads past the record of changes, so that nothing
/// can be changed without being written down.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// By account.
    accounts: BTreeMap<String, BTreeMap<Id, Arc<Item>>>,
    touched: Touched,
}

impl State {
    /// What an account has.
    pub(crate) fn of<'a>(&'a mut self, owner: &'a str) -> Space<'a> {
        Space {
            owner,
            all: self.accounts.entry(owner.to_owned()).or_default(),
            touched: &mut self.touched,
        }
    }

    /// How many of each kind each account has.
    pub(crate) fn counts(&self) -> BTreeMap<&str, BTreeMap<&'static str, usize>> {
        let mut counts = BTreeMap::<_, BTreeMap<_, usize>>::new();
        for (owner, all) in &self.accounts {
            let of_owner = counts.entry(owner.as_str()).or_default();
            for id in all.keys().filter(|id| id.kind != Kind::Data) {
                *of_owner.entry(id.kind.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// What was pushed into each queue, by account and repo.
    pub(crate) fn queues(&self) -> impl Iterator<Item = (&str, &str, &Members)> {
        self.accounts.iter().flat_map(|(owner, all)| {
            let of_data = all.range(Id::new(Kind::Data, "")..);
            of_data
                .take_while(|(id, _)| id.kind == Kind::Data)
                .filter_map(|(id, item)| Some((owner.as_str(), id.path.as_str(), item.members()?)))
        })
    }

    pub(crate) fn clear(&mut self) {
        for (owner, all) in std::mem::take(&mut self.accounts) {
            for (id, item) in &all {
                self.touched.note(&owner, id, Some(item));
            }
        }
    }

    pub(crate) fn snapshot(&mut self, now: Now, manual_run: Duration) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let owners: Vec<String> = self.accounts.keys().cloned().collect();
        for owner in owners {
            let mut space = self.of(&owner);
            space.settle(now, manual_run);
            for (id, item) in &*space.all {
                snapshot.insert((owner.clone(), id.clone()), Stored::of(item, now));
            }
        }
        snapshot
    }

    pub(crate) fn restore(&mut self, snapshot: &Snapshot, now: Now) {
        self.clear();
        for ((owner, id), stored) in snapshot.iter() {
            self.of(owner).put(id.clone(), stored.restored(now));
        }
    }
}

/// What one account has.
pub(crate) struct Space<'a> {
    owner: &'a str,
    all: &'a mut BTreeMap<Id, Arc<Item>>,
    touched: &'a mut Touched,
}

impl Space<'_> {
    pub(crate) fn put(&mut self, id: Id, item: Item) {
        self.touched.note(self.owner, &id, self.all.get(&id));
        self.all.insert(id, Arc::new(item));
    }

    /// Something other than a workflow has other members. As a node it is what it was.
    pub(crate) fn amend(&mut self, id: Id, members: Members) {
        let item = match self.item(&id) {
            Some(Item::Node(_, node)) => Item::Node(members, node.clone()),
            _ => Item::Other(members),
        };
        self.put(id, item);
    }

    /// Gives whether it was there.
    pub(crate) fn remove(&mut self, id: &Id) -> bool {
        if id.kind == Kind::Repo {
            // What was pushed goes with its queue, whatever takes that away.
            self.remove(&Id::new(Kind::Data, &id.path));
        }
        self.touched.note(self.owner, id, self.all.get(id));
        self.all.remove(id).is_some()
    }

    /// Something other than a workflow.
    pub(crate) fn get(&self, id: &Id) -> Option<&Members> {
        self.item(id)?.members()
    }

    pub(crate) fn item(&self, id: &Id) -> Option<&Item> {
        self.all.get(id).map(|item| &**item)
    }

    /// All of a kind whose paths begin so, by the rest of their paths.
    pub(crate) fn others(
        &self,
        kind: Kind,
        inside: &str,
    ) -> impl Iterator<Item = (&str, &Members)> {
        let all = self.all.range(Id::new(kind, inside)..);
        let all = all.take_while(move |(id, _)| id.kind == kind);
        all.map_while(move |(id, item)| Some((id.path.strip_prefix(inside)?, item.members()?)))
    }
}

/// Workflows, which live.
impl Space<'_> {
    pub(crate) fn contains(&self, name: &WorkflowName) -> bool {
        self.all.contains_key(&Id::workflow(name))
    }

    pub(crate) fn insert(&mut self, name: &WorkflowName, workflow: Workflow) {
        self.put(Id::workflow(name), Item::Workflow(workflow));
    }

    /// A workflow as it was when it was last looked at.
    pub(crate) fn last_seen(&self, name: &str) -> Option<&Workflow> {
        self.all.get(&Id::new(Kind::Workflow, name))?.workflow()
    }

    /// A workflow that is to be changed.
    pub(crate) fn edit(&mut self, name: &WorkflowName) -> Option<&mut Workflow> {
        let id = Id::workflow(name);
        let item = self.all.get_mut(&id)?;
        self.touched.note(self.owner, &id, Some(item));
        Item::workflow_mut(item)
    }

    /// A workflow in the state that it has now.
    pub(crate) fn find(
        &mut self,
        name: &WorkflowName,
        now: Now,
        manual_run: Duration,
    ) -> Option<&Workflow> {
        let id = Id::workflow(name);
        if self.all.get(&id)?.workflow()?.is_due(now, manual_run) {
            self.edit(name)?.settle(now, manual_run);
        }
        self.all.get(&id)?.workflow()
    }

    /// All of them by name, in the state that they have now.
    pub(crate) fn workflows(
        &mut self,
        now: Now,
        manual_run: Duration,
    ) -> impl Iterator<Item = (&str, &Workflow)> {
        self.settle(now, manual_run);
        let all = self.all.iter();
        all.filter_map(|(id, item)| Some((id.path.as_str(), item.workflow()?)))
    }

    fn settle(&mut self, now: Now, manual_run: Duration) {
        self.edit_those(
            |workflow| workflow.is_due(now, manual_run),
            |workflow| workflow.settle(now, manual_run),
        );
    }

    /// The caller has been shown the status of this one.
    pub(crate) fn was_read(&mut self, name: &WorkflowName) {
        let item = self.all.get(&Id::workflow(name));
        let workflow = item.and_then(|item| item.workflow());
        if workflow.is_some_and(Workflow::counts_reads)
            && let Some(workflow) = self.edit(name)
        {
            workflow.was_read();
        }
    }

    /// The caller has been shown the status of them all.
    pub(crate) fn were_read(&mut self) {
        self.edit_those(Workflow::counts_reads, Workflow::was_read);
    }

    fn edit_those(&mut self, which: impl Fn(&Workflow) -> bool, edit: impl Fn(&mut Workflow)) {
        for (id, item) in &mut *self.all {
            if item.workflow().is_some_and(&which) {
                self.touched.note(self.owner, id, Some(item));
                Item::workflow_mut(item).map(&edit);
            }
        }
    }
}

#[cfg(all(test, feature = "server"))]
mod tests;
