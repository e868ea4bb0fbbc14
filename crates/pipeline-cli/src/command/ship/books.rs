//! What became of each record, by the file that it comes from.

use std::{
    fs::{self, Metadata},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pipeline_blocking::shipping::{Count, Outcome, Reason, Verdict};
use pipeline_proto::ApiError;
use pipeline_shipper::{
    buffer::{Entry as Stored, Letter as Kept, NotKept, Stats},
    follow::{Ledger, Mark},
};

use super::{
    letters::{Letter, Letters},
    report::{Report, Sheet},
    road::{Road, noted},
};
use crate::{
    command::records::{Format, Layout},
    exit::Exit,
    failure::Failure,
    lang::pick,
    output::{note, plain},
};

/// So many dead letters are said on stderr where no file takes them.
const SAID: u64 = 10;

/// Where a record comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Id {
    /// Whose books it is in.
    pub(super) book: u32,
    /// The file that messages name, which for a dead letter is the one that it came from at first.
    pub(super) name: u32,
    pub(super) line: u64,
    pub(super) bytes: u32,
    number: u64,
}

/// The books of one input, and how far it is.
#[derive(Debug, Default)]
struct Book {
    sheet: Sheet,
    path: Option<PathBuf>,
    ledger: Ledger,
    /// Of a file that has an end: its length, and where reading began and is now, as it is on the disk.
    length: Option<u64>,
    from: u64,
    at: u64,
}

/// A record that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The file that messages name, and the line.
    pub(super) name: u32,
    pub(super) line: u64,
    pub(super) bytes: u64,
    /// The place behind it.
    pub(super) mark: Mark,
}

/// How much of what has an end was read, and how much is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) done: u64,
    pub(super) left: u64,
}

/// The buffer that records go through.
#[derive(Debug, Clone, Copy)]
struct Store {
    /// The number of the first record of this run. Those before are in the first book.
    first: u64,
    /// Whether dead letters go to a file.
    has_letters: bool,
}

/// Who keeps the books of all inputs.
pub(super) struct Desk {
    state: Mutex<State>,
    /// Whether the next run goes on where this one ends.
    resumes: bool,
}

#[derive(Default)]
struct State {
    books: Vec<Book>,
    names: Vec<String>,
    letters: Option<Letters>,
    said: u64,
    is_over: bool,
    /// What verdicts make of the end.
    exit: Option<Exit>,
    /// What inputs make of it that cannot be read.
    unread: Option<Exit>,
    /// What the last record that was not accepted for good failed with.
    left: Option<String>,
    failure: Option<Failure>,
    is_unwelcome: bool,
    store: Option<Store>,
}

impl Desk {
    pub(super) fn new(letters: Option<Letters>, resumes: bool) -> Self {
        let state = State {
            letters,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            resumes,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the books of an input, which can be found again if it has a path.
    pub(super) fn open(&self, name: String, path: Option<PathBuf>, mark: Option<Mark>) -> u32 {
        let mut state = self.state();
        let found = path.as_deref().and_then(|path| fs::metadata(path).ok());
        state.books.push(Book {
            sheet: Sheet::new(name),
            path,
            ledger: Ledger::new(mark.unwrap_or_default()),
            length: found.filter(Metadata::is_file).map(|found| found.len()),
            ..Book::default()
        });
        number(state.books.len() - 1)
    }

    pub(super) fn name(&self, name: &str) -> u32 {
        self.state().name(name)
    }

    /// Enters records that were read, unless all is over.
    pub(super) fn take<'e>(
        &self,
        book: u32,
        entries: impl IntoIterator<Item = &'e Entry>,
    ) -> Option<Vec<Id>> {
        let mut state = self.state();
        if state.is_over || state.failure.is_some() {
            return None;
        }
        let entered = &mut state.books[book as usize];
        let ids = entries.into_iter().map(|entry| {
            entered.sheet.read += one(entry.bytes);
            Id {
                book,
                name: entry.name,
                line: entry.line,
                bytes: u32::try_from(entry.bytes).unwrap_or(u32::MAX),
                // Without a next run, nobody asks for marks.
                number: if self.resumes {
                    entered.ledger.add(entry.mark)
                } else {
                    0
                },
            }
        });
        Some(ids.collect())
    }

    /// Records that were entered are not taken any more: they stay where they are.
    pub(super) fn put_back(&self, ids: &[Id]) {
        let mut state = self.state();
        for id in ids {
            let read = &mut state.books[id.book as usize].sheet.read;
            *read = less(*read, id.bytes);
        }
    }

    /// The same of records that a buffer took and could not write. Gives how many they are.
    pub(super) fn put_back_stored(&self, not_kept: &NotKept) -> usize {
        for (entries, are_letters) in [(&not_kept.records, false), (&not_kept.letters, true)] {
            for entry in entries {
                let id = self.state().id_of(entry);
                self.put_back(&[id]);
                if are_letters {
                    let dead = &mut self.state().books[id.book as usize].sheet.dead;
                    *dead = less(*dead, id.bytes);
                }
            }
        }
        not_kept.records.len() + not_kept.letters.len()
    }

    /// An input is read up to this place on the disk; from the first one on, if it says so.
    pub(super) fn reached(&self, book: u32, place: u64, is_first: bool) {
        let book = &mut self.state().books[book as usize];
        book.at = place;
        if is_first {
            book.from = place;
        }
    }

    /// How far everything is, if it all has an end.
    pub(super) fn way(&self) -> Option<Way> {
        let none = Way { done: 0, left: 0 };
        self.state().books.iter().try_fold(none, |way, book| {
            let left = match book.sheet.error {
                Some(_) => 0,
                None => book.length?.saturating_sub(book.at),
            };
            let done = book.at.saturating_sub(book.from);
            Some(Way {
                done: way.done + done,
                left: way.left + left,
            })
        })
    }

    /// A record that cannot be read or does not fit.
    pub(super) fn bad(&self, id: Id, bytes: u64, reason: String, record: &[u8], layout: Layout) {
        let mut state = self.state();
        let mut letter = Letter::of(record, layout);
        (letter.outcome, letter.reason) = ("dead".to_owned(), reason);
        state.exit.get_or_insert(Exit::Service);
        state.books[id.book as usize].sheet.dead += one(bytes);
        state.letter(id, letter);
        state.settle(id);
    }

    /// Opens the books of a buffer, and of what an earlier run has left in it.
    pub(super) fn open_store(&self, name: String, left: Stats) {
        self.open(name, None, None);
        let mut state = self.state();
        state.books[0].sheet.read = left.pending;
        state.store = Some(Store {
            first: left.next,
            has_letters: state.letters.is_some(),
        });
    }

    /// What came of a record of the buffer.
    pub(super) fn tell_stored(&self, verdict: &Verdict<Stored>) {
        let mut state = self.state();
        let id = state.id_of(&verdict.id);
        state.told(id, verdict, self.resumes);
    }

    /// Records that were dropped to make room.
    pub(super) fn dropped(&self, entries: &[Stored]) {
        for entry in entries {
            let mut state = self.state();
            let id = state.id_of(entry);
            state.books[id.book as usize].sheet.given_up += one(id.bytes.into());
            state.exit.get_or_insert(Exit::Service);
            state.left = Some("the buffer was full".to_owned());
        }
    }

    /// Moves dead letters from the buffer into the file for them.
    pub(super) fn take_letters(&self, road: Option<&Road>) -> Result<(), Failure> {
        let Some(Road::Disk(shipper)) = road else {
            return Ok(());
        };
        let mut state = self.state();
        let Some(letters) = &mut state.letters else {
            return Ok(());
        };
        let mut keep = |found: &[Kept]| {
            let mut written = found.iter().map(|kept| letters.write(&Letter::kept(kept)));
            written.try_for_each(|it| it)?;
            letters.sync()
        };
        while shipper.buffer().take_letters(&mut keep)? > 0 {}
        Ok(())
    }

    /// Nothing more can be done, for this reason.
    pub(super) fn break_off(&self, failure: Failure) {
        self.state().failure.get_or_insert(failure);
    }

    /// What came of a record that was sent.
    pub(super) fn tell(&self, verdict: &Verdict<Id>) {
        self.state().told(verdict.id, verdict, self.resumes);
    }

    /// A part of a deleted file that was not read.
    pub(super) fn give_up(&self, book: u32, bytes: u64) {
        let mut state = self.state();
        let book = &mut state.books[book as usize].sheet;
        let count = Count { records: 0, bytes };
        book.read += count;
        book.given_up += count;
        book.error = Some(format!("{bytes} bytes of a deleted file were not read"));
        state.exit.get_or_insert(Exit::Service);
    }

    /// An input cannot be read any further.
    pub(super) fn fail(&self, book: u32, mut failure: Failure) {
        let mut state = self.state();
        if let records @ 1.. = state.books[book as usize].sheet.read.records {
            failure = failure.and(format_args!("{records} records before it were read"));
        }
        crate::output::report(&failure);
        state.books[book as usize].sheet.error = Some(failure.to_string());
        state.unread.get_or_insert(failure.exit());
    }

    /// Whether nothing more can be done: dead letters cannot be written, or no push is welcome.
    pub(super) fn is_stuck(&self) -> bool {
        let state = self.state();
        state.failure.is_some() || state.is_unwelcome
    }

    /// Nothing more is entered.
    pub(super) fn end(&self) {
        self.state().is_over = true;
    }

    /// How far each file is done.
    pub(super) fn marks(&self) -> Vec<(PathBuf, Mark)> {
        let state = self.state();
        let marks = state
            .books
            .iter()
            .filter_map(|book| Some((book.path.clone()?, book.ledger.mark())));
        marks.collect()
    }

    /// What has become of everything so far.
    pub(super) fn report(&self) -> Report {
        self.state().report()
    }

    /// Closes the books: what to show, how to end, and what went wrong beyond them.
    pub(super) fn close(&self) -> (Report, Option<Exit>, Option<String>, Result<(), Failure>) {
        let mut state = self.state();
        let state = &mut *state;
        if state.said > SAID {
            let more = state.said - SAID;
            note(pick(
                format_args!("and {more} more"),
                format_args!("还有 {more} 条"),
            ));
        }
        let synced = state.letters.as_mut().map_or(Ok(()), Letters::sync);
        let report = state.report();
        let written = state.failure.take().map_or(synced, Err);
        // That of a single record says the least.
        let exit = state.exit.filter(|exit| *exit != Exit::Service);
        let exit = exit.or(state.unread).or(state.exit);
        (report, exit, state.left.take(), written)
    }
}

impl State {
    fn report(&self) -> Report {
        let sheets = self.books.iter().map(|book| book.sheet.clone());
        Report::new(sheets.collect())
    }

    fn letter(&mut self, id: Id, mut letter: Letter) {
        if self.store.is_some_and(|store| store.has_letters) {
            // They come from the buffer.
            return;
        }
        letter.file.clone_from(&self.names[id.name as usize]);
        letter.line = id.line;
        if let Some(letters) = &mut self.letters {
            if let Err(failure) = letters.write(&letter) {
                self.failure.get_or_insert(failure);
            }
            return;
        }
        self.said += 1;
        if self.said <= SAID {
            let [file, reason] = [&letter.file, &letter.reason].map(|text| plain(text));
            note(format_args!("{file}:{}: {reason}", letter.line));
        }
    }

    fn name(&mut self, name: &str) -> u32 {
        let known = self.names.iter().position(|known| known == name);
        number(known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        }))
    }

    fn id_of(&mut self, stored: &Stored) -> Id {
        let first = self.store.map_or(0, |store| store.first);
        let of_input = self.books.iter().skip(1);
        let book = of_input
            .filter(|_| stored.number >= first)
            .position(|book| book.sheet.name() == &*stored.source)
            .map(|book| book + 1);
        let (line, bytes) = noted(stored.note);
        Id {
            book: number(book.unwrap_or(0)),
            name: self.name(&stored.source),
            line,
            bytes: if book.is_some() { bytes } else { stored.bytes },
            number: 0,
        }
    }

    fn told<I>(&mut self, id: Id, verdict: &Verdict<I>, resumes: bool) {
        let stays = self.store.is_some() && verdict.reason().is_some_and(is_left);
        let count = one(id.bytes.into());
        let book = &mut self.books[id.book as usize].sheet;
        let (outcome, reason) = match &verdict.outcome {
            Outcome::Accepted => {
                book.accepted += count;
                return self.settle(id);
            }
            Outcome::Dead(reason) => {
                if !stays {
                    book.dead += count;
                }
                ("dead", reason)
            }
            Outcome::GivenUp(reason) => {
                book.given_up += count;
                ("given-up", reason)
            }
        };
        let exit = match (reason.error(), reason) {
            (_, Reason::Refused(_))
            | (
                None,
                Reason::TooLarge { .. }
                | Reason::NotOneLine
                | Reason::Unfit(_)
                | Reason::NotKept(_),
            ) => Exit::Service,
            (Some(error), _) => Exit::of(error.kind()),
            (None, _) => Exit::WaitTimedOut,
        };
        if exit != Exit::Service || self.exit.is_none() {
            self.exit = Some(exit);
        }
        if is_left(reason) {
            self.left = Some(reason.to_string());
            self.is_unwelcome |= matches!(reason, Reason::NotWelcome(_));
            if resumes || stays {
                // The next run reads it again.
                return;
            }
        }
        let line = verdict.line.strip_suffix(b"\n").unwrap_or(&verdict.line);
        // What waits for its fields is as it was read, and begins with a brace.
        let format = match line {
            [b'{', ..] => Format::Ndjson,
            _ => Format::Points,
        };
        let layout = Layout {
            format: Some(format),
            ..Layout::default()
        };
        let api = reason.api();
        let letter = Letter {
            outcome: outcome.to_owned(),
            reason: reason.to_string(),
            code: api.and_then(ApiError::code).map(|code| code.to_string()),
            request_id: api.and_then(|api| Some(api.request_id()?.to_owned())),
            ..Letter::of(line, layout)
        };
        self.letter(id, letter);
        self.settle(id);
    }

    /// A record need not be read again, unless it went nowhere.
    fn settle(&mut self, id: Id) {
        if self.failure.is_none() {
            self.books[id.book as usize].ledger.settle(id.number);
        }
    }
}

/// Whether the next run may send it.
fn is_left(reason: &Reason) -> bool {
    matches!(reason, Reason::Closed(_) | Reason::NotWelcome(_))
}

fn one(bytes: u64) -> Count {
    Count { records: 1, bytes }
}

fn less(count: Count, bytes: u32) -> Count {
    Count {
        records: count.records.saturating_sub(1),
        bytes: count.bytes.saturating_sub(bytes.into()),
    }
}

/// There are not so many inputs.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
