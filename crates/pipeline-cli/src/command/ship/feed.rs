//! The lines of one input on their way to the shipper, or among the dead letters.

use std::{
    fs::File,
    io::{self, BufRead as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use pipeline_shipper::follow::{Found, Lines, Mark};

use super::{
    books::Entry,
    letters::Letter,
    passed::{Counted, lines_before, skip},
    pump::{Input, Pump},
};
use crate::{
    command::records::{self, Bad, Layout, MOST, Records, Taken},
    failure::Failure,
    file::read,
};

/// So much is handed over to the shipper at once, where so much is there.
const AT_ONCE: usize = 64 << 10;

/// The lines of one input on their way.
pub(super) struct Feed<'p> {
    pump: &'p Pump,
    pub(super) input: &'p Input,
    records: Records<'p>,
    /// Those that are to be handed over, one behind the other; and where each of them ends.
    points: Vec<u8>,
    waiting: Vec<(Entry, usize)>,
    /// The place behind the last line.
    pub(super) mark: Mark,
    /// Whether it was said where reading began.
    has_begun: bool,
    pub(super) is_closed: bool,
    pub(super) failure: Option<Failure>,
}

impl<'p> Feed<'p> {
    pub(super) fn new(pump: &'p Pump, input: &'p Input) -> Result<Self, Failure> {
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

    pub(super) fn is_over(&self) -> bool {
        self.is_closed || self.failure.is_some()
    }

    /// The input has come to its end; false if nothing more is taken.
    pub(super) fn end(mut self) -> Result<bool, Failure> {
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
    pub(super) fn stream(&mut self, input: &Input) -> io::Result<Result<(), Failure>> {
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

    pub(super) fn found(&mut self, file: Option<&File>, found: Found<'_>) {
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
    pub(super) fn hand_over(&mut self) {
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

    pub(super) fn reached(&mut self, place: u64) {
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
