use std::time::Duration;

/// All chance of a run comes from streams of it, one for each thing that needs some: so leaving out
/// one thing does not change what happens to the others.
#[derive(Debug, Clone)]
pub(super) struct Rng(fastrand::Rng);

impl Rng {
    /// The stream of the thing with these coordinates.
    pub(super) fn of(coordinates: &[u64]) -> Self {
        let rng = Self(fastrand::Rng::with_seed(0));
        coordinates.iter().fold(rng, |mut rng, coordinate| {
            Self(fastrand::Rng::with_seed(rng.next() ^ coordinate))
        })
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.u64(..end)
    }

    /// As [`below`](Self::below), for small numbers.
    pub(super) fn small(&mut self, end: u8) -> u8 {
        self.0.u8(..end)
    }

    /// Happens so many times out of a thousand.
    pub(super) fn chance(&mut self, per_mille: u16) -> bool {
        self.0.u16(..1000) < per_mille
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.0.usize(..from.len())]
    }

    /// A duration between the two, in whole milliseconds, both included.
    pub(super) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let span = millis(most).saturating_sub(millis(least));
        least + Duration::from_millis(self.0.u64(..=span))
    }

    /// A duration of any order of magnitude up to `most`: as likely below a second as above an hour.
    pub(super) fn magnitude(&mut self, most: Duration) -> Duration {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
        let bound = 2_u64.saturating_pow(self.0.u32(..=millis.ilog2()) + 1);
        Duration::from_millis(self.below(bound).min(millis))
    }

    /// A number between `-most` and `most`.
    pub(super) fn around_zero(&mut self, most: u32) -> i64 {
        let most = i64::from(most);
        self.0.i64(-most..=most)
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
    fn durations_are_of_all_magnitudes() {
        let (mut rng, hour) = (Rng::of(&[7]), Duration::from_secs(3600));
        let lengths: Vec<_> = (0..200).map(|_| rng.magnitude(hour)).collect();
        assert!(lengths.iter().all(|d| *d <= hour));
        assert!(lengths.iter().any(|d| d.as_millis() < 100));
        assert!(lengths.iter().any(|d| d.as_secs() > 600));
    }
}
