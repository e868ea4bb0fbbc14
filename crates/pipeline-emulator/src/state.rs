//! What all accounts have, and what that which has changed was before.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use pipeline_proto::{
    Now, WorkflowName,
    model::{Node, NodeId, NodeType},
};
use serde::{Deserialize, Serialize};

use crate::{
    resource::Members,
    snapshot::{Key, Snapshot, Stored},
    workflow::Workflow,
};

macro_rules! kinds {
    ($($kind:ident = $word:literal),* $(,)?) => {
        /// What something is; with the word that snapshots and state files have for it. For what can be
        /// a node of a workflow, that is the node's type.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub(crate) enum Kind { $(#[serde(rename = $word)] $kind),* }

        impl Kind {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),*];

            pub(crate) fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$kind),)* _ => None }
            }

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word),* }
            }
        }
    };
}

kinds! {
    Workflow = "workflow",
    Repo = "repo",
    Data = "data",
    Transform = "transform",
    Export = "export",
    Datasource = "datasource",
    Job = "job",
    JobExport = "exportBatch",
    Plugin = "plugin",
    Group = "group",
    UdfJar = "udfJar",
    Udf = "udf",
    Variable = "variable",
}

/// Which of the things of an account: the names in its path, with slashes between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Id {
    pub(crate) kind: Kind,
    pub(crate) path: String,
}

impl Id {
    pub(crate) fn new(kind: Kind, path: &str) -> Self {
        Self {
            kind,
            path: path.to_owned(),
        }
    }

    pub(crate) fn workflow(name: &WorkflowName) -> Self {
        Self::new(Kind::Workflow, name.as_str())
    }

    /// The last of its names, which is its own.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The name of what it hangs on, if its path says that.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.path.split_once('/').map(|(parent, _)| parent)
    }

    /// As a node of a workflow.
    pub(crate) fn node_type(&self) -> NodeType {
        NodeType::from(self.kind.as_str())
    }

    pub(crate) fn node_id(&self) -> NodeId {
        NodeId::of(self.name(), &self.node_type())
    }
}

/// Something that an account has. Workflows live; of all else the definition is kept.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Workflow(Workflow),
    Other(Members),
    /// It came with the graph of its workflow, and is shown there as it came, without its edges, until
    /// it is changed by itself.
    Node(Members, Node),
}

impl Item {
    pub(crate) fn workflow(&self) -> Option<&Workflow> {
        match self {
            Self::Workflow(workflow) => Some(workflow),
            Self::Other(_) | Self::Node(..) => None,
        }
    }

    pub(crate) fn members(&self) -> Option<&Members> {
        match self {
            Self::Workflow(_) => None,
            Self::Other(members) | Self::Node(members, _) => Some(members),
        }
    }

    /// Of an item that is no longer shared.
    fn workflow_mut(item: &mut Arc<Self>) -> Option<&mut Workflow> {
        match Arc::make_mut(item) {
            Self::Workflow(workflow) => Some(workflow),
            Self::Other(_) | Self::Node(..) => None,
        }
    }
}

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

/// What may have changed since somebody last asked, as it was then; none for what was
/// not there. Nothing is recorded until somebody asks.
#[derive(Debug, Default)]
struct Touched(Option<BTreeMap<Key, Option<Arc<Item>>>>);

impl Clone for Touched {
    /// Nobody has asked the clone.
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl Touched {
    fn note(&mut self, owner: &str, id: &Id, before: Option<&Arc<Item>>) {
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

/// For whoever writes changes down.
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
