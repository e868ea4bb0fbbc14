//! Brings what has gathered to the disk, or says that it is not there.

use std::{mem, sync::PoisonError};

use super::{
    Buffer, BufferError, GATHER, Inner, NotKept,
    entry::sum,
    error::Reason,
    store::{Work, minus},
};

impl Buffer {
    /// Returns when everything up to this number is on the disk: acknowledged.
    ///
    /// # Errors
    ///
    /// If it could not be written. It is not acknowledged then, and nothing after it will be.
    pub fn sync(&self, number: u64) -> Result<(), BufferError> {
        if self.lock().durable > number {
            return Ok(());
        }
        self.write(None)?;
        let inner = self.lock();
        if inner.durable > number {
            return Ok(());
        }
        self.check(&inner)
    }

    /// Writes down everything that was put, and what is done.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub fn sync_all(&self) -> Result<(), BufferError> {
        self.write(None)
    }

    /// Takes nothing more, writes down what there is, and lets the file go.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub fn close(&self) -> Result<(), BufferError> {
        self.seal();
        let written = self.write(None);
        let store = self.store().take();
        drop(store);
        let place = self.0.place.lock();
        drop(place.unwrap_or_else(PoisonError::into_inner).take());
        self.0.changed.notify_all();
        written
    }

    /// Why nothing more is acknowledged, if that is so, until it is opened again.
    pub fn failure(&self) -> Option<BufferError> {
        let failed = self.lock().failed.clone()?;
        Some(self.error(Reason::Failed(failed)))
    }

    /// What was put and is not on the disk after it has [failed](Self::failure).
    pub fn not_kept(&self) -> NotKept {
        self.lock().not_kept.clone()
    }

    /// Writes what has gathered, if it is much. A failure is told by the sync, or to whoever comes next.
    pub(super) fn write_much(&self) {
        if self.lock().gathered >= GATHER {
            let _ = self.write(None);
        }
    }

    /// Writes what has gathered, and drops old chunks of so many bytes.
    pub(super) fn write(&self, drop_bytes: Option<u64>) -> Result<(), BufferError> {
        let store = self.store();
        let mut inner = self.lock();
        if let Some(failed) = &inner.failed {
            return Err(self.error(Reason::Failed(failed.clone())));
        }
        let is_idle = inner.gathered == 0 && !inner.has_marks && drop_bytes.is_none();
        let Some(store) = store.as_ref().filter(|_| !is_idle) else {
            return Ok(());
        };
        let mut work = mem::take(&mut inner.work);
        work.drop = drop_bytes.map(|bytes| (inner.fed, bytes));
        let before = inner.state.clone();
        let mut state = before.clone();
        (inner.gathered, inner.has_marks) = (0, false);
        // Others gather and settle meanwhile.
        drop(inner);
        let written = store.write(&self.0.queue, &mut work, &mut state);
        let mut inner = self.lock();
        let result = match written {
            Ok(dropped) => {
                inner.durable = inner.durable.max(before.next);
                // Only writing changes these; all else has gone on.
                (inner.state.held, inner.state.dead) = (state.held, state.dead);
                if let Some((end, entries)) = dropped {
                    let from = inner.fed;
                    inner.state.done.add(from..end);
                    inner.fed = inner.fed.max(end);
                    let count = sum(&entries);
                    inner.state.dropped += count;
                    inner.state.pending = minus(inner.state.pending, count);
                    inner.untold.extend(entries);
                }
                Ok(())
            }
            Err(reason) => {
                let error = self.error(reason);
                inner.fail(work, error.later());
                Err(error)
            }
        };
        inner.has_news = true;
        drop(inner);
        self.0.changed.notify_all();
        result
    }
}

impl Inner {
    /// This work was not done, and no other will be.
    pub(super) fn fail(&mut self, work: Work, why: String) {
        let gathered = mem::take(&mut self.work);
        for work in [work, gathered] {
            self.not_kept.add(work, self.durable);
        }
        self.gathered = 0;
        self.state.pending = minus(self.state.pending, sum(&self.not_kept.records));
        self.failed = Some(why);
    }
}
