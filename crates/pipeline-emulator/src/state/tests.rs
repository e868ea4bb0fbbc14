use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    Emulator, Transition,
    id::Key,
    testing::{Fixture, NODES},
};

/// Whoever writes changes down, and reads them again.
#[derive(Default)]
struct Shadow(BTreeMap<Key, Arc<Item>>);

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
fn timeless(image: &BTreeMap<Key, Arc<Item>>, now: Now) -> Value {
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
    for (key, item) in image {
        snapshot.insert(key.clone(), Stored::of(item, now));
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
            let same_graph = both.is_some_and(|(before, after)| {
                before
                    .workflow()
                    .zip(after.workflow())
                    .is_some_and(|(before, after)| before.shares_members(after))
            });
            format!(
                "{} {same_graph} {}",
                change.key.1.path,
                change.after.is_some()
            )
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
    // The workflow and its two nodes.
    assert_eq!(changes.len(), 3);
    let came_back = |change: &Change| change.before.is_none() && change.after.is_some();
    assert!(changes.iter().all(came_back));
    service.emulator.reset();
    let changes = service.emulator.state.take_changes(service.now);
    assert!(changes.len() == 3 && changes.iter().all(|change| change.after.is_none()));
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
        steps in prop::collection::vec((0..16_usize, 0..2_usize, 0..400_u64, transition()), 1..40)
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
            let source = format!("/v2/repos/r{name}");
            let schema = r#"{"region":"nb","schema":[{"key":"a","valtype":"long"}]}"#;
            let sql = r#"{"mode":"sql","code":"select a from stream"}"#;
            let transform = source.clone() + "/transforms/t";
            let others = [
                ("POST", source.clone(), schema),
                ("PUT", source.clone(), schema),
                ("POST", format!("{transform}/to/s{name}"), sql),
                ("DELETE", transform, ""),
                ("DELETE", source, ""),
            ];
            if let Some((method, path, body)) = operation.checked_sub(11).map(|at| &others[at]) {
                service.send(method, path, body);
            }
            match (operations.get(operation), name) {
                (Some((method, action, body)), _) => {
                    service.send(method, &(path + action), body);
                }
                (None, _) if operation > 10 => {}
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
