//! A limit on how many do something at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::deadline::Deadline;

#[derive(Debug)]
pub(crate) struct Turns {
    free: Mutex<usize>,
    given_back: Condvar,
}

/// Given back when it is dropped.
pub(crate) struct Turn<'a>(&'a Turns);

impl Turns {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            free: Mutex::new(most),
            given_back: Condvar::new(),
        }
    }

    /// Waits for a turn; there is none if the deadline comes first.
    pub(crate) fn take(&self, deadline: Deadline) -> Option<Turn<'_>> {
        let mut free = self.free();
        while *free == 0 {
            let waited = self.given_back.wait_timeout(free, deadline.left()?);
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        Some(Turn(self))
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.given_back.notify_one();
    }
}
