//! What became of each record, by the file that it comes from.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pipeline_blocking::shipping::{self, Count, Outcome, Reason, Verdict};
use pipeline_proto::ApiError;
use pipeline_shipper::follow::{Ledger, Mark};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::letters::{Letter, Letters};
use crate::{
    command::records::{Format, Layout},
    exit::Exit,
    failure::Failure,
    output::{Cell, Show, Table, note, plain},
    size::Short,
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

/// The books of one input.
#[derive(Debug, Default)]
pub(super) struct Book {
    name: String,
    path: Option<PathBuf>,
    read: Count,
    accepted: Count,
    dead: Count,
    given_up: Count,
    ledger: Ledger,
    error: Option<String>,
}

impl Book {
    fn pending(&self) -> Count {
        let left = |of: fn(&Count) -> u64| {
            let settled = of(&self.accepted) + of(&self.dead) + of(&self.given_up);
            of(&self.read).saturating_sub(settled)
        };
        Count {
            records: left(|it| it.records),
            bytes: left(|it| it.bytes),
        }
    }

    /// The columns of the table and members of the document, in their order.
    fn counts(&self) -> [(&'static str, Count); 5] {
        [
            ("read", self.read),
            ("accepted", self.accepted),
            ("dead", self.dead),
            ("given_up", self.given_up),
            ("pending", self.pending()),
        ]
    }
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
        state.books.push(Book {
            name,
            path,
            ledger: Ledger::new(mark.unwrap_or_default()),
            ..Book::default()
        });
        number(state.books.len() - 1)
    }

    pub(super) fn name(&self, name: &str) -> u32 {
        let mut state = self.state();
        let known = state.names.iter().position(|known| known == name);
        number(known.unwrap_or_else(|| {
            state.names.push(name.to_owned());
            state.names.len() - 1
        }))
    }

    /// Enters a record that was read, unless all is over.
    pub(super) fn take(&self, book: u32, at: (u32, u64), bytes: u64, mark: Mark) -> Option<Id> {
        let mut state = self.state();
        if state.is_over || state.failure.is_some() {
            return None;
        }
        let entered = &mut state.books[book as usize];
        entered.read += one(bytes);
        Some(Id {
            book,
            name: at.0,
            line: at.1,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            number: entered.ledger.add(mark),
        })
    }

    /// A record that was entered is not taken any more: it stays where it is.
    pub(super) fn put_back(&self, id: Id) {
        let read = &mut self.state().books[id.book as usize].read;
        read.records -= 1;
        read.bytes -= u64::from(id.bytes);
    }

    /// A record that cannot be read or does not fit.
    pub(super) fn bad(&self, id: Id, bytes: u64, reason: String, record: &[u8], layout: Layout) {
        let mut state = self.state();
        let mut letter = Letter::of(record, layout);
        (letter.outcome, letter.reason) = ("dead".to_owned(), reason);
        state.exit.get_or_insert(Exit::Service);
        state.books[id.book as usize].dead += one(bytes);
        state.letter(id, letter);
        state.settle(id);
    }

    /// What came of a record that was sent.
    pub(super) fn tell(&self, verdict: &Verdict<Id>) {
        let mut state = self.state();
        let id = verdict.id;
        let count = one(id.bytes.into());
        let book = &mut state.books[id.book as usize];
        let (outcome, reason) = match &verdict.outcome {
            Outcome::Accepted => {
                book.accepted += count;
                return state.settle(id);
            }
            Outcome::Dead(reason) => {
                book.dead += count;
                ("dead", reason)
            }
            Outcome::GivenUp(reason) => {
                book.given_up += count;
                ("given-up", reason)
            }
        };
        let exit = match (reason.error(), reason) {
            (_, Reason::Refused(_)) | (None, Reason::TooLarge { .. } | Reason::NotOneLine) => {
                Exit::Service
            }
            (Some(error), _) => Exit::of(error.kind()),
            (None, _) => Exit::WaitTimedOut,
        };
        if exit != Exit::Service || state.exit.is_none() {
            state.exit = Some(exit);
        }
        let is_left = matches!(reason, Reason::Closed(_) | Reason::NotWelcome(_));
        if is_left {
            state.left = Some(reason.to_string());
            state.is_unwelcome |= matches!(reason, Reason::NotWelcome(_));
            if self.resumes {
                // The next run reads it again.
                return;
            }
        }
        let line = verdict.line.strip_suffix(b"\n").unwrap_or(&verdict.line);
        let layout = Layout {
            format: Some(Format::Points),
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
        state.letter(id, letter);
        state.settle(id);
    }

    /// A part of a deleted file that was not read.
    pub(super) fn give_up(&self, book: u32, bytes: u64) {
        let mut state = self.state();
        let book = &mut state.books[book as usize];
        let count = Count { records: 0, bytes };
        book.read += count;
        book.given_up += count;
        book.error = Some(format!("{bytes} bytes of a deleted file were not read"));
        state.exit.get_or_insert(Exit::Service);
    }

    /// An input cannot be read any further.
    pub(super) fn fail(&self, book: u32, mut failure: Failure) {
        let mut state = self.state();
        if let records @ 1.. = state.books[book as usize].read.records {
            failure = failure.and(format_args!("{records} records before it were read"));
        }
        crate::output::report(&failure);
        state.books[book as usize].error = Some(failure.to_string());
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

    /// All inputs together.
    pub(super) fn total(&self) -> Book {
        total(&self.state().books)
    }

    /// Closes the books: what to show, how to end, and what went wrong beyond them.
    pub(super) fn close(&self) -> (Report, Option<Exit>, Option<String>, Result<(), Failure>) {
        let mut state = self.state();
        let state = &mut *state;
        if state.said > SAID {
            note(format_args!("and {} more", state.said - SAID));
        }
        let synced = state.letters.as_mut().map_or(Ok(()), Letters::sync);
        let report = Report {
            books: std::mem::take(&mut state.books),
            ..Report::default()
        };
        let written = state.failure.take().map_or(synced, Err);
        // That of a single record says the least.
        let exit = state.exit.filter(|exit| *exit != Exit::Service);
        (
            report,
            exit.or(state.unread).or(state.exit),
            state.left.take(),
            written,
        )
    }
}

impl State {
    fn letter(&mut self, id: Id, mut letter: Letter) {
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
            let Letter { file, line, .. } = &letter;
            note(format_args!(
                "{}:{line}: {}",
                plain(file),
                plain(&letter.reason)
            ));
        }
    }

    /// A record need not be read again, unless it went nowhere.
    fn settle(&mut self, id: Id) {
        if self.failure.is_none() {
            self.books[id.book as usize].ledger.settle(id.number);
        }
    }
}

fn one(bytes: u64) -> Count {
    Count { records: 1, bytes }
}

/// There are not so many inputs.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn total(books: &[Book]) -> Book {
    let mut total = Book::default();
    for book in books {
        total.read += book.read;
        total.accepted += book.accepted;
        total.dead += book.dead;
        total.given_up += book.given_up;
    }
    total
}

impl Book {
    /// In words, but for what is nothing.
    pub(super) fn said(&self) -> String {
        let counts = self.counts();
        let counts = counts
            .iter()
            .filter(|(name, count)| count.records > 0 || *name == "accepted");
        let words = counts.map(|(name, count)| format!("{} {}", count.records, spaced(name)));
        words.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn lost(&self) -> u64 {
        self.dead.records + self.given_up.records
    }
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

impl Serialize for Book {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut book = serializer.serialize_struct("Book", 7)?;
        if !self.name.is_empty() {
            book.serialize_field("file", &self.name)?;
        }
        for (name, Count { records, bytes }) in self.counts() {
            let count = [("bytes", bytes), ("records", records)];
            book.serialize_field(name, &BTreeMap::from(count))?;
        }
        if let Some(error) = &self.error {
            book.serialize_field("error", error)?;
        }
        book.end()
    }
}

/// What is shown at the end.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) repo: String,
    books: Vec<Book>,
    pub(super) requests: u64,
    pub(super) retries: u64,
    pub(super) halved: u64,
    /// The first points, if nothing was to be sent.
    pub(super) points: Option<Vec<String>>,
}

impl Report {
    pub(super) fn count(&mut self, books: &shipping::Books) {
        (self.requests, self.retries, self.halved) = (books.requests, books.retries, books.halved);
    }

    pub(super) fn total(&self) -> Book {
        total(&self.books)
    }

    /// How many inputs there are, and how many of them were not read to their end.
    pub(super) fn unread(&self) -> (usize, usize) {
        let unread = self.books.iter().filter(|book| book.error.is_some());
        (self.books.len(), unread.count())
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 7)?;
        report.serialize_field("name", &self.repo)?;
        report.serialize_field("items", &self.books)?;
        report.serialize_field("total", &self.total())?;
        report.serialize_field("requests", &self.requests)?;
        report.serialize_field("retries", &self.retries)?;
        report.serialize_field("halved", &self.halved)?;
        if let Some(points) = &self.points {
            report.serialize_field("points", points)?;
        }
        report.end()
    }
}

impl Show for Report {
    fn names(&self) -> Vec<&str> {
        self.books.iter().map(|book| &*book.name).collect()
    }

    fn table(&self) -> String {
        let mut headings = vec!["FILE".to_owned()];
        let columns = Book::default().counts();
        headings.extend(columns.map(|(name, _)| spaced(name).to_uppercase()));
        let mut table = Table::new(&headings);
        let mut total = self.total();
        "total".clone_into(&mut total.name);
        let all = (self.books.len() > 1).then_some(&total);
        for book in self.books.iter().chain(all) {
            let counts = book.counts().map(|(_, count)| match count.records {
                0 if count.bytes == 0 => "0".to_owned(),
                records => format!("{records} ({})", Short(count.bytes)),
            });
            let cells = std::iter::once(&book.name).chain(&counts).map(Cell::from);
            table.row(cells);
        }
        let mut text = String::new();
        for point in self.points.iter().flatten() {
            text.push_str(&plain(point));
            text.push('\n');
        }
        text + &table.render()
    }
}
