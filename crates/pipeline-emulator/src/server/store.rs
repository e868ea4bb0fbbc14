//! What accounts have, in an embedded database, redb.
//!
//! The emulator has everything in memory, so that a store has to do two things: to take changes
//! durably, and to give everything back at the start. What belongs to a workflow may be much and changes
//! seldom, the state of a workflow is small and changes all the time: each has a table of its own.
//!
//! Commits have two phases. With one, the latest commit of a process that was killed counts only if its
//! checksums hold, and the one before it is taken if they do not: right after a crash, but a page that
//! went bad afterwards would take an acknowledged change with it without a word. With two, the file says
//! which commit was the last, and one that is damaged is noticed.

use std::{collections::BTreeMap, sync::Arc};

use pipeline_proto::{Now, WorkflowName};
use redb::{
    Builder, Database, Error, ReadableDatabase as _, ReadableTable as _, StorageBackend, Table,
    TableDefinition, TableHandle as _, WriteTransaction,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    id::{Id, Key, Kind},
    item::Item,
    snapshot::{Snapshot, Stored},
    state::Change,
};

/// By account and name, in JSON.
type Texts = TableDefinition<'static, (&'static str, &'static str), &'static [u8]>;
const STATES: Texts = TableDefinition::new("states");
const NODES: Texts = TableDefinition::new("nodes");

/// What is no workflow, by account, kind and path.
const RESOURCES: TableDefinition<'static, (&str, &str, &str), &[u8]> =
    TableDefinition::new("resources");

/// Written together with the first workflows, so that a file without it holds nothing yet.
const ABOUT: TableDefinition<'static, &str, u64> = TableDefinition::new("pipeline-emulator");
const VERSION: u64 = 3;

/// All that is read is read once.
const CACHE: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Store(Database);

/// Why what is in a store cannot be used.
#[derive(Debug)]
pub(super) enum Unreadable {
    Store(Error),
    Foreign(String),
    Damaged(String),
}

impl<E: Into<Error>> From<E> for Unreadable {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Corrupted(what) => Self::Damaged(what),
            Error::UpgradeRequired(version) => {
                Self::Foreign(format!("its database has the format {version}"))
            }
            error => Self::Store(error),
        }
    }
}

impl Store {
    /// Opens what is there, or begins anew where there is nothing.
    pub(super) fn open(backend: impl StorageBackend) -> Result<Self, Error> {
        let database = Builder::new()
            .set_cache_size(CACHE)
            .create_with_backend(backend)?;
        Ok(Self(database))
    }

    /// Opens what is there after having looked at every page of it.
    pub(super) fn check(backend: impl StorageBackend) -> Result<Self, Unreadable> {
        let database = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)?;
        Ok(Self(database))
    }

    /// Everything; none if nothing has been written yet.
    pub(super) fn contents(&self) -> Result<Option<Snapshot>, Unreadable> {
        let read = self.0.begin_read()?;
        let tables: Vec<String> = read.list_tables()?.map(|it| it.name().to_owned()).collect();
        if tables.is_empty() {
            return Ok(None);
        }
        if !tables.iter().any(|name| name == ABOUT.name()) {
            let what = "it is a database of another program";
            return Err(Unreadable::Foreign(what.to_owned()));
        }
        let version = read.open_table(ABOUT)?.get("version")?;
        let version = version.map_or(0, |it| it.value());
        if version != VERSION {
            let what = format!("it has version {version}, this program reads version {VERSION}");
            return Err(Unreadable::Foreign(what));
        }
        let nodes = read.open_table(NODES)?;
        let mut snapshot = Snapshot::default();
        for row in read.open_table(STATES)?.iter()? {
            let (key, state) = row?;
            let (owner, name) = key.value();
            let damaged = |what: String| Unreadable::Damaged(format!("workflow {name:?}: {what}"));
            let nodes = nodes.get(key.value())?;
            let nodes = nodes.ok_or_else(|| damaged("it has no nodes".to_owned()))?;
            let stored = Stored::Workflow(
                parse(state.value()).map_err(damaged)?,
                Arc::new(parse(nodes.value()).map_err(damaged)?),
            );
            let name = WorkflowName::new(name).map_err(|error| damaged(error.to_string()))?;
            snapshot.insert((owner.to_owned(), Id::workflow(&name)), stored);
        }
        for row in read.open_table(RESOURCES)?.iter()? {
            let (key, resource) = row?;
            let (owner, kind, path) = key.value();
            let damaged = |what: String| Unreadable::Damaged(format!("{kind} {path:?}: {what}"));
            let resource = Stored::Other(parse(resource.value()).map_err(damaged)?);
            let kind = Kind::of(kind).ok_or_else(|| damaged("no such kind".to_owned()))?;
            snapshot.insert((owner.to_owned(), Id::new(kind, path)), resource);
        }
        snapshot.check().map_err(Unreadable::Damaged)?;
        Ok(Some(snapshot))
    }

    /// Writes changes down, all or none. When this returns, they are there to stay.
    pub(super) fn write<'a>(
        &self,
        changes: impl IntoIterator<Item = &'a Change>,
    ) -> Result<(), Error> {
        self.commit(|tables| {
            for change in changes {
                match &change.after {
                    Some(after) => {
                        tables.put(&change.key, change.before.as_deref(), after, change.at)?;
                    }
                    None => tables.remove(&change.key)?,
                }
            }
            Ok(())
        })
    }

    /// Writes down what there is, in the place of whatever there was.
    pub(super) fn write_all(
        &self,
        image: &BTreeMap<Key, Arc<Item>>,
        now: Now,
    ) -> Result<(), Error> {
        self.commit(|tables| {
            tables.about.insert("version", VERSION)?;
            tables.states.retain(|_, _| false)?;
            tables.nodes.retain(|_, _| false)?;
            tables.resources.retain(|_, _| false)?;
            for (key, item) in image {
                tables.put(key, None, item, now)?;
            }
            Ok(())
        })
    }

    fn commit(
        &self,
        write: impl FnOnce(&mut Tables<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut transaction = self.0.begin_write()?;
        transaction.set_two_phase_commit(true);
        write(&mut Tables::open(&transaction)?)?;
        Ok(transaction.commit()?)
    }
}

struct Tables<'a> {
    about: Table<'a, &'static str, u64>,
    states: Table<'a, (&'static str, &'static str), &'static [u8]>,
    nodes: Table<'a, (&'static str, &'static str), &'static [u8]>,
    resources: Table<'a, (&'static str, &'static str, &'static str), &'static [u8]>,
}

impl<'a> Tables<'a> {
    fn open(transaction: &'a WriteTransaction) -> Result<Self, Error> {
        Ok(Self {
            about: transaction.open_table(ABOUT)?,
            states: transaction.open_table(STATES)?,
            nodes: transaction.open_table(NODES)?,
            resources: transaction.open_table(RESOURCES)?,
        })
    }

    fn put(
        &mut self,
        key: &Key,
        before: Option<&Item>,
        after: &Item,
        at: Now,
    ) -> Result<(), Error> {
        let (owner, id) = key;
        let before = before.and_then(Item::workflow);
        let is_same = after.workflow().zip(before);
        let is_same = is_same.is_some_and(|(after, before)| after.shares_members(before));
        let key = (owner.as_str(), id.path.as_str());
        match Stored::of(after, at) {
            Stored::Workflow(state, nodes) => {
                self.states.insert(key, &*text(&state))?;
                if !is_same {
                    self.nodes.insert(key, &*text(&*nodes))?;
                }
            }
            Stored::Other(resource) => {
                let key = (key.0, id.kind.as_str(), key.1);
                self.resources.insert(key, &*text(&resource))?;
            }
        }
        Ok(())
    }

    fn remove(&mut self, (owner, id): &Key) -> Result<(), Error> {
        let (owner, path) = (owner.as_str(), id.path.as_str());
        if id.kind == Kind::Workflow {
            self.states.remove((owner, path))?;
            self.nodes.remove((owner, path))?;
        } else {
            self.resources.remove((owner, id.kind.as_str(), path))?;
        }
        Ok(())
    }
}

fn text(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("workflows are text, numbers and JSON that was read")
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn what_was_pushed_is_written_down_and_goes_with_its_repo() {
        let mut service = Fixture::new();
        let store = Store::open(InMemoryBackend::new()).unwrap();
        service.emulator.state.take_changes(service.now);
        store
            .write_all(&service.emulator.state.image(), service.now)
            .unwrap();
        let repo = r#"{"region":"nb","schema":[{"key":"a","valtype":"long"}]}"#;
        for (method, target, body, left) in [
            ("POST", "/v2/repos/r", repo, 1),
            ("POST", "/v2/repos/r/data", "a=1\na=2", 2),
            ("POST", "/v2/repos/r/data", "a=3", 2),
            ("DELETE", "/v2/repos/r", "", 0),
        ] {
            service.ok(method, target, body);
            let changes = service.emulator.state.take_changes(service.now);
            store.write(&changes).unwrap();
            let kept = store.contents().unwrap_or_default().unwrap();
            assert_eq!(kept, service.emulator.snapshot(service.now));
            assert_eq!(kept.iter().count(), left);
        }
    }
}
