//! The bytes of a state file.
//!
//! ```text
//! pipeline-emulator state file, version 1
//! acknowledged 00000000000000000345 8c1f3a90b2d4e657
//! acknowledged 00000000000000000288 0f7d22c19ab34e80
//! 00000038 5be1c07a34f2d918 [{"owner":"development","name":"logs",…}]
//! ```
//!
//! A record is the length of its text, a checksum, the text and a line break. Lines make the file
//! readable; what counts is the length, since the text may hold line breaks of its own.

use std::fmt::Write as _;

use sha1::{Digest as _, Sha1};

const MAGIC: &str = "pipeline-emulator state file, version ";
pub(super) const FIRST_LINE: &str = "pipeline-emulator state file, version 1\n";
const SLOT: &str = "acknowledged ";
/// Twenty digits, a blank, a checksum and a line break behind the word.
const SLOT_LENGTH: usize = SLOT.len() + 20 + 1 + SUM_LENGTH + 1;
const SUM_LENGTH: usize = 16;
/// Eight digits, a blank, a checksum and a blank.
const HEAD_LENGTH: usize = 8 + 1 + SUM_LENGTH + 1;

/// Where the records begin.
pub(super) const HEADER_LENGTH: usize = FIRST_LINE.len() + 2 * SLOT_LENGTH;

/// What the next record's checksum begins with: the checksum of the one before. So a record that is
/// missing, or stands there twice, is noticed at the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chain(String);

impl Chain {
    fn next(&self, payload: &[u8]) -> Self {
        Self(checksum(&[self.0.as_bytes(), payload]))
    }
}

fn checksum(parts: &[&[u8]]) -> String {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    let mut text = String::with_capacity(SUM_LENGTH);
    for byte in &hash.finalize()[..SUM_LENGTH / 2] {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}

/// One of the two lines that tell how far the file was acknowledged.
pub(super) fn slot(acknowledged: u64) -> Vec<u8> {
    let digits = format!("{acknowledged:020}");
    let sum = checksum(&[digits.as_bytes()]);
    format!("{SLOT}{digits} {sum}\n").into_bytes()
}

/// Where the first or the second of them stands.
pub(super) fn slot_offset(second: bool) -> u64 {
    let first = FIRST_LINE.len();
    (if second { first + SLOT_LENGTH } else { first }) as u64
}

pub(super) fn header(acknowledged: u64) -> Vec<u8> {
    let slot = slot(acknowledged);
    [FIRST_LINE.as_bytes(), &slot, &slot].concat()
}

/// Adds a record to what will be written. `None` for one that is too long for the format.
pub(super) fn add_record(chain: &Chain, payload: &[u8], to: &mut Vec<u8>) -> Option<Chain> {
    let length = u32::try_from(payload.len()).ok()?;
    let next = chain.next(payload);
    to.extend_from_slice(format!("{length:08x} {} ", next.0).as_bytes());
    to.extend_from_slice(payload);
    to.push(b'\n');
    Some(next)
}

/// What is in a file.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// Where each record begins, and its text.
    pub(super) payloads: Vec<(u64, &'a [u8])>,
    pub(super) end: End,
}

/// Where the file goes on.
#[derive(Debug)]
pub(super) struct End {
    /// Behind the last whole record.
    pub(super) at: u64,
    pub(super) chain: Chain,
    /// Which of the two lines tells the larger number.
    pub(super) second_slot: bool,
}

/// Why a file is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Foreign(String),
    Damaged { at: u64, what: String },
}

fn damaged(at: usize, what: impl Into<String>) -> Unreadable {
    let (at, what) = (at as u64, what.into());
    Unreadable::Damaged { at, what }
}

/// Reads a whole file. A record at the end that was not acknowledged may be incomplete: it is left
/// out.
pub(super) fn read(bytes: &[u8]) -> Result<Found<'_>, Unreadable> {
    let (acknowledged, second_slot) = read_header(bytes)?;
    if (bytes.len() as u64) < acknowledged {
        let what = format!("it ends here, though {acknowledged} bytes were acknowledged");
        return Err(damaged(bytes.len(), what));
    }
    let mut payloads = Vec::new();
    let mut at = HEADER_LENGTH;
    let mut chain = Chain::default();
    while at < bytes.len() {
        let Some(payload) = record_at(&bytes[at..], &chain) else {
            if (at as u64) < acknowledged {
                return Err(damaged(at, "a record does not fit its checksum"));
            }
            break;
        };
        payloads.push((at as u64, payload));
        chain = chain.next(payload);
        at += HEAD_LENGTH + payload.len() + 1;
    }
    let end = End {
        at: at as u64,
        chain,
        second_slot,
    };
    Ok(Found { payloads, end })
}

fn read_header(bytes: &[u8]) -> Result<(u64, bool), Unreadable> {
    if bytes.is_empty() {
        return Err(damaged(0, "it is empty, which a state file never is"));
    }
    let Some(slots) = bytes.strip_prefix(FIRST_LINE.as_bytes()) else {
        if FIRST_LINE.as_bytes().starts_with(bytes) {
            return Err(damaged(bytes.len(), "it ends in its first line"));
        }
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes);
        let what = match line.strip_prefix(MAGIC.as_bytes()) {
            Some(version) => format!(
                "it has version {}, this program reads version 1",
                String::from_utf8_lossy(version)
            ),
            None => "its first line is another".to_owned(),
        };
        return Err(Unreadable::Foreign(what));
    };
    let first = slots.get(..SLOT_LENGTH).and_then(read_slot);
    let second = slots.get(SLOT_LENGTH..2 * SLOT_LENGTH).and_then(read_slot);
    match first.max(second) {
        Some(acknowledged) => Ok((acknowledged, second > first)),
        None => Err(damaged(
            FIRST_LINE.len(),
            "neither of its two lengths is whole",
        )),
    }
}

fn read_slot(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(SLOT.as_bytes())?.get(..20)?;
    let acknowledged = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (slot(acknowledged) == line).then_some(acknowledged)
}

/// The text of the record that these bytes begin with, if it is whole.
fn record_at<'a>(bytes: &'a [u8], chain: &Chain) -> Option<&'a [u8]> {
    let head = std::str::from_utf8(bytes.get(..HEAD_LENGTH)?).ok()?;
    let length = usize::try_from(u32::from_str_radix(head.get(..8)?, 16).ok()?).ok()?;
    let rest = &bytes[HEAD_LENGTH..];
    let payload = rest.get(..length)?;
    let whole = rest.get(length) == Some(&b'\n')
        && head == format!("{length:08x} {} ", chain.next(payload).0);
    whole.then_some(payload)
}
