use super::mark::{HEAD, Mark, Print, TAIL};

/// What came out of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// A line.
    Line {
        /// What it says, without its line feed.
        text: &'a [u8],
        /// The place behind it.
        mark: Mark,
    },
    /// A line that is too long, and was skipped.
    TooLong {
        /// Its length, without its line feed.
        bytes: u64,
        /// The place behind it.
        mark: Mark,
    },
    /// A part of a deleted file that was not read.
    GivenUp {
        /// Its length.
        bytes: u64,
    },
}

/// Cuts what is read into lines; also of what is no file, such as an input or a compressed file.
#[derive(Debug)]
pub struct Lines {
    longest: usize,
    /// The first bytes and the last ones, of all that was read.
    head: Vec<u8>,
    tail: Vec<u8>,
    offset: u64,
    /// What was read behind the mark, unless it is skipped.
    held: Vec<u8>,
    skipped: u64,
    mark: Mark,
}

impl Lines {
    /// From the beginning; longer lines than this are skipped.
    pub fn new(longest: usize) -> Self {
        Self {
            longest,
            head: Vec::new(),
            tail: Vec::new(),
            offset: 0,
            held: Vec::new(),
            skipped: 0,
            mark: Mark::default(),
        }
    }

    /// From a mark on, if the file has these bytes where the mark [says](Mark::fits).
    pub fn resume(mark: Mark, head: Vec<u8>, tail: &[u8], longest: usize) -> Option<Self> {
        mark.fits(&head, tail).then(|| Self {
            head,
            tail: tail.to_vec(),
            offset: mark.offset,
            mark,
            ..Self::new(longest)
        })
    }

    /// The place behind the last line that came out.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// How much was read, with a line that is not complete.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The last bytes that were read.
    pub(super) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Takes what was read.
    pub fn feed(&mut self, bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) {
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(at + 1);
            self.pass(line);
            if self.held.is_empty() && self.skipped == 0 && at <= self.longest {
                let (text, mark) = (&line[..at], self.mark_here());
                found(Found::Line { text, mark });
            } else {
                self.hold(&line[..at]);
                self.end(found);
            }
            rest = after;
        }
        self.pass(rest);
        self.hold(rest);
    }

    /// Takes what has come of the last line for the whole of it.
    pub fn finish(&mut self, found: &mut dyn FnMut(Found<'_>)) {
        if !self.held.is_empty() || self.skipped > 0 {
            self.end(found);
        }
    }

    fn end(&mut self, found: &mut dyn FnMut(Found<'_>)) {
        let mark = self.mark_here();
        let (bytes, text) = (self.skipped, &*self.held);
        found(if bytes > 0 {
            Found::TooLong { bytes, mark }
        } else {
            Found::Line { text, mark }
        });
        self.held.clear();
        self.skipped = 0;
    }

    fn hold(&mut self, part: &[u8]) {
        if self.skipped > 0 || self.held.len() + part.len() > self.longest {
            self.skipped += (self.held.len() + part.len()) as u64;
            self.held.clear();
        } else {
            self.held.extend_from_slice(part);
        }
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        let more = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..more]);
        let last = &bytes[bytes.len().saturating_sub(TAIL)..];
        let too_many = (self.tail.len() + last.len()).saturating_sub(TAIL);
        self.tail.drain(..too_many);
        self.tail.extend_from_slice(last);
    }

    fn mark_here(&mut self) -> Mark {
        // Once the head is complete, its sum stays.
        if self.mark.head_length() < self.head.len() {
            self.mark.head = Print::of(&self.head);
        }
        self.mark.tail = Print::of(&self.tail);
        self.mark.offset = self.offset;
        self.mark
    }
}
