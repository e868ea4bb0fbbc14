//! What the drivers of both clients have in common: a shipper that those who push and those who send share.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pipeline_proto::{Error, Now};

use crate::{
    ask::{Ask, Reply},
    books::Books,
    shipper::Shipper,
    step::{Flush, NotTaken, Push, Step},
    verdict::{Verdict, Verdicts},
};

/// A shipper behind a lock, with whom it tells.
pub struct Desk<I> {
    state: Mutex<State<I>>,
    takes_json: bool,
    tell: Box<dyn Fn(Verdict<I>) + Send + Sync>,
    /// Wakes all who wait.
    ring: Box<dyn Fn() + Send + Sync>,
    clock: Box<dyn Fn() -> Now + Send + Sync>,
}

struct State<I> {
    shipper: Shipper<I>,
    /// How many are there to send.
    workers: usize,
}

impl<I> Desk<I> {
    /// Without workers yet.
    pub fn new(
        shipper: Shipper<I>,
        tell: impl Fn(Verdict<I>) + Send + Sync + 'static,
        ring: impl Fn() + Send + Sync + 'static,
        clock: impl Fn() -> Now + Send + Sync + 'static,
    ) -> Self {
        Self {
            takes_json: shipper.takes_json(),
            state: Mutex::new(State {
                shipper,
                workers: 0,
            }),
            tell: Box::new(tell),
            ring: Box::new(ring),
            clock: Box::new(clock),
        }
    }

    /// What a worker has to do next: make a request, wait, or go. What is settled is told here.
    pub fn step(&self) -> Step<I> {
        loop {
            match self.with(Shipper::poll) {
                Step::Settled(verdicts) => self.tell(verdicts),
                step => return step,
            }
        }
    }

    /// Takes the result of a request.
    pub fn on_result(&self, push: Push, result: Result<(), Error>) {
        self.with(|shipper, now| shipper.on_result(push, result, now));
    }

    /// Takes the reply to a call.
    pub fn on_reply(&self, ask: Ask, result: Result<Reply, Error>) {
        self.with(|shipper, now| shipper.on_reply(ask, result, now));
    }

    /// Whether records are JSON, and no points yet.
    pub fn takes_json(&self) -> bool {
        self.takes_json
    }

    /// The schema of the queue has changed.
    pub fn schema_changed(&self) {
        self.with(Shipper::schema_changed);
    }

    /// Takes a record.
    ///
    /// # Errors
    ///
    /// As [`Shipper::try_push`].
    pub fn try_push(&self, id: I, line: &[u8]) -> Result<(), NotTaken<I>> {
        self.with(|shipper, now| shipper.try_push(id, line, now))
    }

    /// Takes records until one of them is not taken, which comes back; what is behind it is not looked at.
    ///
    /// # Errors
    ///
    /// As [`Shipper::try_push`], with the line.
    pub fn try_push_all<'l>(
        &self,
        lines: impl IntoIterator<Item = (I, &'l [u8])>,
    ) -> Result<(), (NotTaken<I>, &'l [u8])> {
        self.with(|shipper, now| {
            lines.into_iter().try_for_each(|(id, line)| {
                let pushed = shipper.try_push(id, line, now);
                pushed.map_err(|refused| (refused, line))
            })
        })
    }

    /// Sends what gathers.
    pub fn flush(&self) -> Flush {
        self.with(|shipper, _| shipper.flush())
    }

    /// Whether everything before the flush was told, or nobody is left to do so.
    pub fn is_flushed(&self, flush: Flush) -> bool {
        let state = self.lock();
        state.workers == 0 || state.shipper.is_flushed(flush)
    }

    /// Takes no further records.
    pub fn close(&self, time: Duration) {
        self.with(|shipper, now| shipper.close(time, now));
    }

    /// Whether everything was told after it was closed, or nobody is left to do so.
    pub fn is_done(&self) -> bool {
        let state = self.lock();
        state.workers == 0 || state.shipper.is_done()
    }

    /// Wakes all who wait.
    pub fn ring(&self) {
        (self.ring)();
    }

    /// Gives up what has no verdict, and tells so.
    pub fn abandon(&self) {
        let left = self.with(|shipper, now| {
            shipper.close(Duration::ZERO, now);
            // Nothing but verdicts is left. They are taken at once, or a worker may still be telling some of them
            // when this returns.
            let mut left = Vec::new();
            while let Step::Settled(verdicts) = shipper.poll(now) {
                left.push(verdicts);
            }
            left
        });
        for verdicts in left {
            self.tell(verdicts);
        }
    }

    /// What has become of everything so far.
    pub fn books(&self) -> Books {
        self.with(|shipper, now| shipper.books(now))
    }

    /// One more who makes requests, from now on: whether it ever gets to run or not.
    pub fn worker(self: &Arc<Self>) -> Worker<I> {
        self.lock().workers += 1;
        Worker(Arc::clone(self))
    }

    fn tell(&self, verdicts: Verdicts<I>) {
        let mut telling = Telling(self, Some(verdicts));
        telling.1.iter_mut().flatten().for_each(&self.tell);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Shipper<I>, Now) -> T) -> T {
        let mut state = self.lock();
        // Within the lock, so that time does not go back.
        let now = (self.clock)();
        let result = act(&mut state.shipper, now);
        let has_news = state.shipper.take_news();
        drop(state);
        if has_news {
            (self.ring)();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State<I>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I> fmt::Debug for Desk<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shipper")
            .field("books", &self.books())
            .finish_non_exhaustive()
    }
}

/// Verdicts that are being told. They count as told also when whoever is told panics, or everybody else would wait
/// for ever.
struct Telling<'a, I>(&'a Desk<I>, Option<Verdicts<I>>);

impl<I> Drop for Telling<'_, I> {
    fn drop(&mut self) {
        if let Some(verdicts) = self.1.take() {
            self.0.with(|shipper, _| shipper.on_told(verdicts));
        }
    }
}

/// Whoever makes requests. When one goes before everything is done (a runtime is shut down, whoever is told panics),
/// what is left is given up: nobody may wait for it for ever. The others tell of it, or else
/// [`abandon`](Desk::abandon).
#[must_use = "it ends when it is dropped"]
pub struct Worker<I>(Arc<Desk<I>>);

impl<I> Deref for Worker<I> {
    type Target = Desk<I>;

    fn deref(&self) -> &Desk<I> {
        &self.0
    }
}

impl<I> Drop for Worker<I> {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
        self.lock().workers -= 1;
        (self.0.ring)();
    }
}
