//! Reads inputs, and hands their records to the shipper.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use pipeline_shipper::follow::{Mark, Settings};

use super::{
    books::{Desk, Entry, Id},
    disk::{Tail, Turn},
    feed::Feed,
    free::Rehearsal,
    locked,
    road::{Road, Taken as Handed},
    schemas::Schemas,
};
use crate::{
    command::records::{Bad, Layout, MOST, Packing, Records, Taken},
    failure::Failure,
    file::{self, read},
};

/// How long to wait when no file has grown.
const PAUSE: Duration = Duration::from_millis(250);

/// So many steps for one file before another has its turn.
const STEPS: usize = 64;

/// So many points are shown when nothing is sent.
pub(super) const SHOWN: usize = 10;

pub(super) struct Input {
    pub(super) path: PathBuf,
    /// What a buffer knows it by; none if it cannot be found again.
    pub(super) key: Option<String>,
    pub(super) layout: Layout,
    pub(super) book: u32,
    pub(super) name: u32,
    pub(super) shown: String,
    pub(super) mark: Option<Mark>,
    /// Its lines are dead letters.
    pub(super) is_letters: bool,
}

impl Input {
    /// How far it is behind a record, as a buffer keeps it, by its path.
    pub(super) fn place(&self, entry: &Entry) -> Option<(&str, Vec<u8>)> {
        let key = self.key.as_deref()?;
        Some((key, serde_json::to_vec(&entry.mark).unwrap_or_default()))
    }
}

pub(super) struct Pump {
    pub(super) inputs: Vec<Input>,
    pub(super) schemas: Schemas,
    pub(super) begun: Instant,
    /// Whether the shipper takes JSON, and makes the points.
    pub(super) is_free: bool,
    pub(super) follow: bool,
    /// None if nothing is sent.
    pub(super) shipper: Option<Road>,
    /// In its place, if it has no schema.
    pub(super) rehearsal: Option<Arc<Rehearsal>>,
    pub(super) desk: Arc<Desk>,
    /// Held while records go from the books to the shipper, so that the books can be closed when none is between.
    pub(super) gate: Arc<Mutex<()>>,
    pub(super) points: Arc<Mutex<Vec<String>>>,
}

impl Pump {
    /// Reads everything, and waits until it has its verdict.
    pub(super) fn run(&self) {
        if self.follow {
            self.follow();
        } else {
            for input in &self.inputs {
                match self.read(input) {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(failure) => self.desk.fail(input.book, failure),
                }
            }
        }
        if let Some(Err(failure)) = self.shipper.as_ref().map(Road::flush) {
            self.desk.break_off(failure);
        }
        if let Some(rehearsal) = &self.rehearsal {
            rehearsal.flush(&self.desk);
        }
    }

    pub(super) fn records(&self, layout: Layout) -> Result<Records<'_>, Failure> {
        if self.is_free {
            Records::to_json(layout)
        } else {
            Records::new(layout, self.schemas.latest().schema())
        }
    }

    /// Tries a record that does not fit once more by the schema that the queue has now. If that cannot be told, the
    /// service is to decide: then a good record is none that is dead, and reading goes on.
    pub(super) fn fitted<'p>(
        &'p self,
        records: &mut Records<'p>,
        points: &mut Vec<u8>,
        taken: Result<Taken, Bad>,
    ) -> Result<Taken, Bad> {
        if !taken.as_ref().is_err_and(|bad| bad.is_of_schema) {
            return taken;
        }
        if self.schemas.look(self.begun.elapsed())
            && let Some(shipper) = &self.shipper
        {
            shipper.schema_changed();
        }
        let schema = self.schemas.latest().schema();
        records.fit(schema);
        let mut taken = records.read(points);
        if !self.schemas.is_known() && taken.as_ref().is_err_and(|bad| bad.is_of_schema) {
            records.fit(None);
            taken = records.read(points);
            records.fit(schema);
        }
        taken
    }

    /// Reads one input to its end; false if nothing more is taken.
    fn read(&self, input: &Input) -> Result<bool, Failure> {
        let mut feed = Feed::new(self, input)?;
        let shown = read::shown(&input.path);
        let failed = |error: io::Error| Failure::io(&shown, &error);
        let is_stdin = input.path.as_os_str() == "-";
        let found = fs::metadata(&input.path);
        let is_plain = !is_stdin
            && !input.is_letters
            && found.as_ref().is_ok_and(fs::Metadata::is_file)
            && File::open(&input.path)
                .and_then(Packing::of_file)
                .map_err(failed)?
                .is_none();
        if is_plain {
            file::reads(&found, &input.path)?;
            let settings = Settings::new().once(true).longest_line(MOST);
            let mut tail = Tail::new(&input.path, settings, input.mark);
            feed.reached(input.mark.unwrap_or_default().offset());
            while !feed.is_over() {
                let turn = tail.turn(STEPS, &mut |file, found| feed.found(Some(file), found));
                feed.hand_over();
                feed.reached(feed.mark.offset());
                if turn.map_err(failed)? == Turn::Done {
                    break;
                }
            }
        } else {
            feed.stream(input).map_err(failed)??;
        }
        feed.end()
    }

    pub(super) fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters records into the books and gives their points to the shipper; false if nothing more is taken.
    pub(super) fn hand_over<'l>(
        &self,
        input: &Input,
        waiting: &[(Entry, usize)],
        lines: impl Iterator<Item = &'l [u8]>,
    ) -> bool {
        let _gate = self.gate();
        let entries = waiting.iter().map(|(entry, _)| entry);
        let Some(ids) = self.desk.take(input.book, entries) else {
            return false;
        };
        if let Some(rehearsal) = &self.rehearsal {
            rehearsal.take(ids.into_iter().zip(lines), &self.desk);
            return true;
        }
        let Some(shipper) = &self.shipper else {
            let mut points = locked(&self.points);
            let left = SHOWN.saturating_sub(points.len());
            let text = |line| {
                String::from_utf8_lossy(line)
                    .trim_end_matches('\n')
                    .to_owned()
            };
            points.extend(lines.take(left).map(text));
            return true;
        };
        let taken = shipper.take(&self.desk, input, &ids, waiting, lines);
        self.end_at(&ids, taken)
    }

    /// Puts back what was not taken; false if nothing more is taken.
    pub(super) fn end_at(&self, ids: &[Id], taken: Handed) -> bool {
        let Err((from, failure)) = taken else {
            return true;
        };
        self.desk.put_back(&ids[from..]);
        if let Some(failure) = failure {
            self.desk.break_off(failure);
        }
        false
    }

    /// Reads all files for ever.
    fn follow(&self) {
        let settings = Settings::new().longest_line(MOST);
        let tails = self.inputs.iter().filter_map(|input| {
            let feed = Feed::new(self, input).map_err(|error| self.desk.fail(input.book, error));
            Some((
                feed.ok()?,
                Tail::new(&input.path, settings, input.mark),
                false,
            ))
        });
        let mut tails: Vec<_> = tails.collect();
        while !tails.is_empty() {
            let mut is_idle = true;
            for (feed, tail, is_told) in &mut tails {
                let turn = tail.turn(STEPS, &mut |file, found| feed.found(Some(file), found));
                feed.hand_over();
                match turn {
                    Ok(turn) => {
                        *is_told &= turn == Turn::Idle;
                        is_idle &= turn == Turn::Idle;
                    }
                    // It may be about to be made, or to be given to us.
                    Err(error) => {
                        if !std::mem::replace(is_told, true) {
                            let shown = read::shown(&feed.input.path);
                            self.desk.fail(feed.input.book, Failure::io(&shown, &error));
                        }
                    }
                }
            }
            if tails.iter().any(|(feed, ..)| feed.is_closed) {
                return;
            }
            tails.retain_mut(|(feed, ..)| match feed.failure.take() {
                Some(failure) => {
                    self.desk.fail(feed.input.book, failure);
                    false
                }
                None => true,
            });
            if is_idle {
                thread::sleep(PAUSE);
            }
        }
    }
}
