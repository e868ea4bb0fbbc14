//! One run: the clients, the network and the service, moved along by a queue of events.

mod buffer;
mod hand;
mod ship;
mod wire;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use pipeline_emulator::Transition;
use pipeline_proto::{
    Auth, Context, FaultKind, Phase,
    wait::{Due, Pause},
};

use pipeline_shipper::{Ask, Push};

use super::{
    Config,
    check::{self, Rule, Violation, demand},
    clock::Clock,
    history::{CallLog, WaitLog},
    machine::{Flight, Retry},
    network::Answer,
    scenario::{self, Item, Scenario, Weather},
    server::Server,
    summary::Summary,
    trouble::Trouble,
    verifier::Keys,
};

use ship::Ship;

/// No run needs so many; one that does has no end.
const MOST_EVENTS: u64 = 200_000;

pub(super) struct World {
    seed: u64,
    now: Duration,
    /// By their moment; those of one moment happen in the order in which they were scheduled.
    queue: BTreeMap<(Duration, u64), Event>,
    scheduled: u64,
    weather: Weather,
    server: Server,
    clients: Vec<Client>,
    hands: Vec<Hand>,
    ships: Vec<Ship>,
    calls: Vec<CallLog>,
    pub(super) summary: Summary,
    pub(super) trace: Option<Vec<String>>,
}

/// A client as the run goes on.
pub(super) struct Client {
    context: Context,
    pub(super) clock: Clock,
    pub(super) keys: Option<Keys>,
    pub(super) correct_clock: bool,
    /// The largest difference of the clocks that it makes up for.
    pub(super) max_correction: Duration,
    limits: scenario::Limits,
    /// What it learned last of the service's time, if it was told the truth.
    pub(super) learned: Option<Learned>,
}

/// That a client knows the service's time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Learned {
    pub(super) at: Duration,
    /// As in [`AttemptLog`].
    pub(super) order: u64,
    /// How often the client's clock and the service's were set before.
    pub(super) jumps: (u32, u32),
    /// How far off it may be.
    pub(super) error: Duration,
}

/// One of a client's hands: does one thing after another.
struct Hand {
    client: usize,
    number: u8,
    items: VecDeque<Item>,
    item: Option<Item>,
    doing: Doing,
    then: Then,
    wait: Option<WaitLog>,
    /// How often it was woken up, which numbers its chances of being late.
    wakes: u64,
    /// By how much it was woken too late in this call.
    late: Duration,
}

impl Hand {
    fn new(client: usize, number: u8, items: VecDeque<Item>) -> Self {
        Self {
            client,
            number,
            items,
            item: None,
            doing: Doing::Nothing,
            then: Then::Item,
            wait: None,
            wakes: 0,
            late: Duration::ZERO,
        }
    }
}

enum Doing {
    Nothing,
    Flying(Box<dyn Flight>),
    Backing(usize, Box<dyn Retry>),
    Pausing(Box<Pause>),
}

/// What the result of a call is for.
enum Then {
    Item,
    Wait(Box<Due>),
    /// The request of a shipper.
    Ship(usize, Push),
    /// A call of a shipper about its queue.
    Ask(usize, Ask),
}

enum Event {
    Wake(usize),
    /// A program that ships has something to do.
    Ship(usize),
    /// Its shipper is to look again, by the number of the alarm.
    Alarm(usize, u64),
    /// A request reaches the service, or a copy of it does.
    Arrive(Which, Sending),
    /// The client is told what became of an attempt.
    Deliver(Which, Box<Delivery>),
    ClientJump(usize, i64),
    ServiceJump(i64),
    Transitions(Transition, Transition),
}

/// An attempt of a call of a hand.
#[derive(Debug, Clone, Copy)]
struct Which {
    hand: usize,
    call: usize,
    attempt: usize,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}, attempt {}", self.call, self.attempt + 1)
    }
}

/// Which of the requests that come of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    /// The client's own.
    Original,
    /// One that the network made of it.
    Copy,
}

enum Delivery {
    Answer(Response<Bytes>, Answer),
    Fault(FaultKind, Option<Phase>),
}

/// Writes a line of the trace, if there is one.
macro_rules! note {
    ($world:expr, $who:expr, $($what:tt)+) => {
        if $world.trace.is_some() {
            let line = $crate::world::line($world.now, &$who, format_args!($($what)+));
            $world.trace.get_or_insert_default().push(line);
        }
    };
}
use note;

pub(super) fn line(now: Duration, who: &dyn fmt::Display, what: fmt::Arguments<'_>) -> String {
    let (seconds, millis) = (now.as_secs(), now.subsec_millis());
    format!(
        "{seconds:>9}.{millis:03} s  {who:<8}  {what}",
        who = who.to_string()
    )
}

impl World {
    pub(super) fn new(seed: u64, config: &Config, traced: bool) -> Self {
        let scenario = Scenario::draw(seed, config);
        let mut world = Self {
            seed,
            now: Duration::ZERO,
            queue: BTreeMap::new(),
            scheduled: 0,
            server: Server::new(seed, &scenario.service),
            clients: Vec::new(),
            hands: Vec::new(),
            ships: Vec::new(),
            calls: Vec::new(),
            summary: Summary::default(),
            trace: traced.then(Vec::new),
            weather: scenario.weather,
        };
        world.summary.runs = 1;
        note!(world, "weather", "{}", world.weather.describe());
        for (at, by) in scenario.service.jumps {
            world.after(at, Event::ServiceJump(by));
        }
        for (at, start, stop) in scenario.service.transitions {
            world.after(at, Event::Transitions(start, stop));
        }
        world.meet_clock(
            &scenario.service.clock,
            [Trouble::ServiceClockOff, Trouble::ServiceClockDrifts],
        );
        note!(world, "service", "{:?}", scenario.service.clock);
        for client in scenario.clients {
            world.join(client);
        }
        world
    }

    fn join(&mut self, client: scenario::Client) {
        let number = self.clients.len();
        let auth = match client.keys {
            Some(keys) => keys.credentials().into(),
            None => Auth::Anonymous,
        };
        let limits = client.limits;
        let context = Context::builder()
            .auth(auth)
            .correct_clock(client.correct_clock)
            .max_clock_correction(limits.max_correction())
            .retry(limits.policy())
            .attempt_timeout(limits.attempt_timeout)
            .total_timeout(limits.total_timeout)
            .build();
        for (at, by) in client.jumps {
            self.after(at, Event::ClientJump(number, by));
        }
        self.meet_clock(
            &client.clock,
            [Trouble::ClientClockOff, Trouble::ClientClockDrifts],
        );
        // A client that only stands by is of no interest.
        if client.ship.is_some() || client.hands.iter().any(|items| !items.is_empty()) {
            let who = format_args!("c{number}");
            note!(self, who, "{:?}, {limits:?}", client.clock);
        }
        self.clients.push(Client {
            context,
            clock: client.clock,
            keys: client.keys,
            correct_clock: client.correct_clock,
            max_correction: limits.max_correction(),
            limits,
            learned: None,
        });
        for (hand, items) in (0..).zip(client.hands) {
            self.hands.push(Hand::new(number, hand, items.into()));
            self.rest(self.hands.len() - 1);
        }
        if let Some(plan) = client.ship {
            self.launch(number, plan, None);
        }
    }

    fn meet_clock(&mut self, clock: &Clock, [off, drifts]: [Trouble; 2]) {
        if clock.error(Duration::ZERO) != 0 {
            self.summary.met(off);
        }
        if !clock.drift_within(Duration::from_secs(1_000_000)).is_zero() {
            self.summary.met(drifts);
        }
    }

    /// Runs to the end. A panic of whatever takes part is a violation like others.
    pub(super) fn run_caught(&mut self) -> Result<(), Violation> {
        // What the panic may have left half done is not looked at but for the trace.
        let run = AssertUnwindSafe(|| self.run());
        panic::catch_unwind(run).unwrap_or_else(|_| {
            Err(Violation {
                rule: Rule::Progress,
                what: "something panicked".into(),
            })
        })
    }

    fn run(&mut self) -> Result<(), Violation> {
        let mut events = 0;
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now = at;
            events += 1;
            demand!(
                events <= MOST_EVENTS,
                Rule::Progress,
                "more than {MOST_EVENTS} events"
            );
            match event {
                Event::Wake(hand) => self.wake(hand)?,
                Event::Ship(ship) => self.ship(ship)?,
                Event::Alarm(ship, alarm) => self.alarmed(ship, alarm)?,
                Event::Arrive(which, sending) => self.arrive(which, sending)?,
                Event::Deliver(which, delivery) => self.deliver(which, *delivery)?,
                Event::ClientJump(client, by) => {
                    self.summary.met(Trouble::ClientClockJumps);
                    self.clients[client].clock.jump(by);
                    note!(
                        self,
                        format_args!("c{client}"),
                        "its clock is set by {by} ms"
                    );
                }
                Event::ServiceJump(by) => {
                    self.summary.met(Trouble::ServiceClockJumps);
                    self.server.clock.jump(by);
                    note!(self, "service", "its clock is set by {by} ms");
                }
                Event::Transitions(start, stop) => {
                    for transition in [start, stop] {
                        if matches!(transition, Transition::Stuck | Transition::FallsBack(_)) {
                            self.summary.met(Trouble::StuckTransition);
                        }
                    }
                    self.server.set_transitions(start, stop);
                    note!(
                        self,
                        "service",
                        "from now on, starts {start:?}, stops {stop:?}"
                    );
                }
            }
        }
        let idle = self
            .hands
            .iter()
            .all(|hand| matches!(hand.doing, Doing::Nothing));
        demand!(
            idle,
            Rule::Progress,
            "nothing happens any more, but a client is not done"
        );
        self.summary.time = self.now;
        self.calls.iter().try_for_each(check::settled)?;
        self.docked()?;
        self.server.look_around(self.now)
    }

    fn after(&mut self, delay: Duration, event: Event) {
        self.scheduled += 1;
        self.queue.insert((self.now + delay, self.scheduled), event);
    }

    fn jumps(&self, client: usize) -> (u32, u32) {
        (
            self.clients[client].clock.jumps(),
            self.server.clock.jumps(),
        )
    }
}

fn number(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}
