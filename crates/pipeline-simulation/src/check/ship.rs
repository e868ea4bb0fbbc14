//! What holds of a program that ships records.

mod buffer;
mod end;

use std::{collections::BTreeMap, time::Duration};

use pipeline_shipper::{Books, Flush, Outcome as Became, Reason, Verdict};

pub(crate) use buffer::BufferLog;

use super::{Rule, Violation, call::asked_for, demand};
use crate::{
    history::{CallLog, Outcome},
    network::Answer,
    ship::{Terms, number_of},
};

/// The codes with which the service refuses a record for what is in it.
const OF_RECORDS: [u32; 7] = [18005, 18007, 18104, 18110, 18111, 18123, 18125];

/// How long a shipper that adds fields waits at most before it looks whether they are known.
const LOOKS: Duration = Duration::from_secs(4);

/// What a program has done, and what it was told.
#[derive(Debug)]
pub(crate) struct ShipLog {
    terms: Terms,
    records: Vec<RecordLog>,
    /// By their number.
    numbers: BTreeMap<u64, usize>,
    requests: Vec<Shipment>,
    /// The records of requests that took effect, in the order in which they did.
    arrived: Vec<usize>,
    /// When it was closed, and until when it may go on then.
    closed: Option<(Duration, Duration)>,
    /// No request before that: the service asked for it.
    not_before: Duration,
    /// The latest moment at which the wait after a failure ends.
    waits_until: Duration,
    /// No call about the queue before that.
    ask_not_before: Duration,
    /// Such calls that were refused: the operation and the status.
    refusals: Vec<(&'static str, u16)>,
    /// No request before that, by the rates.
    next: Duration,
    /// By how much it was woken too late.
    pub(crate) late: Duration,
    flushes: Vec<(Flush, usize)>,
}

#[derive(Debug)]
struct RecordLog {
    line: String,
    taken: Duration,
    verdict: Option<Told>,
    is_under_way: bool,
    has_arrived: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Accepted,
    Dead,
    GivenUp,
}

/// A request of a shipper.
#[derive(Debug)]
struct Shipment {
    call: usize,
    records: Vec<usize>,
    has_ended: bool,
}

impl ShipLog {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            terms,
            records: Vec::new(),
            numbers: BTreeMap::new(),
            requests: Vec::new(),
            arrived: Vec::new(),
            closed: None,
            not_before: Duration::ZERO,
            waits_until: Duration::ZERO,
            ask_not_before: Duration::ZERO,
            refusals: Vec::new(),
            next: Duration::ZERO,
            late: Duration::ZERO,
            flushes: Vec::new(),
        }
    }

    /// The id of the next record.
    pub(crate) fn next_id(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn took(&mut self, line: String, now: Duration) {
        let number = number_of(&line).unwrap_or_default();
        self.numbers.insert(number, self.records.len());
        self.records.push(RecordLog {
            line,
            taken: now,
            verdict: None,
            is_under_way: false,
            has_arrived: false,
        });
    }

    pub(crate) fn flushes(&mut self, flush: Flush) {
        self.flushes.push((flush, self.records.len()));
    }

    pub(crate) fn closes(&mut self, time: Duration, now: Duration) {
        self.closed = Some((now, now + time));
        // A back-off ends then.
        self.not_before = Duration::ZERO;
        self.ask_not_before = Duration::ZERO;
        self.waits_until = now;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// How many records have no verdict.
    pub(crate) fn unknown(&self) -> usize {
        self.records
            .iter()
            .filter(|it| it.verdict.is_none())
            .count()
    }

    fn told(&self, told: Told) -> u64 {
        let such = |it: &&RecordLog| it.verdict == Some(told);
        u64::try_from(self.records.iter().filter(such).count()).unwrap_or(u64::MAX)
    }

    /// What holds at each moment.
    pub(crate) fn balances(&self, books: &Books) -> Result<(), Violation> {
        let sum = books.accepted + books.dead + books.given_up + books.pending;
        let bytes = self
            .records
            .iter()
            .map(|it| it.line.len() + 1)
            .sum::<usize>();
        demand!(
            books.read == sum
                && usize::try_from(books.read.records) == Ok(self.records.len())
                && (self.terms.schema_free || usize::try_from(books.read.bytes) == Ok(bytes)),
            Rule::Verdict,
            "the books do not balance: {books:?}",
        );
        demand!(
            books.memory <= self.terms.memory || self.unknown() <= 1,
            Rule::Limits,
            "{} bytes are held, {} are allowed",
            books.memory,
            self.terms.memory,
        );
        Ok(())
    }

    /// What holds when there is nothing to tell.
    pub(crate) fn rests(
        &self,
        books: &Books,
        is_flushed: impl Fn(Flush) -> bool,
    ) -> Result<(), Violation> {
        let told = [Told::Accepted, Told::Dead, Told::GivenUp].map(|told| self.told(told));
        let counts = [books.accepted, books.dead, books.given_up].map(|count| count.records);
        demand!(
            told == counts,
            Rule::Verdict,
            "{told:?} were told of, the books have {counts:?}"
        );
        demand!(
            self.unknown() > 0 || books.memory == 0,
            Rule::Limits,
            "nothing is held, but {} bytes are counted",
            books.memory,
        );
        for (flush, before) in &self.flushes {
            let all_told = self.records[..*before]
                .iter()
                .all(|record| record.verdict.is_some());
            let is_over = is_flushed(*flush);
            // Without a schema, a record that waits for a field gets into a batch with later ones, and each half of
            // a batch keeps the number of its oldest: such a flush may end late, though never early.
            let may_be_late = self.terms.schema_free && self.unknown() > 0;
            demand!(
                is_over == all_told || may_be_late && !is_over,
                Rule::Verdict,
                "the flush after {before} records is said to be over, or not to be: not all are told of: {}",
                !all_told,
            );
        }
        Ok(())
    }

    /// What holds when there is no room for a record.
    pub(crate) fn is_full(&self, line: &str, books: &Books) -> Result<(), Violation> {
        let memory = books.memory + line.len() + 1 + 2 * size_of::<u64>();
        demand!(
            books.memory > 0 && (self.terms.schema_free || memory > self.terms.memory),
            Rule::Limits,
            "there would be room for {line}: {books:?}",
        );
        Ok(())
    }

    /// What holds when a request is made.
    pub(crate) fn sends(
        &mut self,
        call: usize,
        text: &str,
        now: Duration,
    ) -> Result<(), Violation> {
        let terms = &self.terms;
        let lines: Vec<_> = text.split_terminator('\n').collect();
        let records = lines.iter().filter_map(|line| {
            let record = *self.numbers.get(&number_of(line)?)?;
            let is_same = terms.schema_free || self.records[record].line == *line;
            is_same.then_some(record)
        });
        let records: Vec<usize> = records.collect();
        // What waits for new fields is overtaken, unless order is asked for.
        let in_order = records.is_sorted() || terms.schema_free && !terms.ordered;
        demand!(
            text.ends_with('\n') && records.len() == lines.len() && in_order,
            Rule::Verdict,
            "the request does not consist of records in their order: {text:?}",
        );
        for record in &records {
            let record = &mut self.records[*record];
            demand!(
                record.verdict.is_none() && !record.is_under_way,
                Rule::Verdict,
                "{record:?} is sent once more",
            );
            record.is_under_way = true;
        }
        let fits = records.len() == 1
            || records.len() <= terms.batch_records && text.len() <= terms.batch_bytes;
        demand!(fits, Rule::Limits, "a request of {} bytes", text.len());
        let under_way = self.requests.iter().filter(|it| !it.has_ended).count();
        demand!(
            under_way < terms.at_once(),
            Rule::Limits,
            "{under_way} requests are under way, and one more is made",
        );
        demand!(
            now >= self.not_before,
            Rule::Limits,
            "a request is made before {:?}, which was asked for",
            self.not_before,
        );
        demand!(
            now >= self.next,
            Rule::Limits,
            "a request is made before {:?}, which the rates do not allow",
            self.next,
        );
        demand!(
            self.closed.is_none_or(|(_, end)| now < end),
            Rule::Limits,
            "a request is made when the time is up",
        );
        let pause = |cost: usize, rate: u64| match rate {
            0 => Duration::ZERO,
            rate => Duration::from_micros(u64::try_from(cost).unwrap_or(0) * 1_000_000 / rate),
        };
        let pause = pause(1, terms.requests_per_second.into())
            .max(pause(text.len(), terms.bytes_per_second));
        self.next = now + pause;
        self.requests.push(Shipment {
            call,
            records,
            has_ended: false,
        });
        Ok(())
    }

    /// A request of this call took effect.
    pub(crate) fn arrives(&mut self, call: usize) {
        let Some(shipment) = self.requests.iter().find(|it| it.call == call) else {
            return;
        };
        for record in &shipment.records {
            self.records[*record].has_arrived = true;
            self.arrived.push(*record);
        }
    }

    /// What holds when a call is made about the queue.
    pub(crate) fn asks(&self, now: Duration) -> Result<(), Violation> {
        demand!(
            now >= self.ask_not_before,
            Rule::Limits,
            "a call is made before {:?}, which was asked for",
            self.ask_not_before,
        );
        Ok(())
    }

    /// A call about the queue has its result.
    pub(crate) fn replied(&mut self, log: &CallLog, is_refused: bool, now: Duration) {
        let (Some(attempt), Some(outcome)) = (log.attempts.last(), log.outcome()) else {
            return;
        };
        if let Outcome::Answer(answer) = outcome
            && is_refused
        {
            let name = log.intent.request.operation.name;
            self.refusals.push((name, answer.status));
        }
        let limits = &self.terms.limits;
        let (least, most) = asked_for(attempt, outcome, limits.max_retry_after);
        if outcome.may_pass() {
            self.ask_not_before = self.ask_not_before.max(now + least);
        }
        self.waits_until = self.waits_until.max(now + most.max(limits.max_delay));
    }

    /// A request has its result.
    pub(crate) fn ends(&mut self, call: usize, log: &CallLog, now: Duration) {
        let Some(shipment) = self.requests.iter_mut().find(|it| it.call == call) else {
            return;
        };
        shipment.has_ended = true;
        for record in &shipment.records {
            self.records[*record].is_under_way = false;
        }
        let (Some(attempt), Some(outcome)) = (log.attempts.last(), log.outcome()) else {
            return;
        };
        let limits = &self.terms.limits;
        let (least, most) = asked_for(attempt, outcome, limits.max_retry_after);
        if outcome.may_pass() {
            self.not_before = self.not_before.max(now + least);
        }
        let mut most = most.max(limits.max_delay);
        let is_unknown = |answer: &Answer| answer.code == Some(18111) && self.terms.schema_free;
        if matches!(outcome, Outcome::Answer(answer) if is_unknown(answer)) {
            most = most.max(LOOKS);
        }
        self.waits_until = self.waits_until.max(now + most);
    }

    /// What holds when the program is told what became of a record. Gives the name of that.
    pub(crate) fn tell(
        &mut self,
        verdict: &Verdict<usize>,
        calls: &[CallLog],
        now: Duration,
    ) -> Result<&'static str, Violation> {
        let terms = self.terms;
        let last = self.requests.iter().rev();
        let mut ended = last.filter(|it| it.has_ended);
        let last = ended.find(|it| it.records.contains(&verdict.id));
        let outcome = last.and_then(|it| calls[it.call].outcome());
        // Without a schema, one that waited for its fields is held as long as the last one of its batch.
        let batch = last.filter(|_| terms.schema_free);
        let batch = batch.into_iter().flat_map(|it| &it.records);
        let youngest = batch.map(|it| self.records[*it].taken).max();
        let Some(record) = self.records.get_mut(verdict.id) else {
            let (rule, what) = (Rule::Verdict, "a record that was not taken".into());
            return Err(Violation { rule, what });
        };
        demand!(
            record.verdict.is_none(),
            Rule::Verdict,
            "{record:?} has another verdict: {verdict:?}",
        );
        let (told, name, is_true) = match &verdict.outcome {
            Became::Accepted => (Told::Accepted, "accepted", record.has_arrived),
            Became::Dead(reason) => {
                let (name, is_true) = match reason {
                    Reason::NotOneLine => ("not one line", record.line.contains('\n')),
                    Reason::Refused(_) => {
                        let alone = last.is_some_and(|it| it.records.len() == 1);
                        ("refused", alone && outcome.is_some_and(is_at_fault))
                    }
                    Reason::Unfit(_) | Reason::NotKept(_) => {
                        // Others take fields away.
                        let is_plain = record.line
                            == format!(
                                r#"{{"a":{}}}"#,
                                number_of(&record.line).unwrap_or_default()
                            );
                        ("unfit", terms.schema_free && !is_plain)
                    }
                    Reason::NotAdded(error) => {
                        let status = error.status().map(|status| status.as_u16());
                        let was_refused = self.refusals.iter().any(|(operation, refusal)| {
                            *operation != "get_repo" && Some(*refusal) == status
                        });
                        ("not added", was_refused && !terms.hold_refused)
                    }
                    Reason::NotWelcome(_) => {
                        let by_ask = terms.schema_free && !self.refusals.is_empty();
                        let is_true = by_ask || outcome.is_some_and(is_not_welcome);
                        ("not welcome", is_true && !terms.hold_refused)
                    }
                    _ => ("dead otherwise", false),
                };
                (
                    Told::Dead,
                    name,
                    is_true && (terms.schema_free || said(reason, outcome)),
                )
            }
            Became::GivenUp(Reason::Deadline(_)) => {
                let is_over = now >= record.taken.saturating_add(terms.deadline);
                (Told::GivenUp, "past its deadline", is_over)
            }
            Became::GivenUp(Reason::Closed(_)) => {
                // Or else there is no attempt left in the time that is left.
                let latest = now.max(self.next).max(self.waits_until);
                let is_over = self.closed.is_some_and(|(_, end)| latest >= end);
                (Told::GivenUp, "closed", is_over)
            }
            Became::GivenUp(_) => (Told::GivenUp, "given up otherwise", false),
        };
        demand!(
            is_true,
            Rule::Verdict,
            "{record:?} is said to be {:?}; the last request with it ended with {outcome:?}",
            verdict.outcome,
        );
        let kept = verdict.line.strip_suffix(b"\n").unwrap_or_default();
        let is_kept = terms.schema_free && told != Told::Accepted;
        demand!(
            is_kept && !kept.is_empty()
                || kept
                    == if told == Told::Accepted {
                        b""
                    } else {
                        record.line.as_bytes()
                    },
            Rule::Verdict,
            "of {record:?} is kept {:?}",
            verdict.line,
        );
        let gather = terms.linger.min(terms.deadline / 2);
        let latest = [
            Some(
                youngest
                    .unwrap_or(record.taken)
                    .saturating_add(terms.deadline),
            ),
            self.closed.map(|(_, end)| end),
        ];
        let over = gather + terms.limits.total_timeout + self.late;
        let latest = latest.into_iter().flatten().min().unwrap_or(Duration::MAX);
        demand!(
            now <= latest.saturating_add(over),
            Rule::Limits,
            "{record:?} is told of later than {over:?} after {latest:?}",
        );
        record.verdict = Some(told);
        Ok(name)
    }
}

fn is_of_record(answer: &Answer) -> bool {
    answer.code.is_some_and(|code| OF_RECORDS.contains(&code))
}

/// Whether a response means that the record is at fault that was sent alone.
fn is_at_fault(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Answer(answer) if answer.status == 413 || is_of_record(answer))
}

/// Whether a response means that no push would be taken. Of one that was cut short, the code is not known.
fn is_not_welcome(outcome: &Outcome) -> bool {
    let Outcome::Answer(answer) = outcome else {
        return false;
    };
    !outcome.may_pass() && answer.status != 413 && (answer.cut || !is_of_record(answer))
}

/// Whether the reason is made of the last response.
fn said(reason: &Reason, outcome: Option<&Outcome>) -> bool {
    let status = reason.error().and_then(pipeline_proto::Error::status);
    match outcome {
        Some(Outcome::Answer(answer)) => {
            status.is_some_and(|status| status.as_u16() == answer.status)
        }
        _ => status.is_none(),
    }
}
