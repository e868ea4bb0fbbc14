//! A shipper, a network and a queue in one thread. Time passes only here.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    Call, Context, Fault, FaultKind, InFlight, Next, Now, resource::push::PushPoints,
};
use pipeline_shipper::{Books, NotTaken, Outcome, Push, Settings, Shipper, Step, Verdict};

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What happens to one request, where the queue does not decide by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// A response with this status, code and message, and `Retry-After` in seconds.
    Response(u16, &'static str, Option<u64>),
    /// No connection.
    NotSent,
    /// The connection breaks before the service has acted.
    ResetBefore,
    /// The connection breaks after it has.
    ResetAfter,
    /// The response comes after the time-out.
    Lost,
}

/// The queue: it refuses points that are marked as bad, and texts above its limit.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) max_body: usize,
    /// The record that makes the service fail.
    pub(crate) poison: Option<u64>,
    /// The ids of the records that were accepted, in order.
    pub(crate) records: Vec<u64>,
    /// The sizes of the requests that came, in records.
    pub(crate) requests: Vec<usize>,
}

impl Queue {
    fn push(&mut self, text: &[u8]) -> (u16, String) {
        let text = std::str::from_utf8(text).unwrap();
        assert!(text.ends_with('\n'), "a line without an end");
        self.requests.push(text.lines().count());
        if text.len() > self.max_body {
            return (413, "E18005: too large".to_owned());
        }
        if text.lines().any(|line| line.contains("\tbad=")) {
            // The place is not told: the service is not known to tell it.
            return (400, "E18110: no long".to_owned());
        }
        let id = |line: &str| {
            line.split(['=', '\t'])
                .nth(1)
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        if text.lines().any(|line| self.poison == Some(id(line))) {
            return (500, "E9000: failed".to_owned());
        }
        self.records.extend(text.lines().map(id));
        (200, String::new())
    }
}

struct UnderWay {
    push: Push,
    in_flight: InFlight<PushPoints>,
    outcome: Result<Response<Bytes>, FaultKind>,
    ends: Duration,
}

pub(crate) struct World {
    pub(crate) shipper: Shipper<u64>,
    pub(crate) queue: Queue,
    /// What happens to the next requests.
    pub(crate) troubles: VecDeque<Trouble>,
    /// When each request was made.
    pub(crate) sent: Vec<Duration>,
    pub(crate) verdicts: BTreeMap<u64, Verdict<u64>>,
    pub(crate) most_in_flight: usize,
    pub(crate) most_memory: usize,
    pub(crate) now: Now,
    latencies: Vec<Duration>,
    context: Context,
    under_way: Vec<UnderWay>,
}

/// A point of so many bytes at least, with its line feed.
pub(crate) fn line(id: u64, is_bad: bool, size: usize) -> String {
    let mut line = format!("id={id}");
    if is_bad {
        line.push_str("\tbad=x");
    }
    if line.len() + 1 < size {
        let _ = write!(
            line,
            "\tt={}",
            "x".repeat(size.saturating_sub(line.len() + 4))
        );
    }
    line
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            shipper: Shipper::new("clicks".parse().unwrap(), settings),
            queue: Queue {
                max_body: 2 << 20,
                ..Queue::default()
            },
            troubles: VecDeque::new(),
            sent: Vec::new(),
            verdicts: BTreeMap::new(),
            most_in_flight: 0,
            most_memory: 0,
            now: Now::new(UNIX_EPOCH + secs(784_111_777), secs(5000)),
            latencies: vec![millis(10)],
            context: Context::builder().build(),
            under_way: Vec::new(),
        }
    }

    /// How long requests take, in turn.
    pub(crate) fn latencies(mut self, latencies: Vec<Duration>) -> Self {
        self.latencies = latencies;
        self
    }

    pub(crate) fn troubles(mut self, troubles: impl IntoIterator<Item = Trouble>) -> Self {
        self.troubles = troubles.into_iter().collect();
        self
    }

    pub(crate) fn push(&mut self, id: u64, line: &str) -> Result<(), NotTaken<u64>> {
        let taken = self.shipper.try_push(id, line.as_bytes(), self.now);
        self.look();
        taken
    }

    /// Pushes small points with these ids.
    pub(crate) fn push_all(
        &mut self,
        ids: impl IntoIterator<Item = u64>,
        is_bad: impl Fn(u64) -> bool,
    ) {
        for id in ids {
            self.push(id, &line(id, is_bad(id), 0)).unwrap();
        }
    }

    pub(crate) fn books(&self) -> Books {
        self.shipper.books(self.now)
    }

    /// What must hold at any moment.
    fn look(&mut self) {
        let books = self.books();
        let sum = books.accepted + books.dead + books.given_up + books.pending;
        assert_eq!(books.read, sum, "the books do not balance: {books:?}");
        self.most_in_flight = self.most_in_flight.max(books.in_flight);
        self.most_memory = self.most_memory.max(books.memory);
    }

    /// Does what is due now. Gives how long nothing will be due, if anything ever is.
    fn settle(&mut self) -> Option<Duration> {
        loop {
            self.look();
            let step = self.shipper.poll(self.now);
            self.look();
            match step {
                Step::Push(push) => self.begin(push),
                Step::Ask(ask) => panic!("{ask:?}: the records are points"),
                Step::Settled(mut verdicts) => {
                    for verdict in verdicts.by_ref() {
                        let id = verdict.id;
                        let before = self.verdicts.insert(id, verdict);
                        assert!(before.is_none(), "{id} has two verdicts");
                    }
                    self.shipper.on_told(verdicts);
                }
                Step::Wait(delay) => {
                    let ends = self.under_way.iter().map(|it| it.ends).min();
                    let ends = ends.map(|ends| ends.saturating_sub(self.now.mono));
                    return [delay, ends].into_iter().flatten().min();
                }
                Step::Done => {
                    let ends = self.under_way.iter().map(|it| it.ends).min();
                    return ends.map(|ends| ends.saturating_sub(self.now.mono));
                }
            }
        }
    }

    fn begin(&mut self, push: Push) {
        let call = Call::new(&self.context, push.operation(), push.options()).unwrap();
        let (request, in_flight) = call.start(self.now).send();
        let latency = self.latencies[self.sent.len() % self.latencies.len()];
        self.sent.push(self.now.mono);
        let trouble = self.troubles.pop_front().unwrap_or(Trouble::None);
        let outcome = match trouble {
            Trouble::NotSent => Err(FaultKind::NotSent),
            Trouble::ResetBefore => Err(FaultKind::Interrupted),
            Trouble::Response(status, message, retry_after) => {
                Ok(response(status, message, retry_after))
            }
            Trouble::ResetAfter | Trouble::Lost | Trouble::None => {
                let (status, message) = self.queue.push(request.body());
                match trouble {
                    Trouble::None => Ok(response(status, &message, None)),
                    Trouble::Lost => Err(FaultKind::TimedOut),
                    _ => Err(FaultKind::Interrupted),
                }
            }
        };
        let ends = self.now.mono + latency;
        self.under_way.push(UnderWay {
            push,
            in_flight,
            outcome,
            ends,
        });
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        loop {
            let due = self.settle().map(|delay| self.now.mono + delay);
            let Some(due) = due.filter(|due| *due <= end) else {
                self.now = self.now + end.saturating_sub(self.now.mono);
                return;
            };
            self.now = self.now + due.saturating_sub(self.now.mono);
            self.end_one();
        }
    }

    /// Lets time pass until nothing happens any more.
    pub(crate) fn run(&mut self) {
        let mut steps = 0;
        while let Some(delay) = self.settle() {
            self.now = self.now + delay;
            self.end_one();
            steps += 1;
            assert!(steps < 1_000_000, "it does not end");
        }
    }

    /// Closes the shipper and runs it to its end.
    pub(crate) fn close(&mut self, time: Duration) {
        self.shipper.close(time, self.now);
        self.run();
        assert!(matches!(self.shipper.poll(self.now), Step::Done));
        assert_eq!(self.books().memory, 0);
    }

    fn end_one(&mut self) {
        let done = self
            .under_way
            .iter()
            .position(|it| it.ends <= self.now.mono);
        let Some(at) = done else { return };
        let UnderWay {
            push,
            in_flight,
            outcome,
            ..
        } = self.under_way.remove(at);
        let next = match outcome {
            Ok(response) => in_flight.on_response(response, self.now),
            Err(kind) => in_flight.on_fault(Fault::new(kind), self.now),
        };
        let Next::Done(result) = next else {
            panic!("the call tried again by itself");
        };
        self.shipper.on_result(push, result, self.now);
        self.look();
    }

    /// The ids with such an outcome.
    pub(crate) fn ids(&self, is_such: impl Fn(&Outcome) -> bool) -> Vec<u64> {
        let such = self.verdicts.values().filter(|it| is_such(&it.outcome));
        such.map(|verdict| verdict.id).collect()
    }
}

fn response(status: u16, message: &str, retry_after: Option<u64>) -> Response<Bytes> {
    let body = match message {
        "" => String::new(),
        _ => format!(r#"{{"error":"{message}"}}"#),
    };
    let mut response = Response::builder().status(status).header("x-reqid", "r1");
    if let Some(seconds) = retry_after {
        response = response.header("retry-after", seconds);
    }
    response.body(body.into()).unwrap()
}
