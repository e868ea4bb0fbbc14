//! Says how it goes while records are shipped, and keeps positions and the status up to date.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use pipeline_proto::RepoName;

use super::{
    Trouble,
    books::{Desk, Way},
    locked,
    positions::Positions,
    report::Status,
    road::Road,
};
use crate::{
    duration::Short,
    exit::Exit,
    failure::Failure,
    file::{Readers, Target},
    lang::pick,
    output::{document, note, plain},
    size,
    terminal::{self, StatusLine},
};

/// How often it is looked at, files are written, and a line is said where there is no terminal.
const LOOK: Duration = Duration::from_millis(250);
const KEEP: Duration = Duration::from_secs(1);
const SAY: Duration = Duration::from_secs(10);

/// What the main thread hears of.
pub(super) enum News {
    /// Everything was read, and has its verdict.
    End,
    Signal(Exit),
}

/// What is known at any moment.
pub(super) struct View<'a> {
    pub(super) repo: &'a RepoName,
    pub(super) desk: &'a Desk,
    pub(super) shipper: Option<&'a Road>,
    pub(super) trouble: &'a Trouble,
}

pub(super) struct Watch<'a> {
    pub(super) view: View<'a>,
    pub(super) positions: Option<Positions>,
    pub(super) status: Option<StatusFile>,
}

impl Watch<'_> {
    /// Comes back at the end of everything, with a signal, or when nothing more can be done.
    pub(super) fn until_end(
        &mut self,
        news: &mpsc::Receiver<News>,
    ) -> Result<Option<Exit>, Failure> {
        let (mut line, begun) = (StatusLine::new(), Instant::now());
        let mut pace = Pace::default();
        loop {
            match news.recv_timeout(LOOK) {
                Ok(News::Signal(exit)) => return Ok(Some(exit)),
                Ok(News::End) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if self.view.desk.is_stuck() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(failure) = self.view.shipper.and_then(Road::failure) {
                // Whoever follows files that are at rest would not meet it.
                self.view.desk.break_off(failure);
                return Ok(None);
            }
            let now = begun.elapsed();
            if pace.keeps(now) {
                self.view.desk.take_letters(self.view.shipper)?;
                if let Some(positions) = &mut self.positions {
                    positions.keep(self.view.desk.marks())?;
                }
                if let Some(status) = &mut self.status {
                    status.keep(&self.view.status(true));
                }
            }
            let is_painted = terminal::can_repaint();
            if is_painted || pace.says(now) {
                let text = self.view.line(&mut pace, now);
                if is_painted {
                    line.show(text);
                } else {
                    note(text);
                }
            }
        }
    }

    /// Writes the status, where one is wanted.
    pub(super) fn look_on(&self, is_running: bool) -> Result<(), Failure> {
        let status = self.status.as_ref();
        status.map_or(Ok(()), |status| status.write(&self.view.status(is_running)))
    }
}

impl View<'_> {
    fn status(&self, running: bool) -> Status {
        let mut report = self.desk.report();
        report.repo = self.repo.to_string();
        let books = self.shipper.map(Road::books).unwrap_or_default();
        report.count(&books);
        Status {
            at: Timestamp::now().to_string(),
            running,
            lag_ms: u64::try_from(books.lag.as_millis()).unwrap_or(u64::MAX),
            trouble: locked(self.trouble).clone(),
            books: report,
        }
    }

    fn line(&self, pace: &mut Pace, now: Duration) -> String {
        let mut text = format!("{}: {}", self.repo, self.desk.report().total().said());
        let mut add = |en: String, zh: String| {
            text.push_str(pick(", ", "，"));
            text.push_str(&pick(en, zh));
        };
        // What matters most comes first: a terminal cuts the line off.
        let trouble = locked(self.trouble).clone();
        let books = self.shipper.map(Road::books);
        if let Some(books) = &books {
            let rate = size::Short(pace.rate(now, books.accepted.bytes));
            if trouble.is_none() {
                add(format!("{rate}/s"), format!("{rate}/s"));
            }
        }
        let left = self.desk.way().and_then(|way| left(way, now));
        if let Some(left) = left.filter(|_| trouble.is_none()) {
            let left = Short(left);
            add(format!("{left} left"), format!("还需 {left}"));
        }
        if let Some(books) = books.filter(|books| books.pending.records > 0) {
            let lag = Short(books.lag);
            add(format!("oldest {lag}"), format!("最早的已等待 {lag}"));
        }
        match trouble {
            Some(trouble) => format!("{text}{}{}", pick("; ", "；"), plain(&trouble)),
            None => text,
        }
    }
}

/// How long the rest takes, if it is read as fast as what was read in this time.
fn left(way: Way, time: Duration) -> Option<Duration> {
    // The first moments say little.
    if way.done == 0 || way.left == 0 || time < KEEP {
        return None;
    }
    let left = time.as_millis() * u128::from(way.left) / u128::from(way.done);
    let seconds = u64::try_from(left / 1_000).ok()?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// What is due when, since the beginning.
#[derive(Debug, Default)]
struct Pace {
    kept: Duration,
    said: Duration,
    /// When the rate was measured last, what was accepted then, and what it was.
    measured: (Duration, u64, u64),
}

impl Pace {
    fn keeps(&mut self, now: Duration) -> bool {
        is_due(&mut self.kept, KEEP, now)
    }

    fn says(&mut self, now: Duration) -> bool {
        is_due(&mut self.said, SAY, now)
    }

    /// Bytes in a second, since it was asked a second ago or longer.
    fn rate(&mut self, now: Duration, accepted: u64) -> u64 {
        let (then, before, _) = self.measured;
        let time = now.saturating_sub(then);
        if time >= KEEP {
            let rate = u128::from(accepted - before) * 1_000 / time.as_millis();
            self.measured = (now, accepted, u64::try_from(rate).unwrap_or(u64::MAX));
        }
        self.measured.2
    }
}

fn is_due(last: &mut Duration, every: Duration, now: Duration) -> bool {
    let is_due = now.saturating_sub(*last) >= every;
    if is_due {
        *last = now;
    }
    is_due
}

/// The file that says how it goes.
pub(super) struct StatusFile {
    path: PathBuf,
    is_told: bool,
}

impl StatusFile {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        // It is written again and again.
        if !Target::find(path)?.is_file() {
            let line = "--status takes a file that can be replaced, and this is none";
            return Err(Failure::usage(line).about(path.display()));
        }
        Ok(Self {
            path: path.to_owned(),
            is_told: false,
        })
    }

    /// That nobody can look on is no reason to ship no further.
    fn keep(&mut self, status: &Status) {
        if let Err(failure) = self.write(status)
            && !std::mem::replace(&mut self.is_told, true)
        {
            note(failure);
        }
    }

    fn write(&self, status: &Status) -> Result<(), Failure> {
        let text = pipeline_graph::file::Format::Json.lay_out(&document(status)?);
        Target::find(&self.path)?.write(text.as_bytes(), Readers::Usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn files_are_kept_every_second_and_a_line_is_said_every_ten() {
        let mut pace = Pace::default();
        let looks = (1..=140).map(|look| LOOK * look);
        let (mut kept, mut said) = (Vec::new(), Vec::new());
        for now in looks {
            kept.extend(pace.keeps(now).then_some(now));
            said.extend(pace.says(now).then_some(now));
        }
        assert_eq!(kept, (1..=35).map(seconds).collect::<Vec<_>>());
        assert_eq!(said, [10, 20, 30].map(seconds));
        // After a time in which the process was stopped, one line is enough.
        assert!(pace.says(seconds(1_000)) && !pace.says(seconds(1_001)));
    }

    #[test]
    fn the_rate_is_that_of_the_last_second_and_the_rest_takes_as_long_as_what_was_read() {
        let mut pace = Pace::default();
        let rates = [(500, 7), (1_000, 10), (1_500, 99), (3_000, 4_010)];
        let rates = rates.map(|(now, bytes)| pace.rate(Duration::from_millis(now), bytes));
        assert_eq!(rates, [0, 10, 10, 2_000]);
        let left = |done, left| super::left(Way { done, left }, seconds(10));
        assert_eq!(left(100, 650), Some(seconds(65)));
        assert_eq!([left(0, 100), left(100, 0), left(100, 9)], [None; 3]);
        assert_eq!(left(1, u64::MAX), None);
    }
}
