//! What holds of a buffer on the disk.

use std::collections::BTreeMap;

use pipeline_shipper::{Outcome, Reason, buffer::Entry};

use crate::{
    check::{Rule, Violation, demand},
    ship::number_of,
};

/// What was put into a buffer, by the numbers that it gave.
#[derive(Debug, Default)]
pub(crate) struct BufferLog(BTreeMap<u64, Stored>);

#[derive(Debug)]
struct Stored {
    line: String,
    fate: Fate,
    /// Whether the buffer has said that this is on the disk.
    is_acknowledged: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pending,
    /// Not sent again before the buffer is opened again.
    Left,
    Accepted,
    Dead,
    Dropped,
}

impl BufferLog {
    pub(crate) fn puts(&mut self, number: u64, line: String) {
        let stored = Stored {
            line,
            fate: Fate::Pending,
            is_acknowledged: false,
        };
        self.0.insert(number, stored);
    }

    /// What was put so far is on the disk.
    pub(crate) fn acknowledges(&mut self) {
        let put = |it: &&mut Stored| it.fate == Fate::Pending;
        for stored in self.0.values_mut().filter(put) {
            stored.is_acknowledged = true;
        }
    }

    /// And so is what was told.
    pub(crate) fn acknowledges_all(&mut self) {
        for stored in self.0.values_mut() {
            stored.is_acknowledged = true;
        }
    }

    /// What holds when the shipper has nothing to do, and no records.
    pub(crate) fn rests(&self) -> Result<(), Violation> {
        let waits = |it: &&Stored| it.fate == Fate::Pending && it.is_acknowledged;
        let waiting = self.0.values().find(waits);
        demand!(waiting.is_none(), Rule::Kept, "nobody sends {waiting:?}");
        Ok(())
    }

    fn becomes(&mut self, number: u64, fate: Fate, is_acknowledged: bool) {
        if let Some(stored) = self.0.get_mut(&number) {
            (stored.fate, stored.is_acknowledged) = (fate, is_acknowledged);
        }
    }

    pub(crate) fn drops(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.becomes(entry.number, Fate::Dropped, true);
        }
    }

    pub(crate) fn tells(&mut self, number: u64, outcome: &Outcome) {
        let (fate, is_acknowledged) = match outcome {
            Outcome::Accepted => (Fate::Accepted, false),
            Outcome::GivenUp(Reason::Closed(_)) | Outcome::Dead(Reason::NotWelcome(_)) => {
                (Fate::Left, true)
            }
            Outcome::Dead(_) | Outcome::GivenUp(_) => (Fate::Dead, false),
        };
        self.becomes(number, fate, is_acknowledged);
    }

    /// Compares with what is there: the records that are left, and the dead letters. So many that were accepted may
    /// come again. From now on, what is there counts.
    pub(crate) fn finds(
        &mut self,
        left: &BTreeMap<u64, String>,
        letters: &BTreeMap<u64, String>,
        most: usize,
    ) -> Result<(), Violation> {
        for (number, line) in left {
            let is_same = self.0.get(number).is_some_and(|it| it.line == *line);
            demand!(
                is_same,
                Rule::Kept,
                "{number} is {line:?}: {:?}",
                self.0.get(number)
            );
        }
        let mut again = 0;
        for (number, stored) in &mut self.0 {
            let (is_left, letter) = (left.contains_key(number), letters.get(number));
            let is_true = match stored.fate {
                // The shipper has only what is on the disk: what it tells of was there.
                Fate::Pending | Fate::Left => {
                    letter.is_none() && (is_left || !stored.is_acknowledged)
                }
                Fate::Accepted => letter.is_none() && !(is_left && stored.is_acknowledged),
                Fate::Dead if is_left => letter.is_none() && !stored.is_acknowledged,
                // With its point, where it was no point.
                Fate::Dead => letter.is_some_and(|it| number_of(it) == number_of(&stored.line)),
                Fate::Dropped => !is_left && letter.is_none(),
            };
            demand!(
                is_true,
                Rule::Kept,
                "{stored:?} is left: {is_left}, its letter: {letter:?}",
            );
            again += usize::from(is_left && stored.fate == Fate::Accepted);
            if is_left {
                stored.fate = Fate::Pending;
            }
            stored.is_acknowledged |= is_left || letter.is_some();
        }
        demand!(
            again <= most,
            Rule::Kept,
            "{again} records come again, {most} may have been in flight",
        );
        // What was never acknowledged may be gone, and its number is given again.
        self.0
            .retain(|number, it| it.fate != Fate::Pending || left.contains_key(number));
        Ok(())
    }

    /// How many are still there, and how many were dropped.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 2] {
        let count = |fate| self.0.values().filter(|it| it.fate == fate).count() as u64;
        [
            ("still in the buffer", count(Fate::Pending)),
            ("dropped", count(Fate::Dropped)),
        ]
    }
}
