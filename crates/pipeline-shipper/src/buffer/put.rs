//! Takes records, as far as there is room.

use std::{
    mem,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    Buffer, BufferError, BufferErrorKind, Entry, Full, GATHER, Inner, Letter, Taken, error::Reason,
    value::Chunk,
};
use crate::books::Count;

impl Buffer {
    /// Takes a record, and waits for room if that is what is wanted. It is acknowledged by [`sync`](Self::sync).
    ///
    /// # Errors
    ///
    /// If there is no room, it is closed, or it could not be written before.
    pub fn put(&self, line: &[u8]) -> Result<Taken, BufferError> {
        self.put_from(&Arc::from(""), 0, line, None)
    }

    /// As [`put`](Self::put), with what is to be known about the record later, and how far a file was read with it, by
    /// the file's path: that is written in the same transaction.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn put_from(
        &self,
        source: &Arc<str>,
        note: u64,
        line: &[u8],
        place: Option<(&str, &[u8])>,
    ) -> Result<Taken, BufferError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        loop {
            let is_full = |it: &Result<_, BufferError>| matches!(it, Err(error) if error.kind() == BufferErrorKind::Full);
            // Read first: what is over after this may still make room.
            let pending = self.lock().state.pending.records;
            let mut result = self.try_put_from(source, note, line, place);
            if is_full(&result) {
                // What is done makes room when it is written down.
                self.write(None)?;
                result = self.try_put_from(source, note, line, place);
            }
            self.write_much();
            let inner = self.lock();
            // If nothing was pending, dead letters alone take the room.
            let never_fits = line.len() as u64 > self.0.settings.limit || pending == 0;
            if !is_full(&result) || self.0.settings.full == Full::Refuse || never_fits {
                return result;
            }
            let waits = |inner: &mut Inner| {
                inner.state.pending.records == pending && inner.failed.is_none() && !inner.is_closed
            };
            drop(self.0.changed.wait_while(inner, waits));
        }
    }

    /// As [`put_from`](Self::put_from), for records one behind the other: those that there is room for are put together,
    /// and one place, that of the last of them, is asked for. What is dropped is told.
    ///
    /// # Errors
    ///
    /// As there, with how many were put before.
    pub fn put_all_from<'r, 'p>(
        &self,
        source: &Arc<str>,
        records: impl IntoIterator<Item = (u64, &'r [u8])>,
        place: impl Fn(usize) -> Option<(&'p str, Vec<u8>)>,
        mut dropped: impl FnMut(&[Entry]),
    ) -> Result<(), (usize, BufferError)> {
        let mut records = records.into_iter().enumerate().peekable();
        while records.peek().is_some() {
            let mut last = None;
            let mut inner = self.lock();
            while let Some((index, (note, line))) =
                records.next_if(|(_, (_, line))| self.has_room(&inner, line))
            {
                self.add(&mut inner, source, note, line);
                last = Some(index);
            }
            let reached = last.and_then(&place);
            inner.work.keep(borrowed(reached.as_ref()));
            drop(inner);
            self.write_much();
            // One without room has to wait for it.
            if let Some((index, (note, line))) = records.next() {
                let reached = place(index);
                let put = self.put_from(source, note, line, borrowed(reached.as_ref()));
                dropped(&put.map_err(|error| (index, error))?.dropped);
            }
        }
        Ok(())
    }

    fn has_room(&self, inner: &Inner, line: &[u8]) -> bool {
        let bytes = line.strip_suffix(b"\n").unwrap_or(line).len();
        self.check(inner).is_ok() && self.over(inner, bytes) == 0 && inner.gathered < 2 * GATHER
    }

    /// So many bytes are too much with a record of that length.
    fn over(&self, inner: &Inner, bytes: usize) -> u64 {
        (inner.state.held + inner.gathered + bytes as u64).saturating_sub(self.0.settings.limit)
    }

    /// As [`put_from`](Self::put_from), without waiting for room, nor for the disk unless something is dropped.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_put_from(
        &self,
        source: &Arc<str>,
        note: u64,
        line: &[u8],
        place: Option<(&str, &[u8])>,
    ) -> Result<Taken, BufferError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut inner = self.lock();
        self.check(&inner)?;
        let limit = self.0.settings.limit;
        let over = |inner: &Inner| self.over(inner, line.len());
        // For one that never fits, nothing is dropped.
        if over(&inner) > 0
            && line.len() as u64 <= limit
            && self.0.settings.full == Full::DropOldest
        {
            drop(inner);
            self.write(None)?;
            let more = over(&self.lock());
            if more > 0 {
                self.write(Some(more))?;
            }
            inner = self.lock();
        }
        if over(&inner) > 0 || inner.gathered > 2 * GATHER {
            return Err(self.error(Reason::Full { limit }));
        }
        let number = self.add(&mut inner, source, note, line);
        inner.work.keep(place);
        let dropped = mem::take(&mut inner.untold);
        Ok(Taken { number, dropped })
    }

    /// Gives a record its number, and lets it gather.
    fn add(&self, inner: &mut Inner, source: &Arc<str>, note: u64, line: &[u8]) -> u64 {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let number = inner.state.next;
        inner.state.next += 1;
        inner.state.pending += Count::of(1, line.len());
        let chunks = &mut inner.work.chunks;
        if !(chunks.last()).is_some_and(|chunk| chunk.takes(number, source, line.len())) {
            chunks.push(Chunk::new(&self.0.queue, source, number, seconds()));
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.add(note, line);
        }
        self.gather(inner, line.len() as u64 + 16);
        number
    }

    /// Takes a record that never becomes a point, as a dead letter.
    ///
    /// # Errors
    ///
    /// If it is closed, or could not be written before.
    pub fn put_letter(
        &self,
        mut letter: Letter,
        place: Option<(&str, &[u8])>,
    ) -> Result<u64, BufferError> {
        let mut inner = self.lock();
        self.check(&inner)?;
        let number = inner.state.next;
        inner.state.next += 1;
        inner.state.done.add(number..number + 1);
        letter.number = number;
        let bytes = letter.bytes();
        inner.work.letters.push(letter);
        inner.work.keep(place);
        self.gather(&mut inner, bytes);
        drop(inner);
        self.write_much();
        Ok(number)
    }

    fn gather(&self, inner: &mut Inner, bytes: u64) {
        let before = inner.gathered;
        inner.gathered += bytes.max(1);
        // Whoever feeds writes it down in a while, or at once if it is much.
        if before == 0 || (before < GATHER && inner.gathered >= GATHER) {
            self.0.changed.notify_all();
        }
    }
}

fn borrowed<'p>(place: Option<&'p (&str, Vec<u8>)>) -> Option<(&'p str, &'p [u8])> {
    place.map(|(path, place)| (*path, &**place))
}

fn seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}
