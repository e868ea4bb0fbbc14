//! Power failures at every moment of a history.

// The disk of the emulator's state file.
#[allow(dead_code, reason = "a history here begins with nothing")]
#[path = "../../../pipeline-emulator/src/server/state_file/power/disk.rs"]
mod disk;
mod faults;

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;

use self::disk::{Disk, Event, Fate, cut, fates};
use super::{
    Buffer, Entry, Full, Letter, Settings,
    store::Store,
    value::{Page, State},
};
use crate::verdict::{Outcome, Reason, Verdict};

fn entry(number: u64, bytes: usize) -> Entry {
    Entry {
        number,
        source: Arc::from("a"),
        note: number,
        bytes: u32::try_from(bytes).unwrap(),
    }
}

pub(super) fn settle(buffer: &Buffer, number: u64, line: Vec<u8>, outcome: Outcome) {
    let verdict = Verdict {
        id: entry(number, line.len()),
        outcome,
        line: Bytes::from(line),
    };
    buffer.settle(&verdict);
}

fn record(number: u64) -> Vec<u8> {
    format!(
        "n={number}\t{}",
        ["", "x"][usize::from(number.is_multiple_of(3))].repeat(900)
    )
    .into_bytes()
}

/// What must hold after an acknowledgement.
#[derive(Debug, Clone, Default)]
struct Held {
    /// Acknowledged, and not known to be over.
    kept: BTreeSet<u64>,
    /// Over and written.
    gone: BTreeSet<u64>,
    letters: BTreeSet<u64>,
    place: u64,
}

struct History {
    events: Vec<Event>,
    held: Vec<Held>,
    dropped: u64,
}

fn open(disk: &Disk, limit: u64) -> Buffer {
    let settings = Settings::new("").limit(limit).full(Full::DropOldest);
    let store = Store::open(disk.clone(), false).unwrap();
    Buffer::of(store, None, settings, &"clicks".parse().unwrap()).unwrap()
}

impl History {
    fn new(disk: &Disk, rounds: usize) -> Self {
        let buffer = open(disk, 6_000);
        let source: Arc<str> = Arc::from("a");
        let (mut held, mut all) = (Held::default(), vec![Held::default()]);
        let (mut pending, mut over) = (BTreeSet::new(), BTreeSet::new());
        let acknowledge = |held: &Held, all: &mut Vec<Held>| {
            all.push(held.clone());
            disk.log().events.push(Event::Acknowledged(all.len() - 1));
        };
        acknowledge(&held, &mut all);
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..rounds {
            for _ in 0..random.u64(1..6) {
                let number = buffer.stats().next;
                if random.u8(..8) == 0 {
                    let letter = Letter::new("a", 0, "", "bad", b"x");
                    buffer
                        .put_letter(letter, Some(("file", &(number + 1).to_le_bytes())))
                        .unwrap();
                    held.letters.insert(number);
                    continue;
                }
                let taken = {
                    let place = (number + 1).to_le_bytes();
                    let place = Some(("file", &place[..]));
                    buffer
                        .put_from(&source, number, &record(number), place)
                        .unwrap()
                };
                // The oldest are dropped.
                for _ in 0..taken.dropped.len() {
                    pending.pop_first();
                }
                pending.insert(number);
            }
            let next = buffer.stats().next;
            buffer.sync(next - 1).unwrap();
            held.kept.clone_from(&pending);
            held.place = next;
            acknowledge(&held, &mut all);
            let chosen: Vec<u64> = pending.iter().copied().filter(|_| random.bool()).collect();
            for number in chosen.into_iter().take(3) {
                pending.remove(&number);
                held.kept.remove(&number);
                acknowledge(&held, &mut all);
                if random.u8(..4) == 0 {
                    held.letters.insert(number);
                    let outcome = Outcome::Dead(Reason::NotOneLine);
                    settle(&buffer, number, record(number), outcome);
                } else {
                    settle(&buffer, number, record(number), Outcome::Accepted);
                }
                over.insert(number);
            }
            buffer.sync_all().unwrap();
            held.gone.append(&mut over);
            acknowledge(&held, &mut all);
        }
        let dropped = buffer.stats().dropped.records;
        buffer.close().unwrap();
        let events = disk.log().events.clone();
        Self {
            events,
            held: all,
            dropped,
        }
    }

    fn cut(&self, fates: &[Fate]) -> Result<usize, String> {
        let first = self.events.iter();
        let first = first
            .clone()
            .position(|it| matches!(it, Event::Acknowledged(_)));
        cut(
            &[],
            &self.events,
            first.unwrap()..self.events.len(),
            fates,
            |bytes, number| self.check(bytes, number),
        )
    }

    fn check(&self, bytes: &[u8], acknowledged: usize) -> Result<(), String> {
        let held = &self.held[acknowledged];
        let next = self.held.get(acknowledged + 1).unwrap_or(held);
        let open = || Store::open(Disk::of(bytes.to_owned()), false);
        let store = open().map_err(|error| format!("it does not open: {error:?}"))?;
        let states = store.states().map_err(|error| format!("{error:?}"))?;
        let state = states
            .into_iter()
            .next()
            .map_or(State::default(), |it| it.1);
        let (mut there, mut bad) = (BTreeSet::new(), Vec::new());
        let read = store.each_chunk("clicks", 0, |_, bytes| {
            let Some(page) = Page::read(bytes) else {
                bad.push("a chunk is not whole".to_owned());
                return true;
            };
            for stored in page.records().filter(|it| !state.done.has(it.number)) {
                if stored.line != record(stored.number) {
                    bad.push(format!("{} is another record", stored.number));
                }
                there.insert(stored.number);
            }
            true
        });
        read.map_err(|error| format!("{error:?}"))?;
        let letters = store
            .letters("clicks", 1000)
            .map_err(|it| format!("{it:?}"))?;
        let letters: BTreeSet<u64> = letters.iter().map(|it| it.number).collect();
        let lost = held
            .kept
            .intersection(&next.kept)
            .find(|it| !there.contains(it));
        bad.extend(lost.map(|it| format!("{it} was acknowledged and is lost")));
        let again = held.gone.iter().find(|it| there.contains(it));
        bad.extend(again.map(|it| format!("{it} was done and comes again")));
        let lost = held.letters.iter().filter(|it| **it < held.place);
        let lost = lost.filter(|it| !letters.contains(it) && !there.contains(it));
        bad.extend(lost.map(|it| format!("the letter {it} is lost")));
        if there.len() as u64 != state.pending.records {
            bad.push(format!(
                "{} are there, {:?} are said",
                there.len(),
                state.pending
            ));
        }
        let places = store
            .places("clicks")
            .map_err(|error| format!("{error:?}"))?;
        let place = places
            .get("file")
            .map_or(0, |place| u64::from_le_bytes(place[..].try_into().unwrap()));
        if !(held.place..=state.next).contains(&place) {
            bad.push("the place is another than that of the records".to_owned());
        }
        bad.first().map_or(Ok(()), |bad| Err(bad.clone()))
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_done_comes_again_after_a_power_failure() {
    let disk = Disk::default();
    let history = History::new(&disk, 6);
    assert!(history.dropped > 0);
    let looked_at = history.cut(&fates()).unwrap();
    assert!(looked_at > 1000, "{looked_at} disks");
}

/// The switch shows that the test above is not blind.
#[test]
fn a_sync_of_the_buffer_that_is_left_out_is_found() {
    let disk = Disk::default();
    // Those of the making are not looked at.
    drop(open(&disk, 6_000));
    let made = disk.log().syncs;
    let all = Disk::default();
    let count = {
        drop(History::new(&all, 2));
        all.log().syncs
    };
    let found = (made..count).filter(|sync| {
        let disk = Disk::default();
        disk.log().ignored = [*sync].into();
        History::new(&disk, 2).cut(&fates()[..4]).is_err()
    });
    let found = found.count();
    // Little follows the last ones that could be lost.
    assert!(found + 3 >= count - made, "{found} of {}", count - made);
}
