//! Hands what is on the disk to a shipper, as far as it has room.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Buffer, BufferError, Entry, GATHER, error::Reason, store::Work, value::Page};
use crate::{
    desk::Desk,
    step::{NotTaken, WhyNot},
};

/// How long what was put or is done may stay in memory, if nobody asks for more.
const WRITE_AFTER: Duration = Duration::from_millis(100);

/// Records with their lines, in their order.
type Records<'r> = dyn Iterator<Item = (Entry, &'r [u8])> + 'r;

/// A chunk on its way.
#[doc(hidden)]
#[derive(Debug)]
pub struct Hand {
    bytes: Vec<u8>,
    source: Arc<str>,
    /// The number of its next record.
    next: u64,
}

impl Buffer {
    /// Hands on what there is and what comes, and writes down what gathers, until one of both is closed or fails.
    #[doc(hidden)]
    pub fn feed(&self, desk: &Desk<Entry>) {
        self.feed_until_end(desk);
        if self.failure().is_some() {
            // What can no longer be marked as done would be sent again by the next run.
            desk.close(Duration::ZERO);
        }
        // Whoever waits for a record that will not be sent should know.
        desk.ring();
    }

    fn feed_until_end(&self, desk: &Desk<Entry>) {
        let (mut hand, mut since) = (None::<Hand>, None::<Instant>);
        loop {
            self.lock().has_news = false;
            let handed = self.hand_on(&mut hand, |records| {
                let pushed = desk.try_push_all(records);
                pushed.map_err(|(refused, _)| refused)
            });
            if handed.is_err() {
                return;
            }
            let is_over = since.is_some_and(|since| since.elapsed() >= WRITE_AFTER);
            let inner = self.lock();
            if inner.is_closed || inner.failed.is_some() {
                return;
            }
            let is_dirty = inner.gathered > 0 || inner.has_marks;
            if is_dirty && (is_over || inner.gathered >= GATHER) {
                drop(inner);
                since = None;
                if self.sync_all().is_err() {
                    return;
                }
                continue;
            }
            if is_dirty {
                since.get_or_insert_with(Instant::now);
            }
            // Bounded, as marks come without a sound.
            let waits = |inner: &mut super::Inner| {
                !inner.has_news && !inner.is_closed && inner.gathered < GATHER
            };
            let waited = self.0.changed.wait_timeout_while(inner, WRITE_AFTER, waits);
            drop(waited);
        }
    }

    /// Whoever feeds looks again: there may be room.
    #[doc(hidden)]
    pub fn wake(&self) {
        self.lock().has_news = true;
        self.0.changed.notify_all();
    }

    /// Whether everything that is on the disk was handed on.
    #[doc(hidden)]
    pub fn is_fed(&self) -> bool {
        let inner = self.lock();
        inner.fed >= inner.state.next
    }

    /// The oldest record that is on the disk and pending.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or it is closed.
    pub fn oldest(&self) -> Result<Option<Vec<u8>>, BufferError> {
        let done = self.lock().state.done.clone();
        self.with_store(|store| {
            let mut oldest = None;
            store.each_chunk(&self.0.queue, 0, |_, bytes| {
                let mut records = Page::read(bytes).into_iter().flat_map(Page::records);
                oldest = records
                    .find(|it| !done.has(it.number))
                    .map(|it| it.line.to_owned());
                oldest.is_none()
            })?;
            Ok(oldest)
        })
    }

    /// The next chunk, if it may be handed on now.
    fn next_hand(&self) -> Result<Option<Hand>, ()> {
        let store = self.store();
        let Some(open) = &*store else { return Err(()) };
        let inner = self.lock();
        // What a database shows that has failed may not be on the disk.
        if inner.failed.is_some() {
            return Err(());
        }
        // At least a half stays here, to be dropped if it must be.
        if inner.on_the_way > 0 && inner.on_the_way >= self.0.settings.limit / 2 {
            return Ok(None);
        }
        let fed = inner.fed;
        drop(inner);
        let mut next = None;
        let read = open.each_chunk(&self.0.queue, fed, |first, bytes| {
            next = Some((first, bytes.to_owned()));
            false
        });
        let mut inner = self.lock();
        let result = read.and_then(|()| match next {
            None => {
                inner.fed = inner.fed.max(inner.durable);
                Ok(None)
            }
            Some((first, bytes)) => {
                let page = Page::read(&bytes).ok_or_else(|| {
                    Reason::Damaged(format!("the records from number {first} on are not whole"))
                })?;
                inner.on_the_way += page.left(&inner.state.done).bytes;
                inner.fed = page.end();
                let source = Arc::from(page.source);
                let next = page.first;
                Ok(Some(Hand {
                    bytes,
                    source,
                    next,
                }))
            }
        });
        result.map_err(|reason| {
            inner.fail(Work::default(), self.error(reason).later());
            drop(inner);
            self.0.changed.notify_all();
        })
    }

    /// Hands on what is on the disk, as far as whoever takes it has room.
    ///
    /// # Errors
    ///
    /// If nothing will be handed on any more: one of both is closed, or the buffer has failed.
    #[doc(hidden)]
    #[allow(clippy::result_unit_err, reason = "the failure is in the buffer")]
    pub fn hand_on(
        &self,
        hand: &mut Option<Hand>,
        mut take: impl FnMut(&mut Records<'_>) -> Result<(), NotTaken<Entry>>,
    ) -> Result<(), ()> {
        loop {
            let Some(chunk) = hand else {
                *hand = self.next_hand()?;
                if hand.is_none() {
                    return Ok(());
                }
                continue;
            };
            let Some(page) = Page::read(&chunk.bytes) else {
                *hand = None;
                continue;
            };
            // None of them is done or dropped meanwhile.
            let (done, next) = (self.lock().state.done.clone(), chunk.next);
            let records = page.records();
            let left = records.filter(|it| it.number >= next && !done.has(it.number));
            let mut left = left.map(|record| {
                let entry = Entry {
                    number: record.number,
                    source: Arc::clone(&chunk.source),
                    note: record.note,
                    bytes: u32::try_from(record.line.len()).unwrap_or(u32::MAX),
                };
                (entry, record.line)
            });
            let taken = take(&mut left);
            drop(left);
            match taken {
                Ok(()) => *hand = None,
                Err(NotTaken { id, why }) => {
                    chunk.next = id.number;
                    return match why {
                        WhyNot::Closed => Err(()),
                        WhyNot::Full(_) => Ok(()),
                    };
                }
            }
        }
    }
}
