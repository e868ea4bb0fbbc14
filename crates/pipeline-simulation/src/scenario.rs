//! What a seed stands for: who takes part, with what settings and clocks, what they do, and what
//! goes wrong how often.

use std::time::Duration;

use pipeline_emulator::Transition;
use pipeline_proto::RetryPolicy;

use super::{
    Config,
    clock::{Clock, EARLIEST},
    rng::Rng,
    ship::Plan,
    trouble::Trouble,
    verifier::Keys,
    work::{Subjects, Task},
};

/// Secret keys have this in them, and nothing else has.
pub(super) const CANARY: &str = "canary";

pub(super) const KEYRING: [Keys; 2] = [
    Keys {
        access: "first-access-key",
        secret: "canary-of-the-first",
        account: "1380000001",
    },
    Keys {
        access: "second-access-key",
        secret: "canary-of-the-second",
        account: "1380000002",
    },
];

/// Keys that the service does not know, and a known access key with another secret.
const WRONG_KEYS: [Keys; 2] = [
    Keys {
        access: "unknown-access-key",
        secret: "canary-of-nobody",
        account: "",
    },
    Keys {
        access: "first-access-key",
        secret: "canary-mistyped",
        account: "",
    },
];

/// Most clients.
pub(super) const CLIENTS: u8 = 4;

/// Most hands of a client, which share what it learned.
pub(super) const HANDS: u8 = 2;

/// Most things that a hand does.
pub(super) const ITEMS: u8 = 10;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Which part of a scenario a stream of chance is for.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(super) enum Part {
    Weather = 1,
    Service,
    Client,
    Item,
    Attempt,
    Wake,
    Ship,
}

#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) weather: Weather,
    pub(super) service: Service,
    pub(super) clients: Vec<Client>,
}

/// How often what goes wrong, in thousandths.
#[derive(Debug, Clone)]
pub(super) struct Weather {
    rates: Vec<u16>,
    /// The time that a message takes, at the least and at the most.
    pub(super) latency: (Duration, Duration),
    /// The longest body that whatever stands in front of the service lets through.
    pub(super) longest: usize,
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) clock: Clock,
    pub(super) jumps: Vec<(Duration, i64)>,
    /// How starts and stops go from a moment on. The first stands from the beginning.
    pub(super) transitions: Vec<(Duration, Transition, Transition)>,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) clock: Clock,
    pub(super) jumps: Vec<(Duration, i64)>,
    /// None to sign nothing.
    pub(super) keys: Option<Keys>,
    pub(super) correct_clock: bool,
    pub(super) limits: Limits,
    pub(super) hands: Vec<Vec<Item>>,
    pub(super) ship: Option<Plan>,
}

/// The settings that limit a call, as numbers that can be checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) attempts: u32,
    pub(super) base_delay: Duration,
    pub(super) max_delay: Duration,
    pub(super) max_retry_after: Duration,
    pub(super) budget: Duration,
    pub(super) attempt_timeout: Duration,
    pub(super) total_timeout: Duration,
}

/// One thing to do, and how.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) number: u8,
    /// How long to do nothing before.
    pub(super) idle: Duration,
    pub(super) task: Task,
    pub(super) pass: Pass,
    /// Whether to send further headers that are signed.
    pub(super) signed_headers: bool,
    /// Limits of this call only.
    pub(super) limits: Option<Limits>,
}

/// How a call shows who it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// As the client does.
    Own,
    /// With a token that will do for the first request, for so many seconds from now.
    Token(i64),
    /// With a token for a request with another path.
    TokenForAnother,
    /// With a token that was signed with a wrong secret.
    ForgedToken,
}

impl Scenario {
    pub(super) fn draw(seed: u64, config: &Config) -> Self {
        let weather = Weather::draw(&mut Rng::of(&[seed, Part::Weather as u64]), config);
        let mut rng = Rng::of(&[seed, Part::Service as u64]);
        let subjects = Subjects {
            workflows: *rng.pick(&[1, 1, 1, 2, 2, 3]),
            related: *rng.pick(&[0, 0, 100, 900, 900]),
            jobs: *rng.pick(&[50, 950, 950]),
        };
        let clients = 1 + rng.small(CLIENTS);
        let service = Service::draw(&mut rng, &weather);
        let clients = (0..clients.min(config.clients))
            .map(|number| Client::draw(seed, number, subjects, &weather, config))
            .collect();
        Self {
            weather,
            service,
            clients,
        }
    }
}

impl Weather {
    fn draw(rng: &mut Rng, config: &Config) -> Self {
        // Out of a thousand: how many kinds of trouble there are, and how often each happens at the
        // most. The network's and the clocks' are independent.
        let skies: [(u16, u16); 4] = [(0, 0), (200, 80), (350, 150), (300, 400)];
        let network = *rng.pick(&skies);
        let clocks = *rng.pick(&[(0, 0), (250, 1000), (500, 1000)]);
        let rates = Trouble::ALL.iter().map(|trouble| {
            let (kinds, most) = if trouble.is_of_a_clock() {
                clocks
            } else {
                network
            };
            let present = rng.chance(kinds);
            let mut rate = 1 + rng.below(u64::from(most).max(1));
            // What a single response does not show may need many in a row.
            if rng.chance(100) && matches!(trouble, Trouble::StatusUnknown | Trouble::DateWrong) {
                rate = 1000;
            }
            let absent = !present || config.without.contains(trouble);
            u16::try_from(if absent { 0 } else { rate }).unwrap_or(1000)
        });
        let rates = rates.collect();
        let least = Duration::from_millis(1) + rng.magnitude(Duration::from_millis(200));
        let latency = (least, least + rng.magnitude(Duration::from_millis(400)));
        let mut weather = Self {
            rates,
            latency,
            longest: usize::MAX,
        };
        if weather.rate(Trouble::BodyLimit) > 0 {
            weather.longest = usize::try_from(100 + rng.below(2_000)).unwrap_or(usize::MAX);
        }
        weather
    }

    pub(super) fn rate(&self, trouble: Trouble) -> u16 {
        self.rates[trouble as usize]
    }

    /// What there is of trouble, for a reader.
    pub(super) fn describe(&self) -> String {
        let troubles = Trouble::ALL
            .iter()
            .map(|trouble| (trouble, self.rate(*trouble)));
        let present = troubles.filter(|(_, rate)| *rate > 0);
        let texts: Vec<_> = present
            .map(|(trouble, rate)| format!("{trouble} {}.{} %", rate / 10, rate % 10))
            .collect();
        if texts.is_empty() {
            "calm".into()
        } else {
            texts.join(", ")
        }
    }
}

impl Service {
    fn draw(rng: &mut Rng, weather: &Weather) -> Self {
        use Trouble::{ServiceClockDrifts, ServiceClockJumps, ServiceClockOff};
        let offset = error(rng, weather.rate(ServiceClockOff));
        let drift = drift(rng, weather.rate(ServiceClockDrifts));
        let jumps = jumps(rng, weather.rate(ServiceClockJumps));
        let changes = rng.below(4);
        let transition = |rng: &mut Rng| {
            let time = rng.magnitude(MINUTE);
            let bad = rng.chance(weather.rate(Trouble::StuckTransition));
            match rng.below(4) {
                _ if bad && time.as_millis().is_multiple_of(2) => Transition::Stuck,
                _ if bad => Transition::FallsBack(time),
                0 => Transition::Immediate,
                1 => Transition::AfterReads(u32::from(rng.small(5))),
                _ => Transition::After(time),
            }
        };
        let transitions = (0..=changes).map(|change| {
            let at = if change == 0 {
                Duration::ZERO
            } else {
                rng.magnitude(HOUR)
            };
            (at, transition(rng), transition(rng))
        });
        Self {
            transitions: transitions.collect(),
            clock: Clock::new(offset, drift, Duration::ZERO),
            jumps,
        }
    }
}

impl Client {
    fn draw(seed: u64, number: u8, subjects: Subjects, weather: &Weather, config: &Config) -> Self {
        use Trouble::{ClientClockDrifts, ClientClockJumps, ClientClockOff};
        let client = u64::from(number);
        let mut rng = Rng::of(&[seed, Part::Client as u64, client]);
        let booted = rng.magnitude(HOUR * 1000);
        let offset = error(&mut rng, weather.rate(ClientClockOff));
        let drift = drift(&mut rng, weather.rate(ClientClockDrifts));
        let jumps = jumps(&mut rng, weather.rate(ClientClockJumps));
        let keys = match rng.below(100) {
            0..83 => Some(KEYRING[0]),
            83..91 => Some(KEYRING[1]),
            91..97 => Some(*rng.pick(&WRONG_KEYS)),
            _ => None,
        };
        let correct_clock = rng.chance(850);
        let limits = Limits::draw(&mut rng);
        let hands = 1 + rng.small(HANDS);
        let items = 1 + rng.small(ITEMS);
        let hands = (0..hands).map(|hand| {
            let items = (0..items.min(config.operations))
                .filter(|item| !config.skip.contains(&(number, hand, *item)));
            let draw = |item: u8| {
                let hand = u64::from(hand);
                let coordinates = [seed, Part::Item as u64, client, hand, u64::from(item)];
                Item::draw(&mut Rng::of(&coordinates), item, subjects)
            };
            items.map(draw).collect()
        });
        let hands = hands.collect();
        let mut rng = Rng::of(&[seed, Part::Ship as u64, client]);
        let ship = rng.chance(subjects.shipping(keys)).then(|| {
            Plan::draw(&mut rng, number, |step| {
                step < config.operations && !config.skip.contains(&(number, HANDS, step))
            })
        });
        Self {
            ship: ship.filter(|plan| !plan.steps.is_empty()),
            hands,
            clock: Clock::new(offset, drift, booted),
            jumps,
            keys,
            correct_clock,
            limits,
        }
    }
}

impl Limits {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        Self {
            attempts: 1 + u32::from(rng.small(6)),
            base_delay: rng.magnitude(Duration::from_secs(2)),
            max_delay: rng.magnitude(Duration::from_secs(20)),
            max_retry_after: rng.magnitude(MINUTE),
            budget: rng.magnitude(MINUTE * 2),
            attempt_timeout: Duration::from_secs(1) + rng.magnitude(MINUTE),
            total_timeout: Duration::from_secs(1) + rng.magnitude(MINUTE * 5),
        }
    }

    /// The largest difference of the clocks that the client makes up for: a day, or any.
    pub(super) fn max_correction(&self) -> Duration {
        if self.attempts.is_multiple_of(2) {
            HOUR * 24
        } else {
            Duration::MAX
        }
    }

    pub(super) fn policy(&self) -> RetryPolicy {
        RetryPolicy::default()
            .max_attempts(self.attempts)
            .base_delay(self.base_delay)
            .max_delay(self.max_delay)
            .max_retry_after(self.max_retry_after)
            .budget(self.budget)
    }

    /// The longest wait after so many attempts.
    pub(super) fn longest_delay(&self, attempts: u32, retry_after: Duration) -> Duration {
        let own = self
            .base_delay
            .saturating_mul(1 << attempts.saturating_sub(1))
            .min(self.max_delay);
        own.max(retry_after.min(self.max_retry_after))
    }
}

impl Item {
    fn draw(rng: &mut Rng, number: u8, subjects: Subjects) -> Self {
        let idle = if rng.chance(40) {
            HOUR * 72
        } else {
            MINUTE / 2
        };
        Self {
            number,
            idle: rng.magnitude(idle),
            task: Task::draw(rng, number, subjects, &KEYRING.map(|keys| keys.account)),
            pass: match rng.below(100) {
                0..88 => Pass::Own,
                88..91 => Pass::Token(3600),
                91..93 => Pass::Token(i64::try_from(rng.below(20)).unwrap_or(0)),
                93..95 => Pass::Token(-rng.around_zero(600).abs() - 1),
                95..98 => Pass::TokenForAnother,
                _ => Pass::ForgedToken,
            },
            signed_headers: rng.chance(200),
            limits: rng.chance(150).then(|| Limits::draw(rng)),
        }
    }
}

/// How far a clock is off, in milliseconds. The limit of 15 minutes is where it gets interesting.
fn error(rng: &mut Rng, rate: u16) -> i64 {
    let off = rng.chance(rate);
    let sign = if rng.chance(500) { 1 } else { -1 };
    let error = match rng.below(6) {
        0 => rng.around_zero(10_000),
        1 | 2 => sign * (900_000 + rng.around_zero(70_000)),
        3 => sign * (240_000 + rng.around_zero(60_000)),
        4 => rng.around_zero(12 * 3_600_000),
        _ if rng.chance(200) => EARLIEST,
        _ => rng.around_zero(7_200_000),
    };
    if off { error } else { 0 }
}

/// In millionths; up to half a second in a hundred.
fn drift(rng: &mut Rng, rate: u16) -> i64 {
    let drifts = rng.chance(rate);
    let drift = rng.around_zero(5_000);
    if drifts { drift } else { 0 }
}

fn jumps(rng: &mut Rng, rate: u16) -> Vec<(Duration, i64)> {
    let jumps = rng.chance(rate);
    let count = 1 + rng.below(12);
    let drawn = (0..count).map(|_| (rng.magnitude(HOUR), rng.around_zero(3 * 3_600_000)));
    let drawn: Vec<_> = drawn.collect();
    if jumps { drawn } else { Vec::new() }
}
