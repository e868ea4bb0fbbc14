//! Errors of the disk at every write and sync of a history.

use std::{cmp::Ordering, collections::BTreeSet, io::ErrorKind, ops::Range, sync::Arc};

use super::{
    super::{Buffer, BufferErrorKind, Full, Letter, Reason, Settings, store::Store, value::Page},
    disk::{Disk, Event, cut, fates},
    settle,
};
use crate::{books::Count, verdict::Outcome};

fn open(disk: &Disk) -> Result<Buffer, Reason> {
    let settings = Settings::new("").limit(6_000).full(Full::DropOldest);
    let store = Store::open(disk.clone(), false)?;
    Buffer::of(store, None, settings, &"clicks".parse().unwrap())
}

/// The numbers of the records and letters on a disk, and how many it says were dropped.
fn found(bytes: &[u8]) -> (BTreeSet<u64>, BTreeSet<u64>, u64) {
    let store = Store::open(Disk::of(bytes.to_owned()), false).unwrap();
    let states = store.states().unwrap();
    let state = states.into_iter().next().unwrap_or_default().1;
    let mut numbers = BTreeSet::new();
    let read = store.each_chunk("clicks", 0, |_, bytes| {
        let page = Page::read(bytes).unwrap();
        numbers.extend(page.entries(&state.done).map(|it| it.number));
        true
    });
    read.unwrap();
    let letters = store.letters("clicks", 9).unwrap();
    let letters = letters.iter().map(|it| it.number).collect();
    (numbers, letters, state.dropped.records)
}

/// Puts, syncs and settles until something fails, or to the end. Gives what is not over of the records, and the letters.
fn until_a_failure(buffer: &Buffer) -> Result<(), (BTreeSet<u64>, BTreeSet<u64>)> {
    let (mut left, mut letters) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..6 {
        if round == 3 {
            let put = buffer.put_letter(Letter::new("a", 0, "", "bad", b"x"), None);
            letters.insert(put.unwrap());
        }
        for _ in 0..4 {
            let Ok(taken) = buffer.put(&[b'a'; 400]) else {
                return Err((left, letters));
            };
            left.insert(taken.number);
            left = left.into_iter().skip(taken.dropped.len()).collect();
        }
        if let Err(error) = buffer.sync(buffer.stats().next - 1) {
            let says = error.to_string();
            assert!(says.contains("disk is full") || says.contains("read-only"));
            return Err((left, letters));
        }
        for number in left.iter().copied().take(2).collect::<Vec<_>>() {
            left.remove(&number);
            settle(buffer, number, vec![b'a'; 400], Outcome::Accepted);
        }
    }
    Ok(())
}

#[test]
fn after_an_error_of_the_disk_nothing_is_acknowledged_that_is_not_there_and_nothing_is_written() {
    let whole = Disk::default();
    let buffer = open(&whole).unwrap();
    let made = whole.log().operations;
    until_a_failure(&buffer).unwrap();
    buffer.close().unwrap();
    assert!(buffer.stats().dropped.records > 0);
    let all = whole.log().operations;
    assert!(all > made + 50, "{all}");
    let mut refused = 0;
    let forever: fn(usize) -> Range<usize> = |at| at..usize::MAX;
    let once: fn(usize) -> Range<usize> = |at| at..at + 1;
    for (at, (which, kind)) in (made..all).flat_map(|at| {
        [
            (forever, ErrorKind::StorageFull),
            (once, ErrorKind::ReadOnlyFilesystem),
        ]
        .map(|it| (at, it))
    }) {
        let disk = Disk::default();
        disk.log().fails = Some((which(at), kind));
        let buffer = open(&disk).unwrap();
        let Err((mut kept, mut letters)) = until_a_failure(&buffer) else {
            // The last marks, or what a database writes when it is closed: nothing was promised.
            let _ = buffer.close();
            continue;
        };
        refused += 1;
        let broken = disk.log().events.len();
        // It would go well now, if it were asked again.
        disk.log().fails = None;
        let (next, durable) = (buffer.stats().next, buffer.lock().durable);
        kept.retain(|number| *number < durable);
        letters.retain(|number| *number < durable);
        for error in [
            buffer.sync(next).unwrap_err(),
            buffer.put(b"a=1").map(drop).unwrap_err(),
            buffer.sync_all().unwrap_err(),
            buffer.close().unwrap_err(),
            buffer.failure().unwrap(),
        ] {
            assert_eq!(error.kind(), BufferErrorKind::Failed, "{at}: {error}");
        }
        let (not_kept, known) = (buffer.not_kept(), buffer.stats().dropped.records);
        let count = not_kept.records.len() + not_kept.letters.len();
        assert_eq!(count as u64, next - durable, "{at}: {not_kept:?}");
        drop(buffer);
        // What failed is in no file, or may be; what was acknowledged is there in each case.
        let events = disk.log().events[..].to_owned();
        let writes = events[broken..]
            .iter()
            .filter(|it| !matches!(it, Event::Acknowledged(_)));
        assert_eq!(writes.count(), 0, "{at}: written after the failure");
        let mut moments = events;
        moments.push(Event::Acknowledged(0));
        let end = moments.len() - 1;
        cut(&[], &moments, end..end + 1, &fates(), |bytes, _| {
            let (there, found, dropped) = found(bytes);
            let lost: Vec<_> = kept.difference(&there).collect();
            // What failed may be there: with it, the oldest were dropped and counted.
            if !found.is_superset(&letters) {
                return Err(format!("{at}: the letter is lost"));
            }
            match (lost.len() as u64).cmp(&(dropped - known)) {
                Ordering::Greater => Err(format!("{at}: {lost:?} are lost")),
                _ => Ok(()),
            }
        })
        .unwrap();
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn a_buffer_that_failed_says_how_much_it_has_without_what_it_does_not_have() {
    let disk = Disk::default();
    let buffer = open(&disk).unwrap();
    buffer.put(b"a=1").unwrap();
    buffer.sync(0).unwrap();
    let now = disk.log().operations;
    disk.log().fails = Some((now..usize::MAX, ErrorKind::StorageFull));
    buffer
        .put_from(&Arc::from("file"), 7, b"a=22", None)
        .unwrap();
    let error = buffer.sync(1).unwrap_err();
    assert_eq!(error.kind(), BufferErrorKind::Io);
    let stats = buffer.stats();
    assert_eq!(
        stats.pending,
        Count {
            records: 1,
            bytes: 3
        }
    );
    let entry = &buffer.not_kept().records[0];
    assert_eq!(
        (entry.number, &*entry.source, entry.note, entry.bytes),
        (1, "file", 7, 4)
    );
    // What was acknowledged before still is.
    buffer.sync(0).unwrap();
    let says = buffer.failure().unwrap().to_string();
    assert!(
        says.contains("takes nothing more since it could not be written: the disk is full"),
        "{says}"
    );
}
