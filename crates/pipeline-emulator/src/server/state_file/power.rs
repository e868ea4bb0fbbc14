//! Power failures at every moment of a history.
//!
//! The file has to open after each, with every change that was acknowledged, and with the one under way whole or not at
//! all.

mod disk;

use std::{collections::BTreeSet, ops::Range};

use self::disk::{Disk, Event, Fate, cut, fates};
use super::{is_unfinished, read};
use crate::{
    emulator::Emulator,
    server::store::Store,
    snapshot::Snapshot,
    testing::{Fixture, NODES},
    transition::Transition,
};

/// What a disk has been through, and what was to be kept after each change.
struct History {
    begins_with: Vec<u8>,
    events: Vec<Event>,
    kept: Vec<Option<Snapshot>>,
}

/// What the history of a test does after the workflows that it begins with.
const REQUESTS: &[(&str, &str, &str)] = &[
    ("POST", "/v2/workflows/v", r#"{"region":"nb"}"#),
    ("POST", "/v2/workflows/w/start", ""),
    ("POST", "/v2/workflows/w/stop", ""),
    ("PUT", "/v2/workflows/w", "nodes"),
    ("DELETE", "/v2/workflows/v", ""),
    ("POST", "/v2/repos/r", REPO),
    ("POST", "/v2/repos/r/transforms/t/to/s", TRANSFORM),
    ("PUT", "/v2/repos/r", REPO),
    ("DELETE", "/v2/repos/r/transforms/t", ""),
    ("POST", "/v2/groups/g", GROUP),
    ("POST", "/v2/groups/g/actions/start", ""),
];

const REPO: &str = r#"{"region":"nb","schema":[{"key":"a","valtype":"long"}]}"#;
const GROUP: &str = r#"{"region":"nb","container":{"type":"1U2G","count":2}}"#;
const TRANSFORM: &str = r#"{"mode":"sql","code":"select a from stream"}"#;

impl History {
    /// Begins with this disk, and this state before the first change.
    fn of(disk: &Disk, before: Option<Snapshot>, pad: usize) -> Self {
        let builder = Emulator::builder().transitions(Transition::Immediate);
        let mut service = Fixture::with(builder).ready();
        let mut kept = vec![before];
        let mut acknowledge = |service: &mut Fixture| {
            kept.push(Some(service.emulator.snapshot(service.now)));
            let number = kept.len() - 1;
            disk.log().events.push(Event::Acknowledged(number));
        };
        let store = Store::open(disk.clone()).unwrap();
        let state = &mut service.emulator.state;
        state.take_changes(service.now);
        store.write_all(&state.image(), service.now).unwrap();
        acknowledge(&mut service);
        let nodes = NODES.replace("1e0", &format!("\"{}\"", "x".repeat(pad)));
        let nodes = format!(r#"{{"region":"nb","nodes":{nodes}}}"#);
        for (method, path, body) in REQUESTS {
            let body = if *body == "nodes" { &nodes } else { *body };
            service.ok(method, path, body);
            // What time has brought about belongs to it.
            service.send("GET", "/v2/workflows", "");
            let changes = service.emulator.state.take_changes(service.now);
            store.write(&changes).unwrap();
            acknowledge(&mut service);
        }
        drop(store);
        let log = disk.log();
        Self {
            begins_with: log.begins_with.clone(),
            events: log.events.clone(),
            kept,
        }
    }

    /// Cuts the power before each event. Gives how many disks were looked at.
    fn cut_everywhere(&self, fates: &[Fate]) -> Result<usize, String> {
        self.cut(0..self.events.len(), fates)
    }

    /// Cuts it before each of these.
    fn cut(&self, moments: Range<usize>, fates: &[Fate]) -> Result<usize, String> {
        cut(
            &self.begins_with,
            &self.events,
            moments,
            fates,
            |bytes, acknowledged| self.check(bytes, acknowledged),
        )
    }

    /// When a change was acknowledged.
    fn acknowledged(&self, change: usize) -> usize {
        let is_this = |event: &Event| matches!(event, Event::Acknowledged(it) if *it == change);
        self.events.iter().position(is_this).unwrap()
    }

    fn check(&self, bytes: &[u8], acknowledged: usize) -> Result<(), String> {
        let found = if is_unfinished(bytes) {
            None
        } else {
            read(bytes).map_err(|reason| format!("{reason:?}"))?
        };
        let mut possible = self.kept[acknowledged..].iter().take(2);
        if possible.any(|kept| *kept == found) {
            return Ok(());
        }
        Err(format!(
            "what was acknowledged with {acknowledged} is not there"
        ))
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_a_power_failure() {
    let history = History::of(&Disk::default(), None, 10_000);
    let looked_at = history.cut_everywhere(&fates()).unwrap();
    println!("{} events, {looked_at} disks", history.events.len());
}

#[test]
fn nothing_is_lost_while_the_file_grows() {
    let history = History::of(&Disk::default(), None, 1_500_000);
    let grows = |event: &&Event| matches!(event, Event::Length(_));
    assert!(history.events.iter().filter(grows).count() > 1);
    history
        .cut_everywhere(&[Fate::AllLost, Fate::Any(1)])
        .unwrap();
}

#[test]
fn nothing_is_lost_if_the_power_fails_again_during_the_recovery() {
    let history = History::of(&Disk::default(), None, 0);
    for moment in (0..history.events.len()).step_by(5) {
        let (mut bytes, mut pending) = (Vec::new(), Vec::new());
        for event in &history.events[..moment] {
            match event {
                Event::Sync => pending.drain(..).for_each(|it: Event| it.apply(&mut bytes)),
                event => pending.push(event.clone()),
            }
        }
        Fate::Any(moment as u64).befall(&pending, &mut bytes);
        if is_unfinished(&bytes) {
            continue;
        }
        let found = read(&bytes).unwrap();
        let disk = Disk::of(bytes);
        let again = History::of(&disk, found, 0);
        // The recovery, and the first commits after it.
        let end = again.acknowledged(2) + 1;
        again.cut(0..end, &[Fate::AllLost, Fate::Any(2)]).unwrap();
    }
}

/// The switch shows that the tests above are not blind.
#[test]
fn a_sync_that_is_left_out_is_found() {
    let fates: Vec<Fate> = fates().into_iter().take(6).collect();
    // Before the first that is left out all is as it was, and with the next that is carried out it is again.
    let found_without = |ignored: BTreeSet<usize>| {
        let disk = Disk::default();
        disk.log().ignored = ignored;
        let history = History::of(&disk, None, 0);
        let mut events = history.events.iter();
        let begin = events.position(|it| matches!(it, Event::LeftOut)).unwrap();
        let end = events.position(|it| matches!(it, Event::Sync));
        let end = end.map_or(history.events.len(), |at| begin + at + 2);
        history.cut(begin..end, &fates).is_err()
    };
    let events = {
        let disk = Disk::default();
        History::of(&disk, None, 0).events
    };
    // Before the first change nothing was promised; what comes after the last tidies up.
    let is_change = |event: &Event| matches!(event, Event::Acknowledged(_));
    let first = events.iter().position(is_change).unwrap();
    let last = events.iter().rposition(is_change).unwrap();
    let syncs = |events: &[Event]| events.iter().filter(|it| matches!(it, Event::Sync)).count();
    assert!(found_without((0..syncs(&events)).collect()));
    for sync in syncs(&events[..first])..syncs(&events[..last]) {
        // The one between another length of the file and the header that tells of it is for systems on
        // which a length is not kept with what was written.
        let mut pairs = events
            .windows(2)
            .filter(|pair| matches!(pair[1], Event::Sync));
        let follows_length = matches!(pairs.nth(sync), Some([Event::Length(_), _]));
        assert!(
            follows_length || found_without([sync].into()),
            "the sync of number {sync}"
        );
    }
}
