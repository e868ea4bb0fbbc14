//! What programs that ship records are told to do, and by which settings.

use std::time::Duration;

use pipeline_proto::{CallOptions, Region, resource::repo::RepoSpec};
use pipeline_shipper::{
    SchemaFree, Settings,
    buffer::{self, Full},
};

use super::{
    disk::Fate,
    rng::Rng,
    scenario::{ITEMS, Limits, MINUTE},
};
use crate::model::REGIONS;

/// Of a program that ships the records of one source into one queue.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) queue: &'static str,
    /// Makes a queue of this number when the first records come, so that it is there.
    pub(super) makes: Option<u64>,
    pub(super) terms: Terms,
    /// What to do, and how long to do nothing before.
    pub(super) steps: Vec<(Duration, Step)>,
    /// How long to do nothing before the end.
    pub(super) idle: Duration,
    pub(super) end: End,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Push(Vec<String>),
    Flush,
    /// With a buffer: while it writes these records, the program is killed or the machine fails. It begins anew.
    Crash(Vec<String>, Crash),
}

/// What becomes of what was not synced, and a number for the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crash(pub(super) Fate, pub(super) u64);

/// How a program ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// It closes its shipper, and gives it so much time.
    Close(Duration),
    /// It is killed, and what had no verdict is unknown.
    Kill,
}

/// The settings of a buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct BufferTerms {
    limit: u64,
    full: Full,
    /// Whether records are acknowledged as soon as they were put.
    pub(super) syncs: bool,
}

/// The settings of a shipper, as numbers that can be checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) batch_bytes: usize,
    pub(super) batch_records: usize,
    pub(super) linger: Duration,
    pub(super) in_flight: usize,
    pub(super) ordered: bool,
    pub(super) memory: usize,
    pub(super) requests_per_second: u32,
    pub(super) bytes_per_second: u64,
    pub(super) deadline: Duration,
    pub(super) hold_refused: bool,
    /// Records are JSON, and the shipper makes the queue and adds fields.
    pub(super) schema_free: bool,
    /// Of each request, and of the waits between them.
    pub(super) limits: Limits,
    /// What records go through.
    pub(super) buffer: Option<BufferTerms>,
}

impl Terms {
    fn draw(rng: &mut Rng) -> Self {
        let mut size = |least: u64, most: u64| {
            let size = least + rng.below(most - least);
            usize::try_from(size).unwrap_or(usize::MAX)
        };
        let (batch_bytes, batch_records) = (size(30, 2_000), size(1, 40));
        let (in_flight, memory) = (size(1, 4), size(200, 10_000));
        Self {
            batch_bytes,
            batch_records,
            in_flight,
            memory,
            linger: rng.magnitude(Duration::from_secs(10)),
            ordered: rng.chance(400),
            requests_per_second: *rng.pick(&[0, 0, 0, 1, 20]),
            bytes_per_second: *rng.pick(&[0, 0, 0, 100, 5_000]),
            deadline: if rng.chance(400) {
                rng.magnitude(MINUTE * 5)
            } else {
                Duration::MAX
            },
            hold_refused: rng.chance(300),
            schema_free: rng.chance(350),
            limits: {
                let limits = Limits::draw(rng);
                let often = Duration::from_millis(300);
                Limits {
                    attempts: 1,
                    base_delay: limits.base_delay.max(often),
                    max_delay: limits.max_delay.max(often),
                    ..limits
                }
            },
            buffer: rng.chance(400).then(|| BufferTerms::draw(rng)),
        }
    }

    pub(super) fn settings(&self, seed: u64) -> Settings {
        let calls = CallOptions::new()
            .attempt_timeout(self.limits.attempt_timeout)
            .total_timeout(self.limits.total_timeout);
        let settings = Settings::new()
            .batch_bytes(self.batch_bytes)
            .batch_records(self.batch_records)
            .linger(self.linger)
            .in_flight(self.in_flight)
            .ordered(self.ordered)
            .memory(self.memory)
            .requests_per_second(self.requests_per_second)
            .bytes_per_second(self.bytes_per_second)
            .deadline(self.deadline)
            .hold_refused(self.hold_refused)
            .back_off(self.limits.policy())
            .calls(calls)
            .seed(seed);
        if !self.schema_free {
            return settings;
        }
        let mut spec = RepoSpec::default();
        spec.region = Some(Region::from_static(REGIONS[0]).into());
        settings.schema_free(SchemaFree::new().spec(spec))
    }

    /// The most requests at a time.
    pub(super) fn at_once(&self) -> usize {
        if self.ordered { 1 } else { self.in_flight }
    }
}

impl BufferTerms {
    fn draw(rng: &mut Rng) -> Self {
        Self {
            limit: *rng.pick(&[1 << 30, 500, 2_000, 10_000]),
            full: *rng.pick(&[Full::Block, Full::DropOldest]),
            syncs: rng.chance(700),
        }
    }

    pub(super) fn settings(&self) -> buffer::Settings {
        buffer::Settings::new("").limit(self.limit).full(self.full)
    }
}

impl Crash {
    fn draw(rng: &mut Rng) -> Self {
        let fate = match rng.below(6) {
            // The program is killed.
            0..3 => Fate::AllKept,
            3 => Fate::AllLost,
            _ => Fate::Any(rng.next()),
        };
        Self(fate, rng.next())
    }
}

impl Plan {
    /// Leaves out the steps that are not taken.
    pub(super) fn draw(rng: &mut Rng, number: u8, is_taken: impl Fn(u8) -> bool) -> Self {
        // Where others make a queue, change it and delete it.
        let queue = *rng.pick(&["clicks", "clicks", "clicks", "clean"]);
        let terms = Terms::draw(rng);
        let mut records = (u64::from(number) + 1) * 100_000;
        let steps: Vec<_> = (0..=rng.small(ITEMS))
            .map(|step| {
                let idle = rng.magnitude(MINUTE / 2);
                (step, idle, Step::draw(rng, &mut records, &terms))
            })
            .collect();
        Self {
            queue,
            makes: rng.chance(700).then(|| rng.below(1_000)),
            terms,
            steps: steps
                .into_iter()
                .filter(|(step, ..)| is_taken(*step))
                .map(|(_, idle, step)| (idle, step))
                .collect(),
            idle: rng.magnitude(MINUTE),
            end: match rng.below(8) {
                0 => End::Kill,
                1 => End::Close(Duration::ZERO),
                _ => End::Close(rng.magnitude(MINUTE * 5)),
            },
        }
    }
}

impl Step {
    fn draw(rng: &mut Rng, records: &mut u64, terms: &Terms) -> Self {
        if rng.chance(100) {
            return Self::Flush;
        }
        // Some sources have no bad record in them.
        let bad = *rng.pick(&[0, 50, 250]);
        let burst = 1 << rng.below(6);
        let lines = (0..=rng.below(burst)).map(|_| {
            *records += 1;
            if terms.schema_free {
                object(rng, *records, bad)
            } else {
                line(rng, *records, bad)
            }
        });
        let lines = lines.collect();
        if terms.buffer.is_some() && rng.chance(300) {
            return Self::Crash(lines, Crash::draw(rng));
        }
        Self::Push(lines)
    }
}

/// A record that no other is equal to. The queue has a field `a`, now of numbers and now of text.
fn line(rng: &mut Rng, number: u64, bad: u16) -> String {
    if rng.chance(bad) {
        return match rng.below(8) {
            // Never sent.
            0 => format!("a={number}\na={number}"),
            1 => format!("a{number}"),
            2 => format!("a={}{number}", "x".repeat(1_200)),
            3 => format!("c={number}"),
            _ => format!("a=x{number}"),
        };
    }
    format!("a={number}")
}

/// The same as JSON. Some have further fields, which many others have as well.
fn object(rng: &mut Rng, number: u64, bad: u16) -> String {
    if rng.chance(bad) {
        return match rng.below(3) {
            0 => format!("{{{number}"),
            _ => format!(r#"{{"a":"x{number}"}}"#),
        };
    }
    match rng.below(12) {
        field @ 0..3 => format!(r#"{{"a":{number},"f{field}":{number}}}"#),
        _ => format!(r#"{{"a":{number}}}"#),
    }
}

/// The number of a record, by its line or its point.
pub(super) fn number_of(line: &str) -> Option<u64> {
    let digits = line.split(|c: char| !c.is_ascii_digit());
    let mut numbers = digits.filter(|digits| digits.len() >= 6);
    numbers.next()?.parse().ok()
}
