//! How values stand in the database: each with a sum of its own and what it belongs to, so that it is not only known to
//! be whole, but also found in a file whose tree is damaged.

use std::ops::Range;

use memchr::memmem;

/// What a value begins with.
const MAGIC: [u8; 8] = *b"\xb6PBuf\x01\r\n";
/// Magic, kind, length and sum.
const HEAD: usize = 8 + 1 + 4 + 4;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Chunk,
    Letter,
    Place,
    State,
}

const KINDS: [Kind; 4] = [Kind::Chunk, Kind::Letter, Kind::Place, Kind::State];

/// Writes a value.
#[derive(Debug)]
pub(super) struct Pen(Vec<u8>);

impl Pen {
    pub(super) fn new(kind: Kind) -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.push(kind as u8);
        bytes.resize(HEAD, 0);
        Self(bytes)
    }

    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.finish();
        self.0
    }

    /// The value as it is so far.
    pub(super) fn finish(&mut self) -> &[u8] {
        let length = u32::try_from(self.0.len() - HEAD).unwrap_or(u32::MAX);
        self.0[9..13].copy_from_slice(&length.to_le_bytes());
        let sum = sum(&self.0[8..13], &self.0[HEAD..]);
        self.0[13..HEAD].copy_from_slice(&sum.to_le_bytes());
        &self.0
    }
}

fn sum(head: &[u8], rest: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(head);
    sum.update(rest);
    sum.finalize()
}

/// Reads what is in a value; nothing comes of what is not there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eyes<'a>(&'a [u8]);

impl<'a> Eyes<'a> {
    /// The contents of a value that is whole.
    pub(super) fn open(kind: Kind, bytes: &'a [u8]) -> Option<Self> {
        let (found, eyes, _) = whole(bytes)?;
        (found == kind).then_some(eyes)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

fn whole(bytes: &[u8]) -> Option<(Kind, Eyes<'_>, usize)> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let kind = KINDS.into_iter().find(|kind| *kind as u8 == head[8])?;
    let four = |at: Range<usize>| head[at].try_into().map(u32::from_le_bytes).ok();
    let length = usize::try_from(four(9..13)?).ok()?;
    let rest = rest.get(..length)?;
    let is_whole = head.starts_with(&MAGIC) && sum(&head[8..13], rest) == four(13..HEAD)?;
    is_whole.then_some((kind, Eyes(rest), HEAD + length))
}

/// All whole values in these bytes, wherever they stand, and where they end.
pub(super) fn scan(bytes: &[u8]) -> impl Iterator<Item = (Kind, &[u8], usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + memmem::find(bytes.get(from..)?, &MAGIC)?;
            if let Some((kind, _, length)) = whole(&bytes[at..]) {
                from = at + length;
                return Some((kind, &bytes[at..from], from));
            }
            from = at + 1;
        }
    })
}
