use std::time::Duration;

/// SplitMix64. All chance of a run comes from streams of it, one for each thing that needs some:
/// so leaving out one thing does not change what happens to the others.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// The stream of the thing with these coordinates.
    pub(super) fn of(coordinates: &[u64]) -> Self {
        let mut rng = Self(0);
        for coordinate in coordinates {
            rng.0 ^= *coordinate;
            rng.0 = rng.next();
        }
        rng
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0. The bias of the remainder does not matter here.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// As [`below`](Self::below), for small numbers.
    pub(super) fn small(&mut self, end: u8) -> u8 {
        u8::try_from(self.below(u64::from(end))).unwrap_or(0)
    }

    /// Happens so many times out of a thousand.
    pub(super) fn chance(&mut self, per_mille: u16) -> bool {
        self.below(1000) < u64::from(per_mille)
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let end = u64::try_from(from.len()).unwrap_or(1);
        &from[usize::try_from(self.below(end)).unwrap_or(0)]
    }

    /// A duration between the two, in whole milliseconds, both included.
    pub(super) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let span = millis(most).saturating_sub(millis(least));
        least + Duration::from_millis(self.below(span + 1))
    }

    /// A duration of any order of magnitude up to `most`: as likely below a second as above an hour.
    pub(super) fn magnitude(&mut self, most: Duration) -> Duration {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
        let bits = u64::from(millis.ilog2());
        let bound = 1_u64 << self.below(bits + 1);
        Duration::from_millis(self.below(bound.saturating_mul(2)).min(millis))
    }

    /// A number between `-most` and `most`.
    pub(super) fn around_zero(&mut self, most: u32) -> i64 {
        let distance = i64::try_from(self.below(u64::from(most) * 2 + 1)).unwrap_or(0);
        distance - i64::from(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_reproducible_and_differ() {
        let first = |coordinates: &[u64]| Rng::of(coordinates).next();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[1]), first(&[1, 0]));
    }

    #[test]
    fn bounds_are_kept_and_reached() {
        let mut rng = Rng::of(&[7]);
        let (least, most) = (Duration::from_millis(3), Duration::from_millis(5));
        let drawn: Vec<_> = (0..200).map(|_| rng.between(least, most)).collect();
        assert!(drawn.contains(&least) && drawn.contains(&most));
        assert!(drawn.iter().all(|d| (least..=most).contains(d)));
        let numbers: Vec<_> = (0..200).map(|_| rng.around_zero(2)).collect();
        assert!(numbers.iter().all(|n| (-2..=2).contains(n)));
        assert!(numbers.contains(&-2) && numbers.contains(&2));
        let hour = Duration::from_secs(3600);
        let lengths: Vec<_> = (0..200).map(|_| rng.magnitude(hour)).collect();
        assert!(lengths.iter().all(|d| *d <= hour));
        assert!(lengths.iter().any(|d| d.as_millis() < 100));
        assert!(lengths.iter().any(|d| d.as_secs() > 600));
        assert!(!(0..200).any(|_| rng.chance(0)) && (0..200).all(|_| rng.chance(1000)));
    }
}
