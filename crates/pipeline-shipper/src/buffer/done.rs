use std::{collections::BTreeMap, ops::Range};

/// Which records are done, by their numbers: all below a mark, and ranges beyond it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// Ends by beginnings; none touch.
    ranges: BTreeMap<u64, u64>,
}

impl Done {
    pub(super) fn from_ranges(ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut done = Self::default();
        ranges.into_iter().for_each(|range| done.add(range));
        done
    }

    /// The number below which everything is done.
    pub(super) fn mark(&self) -> u64 {
        self.ranges.get(&0).copied().unwrap_or(0)
    }

    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.ranges.iter().map(|(begin, end)| *begin..*end)
    }

    pub(super) fn has(&self, number: u64) -> bool {
        let before = self.ranges.range(..=number).next_back();
        before.is_some_and(|(_, end)| *end > number)
    }

    pub(super) fn add(&mut self, range: Range<u64>) {
        let Range { mut start, mut end } = range;
        if start >= end {
            return;
        }
        // Most often, the last range grows.
        if let Some(mut last) = self.ranges.last_entry()
            && (*last.key()..=*last.get()).contains(&start)
        {
            let finish = last.get_mut();
            *finish = end.max(*finish);
            return;
        }
        while let Some((&begin, &finish)) = self.ranges.range(..=end).next_back() {
            if finish < start {
                break;
            }
            self.ranges.remove(&begin);
            start = start.min(begin);
            end = end.max(finish);
        }
        self.ranges.insert(start, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_known_in_whatever_order_it_was_done() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut done, mut plain) = (Done::default(), [false; 40]);
            for _ in 0..random.usize(1..30) {
                let start = random.usize(..40);
                let end = random.usize(start..=(start + 4).min(40));
                done.add(start as u64..end as u64);
                plain[start..end].fill(true);
                for (number, expected) in plain.iter().enumerate() {
                    assert_eq!(done.has(number as u64), *expected, "{seed}: {done:?}");
                }
                let mark = plain.iter().position(|it| !it).unwrap_or(40);
                assert_eq!(done.mark(), mark as u64, "{seed}: {done:?}");
                assert_eq!(done, Done::from_ranges(done.ranges()));
            }
        }
    }
}
