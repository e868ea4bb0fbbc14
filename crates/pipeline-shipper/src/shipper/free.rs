//! Records without a schema, on their way to the batches.

use std::{sync::Arc, time::Duration};

use pipeline_proto::{Error, ErrorCode, Now};

use super::Shipper;
use crate::{
    ask::{Ask, Reply},
    batch::Batch,
    observe::Event,
    schema_free::{Fit, Front, Loss, News, Turn, Waiting},
    settings::{SPREADING, UnknownFields},
    verdict::{Outcome, Reason},
};

/// How long the first wait is for a field to be known, and the longest.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));

/// How often the schema is looked at for a batch, and how often in a row it has to have all fields until the batch is
/// believed to have others: somebody may take them away and put them back.
const MOST_LOOKS: u32 = 8;
const ENOUGH_LOOKS: u32 = 2;

impl<I> Shipper<I> {
    /// Takes the reply to a call.
    #[allow(clippy::needless_pass_by_value, reason = "a call has one reply")]
    pub fn on_reply(&mut self, ask: Ask, result: Result<Reply, Error>, now: Now) {
        let Some(front) = &mut self.front else { return };
        self.has_news = true;
        let Front {
            keeper, options, ..
        } = &mut **front;
        let workflow = keeper.owed().cloned();
        let turn = keeper.on_reply(ask.number, result, &self.settings, options, now);
        match turn {
            Turn::Nothing => {}
            Turn::Written => self.schema_changed(now),
            Turn::Changed(is_ours) => {
                front.last = None;
                if let Some(schema) = front.keeper.schema() {
                    let fields = schema.len();
                    let event = Event::SchemaChanged { fields, is_ours };
                    self.settings.observers.tell(&event);
                }
                self.schema_changed(now);
                self.advance(None);
            }
            Turn::Same => {
                front.last = None;
                self.advance(None);
            }
            Turn::Failed(error, delay) => {
                let (count, error) = (front.count, &*front.last.insert(error));
                let event = Event::BackOff {
                    count,
                    error,
                    delay,
                };
                self.settings.observers.tell(&event);
            }
            Turn::Refused(reason) if self.settings.hold_refused => {
                front.last = reason.shared();
                front.end_round();
            }
            Turn::Refused(reason) if reason.is_about_fields() && front.split() => {
                front.last = reason.shared();
                front.keeper.hurry(now.mono);
            }
            Turn::Refused(reason) => {
                if front.loss == Loss::Lost {
                    front.loss = Loss::Final;
                }
                self.advance(Some(&reason));
            }
            Turn::Exports(news) => {
                for news in news {
                    self.settings.observers.tell(&match &news {
                        News::Made(export) => Event::ExportMade { export },
                        News::Grown(export) => Event::ExportGrown { export },
                        News::Failed(error) => Event::ExportFailed { error },
                    });
                }
            }
            Turn::NotStarted(error) => {
                let workflow = workflow.as_ref().map_or("", |name| name.as_str());
                let error = Some(&error);
                self.settings
                    .observers
                    .tell(&Event::LeftStopped { workflow, error });
            }
        }
    }

    /// Says that the schema of the queue has changed: for some seconds the service may not know the new fields, and
    /// batches that it refuses for that are sent again before they are halved. With
    /// [`schema_free`](crate::Settings::schema_free) the shipper knows by itself.
    pub fn schema_changed(&mut self, now: Now) {
        self.spreading_until = now.mono.saturating_add(SPREADING);
    }

    /// Whether records are JSON, and no points yet.
    pub(crate) fn takes_json(&self) -> bool {
        self.front.is_some()
    }

    /// Takes a record without a schema.
    pub(super) fn take_record(&mut self, id: I, number: u64, line: &[u8], taken: Duration) {
        let Some(front) = &mut self.front else { return };
        let is_behind = self.settings.ordered && !front.waiting.is_empty();
        let fit = if is_behind {
            Fit::New(None)
        } else {
            front.first_fit(line, taken)
        };
        match fit {
            Fit::Point(point) => {
                let line = point.strip_suffix(b"\n").unwrap_or(&point);
                self.take_point(id, number, line, taken);
            }
            Fit::Bad(reason) => self.settle_alone(id, number, line, Outcome::Dead(reason)),
            Fit::New(_) => {
                let memory = line.len() + 1 + size_of::<Waiting<I>>();
                let line = line.into();
                let waiting = Waiting {
                    id,
                    number,
                    line,
                    taken,
                    memory,
                };
                self.books.memory += memory;
                self.books.read += waiting.count();
                front.wait(waiting);
                self.has_news = true;
            }
        }
    }

    /// Begins to ask for what those that wait need, if it is time.
    pub(super) fn begin_round(&mut self, now: Duration) {
        let Some(front) = &mut self.front else { return };
        if front.loss == Loss::Lost && !front.keeper.is_busy() {
            front.keeper.lost();
        }
        if front.round_at(&self.settings).is_some_and(|at| at <= now) {
            for (waiting, reason) in front.begin_round() {
                self.end_waiting(waiting, Outcome::Dead(reason));
            }
        }
    }

    pub(super) fn ask(&mut self, now: Now) -> Result<Ask, Option<Duration>> {
        let front = self.front.as_deref_mut().ok_or(None)?;
        front.keeper.poll(&self.settings, &front.options, now)
    }

    /// When to look at what waits.
    pub(super) fn front_at(&self) -> Option<Duration> {
        let front = self.front.as_deref()?;
        let first = front.waiting.front();
        let expiry = first.map(|first| first.taken.saturating_add(self.settings.deadline));
        let events = [expiry, front.round_at(&self.settings)];
        events.into_iter().flatten().min()
    }

    pub(super) fn hurry_front(&mut self) {
        if let Some(front) = &mut self.front {
            let is_hurried = !front.waiting.is_empty();
            // Told once, or who waits for room and is refused once more would wake itself by that, without end.
            self.has_news |= is_hurried && !front.is_hurried;
            front.is_hurried = is_hurried;
        }
    }

    pub(super) fn oldest_waiting(&self) -> u64 {
        let waiting = self.front.iter().flat_map(|front| &front.waiting);
        waiting
            .map(|waiting| waiting.number)
            .min()
            .unwrap_or(u64::MAX)
    }

    pub(super) fn is_front_done(&self) -> bool {
        let rests = |front: &Front<I>| front.waiting.is_empty() && front.keeper.is_at_rest();
        self.front.as_deref().is_none_or(rests)
    }

    /// Whether there is no queue to push to, for the moment.
    pub(super) fn is_lost(&self) -> bool {
        self.front
            .as_ref()
            .is_some_and(|front| front.loss == Loss::Lost)
    }

    /// Takes a batch back that was refused for a schema that may have changed, or gives it to be judged.
    pub(super) fn about_schema(
        &mut self,
        mut batch: Batch<I>,
        error: Error,
        sent: Duration,
        now: Duration,
    ) -> Option<(Batch<I>, Error)> {
        match error.code() {
            Some(ErrorCode::FIELD_NOT_FOUND) => {
                let is_spreading = now < self.spreading_until;
                match &mut self.front {
                    // Somebody may have taken the field away: at once, and until it has its time after a change.
                    Some(front) => {
                        let Front {
                            keeper, options, ..
                        } = &mut **front;
                        let (looks, in_row, writes) = batch.looks;
                        let in_row = if keeper.writes() == writes { in_row } else { 0 };
                        let is_due = !is_spreading && !keeper.is_busy();
                        if is_due && (in_row >= ENOUGH_LOOKS || looks >= MOST_LOOKS) {
                            return Some((batch, error));
                        }
                        if looks == 0 || is_due {
                            let in_row = in_row + u32::from(is_due);
                            batch.looks = (looks + 1, in_row, keeper.writes());
                            if options.unknown_fields == UnknownFields::Add {
                                keeper.restore();
                            } else {
                                keeper.read();
                            }
                        }
                    }
                    None if is_spreading => {}
                    None => return Some((batch, error)),
                }
                self.pace.succeeded(sent);
                let (first, longest) = LOOKS;
                let delay = first * 2_u32.saturating_pow(batch.attempts.clamp(1, 8) - 1);
                batch.due = now.saturating_add(delay.min(longest));
            }
            // It fitted the queue as it was read: the queue may have been made again, with other types.
            Some(ErrorCode::INVALID_FIELD_FORMAT) => {
                if let Some(front) = &mut self.front
                    && front.keeper.is_old(now)
                    && !front.keeper.is_busy()
                {
                    front.keeper.read();
                }
                return Some((batch, error));
            }
            Some(ErrorCode::REPO_NOT_FOUND) => {
                let front = self.front.as_deref_mut();
                let Some(front) = front.filter(|front| {
                    front.options.unknown_fields == UnknownFields::Add && front.loss != Loss::Final
                }) else {
                    return Some((batch, error));
                };
                self.pace.succeeded(sent);
                front.loss = Loss::Lost;
                front.keeper.lost();
            }
            _ => return Some((batch, error)),
        }
        batch.last = Some(Arc::new(error));
        self.ready.push_front(batch);
        None
    }

    /// Looks which of those that wait need not do so any more. What still does after the round that was for it, is
    /// dead.
    fn advance(&mut self, refusal: Option<&Reason>) {
        let Some(front) = &mut self.front else { return };
        let is_known = front.keeper.schema().is_some();
        if is_known && !front.keeper.is_busy() {
            front.loss = Loss::None;
        }
        let (round, is_last) = if front.keeper.is_busy() {
            (0, false)
        } else {
            front.end_round()
        };
        // What cannot be added for one record cannot be for others either, which would be asked for one by one.
        let hopeless = refusal.filter(|reason| reason.is_about_fields());
        let hopeless = hopeless.map_or_else(Default::default, |_| front.needs_of(round));
        let mut is_held = false;
        for (place, waiting) in front.take_waiting().into_iter().enumerate() {
            let Some(front) = &mut self.front else { return };
            let fit = if is_held {
                Fit::New(None)
            } else {
                front.fit(&waiting.line)
            };
            let reason = match (fit, refusal) {
                (Fit::Point(point), _) => {
                    self.books.memory -= waiting.memory;
                    self.books.read -= waiting.count();
                    let line = point.strip_suffix(b"\n").unwrap_or(&point);
                    self.take_point(waiting.id, waiting.number, line, waiting.taken);
                    continue;
                }
                (Fit::Bad(reason), _) => reason,
                (Fit::New(_), Some(reason))
                    if place < round || front.needs_all(&waiting, &hopeless) =>
                {
                    reason.clone()
                }
                (Fit::New(Some(error)), None) if place < round && is_last => Reason::Unfit(error),
                (Fit::New(_), _) => {
                    is_held = self.settings.ordered;
                    front.wait(waiting);
                    continue;
                }
            };
            self.end_waiting(waiting, Outcome::Dead(reason));
        }
        if let Some(front) = &mut self.front {
            front.is_hurried &= !front.waiting.is_empty();
        }
        // They have waited long enough.
        self.seal();
    }

    /// Gives up what waits and has no time left.
    pub(super) fn expire_waiting(&mut self, end: Duration, now: Duration) {
        let Some(front) = &mut self.front else { return };
        let is_over = now.max(front.keeper.paused_until()) >= end;
        if now >= end
            && let Some(workflow) = front.keeper.abandon()
        {
            let (workflow, error) = (workflow.as_str(), None);
            self.settings
                .observers
                .tell(&Event::LeftStopped { workflow, error });
        }
        let last = front.last.clone();
        let expired = now.checked_sub(self.settings.deadline);
        while let Some(front) = &mut self.front
            && let Some(first) = front.waiting.front()
            && (is_over || expired.is_some_and(|expired| first.taken <= expired))
            && let Some(waiting) = front.stop_waiting()
        {
            let reason = if is_over {
                Reason::Closed
            } else {
                Reason::Deadline
            };
            self.end_waiting(waiting, Outcome::GivenUp(reason(last.clone())));
        }
    }

    fn end_waiting(&mut self, waiting: Waiting<I>, outcome: Outcome) {
        self.books.memory -= waiting.memory;
        self.books.read -= waiting.count();
        let Waiting {
            id, number, line, ..
        } = waiting;
        self.settle_alone(id, number, &line, outcome);
    }
}
