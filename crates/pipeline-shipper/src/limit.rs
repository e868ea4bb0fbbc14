//! A size that refusals lower, and acceptance lets grow back.

/// How many batches have to be accepted at a limit until it doubles: at first, and after it was too high each time.
const PATIENCE: (u32, u32) = (8, 1024);

/// What is taken, as far as responses have shown.
///
/// A refusal lowers it at once. It doubles when some batches in a row were accepted that made use of it, up to where it
/// began: a passing refusal costs little, and a proxy with a limit of its own is asked again and again, but ever more rarely.
#[derive(Debug)]
pub(crate) struct Limit {
    bytes: usize,
    most: usize,
    /// Batches that were accepted at it since it changed.
    accepted: u32,
    /// How many it takes until it doubles.
    patience: u32,
    /// Whether it has doubled since it was lowered.
    has_grown: bool,
}

impl Limit {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            bytes: most,
            most,
            accepted: 0,
            patience: PATIENCE.0,
            has_grown: false,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// So much would have been enough to be refused.
    pub(crate) fn lower(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            return;
        }
        self.bytes = bytes;
        self.accepted = 0;
        if self.has_grown {
            self.patience = (self.patience * 2).min(PATIENCE.1);
            self.has_grown = false;
        }
    }

    /// A batch of this size was accepted.
    pub(crate) fn accepted(&mut self, bytes: usize) {
        // Whatever was sealed because the next record did not fit has more than half of the limit.
        if bytes <= self.bytes / 2 || self.bytes == self.most && !self.has_grown {
            return;
        }
        self.accepted += 1;
        if self.accepted < self.patience {
            return;
        }
        self.accepted = 0;
        if self.has_grown {
            self.patience = PATIENCE.0;
        }
        self.has_grown = self.bytes < self.most;
        self.bytes = self.bytes.max(1).saturating_mul(2).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many batches of the size of the limit pass until it changes, and to what.
    fn next_change(limit: &mut Limit) -> (u32, usize) {
        let before = limit.bytes();
        let passed = (1..5000).find(|_| {
            limit.accepted(before);
            limit.bytes() != before
        });
        (passed.unwrap_or(0), limit.bytes())
    }

    #[test]
    fn a_refusal_in_passing_is_made_up_for() {
        let mut limit = Limit::new(1000);
        limit.lower(400);
        limit.lower(700);
        assert_eq!(limit.bytes(), 400);
        // Small batches say nothing.
        (0..5000).for_each(|_| limit.accepted(200));
        assert_eq!(next_change(&mut limit), (8, 800));
        assert_eq!(next_change(&mut limit), (8, 1000));
        assert_eq!(next_change(&mut limit), (0, 1000));
    }

    #[test]
    fn a_limit_that_stays_is_tried_ever_more_rarely_until_it_is_gone() {
        let mut limit = Limit::new(1000);
        for patience in [8, 16, 32, 64, 128, 256, 512, 1024, 1024] {
            limit.lower(400);
            assert_eq!(next_change(&mut limit), (patience, 800));
        }
        assert_eq!(next_change(&mut limit), (1024, 1000));
        (0..8).for_each(|_| limit.accepted(1000));
        limit.lower(400);
        assert_eq!(next_change(&mut limit), (8, 800));
    }
}
