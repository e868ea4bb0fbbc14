use std::collections::VecDeque;

use super::Mark;

/// Knows up to which mark all lines are done, in whatever order they are.
///
/// ```
/// use pipeline_shipper::follow::{Found, Ledger, Lines, Mark};
///
/// let mut ledger = Ledger::new(Mark::default());
/// let mut numbers = Vec::new();
/// Lines::new(80).feed(b"first\nsecond\n", &mut |found| {
///     if let Found::Line { mark, .. } = found {
///         numbers.push(ledger.add(mark));
///     }
/// });
/// ledger.settle(numbers[1]);
/// assert_eq!(ledger.mark().offset(), 0);
/// ledger.settle(numbers[0]);
/// assert_eq!(ledger.mark().offset(), 13);
/// ```
#[derive(Debug, Default)]
pub struct Ledger {
    done: Mark,
    /// The number of the first one that is not done.
    first: u64,
    open: VecDeque<(Mark, bool)>,
}

impl Ledger {
    /// One for what comes behind a mark.
    pub fn new(done: Mark) -> Self {
        Self {
            done,
            ..Self::default()
        }
    }

    /// Notes a line by the place behind it, and gives it a number.
    pub fn add(&mut self, mark: Mark) -> u64 {
        self.open.push_back((mark, false));
        self.first + self.open.len() as u64 - 1
    }

    /// The line of this number is done.
    pub fn settle(&mut self, number: u64) {
        let at = number
            .checked_sub(self.first)
            .and_then(|at| usize::try_from(at).ok());
        if let Some((_, settled)) = at.and_then(|at| self.open.get_mut(at)) {
            *settled = true;
        }
        while let Some((mark, true)) = self.open.front() {
            self.done = *mark;
            self.first += 1;
            self.open.pop_front();
        }
    }

    /// Where to begin again: all lines before it are done.
    pub fn mark(&self) -> Mark {
        self.done
    }

    /// How many lines are not known to be done.
    pub fn pending(&self) -> usize {
        self.open.iter().filter(|(_, settled)| !settled).count()
    }
}
