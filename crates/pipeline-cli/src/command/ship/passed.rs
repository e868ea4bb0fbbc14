//! What is read of an input besides its records: how much it is, and what stands before the place to go on from.

use std::{
    fs::File,
    io::{self, BufRead, Read, Seek as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use pipeline_shipper::follow::Mark;

use crate::command::records::MOST;

/// Counts what is read.
pub(super) struct Counted {
    pub(super) inner: Box<dyn BufRead>,
    pub(super) count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(out)?;
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, length: usize) {
        self.inner.consume(length);
        self.count.fetch_add(length as u64, Ordering::Relaxed);
    }
}

/// Its first bytes and the last ones, its first line, and how many there are.
pub(super) type Skipped = (Vec<u8>, Vec<u8>, Vec<u8>, u64);

/// Reads up to a mark; none if there is not so much.
pub(super) fn skip(from: &mut dyn BufRead, mark: Mark) -> io::Result<Option<Skipped>> {
    let (mut head, mut tail, mut first, mut count) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut left = mark.offset();
    while left > 0 {
        let bytes = match from.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let length = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if length == 0 {
            return Ok(None);
        }
        let bytes = &bytes[..length];
        let more = mark.head_length().saturating_sub(head.len());
        head.extend_from_slice(&bytes[..more.min(length)]);
        tail.extend_from_slice(&bytes[length.saturating_sub(mark.tail_length())..]);
        tail.drain(..tail.len().saturating_sub(mark.tail_length()));
        count_lines(bytes, &mut first, &mut count);
        from.consume(length);
        left -= length as u64;
    }
    Ok(Some((head, tail, first, count)))
}

/// The first line of what stands before a place, and how many there are.
pub(super) fn lines_before(mut file: &File, place: u64) -> io::Result<(Vec<u8>, u64)> {
    file.rewind()?;
    let (mut first, mut count) = (Vec::new(), 0);
    let mut from = io::BufReader::with_capacity(64 << 10, file.take(place));
    loop {
        let bytes = from.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok((first, count));
        }
        count_lines(bytes, &mut first, &mut count);
        from.consume(length);
    }
}

fn count_lines(bytes: &[u8], first: &mut Vec<u8>, count: &mut u64) {
    if *count == 0 && first.len() < MOST {
        first.extend(bytes.iter().take_while(|byte| **byte != b'\n'));
    }
    *count += bytes.split(|byte| *byte == b'\n').count() as u64 - 1;
}
