//! Power failures at every moment of a history.
//!
//! A disk in memory notes what is written to it and what is synced. At a power failure everything that
//! was synced is there, and of what was written since any part: each write whole, torn or not at all,
//! and in any order. Then the file has to open, with every change that was acknowledged, and with the
//! one under way whole or not at all.

use std::{
    collections::BTreeSet,
    io,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
};

use redb::StorageBackend;

use super::{is_unfinished, read};
use crate::{
    emulator::Emulator,
    server::store::Store,
    snapshot::Snapshot,
    testing::{Fixture, NODES},
    transition::Transition,
};

/// What a disk tears a write into at the smallest.
const SECTOR: usize = 512;

#[derive(Debug, Clone)]
enum Event {
    Write(usize, Vec<u8>),
    Length(usize),
    Sync,
    /// One that was asked for and not carried out.
    LeftOut,
    /// Of the change of this number.
    Acknowledged(usize),
}

/// A disk, and what has happened to it.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    begins_with: Vec<u8>,
    bytes: Vec<u8>,
    events: Vec<Event>,
    syncs: usize,
    /// The switch: syncs that are asked for and not carried out, counted from 0.
    ignored: BTreeSet<usize>,
}

impl Disk {
    fn of(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Log {
            begins_with: bytes.clone(),
            bytes,
            ..Log::default()
        })))
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap()
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.log().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.log().bytes[at..at + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.log()
            .happen(Event::Length(usize::try_from(len).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut log = self.log();
        let number = log.syncs;
        log.syncs += 1;
        let is_carried_out = !log.ignored.contains(&number);
        log.happen(if is_carried_out {
            Event::Sync
        } else {
            Event::LeftOut
        });
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        self.log().happen(Event::Write(at, data.to_owned()));
        Ok(())
    }
}

impl Log {
    fn happen(&mut self, event: Event) {
        event.apply(&mut self.bytes);
        self.events.push(event);
    }
}

impl Event {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => {
                let end = at + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*at..end].copy_from_slice(data);
            }
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Sync | Self::LeftOut | Self::Acknowledged(_) => {}
        }
    }
}

/// What may become of writes that were not synced.
#[derive(Debug, Clone, Copy)]
enum Fate {
    AllKept,
    AllLost,
    /// The last is all that is left.
    LastKept,
    /// The last is all that is lost.
    LastLost,
    /// Each whole, torn or lost, in any order.
    Any(u64),
}

impl Fate {
    fn befall(self, pending: &[Event], bytes: &mut Vec<u8>) {
        let kept: &[Event] = match (self, pending) {
            (Self::AllKept | Self::Any(_), all) => all,
            (Self::AllLost, _) | (_, []) => &[],
            (Self::LastKept, [.., last]) => std::slice::from_ref(last),
            (Self::LastLost, [rest @ .., _]) => rest,
        };
        let Self::Any(seed) = self else {
            for event in kept {
                event.apply(bytes);
            }
            return;
        };
        let mut random = fastrand::Rng::with_seed(seed);
        let mut left: Vec<&Event> = kept.iter().collect();
        while !left.is_empty() {
            let event = left.swap_remove(random.usize(..left.len()));
            match (random.u8(..3), event) {
                (0, _) => {}
                (1, Event::Write(at, data)) => {
                    for (number, sector) in data.chunks(SECTOR).enumerate() {
                        if random.bool() {
                            Event::Write(at + number * SECTOR, sector.to_owned()).apply(bytes);
                        }
                    }
                }
                _ => event.apply(bytes),
            }
        }
    }
}

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
        let mut synced = self.begins_with.clone();
        let mut pending = Vec::new();
        let (mut acknowledged, mut looked_at) = (0, 0);
        for (moment, event) in self.events.iter().enumerate().take(moments.end) {
            // All are one where there is nothing to lose.
            let count = if pending.is_empty() { 1 } else { fates.len() };
            for fate in fates[..count].iter().filter(|_| moment >= moments.start) {
                let mut bytes = synced.clone();
                fate.befall(&pending, &mut bytes);
                let what = |what| {
                    format!(
                        "before event {moment} of {}, {fate:?}: {what}",
                        self.events.len()
                    )
                };
                self.check(&bytes, acknowledged).map_err(what)?;
                looked_at += 1;
            }
            match event {
                Event::Acknowledged(number) => acknowledged = *number,
                Event::Sync => pending
                    .drain(..)
                    .for_each(|event: Event| event.apply(&mut synced)),
                Event::LeftOut => {}
                event => pending.push(event.clone()),
            }
        }
        Ok(looked_at)
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

fn fates() -> Vec<Fate> {
    let any = (0..6).map(Fate::Any);
    let others = [Fate::AllKept, Fate::AllLost, Fate::LastKept, Fate::LastLost];
    others.into_iter().chain(any).collect()
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
