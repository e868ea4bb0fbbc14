//! A disk in memory, which notes what is written to it and what is synced, and power failures: everything that was
//! synced is there then, and of what was written since any part: each write whole, torn or not at all, and in any order.

use std::{
    collections::BTreeSet,
    io,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
};

use redb::StorageBackend;

/// What a disk tears a write into at the smallest.
const SECTOR: usize = 512;

#[derive(Debug, Clone)]
pub(super) enum Event {
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
pub(super) struct Disk(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) begins_with: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    pub(super) events: Vec<Event>,
    pub(super) syncs: usize,
    /// The switch: syncs that are asked for and not carried out, counted from 0.
    pub(super) ignored: BTreeSet<usize>,
    /// Which writes, syncs and changes of the length fail, counted from 0, and how; and how many there were.
    pub(super) fails: Option<(Range<usize>, io::ErrorKind)>,
    pub(super) operations: usize,
}

impl Disk {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Log {
            begins_with: bytes.clone(),
            bytes,
            ..Log::default()
        })))
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
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
        let mut log = self.log();
        log.operate()?;
        log.happen(Event::Length(usize::try_from(len).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut log = self.log();
        let number = log.syncs;
        log.syncs += 1;
        if let Err(error) = log.operate() {
            log.happen(Event::LeftOut);
            return Err(error);
        }
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
        let mut log = self.log();
        if let Err(error) = log.operate() {
            // A part of it may be there.
            log.happen(Event::Write(at, data[..data.len() / 2].to_owned()));
            return Err(error);
        }
        log.happen(Event::Write(at, data.to_owned()));
        Ok(())
    }
}

impl Log {
    fn operate(&mut self) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        match &self.fails {
            Some((which, kind)) if which.contains(&number) => Err((*kind).into()),
            _ => Ok(()),
        }
    }

    fn happen(&mut self, event: Event) {
        event.apply(&mut self.bytes);
        self.events.push(event);
    }
}

impl Event {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
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
pub(super) enum Fate {
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
    pub(super) fn befall(self, pending: &[Event], bytes: &mut Vec<u8>) {
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

/// Ways to fail that show the most.
pub(super) fn fates() -> Vec<Fate> {
    let any = (0..6).map(Fate::Any);
    let others = [Fate::AllKept, Fate::AllLost, Fate::LastKept, Fate::LastLost];
    others.into_iter().chain(any).collect()
}

/// Cuts the power before each of these events, and has a function look at what is there then, with the number of what
/// was acknowledged last. Gives how many disks were looked at.
pub(super) fn cut(
    begins_with: &[u8],
    events: &[Event],
    moments: Range<usize>,
    fates: &[Fate],
    mut check: impl FnMut(&[u8], usize) -> Result<(), String>,
) -> Result<usize, String> {
    let mut synced = begins_with.to_owned();
    let mut pending = Vec::new();
    let (mut acknowledged, mut looked_at) = (0, 0);
    for (moment, event) in events.iter().enumerate().take(moments.end) {
        // All are one where there is nothing to lose.
        let count = if pending.is_empty() { 1 } else { fates.len() };
        for fate in fates[..count].iter().filter(|_| moment >= moments.start) {
            let mut bytes = synced.clone();
            fate.befall(&pending, &mut bytes);
            check(&bytes, acknowledged).map_err(|what| {
                let count = events.len();
                format!("before event {moment} of {count}, {fate:?}: {what}")
            })?;
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
