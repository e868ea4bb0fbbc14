use std::time::Duration;

use pipeline_proto::Now;
use serde::{Deserialize, Serialize};

use crate::{
    clock_skew::ClockSkew, date::rfc3339_millis, emulator::Emulator, transition::Transition,
};

/// The service's clock.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clock {
    offset_ms: i64,
    /// What it shows; of no use in a request.
    #[serde(default)]
    time: String,
}

impl Clock {
    pub(super) fn of(emulator: &Emulator, now: Now) -> Self {
        let offset = emulator.clock_offset();
        Self {
            offset_ms: to_signed(offset),
            time: rfc3339_millis(offset.apply(now.wall)),
        }
    }

    pub(super) fn set(&self, emulator: &mut Emulator) {
        emulator.set_clock_offset(from_signed(self.offset_ms));
    }
}

pub(super) fn from_signed(millis: i64) -> ClockSkew {
    let by = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 {
        ClockSkew::Behind(by)
    } else {
        ClockSkew::Ahead(by)
    }
}

pub(super) fn to_signed(offset: ClockSkew) -> i64 {
    let millis = |by: Duration| i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    match offset {
        ClockSkew::Ahead(by) => millis(by),
        ClockSkew::Behind(by) => -millis(by),
    }
}

/// How starts and stops come to their end. What is missing in a request stays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transitions {
    start: Option<Spec>,
    stop: Option<Spec>,
}

/// A [`Transition`]: `"immediate"`, `{"after_ms": 250}`, `{"after_reads": 3}`, `"stuck"` or
/// `{"falls_back_ms": 250}`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Spec {
    Immediate,
    AfterMs(u64),
    AfterReads(u32),
    Stuck,
    FallsBackMs(u64),
}

impl Transitions {
    pub(super) fn of(emulator: &Emulator) -> Self {
        Self {
            start: Some(emulator.start_transition().into()),
            stop: Some(emulator.stop_transition().into()),
        }
    }

    pub(super) fn set(&self, emulator: &mut Emulator) {
        if let Some(start) = self.start {
            emulator.set_start_transition(start.into());
        }
        if let Some(stop) = self.stop {
            emulator.set_stop_transition(stop.into());
        }
    }
}

impl From<Transition> for Spec {
    fn from(transition: Transition) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match transition {
            Transition::Immediate => Self::Immediate,
            Transition::After(time) => Self::AfterMs(millis(time)),
            Transition::AfterReads(reads) => Self::AfterReads(reads),
            Transition::Stuck => Self::Stuck,
            Transition::FallsBack(time) => Self::FallsBackMs(millis(time)),
        }
    }
}

impl From<Spec> for Transition {
    fn from(spec: Spec) -> Self {
        match spec {
            Spec::Immediate => Self::Immediate,
            Spec::AfterMs(millis) => Self::After(Duration::from_millis(millis)),
            Spec::AfterReads(reads) => Self::AfterReads(reads),
            Spec::Stuck => Self::Stuck,
            Spec::FallsBackMs(millis) => Self::FallsBack(Duration::from_millis(millis)),
        }
    }
}
