//! The workflows of all accounts, and which of them have changed.

use std::{collections::BTreeMap, time::Duration};

use pipeline_proto::{Now, WorkflowName};

#[cfg(feature = "server")]
use crate::snapshot::Record;
use crate::{
    snapshot::{Snapshot, Stored},
    workflow::Workflow,
};

/// Everything that outlives a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// By account.
    accounts: BTreeMap<String, BTreeMap<WorkflowName, Workflow>>,
    changes: Changes,
}

/// What has changed since somebody last asked. It costs nothing until somebody does.
#[derive(Debug, Default)]
enum Changes {
    /// Nobody has asked yet, or everything was replaced.
    #[default]
    Everything,
    #[cfg_attr(
        not(feature = "server"),
        expect(dead_code, reason = "only the server asks")
    )]
    These(BTreeMap<(String, WorkflowName), Part>),
}

impl Clone for Changes {
    /// Whoever puts a clone in the place of an emulator replaces everything.
    fn clone(&self) -> Self {
        Self::Everything
    }
}

/// How much of a workflow has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Anything but the graph.
    State,
    /// The graph as well.
    Whole,
}

/// What has changed, in the form in which it is written down. Each piece is a JSON array of records.
#[cfg(feature = "server")]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// This came on top of what there was.
    Some(Vec<u8>),
    /// This is all there is now.
    Everything(Vec<Vec<u8>>),
}

impl State {
    /// The workflows of an account.
    pub(crate) fn of<'a>(&'a mut self, owner: &'a str) -> Workflows<'a> {
        Workflows {
            owner,
            all: self.accounts.entry(owner.to_owned()).or_default(),
            changes: &mut self.changes,
        }
    }

    /// How many workflows each account has.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.accounts
            .iter()
            .map(|(owner, all)| (owner.as_str(), all.len()))
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn snapshot(&mut self, now: Now, manual_run: Duration) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (owner, all) in &mut self.accounts {
            for (name, workflow) in all {
                if workflow.settle(now, manual_run) {
                    self.changes.mark(owner, name, Part::State);
                }
                let key = (owner.clone(), name.clone());
                snapshot.insert(key, Stored::of(workflow, now));
            }
        }
        snapshot
    }

    pub(crate) fn restore(&mut self, snapshot: &Snapshot, now: Now) {
        self.clear();
        for ((owner, name), stored) in snapshot.iter() {
            let all = self.accounts.entry(owner.clone()).or_default();
            all.insert(name.clone(), stored.restored(now));
        }
    }

    /// Marks what goes on by itself as changed, so that the time that has passed is written down.
    #[cfg(feature = "server")]
    pub(crate) fn mark_under_way(&mut self, now: Now, manual_run: Duration) {
        for (owner, all) in &mut self.accounts {
            for (name, workflow) in all {
                if workflow.is_under_way() {
                    workflow.settle(now, manual_run);
                    self.changes.mark(owner, name, Part::State);
                }
            }
        }
    }

    /// Begins to keep account of changes, with what there is now as known.
    #[cfg(feature = "server")]
    pub(crate) fn forget_changes(&mut self) {
        self.changes = Changes::These(BTreeMap::new());
    }

    /// What has changed since the last call, if anything has; and then everything, if that is wanted.
    #[cfg(feature = "server")]
    pub(crate) fn take_changes(
        &mut self,
        now: Now,
        everything: impl FnOnce() -> bool,
    ) -> Option<Change> {
        let taken = match &mut self.changes {
            Changes::These(changed) if changed.is_empty() => return None,
            Changes::These(changed) => Some(std::mem::take(changed)),
            Changes::Everything => None,
        };
        let Some(taken) = taken.filter(|_| !everything()) else {
            self.forget_changes();
            return Some(Change::Everything(self.everything(now)));
        };
        let records = taken.iter().map(|((owner, name), part)| {
            let workflow = self.accounts.get(owner).and_then(|all| all.get(name));
            Record::new(owner, name, workflow, *part, now)
        });
        Some(Change::Some(Record::encode(records)))
    }

    #[cfg(feature = "server")]
    fn everything(&self, now: Now) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        for (owner, all) in &self.accounts {
            for (name, workflow) in all {
                let record = Record::new(owner, name, Some(workflow), Part::Whole, now);
                pieces.push(Record::encode([record]));
            }
        }
        pieces
    }
}

impl Changes {
    fn mark(&mut self, owner: &str, name: &WorkflowName, part: Part) {
        if let Self::These(changed) = self {
            let known = changed
                .entry((owner.to_owned(), name.clone()))
                .or_insert(part);
            *known = part.max(*known);
        }
    }
}

/// The workflows of one account.
///
/// Whoever changes one in place says so: [`changed`](Self::changed).
pub(crate) struct Workflows<'a> {
    owner: &'a str,
    all: &'a mut BTreeMap<WorkflowName, Workflow>,
    changes: &'a mut Changes,
}

impl Workflows<'_> {
    pub(crate) fn contains(&self, name: &WorkflowName) -> bool {
        self.all.contains_key(name)
    }

    pub(crate) fn insert(&mut self, name: WorkflowName, workflow: Workflow) {
        self.changed(&name, Part::Whole);
        self.all.insert(name, workflow);
    }

    /// Gives whether it was there.
    pub(crate) fn remove(&mut self, name: &WorkflowName) -> bool {
        let removed = self.all.remove(name).is_some();
        if removed {
            self.changed(name, Part::Whole);
        }
        removed
    }

    /// A workflow in the state that it has now.
    pub(crate) fn find(
        &mut self,
        name: &WorkflowName,
        now: Now,
        manual_run: Duration,
    ) -> Option<&mut Workflow> {
        let workflow = self.all.get_mut(name)?;
        if workflow.settle(now, manual_run) {
            self.changes.mark(self.owner, name, Part::State);
        }
        Some(workflow)
    }

    pub(crate) fn changed(&mut self, name: &WorkflowName, part: Part) {
        self.changes.mark(self.owner, name, part);
    }

    /// All of them by name, in the state that they have now.
    pub(crate) fn all(
        &mut self,
        now: Now,
        manual_run: Duration,
    ) -> impl Iterator<Item = (&WorkflowName, &Workflow)> {
        for (name, workflow) in &mut *self.all {
            if workflow.settle(now, manual_run) {
                self.changes.mark(self.owner, name, Part::State);
            }
        }
        self.all.iter()
    }

    /// The caller has been shown the status of this one.
    pub(crate) fn was_read(&mut self, name: &WorkflowName) {
        if self.all.get_mut(name).is_some_and(Workflow::was_read) {
            self.changed(name, Part::State);
        }
    }

    /// The caller has been shown the status of them all.
    pub(crate) fn were_read(&mut self) {
        for (name, workflow) in &mut *self.all {
            if workflow.was_read() {
                self.changes.mark(self.owner, name, Part::State);
            }
        }
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;
    use crate::{
        Emulator, Transition,
        snapshot::OwnedRecord,
        testing::{Fixture, NODES},
    };
    use proptest::prelude::*;
    use serde_json::Value;

    /// Whoever writes changes down, and reads them again.
    #[derive(Default)]
    struct Shadow(Snapshot);

    impl Shadow {
        /// Gives how many records came.
        fn follow(&mut self, emulator: &mut Emulator, now: Now) -> usize {
            let (payloads, everything) = match emulator.state.take_changes(now, || false) {
                None => return 0,
                Some(Change::Some(payload)) => (vec![payload], false),
                Some(Change::Everything(payloads)) => (payloads, true),
            };
            if everything {
                self.0 = Snapshot::default();
            }
            let mut count = 0;
            for payload in payloads {
                let records: Vec<OwnedRecord> = serde_json::from_slice(&payload).unwrap();
                count += records.len();
                for record in records {
                    record.apply_to(&mut self.0).unwrap();
                }
            }
            count
        }
    }

    /// A snapshot without the times that are left, which depend on when one looks.
    fn timeless(snapshot: &Snapshot) -> Value {
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
        let mut value = serde_json::to_value(snapshot).unwrap();
        blank(&mut value);
        value
    }

    #[test]
    fn nothing_is_kept_account_of_until_somebody_asks() {
        let mut service = Fixture::new().ready();
        assert!(matches!(
            service.emulator.state.changes,
            Changes::Everything
        ));
        let mut shadow = Shadow::default();
        assert_eq!(shadow.follow(&mut service.emulator, service.now), 1);
        assert_eq!(shadow.follow(&mut service.emulator, service.now), 0);
    }

    #[test]
    fn only_what_has_changed_is_told() {
        let mut service = Fixture::new().ready();
        service.ok("POST", "/v2/workflows/v", r#"{"region":"nb"}"#);
        service.emulator.state.forget_changes();
        let mut change = |method, target, body| {
            service.ok(method, target, body);
            match service.emulator.state.take_changes(service.now, || false) {
                Some(Change::Some(payload)) => String::from_utf8(payload).unwrap(),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(change("GET", "/v2/workflows/w", ""), "None");
        assert_eq!(change("GET", "/v2/workflows", ""), "None");
        let started = change("POST", "/v2/workflows/w/start", "");
        assert!(started.contains("starting") && !started.contains("clicks-repo"));
        // What was seen to be over is over for good.
        let settled = change("GET", "/v2/workflows/w", "");
        assert!(settled.contains("started"), "{settled}");
        assert_eq!(change("GET", "/v2/workflows/w", ""), "None");
        assert_eq!(
            change("DELETE", "/v2/workflows/v", ""),
            r#"[{"owner":"development","name":"v"}]"#
        );
    }

    #[test]
    fn a_clone_in_the_place_of_an_emulator_is_a_change_of_everything() {
        let mut service = Fixture::new().ready();
        let mut shadow = Shadow::default();
        let before = service.emulator.clone();
        shadow.follow(&mut service.emulator, service.now);
        service.ok("DELETE", "/v2/workflows/w", "");
        shadow.follow(&mut service.emulator, service.now);
        assert!(shadow.0.is_empty());
        service.emulator = before;
        shadow.follow(&mut service.emulator, service.now);
        assert_eq!(shadow.0, service.emulator.snapshot(service.now));
        service.emulator.reset();
        shadow.follow(&mut service.emulator, service.now);
        assert!(shadow.0.is_empty());
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
        /// Whatever is asked, what was written down is what there is.
        #[test]
        fn whoever_follows_the_changes_has_everything(
            steps in prop::collection::vec((0..9_usize, 0..2_usize, 0..400_u64, transition()), 1..40)
        ) {
            let manual = NODES.replace("export\"", "job\"");
            let mut service = Fixture::with(Emulator::builder().manual_run(Duration::from_millis(200)));
            let mut shadow = Shadow::default();
            for (operation, name, millis, how) in steps {
                service.now = service.now + Duration::from_millis(millis);
                service.emulator.set_start_transition(how);
                service.emulator.set_stop_transition(how);
                let path = format!("/v2/workflows/w{name}");
                let nodes = if name == 0 { NODES } else { &manual };
                let update = format!(r#"{{"region":"nb","nodes":{nodes}}}"#);
                let (method, action, body) = [
                    ("POST", "", r#"{"region":"nb"}"#),
                    ("PUT", "", update.as_str()),
                    ("PUT", "", r#"{"region":"nb"}"#),
                    ("GET", "", ""),
                    ("GET", "/status", ""),
                    ("POST", "/start", ""),
                    ("POST", "/stop", ""),
                    ("POST", "/search", "{}"),
                    ("DELETE", "", ""),
                ][operation];
                service.send(method, &(path + action), body);
                service.send("GET", "/v2/workflows", "");
                let is = service.emulator.snapshot(service.now);
                shadow.follow(&mut service.emulator, service.now);
                prop_assert_eq!(timeless(&is), timeless(&shadow.0));
            }
        }
    }
}
