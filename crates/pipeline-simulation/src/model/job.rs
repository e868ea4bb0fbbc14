//! What becomes of a job that is started and stopped by itself. It goes by the clock on the wall.

use pipeline_emulator::Transition;

use super::{Answer, millis};

/// What was asked of a job, and the runs that came of it. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    last: Option<Asked>,
    /// From when to when; without an end it goes on until it is stopped.
    runs: Vec<(Option<i64>, Option<i64>)>,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    start: bool,
    /// Never for one that is stuck.
    end: Option<i64>,
    fails: bool,
}

impl Asked {
    fn is_over(self, now: i64) -> bool {
        self.end.is_some_and(|end| end <= now)
    }
}

impl Life {
    /// A job that is run by hand is stopped when it has done its work.
    pub(super) fn status(&self, is_manual: bool, now: i64) -> &'static str {
        let has_ended = |(_, end): &(_, Option<i64>)| end.is_some_and(|end| end <= now);
        match self.last {
            None => "Ready",
            Some(asked) if !asked.is_over(now) && asked.start => "Starting",
            Some(asked) if !asked.is_over(now) => "Stopping",
            Some(asked) if asked.start == asked.fails => "Stopped",
            Some(_) if is_manual && self.runs.iter().all(has_ended) => "Stopped",
            Some(_) => "Started",
        }
    }

    /// A start or a stop. Each start gives a run, which takes so long.
    pub(super) fn turn(
        &mut self,
        start: bool,
        is_manual: bool,
        how: Transition,
        now: i64,
        run: i64,
    ) -> Result<(), Answer> {
        match (start, self.status(is_manual, now)) {
            (true, "Ready" | "Stopped") | (false, "Started") => {}
            (true, _) => return Err(Answer::of_code(18621)),
            (false, _) => return Err(Answer::of_code(18622)),
        }
        let (takes, fails) = match how {
            Transition::After(time) => (Some(millis(time)), false),
            Transition::FallsBack(time) => (Some(millis(time)), true),
            Transition::Stuck => (None, false),
            _ => (Some(0), false),
        };
        let end = takes.map(|takes| now + takes);
        self.last = Some(Asked { start, end, fails });
        let runs_now = |(begin, end): &&mut (Option<i64>, Option<i64>)| {
            begin.is_some_and(|begin| begin <= now) && end.is_none_or(|end| now < end)
        };
        match (start, fails) {
            (true, true) => self.runs.push((None, end)),
            (true, false) => self.runs.push((end, end.map(|begin| begin + run))),
            (false, true) => {}
            (false, false) => {
                for (_, until) in self.runs.iter_mut().filter(runs_now) {
                    *until = end;
                }
            }
        }
        Ok(())
    }
}
