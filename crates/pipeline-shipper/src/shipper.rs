mod free;

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
    time::Duration,
};

use pipeline_proto::{ApiError, Error, Now, RepoName};

use crate::{
    batch::{Batch, Open, Record},
    books::{Books, Count},
    judge::{Judgement, is_too_large, judge},
    limit::Limit,
    observe::Event,
    pace::Pace,
    schema_free::{Front, Keeper, Waiting},
    settings::{MOST_BYTES, Settings},
    step::{Flush, NotTaken, Push, Step, WhyNot},
    verdict::{Outcome, Reason, Verdicts},
};

/// No proxy is known that takes less. What is not larger, and is refused as too large, may be refused in passing.
const SMALL: usize = 64 << 10;

/// How many times something small is sent once more before it is believed to be too large.
const MOST_DOUBTS: u32 = 4;

/// Ships records into one message queue, as a state machine that does no IO; see the [crate](crate).
///
/// # Too large
///
/// What is refused as too large (413, E18005) is halved, and further batches are not larger than its halves, down to 64 KiB.
/// When 8 batches were accepted at such a limit, it doubles, up to [`batch_bytes`](Settings::batch_bytes). If it is too
/// high then, it is lowered again and the next try takes twice as many, up to 1024.
///
/// A refused request of up to 64 KiB is first sent again as it is, up to four times with the shared back-off. If it is
/// still refused, it is halved or dead. Others that are not smaller are no longer doubted then, until enough of them
/// were accepted, by the same rule.
#[derive(Debug)]
pub struct Shipper<I> {
    repo: RepoName,
    settings: Settings,
    open: Open<I>,
    /// Sealed, and due in this order.
    ready: VecDeque<Batch<I>>,
    /// By the number of their requests.
    in_flight: BTreeMap<u64, Batch<I>>,
    settled: VecDeque<Verdicts<I>>,
    /// The numbers of what is being told.
    telling: Vec<u64>,
    pace: Pace,
    /// Records are numbered in the order in which they are taken.
    next_number: u64,
    /// What takes records without a schema.
    front: Option<Box<Front<I>>>,
    /// Until when the service may not know all fields that it has.
    spreading_until: Duration,
    /// How large a batch may grow, as far as refusals have shown.
    limit: Limit,
    /// How large a batch may be so that it is doubted when it is said to be too large.
    doubted: Limit,
    /// When it ends, on the monotonic clock, once it is closed.
    closing: Option<Duration>,
    books: Books,
    has_news: bool,
}

/// What goes in, and what is asked.
impl<I> Shipper<I> {
    /// One for this queue.
    pub fn new(repo: RepoName, settings: Settings) -> Self {
        let front = settings.schema_free.clone().map(|options| {
            let keeper = Keeper::new(repo.clone(), &options);
            Box::new(Front::new(options, settings.tags.clone(), keeper))
        });
        Self {
            repo,
            front,
            limit: Limit::new(settings.batch_bytes.min(MOST_BYTES)),
            doubted: Limit::new(SMALL),
            settings,
            open: Open::new(),
            ready: VecDeque::new(),
            in_flight: BTreeMap::new(),
            settled: VecDeque::new(),
            telling: Vec::new(),
            pace: Pace::default(),
            next_number: 0,
            spreading_until: Duration::ZERO,
            closing: None,
            books: Books::default(),
            has_news: false,
        }
    }

    /// Takes a record: one [point](pipeline_proto::points), or with [`schema_free`](Settings::schema_free) a JSON object,
    /// with or without its line feed. The id comes back with the verdict. What can never be sent is taken as well, and
    /// dead at once.
    ///
    /// # Errors
    ///
    /// If there is no room, or the shipper is closed.
    pub fn try_push(&mut self, id: I, line: &[u8], now: Now) -> Result<(), NotTaken<I>> {
        if self.closing.is_some() {
            let why = WhyNot::Closed;
            return Err(NotTaken { id, why });
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let length = line.len() + 1;
        let beside = if self.front.is_some() {
            size_of::<Waiting<I>>()
        } else {
            size_of::<Record<I>>()
        };
        let memory = length + beside;
        if self.books.memory > 0 && self.books.memory.saturating_add(memory) > self.settings.memory
        {
            // Whatever gathers goes on its way, or there would be no room before it has gathered.
            self.seal();
            self.hurry_front();
            let why = WhyNot::Full(self.pace.ready_at().saturating_sub(now.mono));
            return Err(NotTaken { id, why });
        }
        let number = self.next_number;
        self.next_number += 1;
        if self.front.is_some() {
            self.take_record(id, number, line, now.mono);
        } else {
            self.take_point(id, number, line, now.mono);
        }
        Ok(())
    }

    fn take_point(&mut self, id: I, number: u64, line: &[u8], taken: Duration) {
        let length = line.len() + 1;
        let unfit = if length > MOST_BYTES {
            let (bytes, limit) = (length, MOST_BYTES);
            Some(Reason::TooLarge { bytes, limit })
        } else if line.is_empty() || line.contains(&b'\n') {
            Some(Reason::NotOneLine)
        } else {
            None
        };
        if let Some(reason) = unfit {
            return self.settle_alone(id, number, line, Outcome::Dead(reason));
        }
        self.books.memory += length + size_of::<Record<I>>();
        self.books.read += Count::of(1, length);
        if !self.open.has_room(length, self.limit.bytes()) {
            self.seal();
        }
        self.has_news |= self.open.is_empty();
        self.open.add(id, number, line, taken);
        let count = self.open.count();
        if count.records >= Count::of(self.settings.batch_records, 0).records
            || !self.open.has_room(1, self.limit.bytes())
        {
            self.seal();
        }
    }

    /// Takes a record that is not sent.
    fn settle_alone(&mut self, id: I, number: u64, line: &[u8], outcome: Outcome) {
        let length = line.len() + 1;
        self.books.memory += length + size_of::<Record<I>>();
        self.books.read += Count::of(1, length);
        let mut alone = Open::new();
        alone.add(id, number, line, Duration::ZERO);
        self.settle(alone.seal(), outcome);
    }

    /// Sends what gathers. [`is_flushed`](Self::is_flushed) says when everything that was taken before has its
    /// verdict.
    pub fn flush(&mut self) -> Flush {
        self.seal();
        self.hurry_front();
        Flush(self.next_number)
    }

    /// Whether everything that was taken before the flush has its verdict, and was told of.
    pub fn is_flushed(&self, flush: Flush) -> bool {
        let batches = self.ready.iter().chain(self.in_flight.values());
        let settled = self.settled.iter().map(|verdicts| verdicts.oldest);
        batches
            .map(|batch| batch.oldest)
            .chain(settled)
            .chain(self.telling.iter().copied())
            .chain([self.open.oldest(), self.oldest_waiting()])
            .all(|oldest| oldest >= flush.0)
    }

    /// Takes no further records. What is there is sent, without waiting for a back-off to end, and what has no
    /// verdict after this time is given up. `Duration::MAX` waits for ever. Of several times the shortest counts.
    pub fn close(&mut self, time: Duration, now: Now) {
        self.seal();
        let end = now.mono.saturating_add(time);
        if self.closing.is_none() {
            self.pace.hurry(now.mono);
            for batch in &mut self.ready {
                batch.due = batch.due.min(now.mono);
            }
            self.hurry_front();
            if let Some(front) = &mut self.front {
                front.keeper.hurry(now.mono);
            }
        }
        self.closing = Some(self.closing.map_or(end, |before| before.min(end)));
        self.has_news = true;
    }

    /// Whether it is closed and everything has its verdict, and was told of.
    pub fn is_done(&self) -> bool {
        let all_told = self.settled.is_empty() && self.telling.is_empty();
        self.closing.is_some() && all_told && !self.has_batches() && self.is_front_done()
    }

    /// What has become of everything so far.
    pub fn books(&self, now: Now) -> Books {
        let batches = self.ready.iter().chain(self.in_flight.values());
        let mut pending = self.open.count();
        let mut since = self.open.since();
        for batch in batches {
            pending += batch.count();
            since = Some(since.map_or(batch.taken.0, |since| since.min(batch.taken.0)));
        }
        let waiting = self.front.as_ref().and_then(|front| front.waiting.front());
        if let Some(first) = waiting {
            since = Some(since.map_or(first.taken, |since| since.min(first.taken)));
        }
        let (waiting, dropped_fields) =
            self.front.as_ref().map_or_else(Default::default, |front| {
                (front.count, front.dropped_fields)
            });
        Books {
            pending: pending + waiting,
            waiting,
            dropped_fields,
            in_flight: self.in_flight.len(),
            lag: since.map_or(Duration::ZERO, |since| now.mono.saturating_sub(since)),
            ..self.books
        }
    }

    /// Whether something has come up since this was asked last, so that whoever waits should look again.
    pub fn take_news(&mut self) -> bool {
        mem::take(&mut self.has_news)
    }
}

/// What comes out, and what came of it.
impl<I> Shipper<I> {
    /// What is to be done next.
    pub fn poll(&mut self, now: Now) -> Step<I> {
        let gathered = self.gathered_at();
        if gathered.is_some_and(|at| at <= now.mono) {
            self.seal();
        }
        self.begin_round(now.mono);
        self.expire(now.mono);
        if let Some(verdicts) = self.settled.pop_front() {
            self.telling.push(verdicts.oldest);
            return Step::Settled(verdicts);
        }
        if self.is_done() {
            return Step::Done;
        }
        let ask_at = match self.ask(now) {
            Ok(ask) => return Step::Ask(ask),
            Err(at) => at,
        };
        let due = self.due().filter(|_| self.may_push());
        let push_at = due.map(|(due, _)| self.pace.ready_at().max(due));
        if let Some((_, place)) = due
            && push_at.is_some_and(|at| at <= now.mono)
            && let Some(batch) = self.ready.remove(place)
        {
            return Step::Push(self.push(batch, now.mono));
        }
        let expiry = self.ready.iter().map(|batch| self.expires_at(batch)).min();
        let end = self.closing.filter(|_| self.has_batches());
        let round = self.front_at();
        let events = [push_at, self.gathered_at(), expiry, end, ask_at, round];
        let next = events.into_iter().flatten().min();
        Step::Wait(
            next.filter(|at| *at < Duration::MAX)
                .map(|at| at.saturating_sub(now.mono)),
        )
    }

    /// Takes the result of a request.
    #[allow(clippy::needless_pass_by_value, reason = "a request has one result")]
    pub fn on_result(&mut self, push: Push, result: Result<(), Error>, now: Now) {
        let Push { number, sent, .. } = push;
        self.has_news = true;
        // Otherwise it was given up in the meantime.
        let Some(batch) = self.in_flight.remove(&number) else {
            return;
        };
        let Err(error) = result else {
            self.pace.succeeded(sent);
            self.limit.accepted(batch.text.len());
            self.doubted.accepted(batch.text.len());
            let (count, attempts) = (batch.count(), batch.attempts);
            self.settings
                .observers
                .tell(&Event::Accepted { count, attempts });
            self.settle(batch, Outcome::Accepted);
            return;
        };
        let Some((mut batch, error)) = self.about_schema(batch, error, sent, now.mono) else {
            return;
        };
        let is_doubted = is_too_large(&error)
            && batch.text.len() <= self.doubted.bytes()
            && batch.doubts < MOST_DOUBTS;
        match judge(&error) {
            Judgement::Halve if !is_doubted => {
                self.pace.succeeded(sent);
                self.halve(batch, error);
            }
            Judgement::Refuse if !self.settings.hold_refused => {
                self.bury(batch, error, Reason::NotWelcome);
            }
            Judgement::Halve | Judgement::Retry | Judgement::Refuse => {
                let asked = error.api().and_then(ApiError::asked_delay);
                let delay = self.pace.failed(sent, asked, &self.settings, now.mono);
                let (count, error) = (batch.count(), Arc::new(error));
                let event = Event::BackOff {
                    count,
                    error: &error,
                    delay,
                };
                self.settings.observers.tell(&event);
                batch.last = Some(error);
                batch.doubts += u32::from(is_doubted);
                // Where order does not matter, a batch that always fails must not hold up the others. Of a doubt they
                // would only add to the number.
                if self.settings.ordered || is_doubted {
                    self.ready.push_front(batch);
                } else {
                    self.ready.push_back(batch);
                }
            }
        }
    }

    /// Takes verdicts back that were told.
    #[allow(clippy::needless_pass_by_value, reason = "they are told once")]
    pub fn on_told(&mut self, verdicts: Verdicts<I>) {
        let Verdicts { oldest, memory, .. } = verdicts;
        self.has_news = true;
        self.books.memory -= memory;
        let told = self.telling.iter().position(|telling| *telling == oldest);
        if let Some(told) = told {
            self.telling.swap_remove(told);
        }
    }

    fn push(&mut self, mut batch: Batch<I>, now: Duration) -> Push {
        // The limit may be lower than when it was sealed.
        while batch.attempts == 0
            && batch.records.len() > 1
            && batch.text.len() > self.limit.bytes()
        {
            let (head, tail) = batch.halve();
            self.ready.push_front(tail);
            batch = head;
        }
        self.books.requests += 1;
        self.books.retries += u64::from(batch.attempts > 0);
        batch.attempts = batch.attempts.saturating_add(1);
        self.pace.sent(batch.count(), &self.settings, now);
        let push = Push {
            number: self.books.requests,
            sent: now,
            repo: self.repo.clone(),
            text: batch.text.clone(),
            tags: self.settings.tags.clone(),
            gzip: self.settings.gzip,
            before: self.settings.before.clone(),
            calls: self.settings.calls.clone(),
        };
        self.in_flight.insert(push.number, batch);
        push
    }

    fn has_batches(&self) -> bool {
        !self.ready.is_empty() || !self.in_flight.is_empty()
    }

    /// Whether there is something to push and a request more is allowed, whenever that may be.
    fn may_push(&self) -> bool {
        let most = if self.pace.is_probing() {
            1
        } else {
            self.settings.requests_at_once()
        };
        !self.ready.is_empty() && self.in_flight.len() < most && !self.is_lost()
    }

    /// The batch that is sent next, by its place, and not before when.
    fn due(&self) -> Option<(Duration, usize)> {
        let places = self.ready.iter().map(|batch| batch.due).zip(0..);
        // None is taken before another that is not due later, and with order, none before another.
        let most = if self.settings.ordered { 1 } else { usize::MAX };
        places.take(most).min()
    }

    /// When what gathers is sent, however little it is.
    fn gathered_at(&self) -> Option<Duration> {
        let since = self.open.since()?;
        Some(since.saturating_add(self.settings.gather()))
    }

    /// When all records of a batch have passed their deadline.
    fn expires_at(&self, batch: &Batch<I>) -> Duration {
        batch.taken.1.saturating_add(self.settings.deadline)
    }

    fn seal(&mut self) {
        if !self.open.is_empty() {
            self.ready.push_back(self.open.seal());
            self.has_news = true;
        }
    }

    fn halve(&mut self, batch: Batch<I>, error: Error) {
        if is_too_large(&error) {
            // Some proxies take less than the service. Of what single records teach by being too large, at most
            // a half is too much.
            let half = batch.text.len() / 2;
            if batch.text.len() > SMALL {
                self.limit.lower(half.max(SMALL));
            } else {
                self.doubted.lower(half);
            }
        }
        if batch.records.len() < 2 {
            return self.bury(batch, error, Reason::Refused);
        }
        self.books.halved += 1;
        let (count, error) = (batch.count(), &error);
        let event = Event::Halved { count, error };
        self.settings.observers.tell(&event);
        let (head, tail) = batch.halve();
        self.ready.push_front(tail);
        self.ready.push_front(head);
    }

    fn bury(&mut self, batch: Batch<I>, error: Error, reason: fn(Arc<Error>) -> Reason) {
        let (count, told) = (batch.count(), &error);
        let event = Event::Dead { count, error: told };
        self.settings.observers.tell(&event);
        self.settle(batch, Outcome::Dead(reason(Arc::new(error))));
    }

    fn settle(&mut self, batch: Batch<I>, outcome: Outcome) {
        let count = batch.count();
        let ids = batch.records.len() * size_of::<Record<I>>();
        let (total, text) = match outcome {
            Outcome::Accepted => (&mut self.books.accepted, 0),
            Outcome::Dead(_) => (&mut self.books.dead, batch.text.len()),
            Outcome::GivenUp(_) => (&mut self.books.given_up, batch.text.len()),
        };
        *total += count;
        self.books.memory -= batch.text.len() - text;
        let verdicts = Verdicts::new(batch, outcome, ids + text);
        self.settled.push_back(verdicts);
        self.has_news = true;
    }

    /// Gives up what has no time left.
    fn expire(&mut self, now: Duration) {
        let end = self.closing.unwrap_or(Duration::MAX);
        if end == Duration::MAX && self.settings.deadline == Duration::MAX {
            return;
        }
        self.expire_waiting(end, now);
        if now >= end {
            let in_flight = mem::take(&mut self.in_flight).into_values();
            self.ready = in_flight.chain(mem::take(&mut self.ready)).collect();
        }
        let next = now.max(self.pace.ready_at());
        for batch in mem::take(&mut self.ready) {
            // Whether it is over, or there will be no further attempt before it is.
            if next.max(batch.due) >= end {
                let reason = Reason::Closed(batch.last.clone());
                self.settle(batch, Outcome::GivenUp(reason));
            } else if self.expires_at(&batch) <= now {
                let reason = Reason::Deadline(batch.last.clone());
                self.settle(batch, Outcome::GivenUp(reason));
            } else {
                self.ready.push_back(batch);
            }
        }
    }
}
