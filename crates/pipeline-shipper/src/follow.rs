//! Follows a file to which somebody else appends, without IO, as far as rotation, truncation and restarts go.
//!
//! A [`Follower`] says what to do with files and is told what was seen; lines come out, each with a [`Mark`] by
//! which its place in its file is found again, under whatever name the file then has. A [`Ledger`] knows up to
//! which mark all lines are done. Nothing is believed of names, inodes or events:
//!
//! - The path is looked at again and again; what it leads to then is compared with the file that is open, so that
//!   a renamed file is read to its end, and a new one, or a symbolic link to another one, is noticed.
//! - Each read begins a little before the place that was reached, and what stands there is compared with what was
//!   read before: a file that was cut and has grown again is no longer the same, however long it is.
//! - A mark has the sums of the first bytes of its file and of those before it. Files with equal first lines are
//!   different files, and a mark fits a file that was moved, copied or compressed.
//! - A last line without its line feed waits, until its file has been replaced and is at [rest](Settings::rest), or
//!   the run ends there.
//!
//! What is lost all the same: lines that are written and then cut off or deleted between two looks; and those in a
//! file that was copied and cut before anything of it was read, as nothing tells whose copy it is.
//!
//! Whoever drives it needs a loop like this one, here over a file that is there and is read once:
//!
//! ```
//! use pipeline_shipper::follow::{Follower, Found, Look, Seen, Settings, Step};
//! use std::time::Duration;
//!
//! let file = b"first\nsecond\nno line feed";
//! let seen = Seen { id: (1, 1), length: file.len() as u64, written: 0 };
//! let mut follower = Follower::new(Settings::new().once(true), None);
//! let mut lines = Vec::new();
//! let mut step = follower.begin();
//! loop {
//!     let mut found = |found: Found<'_>| {
//!         if let Found::Line { text, .. } = found {
//!             lines.push(text.to_vec());
//!         }
//!     };
//!     step = match step {
//!         Step::Open => follower.on_open(Some(seen)),
//!         Step::Look => {
//!             let look = Look { open: Some(seen), path: Some(seen), deleted: false };
//!             follower.on_look(look, Duration::ZERO, &mut found)
//!         }
//!         Step::Read { offset, length } => {
//!             let bytes = &file[offset as usize..];
//!             follower.on_read(&bytes[..length.min(bytes.len())], &mut found)
//!         }
//!         Step::Wait(_) => follower.on_wake(),
//!         // Only after a truncation, or with a mark of another file.
//!         Step::Search => follower.on_search(None),
//!         Step::Done => break,
//!     };
//! }
//! assert_eq!(lines, [&b"first"[..], b"second", b"no line feed"]);
//! ```

mod ledger;
mod lines;
mod mark;

use std::time::Duration;

pub use self::{
    ledger::Ledger,
    lines::{Found, Lines},
    mark::Mark,
};

/// How a [`Follower`] follows.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    once: bool,
    every: Duration,
    rest: Duration,
    deleted: Duration,
    longest_line: usize,
    read: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            once: false,
            every: Duration::from_millis(250),
            rest: Duration::from_secs(5),
            deleted: Duration::from_secs(300),
            longest_line: 2 << 20,
            read: 256 << 10,
        }
    }
}

macro_rules! setters {
    ($($(#[$about:meta])+ $setting:ident: $Setting:ty;)+) => { $(
        $(#[$about])+
        #[must_use]
        pub fn $setting(mut self, $setting: $Setting) -> Self {
            self.$setting = $setting;
            self
        }
    )+ };
}

impl Settings {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Whether it ends where the file ends. Default: no.
        once: bool;
        /// How long to wait between looks. Default: 250 ms.
        every: Duration;
        /// How long a file that was replaced must not have grown before it is left. Whoever writes to it may need a
        /// moment to notice. Default: 5 s.
        rest: Duration;
        /// How long a file is kept open after it was deleted, while lines are taken more slowly than it takes to read
        /// it: until it is closed it takes room on the disk. Default: 5 min.
        deleted: Duration;
        /// The longest line, in bytes; longer ones are [skipped](Found::TooLong). Default: 2 MiB.
        longest_line: usize;
        /// The most that is read at once, in bytes. Default: 256 KiB.
        read: usize;
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Open the next file in place of the one that is open; then [`on_open`](Follower::on_open).
    ///
    /// Of the files beside the path that were rotated away and written to after the one that is open, it is the
    /// oldest; if there is none, or nothing was open, the file to which the path leads.
    Open,
    /// See how the open file and the path are; then [`on_look`](Follower::on_look).
    Look,
    /// Read from the open file; then [`on_read`](Follower::on_read), with fewer bytes if there are no more.
    Read {
        /// Where to begin, in bytes.
        offset: u64,
        /// How much, in bytes.
        length: usize,
    },
    /// Wait, or until something tells of a change; then [`on_wake`](Follower::on_wake).
    Wait(Duration),
    /// Look among the files beside the path for the one that [the mark](Follower::mark) fits, and open it in place
    /// of the one that is open; then [`on_search`](Follower::on_search).
    Search,
    /// It was to be read once, and is at its end.
    Done,
}

/// A file as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// What tells it from other files that are there at the same time: its device and its inode.
    pub id: (u64, u64),
    /// Its length in bytes.
    pub length: u64,
    /// When it was written to last, in whatever unit: a new time at the same length makes it worth a comparison.
    pub written: u128,
}

/// What a look showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The open file.
    pub open: Option<Seen>,
    /// The file to which the path leads, through links.
    pub path: Option<Seen>,
    /// Whether the open file has no name any longer.
    pub deleted: bool,
}

/// Follows one path; see the [module](self).
#[derive(Debug)]
pub struct Follower {
    settings: Settings,
    lines: Lines,
    check: Option<Check>,
    /// The length of the open file, and when it was written to, as it was seen last.
    length: u64,
    written: u128,
    /// Since when the open file, which was replaced, has not grown.
    resting: Option<Duration>,
    /// Since when the open file has had no name.
    deleted: Option<Duration>,
}

/// A mark with which the open file is still to be compared.
#[derive(Debug)]
struct Check {
    mark: Mark,
    /// The first bytes of the file, which fit.
    head: Option<Vec<u8>>,
}

impl Follower {
    /// One that begins at a mark of an earlier run, or at the beginning.
    pub fn new(settings: Settings, mark: Option<Mark>) -> Self {
        let mut follower = Self {
            settings,
            lines: Lines::new(settings.longest_line),
            check: None,
            length: 0,
            written: 0,
            resting: None,
            deleted: None,
        };
        follower.expect(mark.unwrap_or_default());
        follower
    }

    /// The first step.
    #[allow(clippy::unused_self, reason = "a step is a step of a follower")]
    pub fn begin(&self) -> Step {
        Step::Open
    }

    /// The place behind the last line that came out, or that an earlier run had reached.
    pub fn mark(&self) -> Mark {
        let check = self.check.as_ref();
        check.map_or_else(|| self.lines.mark(), |check| check.mark)
    }

    /// Takes the file that was opened; none if there was none.
    pub fn on_open(&mut self, seen: Option<Seen>) -> Step {
        (self.resting, self.deleted) = (None, None);
        let Some(seen) = seen else {
            return self.idle();
        };
        (self.length, self.written) = (seen.length, seen.written);
        self.lines = Lines::new(self.settings.longest_line);
        match &mut self.check {
            Some(check) if seen.length < check.mark.offset() => Step::Search,
            Some(check) => {
                check.head = None;
                Step::Read {
                    offset: 0,
                    length: check.mark.head_length(),
                }
            }
            None => Step::Look,
        }
    }

    /// Takes what a look showed, at this moment on a clock that does not jump.
    pub fn on_look(&mut self, look: Look, now: Duration, found: &mut dyn FnMut(Found<'_>)) -> Step {
        let Some(open) = look.open else {
            return match look.path {
                Some(_) => Step::Open,
                None => self.idle(),
            };
        };
        if open.length < self.lines.offset() {
            return self.lose();
        }
        let is_new = open.written != self.written;
        if is_new || open.length != self.length {
            (self.length, self.written) = (open.length, open.written);
            self.resting = None;
        }
        let unread = open.length - self.lines.offset();
        if unread > 0 {
            let since = *self.deleted.get_or_insert(now);
            if !look.deleted {
                self.deleted = None;
            } else if now.saturating_sub(since) >= self.settings.deleted {
                found(Found::GivenUp { bytes: unread });
                return self.leave(found);
            }
        }
        if unread > 0 || is_new {
            let (tail, most) = (self.lines.tail().len(), self.settings.read);
            return Step::Read {
                offset: self.lines.offset() - tail as u64,
                length: tail + usize::try_from(unread).map_or(most, |unread| unread.min(most)),
            };
        }
        if look.path.is_some_and(|path| path.id == open.id) {
            self.resting = None;
            if self.settings.once {
                self.lines.finish(found);
            }
            return self.idle();
        }
        let since = *self.resting.get_or_insert(now);
        if self.settings.once || now.saturating_sub(since) >= self.settings.rest {
            return self.leave(found);
        }
        self.idle()
    }

    /// Takes what was read.
    pub fn on_read(&mut self, bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) -> Step {
        let longest = self.settings.longest_line;
        let bytes = match &mut self.check {
            Some(check) if check.head.is_none() => {
                if !check.mark.fits_head(bytes) {
                    return Step::Search;
                }
                check.head = Some(bytes.to_vec());
                return Step::Read {
                    offset: check.mark.tail_at(),
                    length: check.mark.tail_length() + self.settings.read,
                };
            }
            Some(Check { mark, head }) => {
                let tail = bytes.split_at_checked(mark.tail_length());
                let resumed = tail.and_then(|(tail, bytes)| {
                    let head = head.take().unwrap_or_default();
                    Some((Lines::resume(*mark, head, tail, longest)?, bytes))
                });
                let Some((lines, bytes)) = resumed else {
                    return Step::Search;
                };
                self.lines = lines;
                self.check = None;
                bytes
            }
            None => match bytes.strip_prefix(self.lines.tail()) {
                Some(bytes) => bytes,
                None => return self.lose(),
            },
        };
        self.lines.feed(bytes, found);
        Step::Look
    }

    /// The wait is over.
    #[allow(clippy::unused_self, reason = "a step is a step of a follower")]
    pub fn on_wake(&self) -> Step {
        Step::Look
    }

    /// Takes the file that the mark fits, which is open now; none if there was none. Then the file to which the
    /// path leads is read from its beginning.
    pub fn on_search(&mut self, seen: Option<Seen>) -> Step {
        if seen.is_some() {
            let step = self.on_open(seen);
            if step != Step::Search {
                return step;
            }
        }
        self.check = None;
        Step::Open
    }

    /// There is nothing to read.
    fn idle(&self) -> Step {
        if self.settings.once {
            Step::Done
        } else {
            Step::Wait(self.settings.every)
        }
    }

    /// What was open is no longer what it was. What was appended before it was cut may stand in a copy.
    fn lose(&mut self) -> Step {
        self.expect(self.lines.mark());
        if self.check.is_some() {
            Step::Search
        } else {
            Step::Open
        }
    }

    fn expect(&mut self, mark: Mark) {
        let head = None;
        self.check = (mark.offset() > 0).then_some(Check { mark, head });
    }

    /// Leaves a file that was replaced.
    fn leave(&mut self, found: &mut dyn FnMut(Found<'_>)) -> Step {
        self.lines.finish(found);
        Step::Open
    }
}
