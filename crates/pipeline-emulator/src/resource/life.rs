//! What becomes of jobs, their runs and groups in time. All of it follows from when something was asked for
//! and the moment at which somebody looks, so that nothing has to be brought up to date.

use std::time::Duration;

use pipeline_proto::{model::Status, resource::job::BatchStatus};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Members;
use crate::{call::Call, date::to_millis, transition::Transition};

/// Milliseconds since 1970.
pub(super) type Millis = u64;

pub(super) fn now(call: &Call<'_, '_>) -> Millis {
    to_millis(call.now.wall)
}

pub(super) fn millis(time: Duration) -> Millis {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What the emulator keeps for itself in a member; nothing if somebody has written another thing there.
pub(super) fn kept<T: DeserializeOwned + Default>(members: &Members, name: &str) -> T {
    let value = members.get(name).cloned().unwrap_or_default();
    serde_json::from_value(value).unwrap_or_default()
}

pub(super) fn keep(members: &mut Members, name: &str, what: &impl Serialize) {
    let value = serde_json::to_value(what).unwrap_or(Value::Null);
    members.insert(name.to_owned(), value);
}

/// Something that was asked for. Reads are not counted here: after reads means at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) at: Millis,
    /// `None` for ever.
    takes: Option<Millis>,
    fails: bool,
}

impl Asked {
    pub(super) fn new(how: Transition, at: Millis) -> Self {
        let (takes, fails) = match how {
            Transition::Immediate | Transition::AfterReads(_) => (Some(Duration::ZERO), false),
            Transition::After(time) => (Some(time), false),
            Transition::Stuck => (None, false),
            Transition::FallsBack(time) => (Some(time), true),
        };
        Self {
            at,
            takes: takes.map(millis),
            fails,
        }
    }

    pub(super) fn end(&self) -> Option<Millis> {
        Some(self.at.saturating_add(self.takes?))
    }

    fn is_over(&self, now: Millis) -> bool {
        self.end().is_some_and(|end| end <= now)
    }
}

/// Of a job or a group: what was asked of it last.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) enum Life {
    #[default]
    New,
    Start(Asked),
    Stop(Asked),
}

impl Life {
    pub(super) fn status(&self, now: Millis) -> Status {
        match self {
            Self::New => Status::Ready,
            Self::Start(asked) if !asked.is_over(now) => Status::Starting,
            Self::Stop(asked) if !asked.is_over(now) => Status::Stopping,
            Self::Start(Asked { fails: false, .. }) | Self::Stop(Asked { fails: true, .. }) => {
                Status::Started
            }
            Self::Start(_) | Self::Stop(_) => Status::Stopped,
        }
    }

    /// Since when it is started, if it is.
    pub(super) fn since(&self, now: Millis) -> Option<Millis> {
        let (Self::Start(asked) | Self::Stop(asked)) = self else {
            return None;
        };
        asked.end().filter(|_| self.status(now) == Status::Started)
    }
}

/// One run of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) id: i64,
    /// The time it stands for.
    pub(super) batch: Millis,
    pub(super) asked: Asked,
    /// How long it runs.
    pub(super) takes: Millis,
    pub(super) reruns: u32,
    pub(super) stopped: Option<Asked>,
}

impl Run {
    pub(super) fn new(id: i64, asked: Asked, takes: Millis) -> Self {
        Self {
            id,
            batch: asked.at,
            asked,
            takes,
            reruns: 0,
            stopped: None,
        }
    }

    pub(super) fn status(&self, now: Millis) -> BatchStatus {
        match &self.stopped {
            Some(stopped) if !stopped.is_over(now) => return BatchStatus::Cancelling,
            Some(stopped) if !stopped.fails => return BatchStatus::Canceled,
            _ => {}
        }
        if !self.asked.is_over(now) {
            return match self.reruns {
                0 => BatchStatus::Ready,
                _ => BatchStatus::Restarting,
            };
        }
        match self.asked.fails {
            true => BatchStatus::Failed,
            false if self.end().is_some_and(|end| end <= now) => BatchStatus::Successful,
            false => BatchStatus::Running,
        }
    }

    /// When it is over.
    pub(super) fn end(&self) -> Option<Millis> {
        match &self.stopped {
            Some(stopped) if !stopped.fails => stopped.end(),
            _ if self.asked.fails => self.asked.end(),
            _ => Some(self.asked.end()?.saturating_add(self.takes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_shows_with_time() {
        let time = Duration::from_millis(5);
        let how = |how| Asked::new(how, 10);
        for (life, at) in [
            (Life::New, ["Ready"; 3]),
            (Life::Start(how(Transition::Immediate)), ["Started"; 3]),
            (Life::Start(how(Transition::AfterReads(9))), ["Started"; 3]),
            (
                Life::Start(how(Transition::After(time))),
                ["Starting", "Starting", "Started"],
            ),
            (
                Life::Start(how(Transition::FallsBack(time))),
                ["Starting", "Starting", "Stopped"],
            ),
            (Life::Start(how(Transition::Stuck)), ["Starting"; 3]),
            (
                Life::Stop(how(Transition::After(time))),
                ["Stopping", "Stopping", "Stopped"],
            ),
            (
                Life::Stop(how(Transition::FallsBack(time))),
                ["Stopping", "Stopping", "Started"],
            ),
        ] {
            let found = [10, 14, 15].map(|now| life.status(now).to_string());
            assert_eq!(found, at, "{life:?}");
        }
    }

    #[test]
    fn a_run_is_asked_for_runs_and_ends() {
        let time = Duration::from_millis(5);
        let rows = [
            (
                Transition::After(time),
                0,
                None,
                "Ready Running Running Running Successful",
            ),
            (
                Transition::After(time),
                2,
                None,
                "Restarting Running Running Running Successful",
            ),
            (Transition::Stuck, 0, None, "Ready Ready Ready Ready Ready"),
            (
                Transition::FallsBack(time),
                0,
                None,
                "Ready Failed Failed Failed Failed",
            ),
            (
                Transition::Immediate,
                0,
                Some(Transition::After(time)),
                "Running Running Cancelling Canceled Canceled",
            ),
            (
                Transition::Immediate,
                0,
                Some(Transition::Stuck),
                "Running Running Cancelling Cancelling Cancelling",
            ),
            // The stop has no effect in the end.
            (
                Transition::After(time),
                0,
                Some(Transition::FallsBack(time)),
                "Ready Running Cancelling Running Successful",
            ),
        ];
        for (start, reruns, stop, expected) in rows {
            let mut run = Run::new(1, Asked::new(start, 10), 8);
            run.reruns = reruns;
            let mut found = Vec::new();
            for now in [10, 15, 17, 22, 30] {
                if now == 17 {
                    run.stopped = stop.map(|stop| Asked::new(stop, 17));
                }
                found.push(run.status(now).to_string());
            }
            assert_eq!(found.join(" "), expected, "{run:?}");
        }
    }
}
