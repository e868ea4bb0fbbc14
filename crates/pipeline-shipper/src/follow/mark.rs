use serde::{Deserialize, Serialize};

/// How much of a file's head, and of what is before a place, tells it from other files.
pub(super) const HEAD: usize = 1024;
pub(super) const TAIL: usize = 64;

/// The sum of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Print {
    length: u16,
    sum: u32,
}

impl Print {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            length: u16::try_from(bytes.len()).expect("heads and tails are short"),
            sum: crc32fast::hash(bytes),
        }
    }

    fn fits(self, bytes: &[u8]) -> bool {
        bytes.len() == usize::from(self.length) && crc32fast::hash(bytes) == self.sum
    }
}

/// A place in a file, and what the file is known by: its first 1,024 bytes and the 64 before the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mark {
    pub(super) offset: u64,
    pub(super) head: Print,
    pub(super) tail: Print,
}

impl Mark {
    /// The place, in bytes from the beginning.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// How many of the first bytes the file is known by.
    pub fn head_length(&self) -> usize {
        usize::from(self.head.length)
    }

    /// Where the bytes before the place begin that the file is known by.
    pub fn tail_at(&self) -> u64 {
        self.offset.saturating_sub(u64::from(self.tail.length))
    }

    /// How many bytes before the place the file is known by.
    pub fn tail_length(&self) -> usize {
        usize::from(self.tail.length)
    }

    /// Whether it is the file that begins with these bytes, and has these before the place.
    pub fn fits(&self, head: &[u8], tail: &[u8]) -> bool {
        self.fits_head(head) && self.tail.fits(tail)
    }

    pub(super) fn fits_head(&self, head: &[u8]) -> bool {
        self.head.fits(head)
    }
}
