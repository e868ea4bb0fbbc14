//! Reads inputs, and hands their records to the shipper.

use std::{
    fs::{self, File},
    io::{self, BufRead as _},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pipeline_shipper::follow::{Found, Lines, Mark, Settings};

use super::{
    books::{Desk, Entry, Id},
    disk::{Tail, Turn},
    free::Rehearsal,
    letters::Letter,
    locked,
    passed::{Counted, lines_before, skip},
    positions::key,
    road::{Road, Taken as Handed},
    schemas::Schemas,
};
use crate::{
    command::records::{self, Bad, Layout, MOST, Packing, Records, Taken},
    failure::Failure,
    file::{self, read},
};

/// How long to wait when no file has grown.
const PAUSE: Duration = Duration::from_millis(250);

/// So many steps for one file before another has its turn.
const STEPS: usize = 64;

/// So much is handed over to the shipper at once, where so much is there.
const AT_ONCE: usize = 64 << 10;

/// So many points are shown when nothing is sent.
pub(super) const SHOWN: usize = 10;

pub(super) struct Input {
    pub(super) path: PathBuf,
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
    pub(super) fn place(&self, entry: &Entry) -> Option<(String, Vec<u8>)> {
        let is_regular = self.path.as_os_str() != "-";
        is_regular.then(|| {
            let mark = serde_json::to_vec(&entry.mark).unwrap_or_default();
            (key(&self.path), mark)
        })
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

    fn records(&self, layout: Layout) -> Result<Records<'_>, Failure> {
        if self.is_free {
            Records::to_json(layout)
        } else {
            Records::new(layout, self.schemas.latest().schema())
        }
    }

    /// Tries a record that does not fit once more by the schema that the queue has now. If that cannot be told, the
    /// service is to decide: then a good record is none that is dead, and reading goes on.
    fn fitted<'p>(
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

    fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters records into the books and gives their points to the shipper; false if nothing more is taken.
    fn hand_over<'l>(
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
        let records = waiting.iter().map(|(entry, _)| *entry).zip(lines);
        self.end_at(&ids, shipper.take(&self.desk, input, &ids, records))
    }

    /// Puts back what was not taken; false if nothing more is taken.
    fn end_at(&self, ids: &[Id], taken: Handed) -> bool {
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

/// The lines of one input on their way.
struct Feed<'p> {
    pump: &'p Pump,
    input: &'p Input,
    records: Records<'p>,
    /// Those that are to be handed over, one behind the other; and where each of them ends.
    points: Vec<u8>,
    waiting: Vec<(Entry, usize)>,
    /// The place behind the last line.
    mark: Mark,
    /// Whether it was said where reading began.
    has_begun: bool,
    is_closed: bool,
    failure: Option<Failure>,
}

impl<'p> Feed<'p> {
    fn new(pump: &'p Pump, input: &'p Input) -> Result<Self, Failure> {
        Ok(Self {
            pump,
            input,
            records: pump.records(input.layout.clone())?,
            points: Vec::new(),
            waiting: Vec::new(),
            mark: Mark::default(),
            has_begun: false,
            is_closed: false,
            failure: None,
        })
    }

    fn is_over(&self) -> bool {
        self.is_closed || self.failure.is_some()
    }

    /// The input has come to its end; false if nothing more is taken.
    fn end(mut self) -> Result<bool, Failure> {
        if !self.is_over() {
            let taken = self.records.end(&mut self.points);
            self.settle(taken);
        }
        self.hand_over();
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(!self.is_closed),
        }
    }

    /// Reads what cannot be read again, or is compressed.
    fn stream(&mut self, input: &Input) -> io::Result<Result<(), Failure>> {
        // What is read of the disk, not what is made of it.
        let packed = Arc::new(AtomicU64::new(0));
        let open = || {
            packed.store(0, Ordering::Relaxed);
            let (inner, count) = (read::open(&input.path)?, Arc::clone(&packed));
            let input_of = records::unpacked(Box::new(Counted { inner, count }));
            input_of.map_err(|error| Failure::io(&read::shown(&input.path), &error))
        };
        let mut from = match open() {
            Ok(from) => from,
            Err(failure) => return Ok(Err(failure)),
        };
        self.reached(0);
        let mut lines = Lines::new(MOST);
        if let Some(mark) = input.mark {
            let resumed = skip(&mut from, mark)?.and_then(|(head, tail, first, count)| {
                Some((Lines::resume(mark, head, &tail, MOST)?, first, count))
            });
            match resumed {
                Some((resumed, first, count)) => {
                    lines = resumed;
                    self.mark = mark;
                    if let Err(failure) = self.records.resume(&first, count) {
                        return Ok(Err(failure));
                    }
                }
                // It is another file.
                None => match open() {
                    Ok(again) => from = again,
                    Err(failure) => return Ok(Err(failure)),
                },
            }
        }
        while !self.is_over() {
            let bytes = match from.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            if bytes.is_empty() {
                lines.finish(&mut |found| self.found(None, found));
                break;
            }
            let length = bytes.len();
            lines.feed(bytes, &mut |found| self.found(None, found));
            from.consume(length);
            self.hand_over();
            self.reached(packed.load(Ordering::Relaxed));
        }
        Ok(Ok(()))
    }

    fn found(&mut self, file: Option<&File>, found: Found<'_>) {
        if self.is_over() {
            return;
        }
        match found {
            Found::Line { text, mark } => {
                self.step_to(text.len() as u64, mark, file);
                if self.input.is_letters {
                    self.letter(text);
                } else if !self.is_over() {
                    let taken = self.records.take(text, &mut self.points);
                    self.settle(taken);
                }
            }
            Found::TooLong { bytes, mark } => {
                self.step_to(bytes, mark, file);
                // It counts as a line.
                let _ = self.records.take(b"", &mut self.points);
                let reason = format!("a line of {bytes} bytes, and {MOST} are allowed");
                let at = (self.input.name, self.records.line());
                self.bury(at, bytes + 1, reason, b"", Layout::default());
            }
            Found::GivenUp { bytes } => self.pump.desk.give_up(self.input.book, bytes),
        }
    }

    /// Goes to the place behind a line, which may be in another file than the one before.
    fn step_to(&mut self, length: u64, mark: Mark, file: Option<&File>) {
        let before = self.mark.offset();
        self.mark = mark;
        let begin = mark.offset().saturating_sub(length);
        if begin == before || begin == before + 1 {
            return;
        }
        let ended = self.records.end(&mut self.points);
        self.settle(ended);
        let resumed = match file {
            Some(file) if begin > 1 => lines_before(file, begin - 1)
                .map_err(|error| Failure::io(&read::shown(&self.input.path), &error))
                .and_then(|(first, count)| self.records.resume(&first, count)),
            _ => self.records.begin(),
        };
        self.failure = self.failure.take().or(resumed.err());
    }

    /// Sends what is to be read once more, as it was written then.
    fn letter(&mut self, text: &[u8]) {
        if text.trim_ascii().is_empty() {
            return;
        }
        let letter: Result<Letter, String> =
            serde_json::from_slice(text).map_err(|error| error.to_string());
        let opened = letter.and_then(|letter| {
            let (record, layout) = letter.open()?;
            Ok((letter, record, layout))
        });
        let (letter, record, layout) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let reason = format!("no dead letter: {error}");
                let at = (self.input.name, 0);
                return self.bury(at, text.len() as u64 + 1, reason, text, Layout::default());
            }
        };
        let at = (self.pump.desk.name(&letter.file), letter.line);
        let bytes = record.len() as u64 + 1;
        let read = self
            .pump
            .records(layout.clone())
            .map_err(|failure| failure.to_string())
            .and_then(|mut records| {
                let taken = records.take(&record, &mut self.points);
                let taken = taken.and_then(|taken| match taken {
                    Taken::More => records.end(&mut self.points),
                    taken => Ok(taken),
                });
                let fitted = self.pump.fitted(&mut records, &mut self.points, taken);
                fitted.map_err(|bad| bad.what)
            });
        match read {
            Ok(Taken::Point) => self.send(at, bytes),
            Ok(Taken::More | Taken::Nothing) => {
                self.bury(
                    at,
                    bytes,
                    "there is no record in it".to_owned(),
                    &record,
                    layout,
                );
            }
            Err(reason) => self.bury(at, bytes, reason, &record, layout),
        }
    }

    fn settle(&mut self, taken: Result<Taken, Bad>) {
        let taken = self.pump.fitted(&mut self.records, &mut self.points, taken);
        let bytes = self.records.text().len() as u64 + 1;
        match taken {
            Ok(Taken::Point) => self.send((self.input.name, self.records.line()), bytes),
            Ok(Taken::More | Taken::Nothing) => {}
            Err(bad) if bad.is_heading => {
                let shown = read::shown(&self.input.path);
                let column = bad.column.map(|column| format!(":{column}"));
                let place = format!("{shown}:{}{}", bad.line, column.unwrap_or_default());
                self.failure = Some(Failure::usage(bad.what).about(place));
            }
            Err(bad) => {
                let (layout, record) = (self.records.layout(), self.records.text().to_vec());
                self.bury(
                    (self.input.name, bad.line),
                    bytes,
                    bad.what,
                    &record,
                    layout,
                );
            }
        }
    }

    /// Lets a point, the last one that was written, wait for others.
    fn send(&mut self, at: (u32, u64), bytes: u64) {
        let entry = self.entry(at, bytes);
        self.waiting.push((entry, self.points.len()));
        if self.points.len() >= AT_ONCE {
            self.hand_over();
        }
    }

    fn entry(&self, (name, line): (u32, u64), bytes: u64) -> Entry {
        Entry {
            name,
            line,
            bytes,
            mark: self.mark,
        }
    }

    /// Enters what waits into the books, and gives it to the shipper as soon as there is room.
    fn hand_over(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let (points, waiting) = (&self.points, &self.waiting);
        let mut begin = 0;
        let lines = waiting.iter().map(|(_, end)| {
            let line = &points[begin..*end];
            begin = *end;
            line
        });
        self.is_closed |= !self.pump.hand_over(self.input, waiting, lines);
        self.points.clear();
        self.waiting.clear();
    }

    fn reached(&mut self, place: u64) {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        self.pump.desk.reached(self.input.book, place, is_first);
    }

    fn bury(&mut self, at: (u32, u64), bytes: u64, reason: String, record: &[u8], layout: Layout) {
        // The books have records in their order.
        self.hand_over();
        let _gate = self.pump.gate();
        let entry = self.entry(at, bytes);
        match self.pump.desk.take(self.input.book, [&entry]).as_deref() {
            Some([id]) => {
                let road = self.pump.shipper.as_ref();
                let buried = road.map_or(Ok(()), |road| {
                    road.bury(self.input, &entry, &reason, record, layout.clone())
                });
                if self.pump.end_at(&[*id], buried) {
                    self.pump.desk.bad(*id, bytes, reason, record, layout);
                } else {
                    self.is_closed = true;
                }
            }
            _ => self.is_closed = true,
        }
    }
}
