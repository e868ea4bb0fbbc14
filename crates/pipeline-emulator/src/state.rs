//! The workflows of all accounts, and what those that have changed were before.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use pipeline_proto::{Now, WorkflowName};

use crate::{
    snapshot::{Key, Snapshot, Stored},
    workflow::Workflow,
};

/// Everything that outlives a request.
///
/// The only way to a workflow that can be changed leads past the record of changes, so that nothing
/// can be changed without being written down.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// By account.
    accounts: BTreeMap<String, BTreeMap<WorkflowName, Arc<Workflow>>>,
    touched: Touched,
}

/// Workflows that may have changed since somebody last asked, as they were then; none for one that was
/// not there. Nothing is recorded until somebody asks.
#[derive(Debug, Default)]
struct Touched(Option<BTreeMap<Key, Option<Arc<Workflow>>>>);

impl Clone for Touched {
    /// Nobody has asked the clone.
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl Touched {
    fn note(&mut self, owner: &str, name: &WorkflowName, before: Option<&Arc<Workflow>>) {
        if let Some(touched) = &mut self.0
            && let Entry::Vacant(entry) = touched.entry((owner.to_owned(), name.clone()))
        {
            entry.insert(before.cloned());
        }
    }
}

/// A workflow that has changed. The copies share their graphs if only the state has.
#[derive(Debug, Clone)]
#[cfg(feature = "server")]
pub(crate) struct Change {
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Workflow>>,
    pub(crate) after: Option<Arc<Workflow>>,
    /// When it was seen so.
    pub(crate) at: Now,
}

impl State {
    /// The workflows of an account.
    pub(crate) fn of<'a>(&'a mut self, owner: &'a str) -> Workflows<'a> {
        Workflows {
            owner,
            all: self.accounts.entry(owner.to_owned()).or_default(),
            touched: &mut self.touched,
        }
    }

    /// How many workflows each account has.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.accounts
            .iter()
            .map(|(owner, all)| (owner.as_str(), all.len()))
    }

    pub(crate) fn clear(&mut self) {
        for (owner, all) in std::mem::take(&mut self.accounts) {
            for (name, workflow) in &all {
                self.touched.note(&owner, name, Some(workflow));
            }
        }
    }

    pub(crate) fn snapshot(&mut self, now: Now, manual_run: Duration) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let owners: Vec<String> = self.accounts.keys().cloned().collect();
        for owner in owners {
            for (name, workflow) in self.of(&owner).all(now, manual_run) {
                snapshot.insert((owner.clone(), name.clone()), Stored::of(workflow, now));
            }
        }
        snapshot
    }

    pub(crate) fn restore(&mut self, snapshot: &Snapshot, now: Now) {
        self.clear();
        for ((owner, name), stored) in snapshot.iter() {
            self.of(owner).insert(name.clone(), stored.restored(now));
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

    /// All workflows as they are. This copies no workflow.
    pub(crate) fn image(&self) -> BTreeMap<Key, Arc<Workflow>> {
        let all = self.accounts.iter();
        all.flat_map(|(owner, all)| {
            all.iter()
                .map(move |(name, workflow)| ((owner.clone(), name.clone()), workflow.clone()))
        })
        .collect()
    }

    /// What is different from an image, whatever has happened since: another state may be in the place
    /// of the one that it was taken of.
    pub(crate) fn take_difference(
        &mut self,
        mut image: BTreeMap<Key, Arc<Workflow>>,
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

    fn get(&self, (owner, name): &Key) -> Option<&Arc<Workflow>> {
        self.accounts.get(owner)?.get(name)
    }
}

/// The workflows of one account.
pub(crate) struct Workflows<'a> {
    owner: &'a str,
    all: &'a mut BTreeMap<WorkflowName, Arc<Workflow>>,
    touched: &'a mut Touched,
}

impl Workflows<'_> {
    pub(crate) fn contains(&self, name: &WorkflowName) -> bool {
        self.all.contains_key(name)
    }

    pub(crate) fn insert(&mut self, name: WorkflowName, workflow: Workflow) {
        self.touched.note(self.owner, &name, self.all.get(&name));
        self.all.insert(name, Arc::new(workflow));
    }

    /// Gives whether it was there.
    pub(crate) fn remove(&mut self, name: &WorkflowName) -> bool {
        self.touched.note(self.owner, name, self.all.get(name));
        self.all.remove(name).is_some()
    }

    /// A workflow that is to be changed.
    pub(crate) fn edit(&mut self, name: &WorkflowName) -> Option<&mut Workflow> {
        let workflow = self.all.get_mut(name)?;
        self.touched.note(self.owner, name, Some(workflow));
        Some(Arc::make_mut(workflow))
    }

    /// A workflow in the state that it has now.
    pub(crate) fn find(
        &mut self,
        name: &WorkflowName,
        now: Now,
        manual_run: Duration,
    ) -> Option<&Workflow> {
        if self.all.get(name)?.is_due(now, manual_run) {
            self.edit(name)?.settle(now, manual_run);
        }
        self.all.get(name).map(Arc::as_ref)
    }

    /// All of them by name, in the state that they have now.
    pub(crate) fn all(
        &mut self,
        now: Now,
        manual_run: Duration,
    ) -> impl Iterator<Item = (&WorkflowName, &Workflow)> {
        self.edit_those(
            |workflow| workflow.is_due(now, manual_run),
            |workflow| workflow.settle(now, manual_run),
        );
        let all = self.all.iter();
        all.map(|(name, workflow)| (name, workflow.as_ref()))
    }

    /// The caller has been shown the status of this one.
    pub(crate) fn was_read(&mut self, name: &WorkflowName) {
        if self.all.get(name).is_some_and(|it| it.counts_reads())
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
        for (name, workflow) in &mut *self.all {
            if which(workflow) {
                self.touched.note(self.owner, name, Some(workflow));
                edit(Arc::make_mut(workflow));
            }
        }
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::{
        Emulator, Transition,
        testing::{Fixture, NODES},
    };

    /// Whoever writes changes down, and reads them again.
    #[derive(Default)]
    struct Shadow(BTreeMap<Key, Arc<Workflow>>);

    impl Shadow {
        fn follow(&mut self, changes: &[Change]) {
            for change in changes.iter().cloned() {
                match change.after {
                    Some(after) => self.0.insert(change.key, after),
                    None => self.0.remove(&change.key),
                };
            }
        }
    }

    /// As it is written down, without the times that are left, which depend on when one looks.
    fn timeless(image: &BTreeMap<Key, Arc<Workflow>>, now: Now) -> Value {
        fn blank(value: &mut Value) {
            match value {
                Value::Object(members) => {
                    for (name, member) in members {
                        match name.as_str() {
                            "in_ms" | "ends_in_ms" => *member = Value::Null,
                            _ => blank(member),
                        }
                    }
                }
                Value::Array(list) => list.iter_mut().for_each(blank),
                _ => {}
            }
        }
        let mut snapshot = Snapshot::default();
        for (key, workflow) in image {
            snapshot.insert(key.clone(), Stored::of(workflow, now));
        }
        let mut value = serde_json::to_value(snapshot).unwrap();
        blank(&mut value);
        value
    }

    #[test]
    fn only_what_has_changed_is_told() {
        let mut service = Fixture::new().ready();
        service.ok("POST", "/v2/workflows/v", r#"{"region":"nb"}"#);
        assert_eq!(service.emulator.state.take_changes(service.now).len(), 0);
        let mut change = |method, target, body| {
            service.ok(method, target, body);
            let changes = service.emulator.state.take_changes(service.now);
            let told = changes.iter().map(|change| {
                let both = change.before.as_ref().zip(change.after.as_ref());
                let same_graph = both.is_some_and(|(before, after)| before.shares_graph(after));
                format!("{} {same_graph} {}", change.key.1, change.after.is_some())
            });
            told.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(change("GET", "/v2/workflows/w", ""), "");
        assert_eq!(change("GET", "/v2/workflows", ""), "");
        assert_eq!(change("POST", "/v2/workflows/w/start", ""), "w true true");
        // What was seen to be over is over for good.
        assert_eq!(change("GET", "/v2/workflows/w", ""), "w true true");
        assert_eq!(change("GET", "/v2/workflows/w", ""), "");
        assert_eq!(change("DELETE", "/v2/workflows/v", ""), "v false false");
    }

    #[test]
    fn a_clone_in_the_place_of_an_emulator_is_a_difference() {
        let mut service = Fixture::new().ready();
        service.emulator.state.take_changes(service.now);
        let before = service.emulator.clone();
        service.ok("DELETE", "/v2/workflows/w", "");
        let image = service.emulator.state.image();
        service.emulator = before;
        let changes = service.emulator.state.take_difference(image, service.now);
        assert_eq!(changes.len(), 1);
        assert!(changes[0].before.is_none() && changes[0].after.is_some());
        service.emulator.reset();
        let changes = service.emulator.state.take_changes(service.now);
        assert!(changes.len() == 1 && changes[0].after.is_none());
    }

    fn transition() -> impl Strategy<Value = Transition> {
        prop_oneof![
            Just(Transition::Immediate),
            Just(Transition::After(Duration::from_millis(300))),
            (0..3_u32).prop_map(Transition::AfterReads),
            Just(Transition::Stuck),
            Just(Transition::FallsBack(Duration::from_millis(300))),
        ]
    }

    proptest! {
        /// Whatever is asked, what was written down is what there is, and can be taken back.
        #[test]
        fn whoever_follows_the_changes_has_everything(
            steps in prop::collection::vec((0..11_usize, 0..2_usize, 0..400_u64, transition()), 1..40)
        ) {
            let manual = NODES.replace("export\"", "job\"");
            let mut service = Fixture::with(Emulator::builder().manual_run(Duration::from_millis(200)));
            let mut shadow = Shadow::default();
            service.emulator.state.take_changes(service.now);
            let saved = service.emulator.snapshot(service.now);
            let mut all = Vec::new();
            for (operation, name, millis, how) in steps {
                service.now = service.now + Duration::from_millis(millis);
                service.emulator.set_start_transition(how);
                service.emulator.set_stop_transition(how);
                let path = format!("/v2/workflows/w{name}");
                let nodes = if name == 0 { NODES } else { &manual };
                let update = format!(r#"{{"region":"nb","nodes":{nodes}}}"#);
                let operations = [
                    ("POST", "", r#"{"region":"nb"}"#),
                    ("PUT", "", update.as_str()),
                    ("PUT", "", r#"{"region":"nb"}"#),
                    ("GET", "", ""),
                    ("GET", "/status", ""),
                    ("POST", "/start", ""),
                    ("POST", "/stop", ""),
                    ("POST", "/search", "{}"),
                    ("DELETE", "", ""),
                ];
                match (operations.get(operation), name) {
                    (Some((method, action, body)), _) => {
                        service.send(method, &(path + action), body);
                    }
                    (None, 0) => service.emulator.restore(&saved, service.now),
                    (None, _) => service.emulator.reset(),
                }
                service.send("GET", "/v2/workflows", "");
                let changes = service.emulator.state.take_changes(service.now);
                shadow.follow(&changes);
                all.extend(changes);
                let is = service.emulator.state.image();
                prop_assert_eq!(timeless(&is, service.now), timeless(&shadow.0, service.now));
            }
            service.emulator.state.undo(all.into_iter());
            prop_assert!(service.emulator.state.image().is_empty());
        }
    }
}
