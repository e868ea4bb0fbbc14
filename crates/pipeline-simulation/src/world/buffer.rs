//! The buffer of a program that ships, on a disk that outlives it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use pipeline_proto::RepoName;
use pipeline_shipper::{
    NotTaken, Verdict,
    buffer::{Buffer, BufferError, BufferErrorKind, Entry, Settings, feed::Hand},
};

use crate::{
    check::{BufferLog, Rule, Violation, demand},
    disk::{Disk, Event, cut},
    ship::{BufferTerms, Crash, Terms},
};

pub(super) struct Buffered {
    terms: BufferTerms,
    queue: RepoName,
    disk: Disk,
    buffer: Buffer,
    hand: Option<Hand>,
    /// Of what the shipper has, by its ids.
    entries: Vec<Entry>,
    log: BufferLog,
}

impl Buffered {
    pub(super) fn new(terms: BufferTerms, queue: &RepoName) -> Self {
        let disk = Disk::default();
        let buffer = Buffer::on(disk.clone(), terms.settings(), queue);
        Self {
            terms,
            queue: queue.clone(),
            disk,
            buffer: buffer.expect("nothing is wrong with a new disk"),
            hand: None,
            entries: Vec::new(),
            log: BufferLog::default(),
        }
    }

    /// What is done before each request.
    pub(super) fn writes(&self) -> impl Fn() + Send + Sync + use<> {
        let buffer = self.buffer.clone();
        move || drop(buffer.sync_all())
    }

    /// Takes records, as far as there is room.
    pub(super) fn take(&mut self, backlog: &mut VecDeque<String>) -> Result<(), Violation> {
        self.put(backlog)?;
        let next = self.buffer.stats().next;
        if self.terms.syncs && next > 0 {
            let synced = self.buffer.sync(next - 1);
            synced.map_err(|error| failed(&error))?;
            self.log.acknowledges();
        }
        Ok(())
    }

    fn put(&mut self, backlog: &mut VecDeque<String>) -> Result<(), Violation> {
        let source = Arc::from("");
        while let Some(line) = backlog.front() {
            let put = || self.buffer.try_put_from(&source, 0, line.as_bytes(), None);
            // What is done makes room when it is written down.
            match put().or_else(|_| self.buffer.sync_all().and_then(|()| put())) {
                Ok(taken) => {
                    self.log.drops(&taken.dropped);
                    self.log.puts(taken.number, line.clone());
                    backlog.pop_front();
                }
                Err(error) if error.kind() == BufferErrorKind::Full => break,
                Err(error) => return Err(failed(&error)),
            }
        }
        Ok(())
    }

    /// Hands records to a shipper.
    pub(super) fn feed(&mut self, mut push: impl FnMut(&str) -> Result<(), NotTaken<usize>>) {
        let entries = &mut self.entries;
        let fed = self.buffer.hand_on(&mut self.hand, |records| {
            for (entry, line) in records {
                if let Err(NotTaken { why, .. }) = push(&String::from_utf8_lossy(line)) {
                    return Err(NotTaken { id: entry, why });
                }
                entries.push(entry);
            }
            Ok(())
        });
        // The shipper is closed.
        let _ = fed;
    }

    /// What holds when a shipper waits, and how many records it has.
    pub(super) fn rests(&self, has: u64) -> Result<(), Violation> {
        if has > 0 { Ok(()) } else { self.log.rests() }
    }

    pub(super) fn settle(&mut self, verdict: &Verdict<usize>) {
        let Verdict { id, outcome, line } = verdict.clone();
        let id = self.entries[id].clone();
        self.log.tells(id.number, &outcome);
        self.buffer.settle(&Verdict { id, outcome, line });
    }

    /// The program or the machine fails while records are written. Opens what is there then.
    pub(super) fn fail(
        mut self,
        lines: Vec<String>,
        Crash(fate, chance): Crash,
        terms: Terms,
    ) -> Result<Self, Violation> {
        self.put(&mut lines.into())?;
        let begin = self.disk.log().events.len();
        self.buffer.sync_all().map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        {
            let log = self.disk.log();
            let moments = log.events.len() - begin + 1;
            let moment = begin + usize::try_from(chance).unwrap_or(0) % moments;
            let events = [&log.events[..moment], &[Event::LeftOut]].concat();
            let keep = |bytes: &[u8], _| {
                bytes.clone_into(&mut found);
                Ok(())
            };
            let _ = cut(&log.begins_with, &events, moment..moment + 1, &[fate], keep);
        }
        self.look(found.clone(), terms)?;
        let disk = Disk::of(found);
        let buffer = Buffer::on(disk.clone(), self.terms.settings(), &self.queue);
        Ok(Self {
            buffer: buffer.map_err(|error| failed(&error))?,
            disk,
            hand: None,
            entries: Vec::new(),
            ..self
        })
    }

    /// Compares what is on a disk with what should be there.
    fn look(&mut self, disk: Vec<u8>, terms: Terms) -> Result<(), Violation> {
        let settings = Settings::new("").limit(u64::MAX);
        let looked = || -> Result<_, BufferError> {
            let buffer = Buffer::on(Disk::of(disk), settings, &self.queue)?;
            let (mut left, mut letters) = (BTreeMap::new(), BTreeMap::new());
            let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
            let _ = buffer.hand_on(&mut None, |records| {
                left.extend(records.map(|(entry, line)| (entry.number, text(line))));
                Ok(())
            });
            let mut keep = |found: &[_]| {
                let found = found.iter();
                letters.extend(found.map(|letter: &pipeline_shipper::buffer::Letter| {
                    (letter.number, text(&letter.record))
                }));
                Ok::<_, BufferError>(())
            };
            while buffer.take_letters(&mut keep)? > 0 {}
            Ok((left, letters, buffer.failure()))
        };
        let (left, letters, failure) = looked().map_err(|error| failed(&error))?;
        demand!(failure.is_none(), Rule::Kept, "it has failed: {failure:?}");
        // Only what was in flight may come twice.
        let most = terms.at_once() * terms.batch_records;
        self.log.finds(&left, &letters, most)
    }

    /// What holds when a run is over. Says what became of records beside their verdicts.
    pub(super) fn ends(&mut self, terms: Terms) -> Result<[(&'static str, u64); 2], Violation> {
        self.buffer.sync_all().map_err(|error| failed(&error))?;
        self.log.acknowledges_all();
        let disk = self.disk.log().bytes.clone();
        self.look(disk, terms)?;
        Ok(self.log.counts())
    }
}

fn failed(error: &BufferError) -> Violation {
    let (rule, what) = (Rule::Kept, error.to_string());
    Violation { rule, what }
}
