//! Connections that wait for the next request.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::stream::Stream;

/// How many are kept.
const MOST: usize = 64;

/// A connection, with the buffer that its responses are read into.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    pub(crate) buffer: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Idle {
    connections: Mutex<VecDeque<(Instant, Connection)>>,
    /// How long one is kept.
    longest: Duration,
}

impl Idle {
    pub(crate) fn new(longest: Duration) -> Self {
        Self {
            connections: Mutex::default(),
            longest,
        }
    }

    /// The one that was used last, if the server has not closed it since.
    pub(crate) fn take(&self) -> Option<Connection> {
        loop {
            let (since, mut connection) = self.lock().pop_back()?;
            if since.elapsed() < self.longest && connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    pub(crate) fn put(&self, connection: Connection) {
        let mut idle = self.lock();
        let is_old = |(since, _): &(Instant, Connection)| since.elapsed() >= self.longest;
        while idle.len() >= MOST || idle.front().is_some_and(is_old) {
            idle.pop_front();
        }
        idle.push_back((Instant::now(), connection));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, Connection)>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Whether the server says nothing. What it says unasked is that it closes.
    fn is_quiet(&mut self) -> bool {
        matches!(self.stream.read_now(&mut [0]), Ok(None))
    }
}
