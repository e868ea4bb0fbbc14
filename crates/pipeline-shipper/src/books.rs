use std::{
    ops::{Add, AddAssign, SubAssign},
    time::Duration,
};

/// Records, and their bytes with line feeds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many records.
    pub records: u64,
    /// How many bytes, before compression.
    pub bytes: u64,
}

impl Count {
    pub(crate) fn of(records: usize, bytes: usize) -> Self {
        let wide = |number| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            records: wide(records),
            bytes: wide(bytes),
        }
    }
}

impl Add for Count {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl SubAssign for Count {
    fn sub_assign(&mut self, other: Self) {
        self.records -= other.records;
        self.bytes -= other.bytes;
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
    }
}

/// What has become of everything so far. At any moment,
/// `read == accepted + dead + given_up + pending`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Books {
    /// What was taken.
    pub read: Count,
    /// What the service confirmed.
    pub accepted: Count,
    /// What the service refuses.
    pub dead: Count,
    /// What was handed back at a deadline.
    pub given_up: Count,
    /// What has no verdict yet.
    pub pending: Count,
    /// What of it waits for the queue to have its fields, in [`schema_free`](crate::Settings::schema_free). It counts as
    /// the JSON that it is; whatever goes on from there, as the point that is made of it.
    pub waiting: Count,
    /// Fields that were left out of records, because that was [asked for](crate::UnknownFields::Drop).
    pub dropped_fields: u64,
    /// Requests that were made, retries and halves among them.
    pub requests: u64,
    /// Requests that sent a batch once more.
    pub retries: u64,
    /// Batches that were halved.
    pub halved: u64,
    /// Requests that are in flight.
    pub in_flight: usize,
    /// How long the oldest pending record has been held.
    pub lag: Duration,
    /// How many bytes the records take that are held, as [`Settings::memory`](crate::Settings::memory) counts them.
    pub memory: usize,
}
