//! Whatever the network does, each record is accepted and was delivered, or is dead and was at fault, or was
//! given up at a deadline.

use std::time::Duration;

use pipeline_shipper::{Outcome, Reason, Settings};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::world::{Trouble, World, line, millis, secs};

fn any_trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        3 => Just(Trouble::None),
        1 => Just(Trouble::NotSent),
        1 => Just(Trouble::ResetBefore),
        1 => Just(Trouble::ResetAfter),
        1 => Just(Trouble::Lost),
        1 => Just(Trouble::Response(503, "busy", None)),
        1 => Just(Trouble::Response(429, "slow down", Some(3))),
        1 => Just(Trouble::Response(500, "E9000: failed", None)),
        1 => Just(Trouble::Response(413, "", None)),
    ]
}

/// Records: whether they are bad, and their sizes.
fn any_records() -> impl Strategy<Value = Vec<(bool, usize)>> {
    vec((prop::bool::weighted(0.1), 0..400_usize), 1..60)
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let sizes = (1..20_usize, 50..2000_usize, 1..5_usize, 500..20_000_usize);
    let rates = (select(vec![0, 1, 50]), select(vec![0, 700, 100_000]));
    (sizes, any::<bool>(), rates, 0..3000_u64, any::<u64>()).prop_map(
        |((records, bytes, in_flight, memory), ordered, rates, linger, seed)| {
            Settings::new()
                .batch_records(records)
                .batch_bytes(bytes)
                .in_flight(in_flight)
                .memory(memory)
                .ordered(ordered)
                .requests_per_second(rates.0)
                .bytes_per_second(rates.1)
                .linger(millis(linger))
                .seed(seed)
        },
    )
}

fn any_latencies() -> impl Strategy<Value = Vec<Duration>> {
    vec((0..5000_u64).prop_map(millis), 1..5)
}

/// Pushes all of them, with time in between where there is no room.
fn push_patiently(world: &mut World, records: &[(bool, usize)]) {
    for (id, (is_bad, size)) in (0..).zip(records) {
        let line = line(id, *is_bad, *size);
        let mut tries = 0;
        while world.push(id, &line).is_err() {
            world.pass(millis(500));
            tries += 1;
            assert!(tries < 100_000, "there is never room");
        }
    }
}

proptest! {
    #[test]
    fn every_record_gets_the_one_verdict_that_is_true(
        records in any_records(),
        settings in any_settings(),
        troubles in vec(any_trouble(), 0..80),
        latencies in any_latencies(),
        max_body in 250..5000_usize,
    ) {
        let ordered = format!("{settings:?}").contains("ordered: true");
        let repeats = troubles.iter().any(|it| matches!(it, Trouble::ResetAfter | Trouble::Lost));
        let spurious = troubles.iter().filter(|it| matches!(it, Trouble::Response(413, ..))).count();
        // A passing 413 is believed after some in a row; or at once, after true ones for what is no larger.
        let are_true = records.iter().map(|(_, size)| size + 20).sum::<usize>() > max_body;
        let is_believed = spurious >= 5 || spurious > 0 && are_true;
        let mut world = World::new(settings).troubles(troubles).latencies(latencies);
        world.queue.max_body = max_body;
        push_patiently(&mut world, &records);
        world.close(Duration::MAX);
        prop_assert_eq!(world.verdicts.len(), records.len());
        for (id, (is_bad, size)) in (0..).zip(&records) {
            let verdict = &world.verdicts[&id];
            let line = line(id, *is_bad, *size);
            let delivered = world.queue.records.iter().filter(|it| **it == id).count();
            match &verdict.outcome {
                Outcome::Accepted => {
                    prop_assert!(!is_bad && delivered >= 1);
                    prop_assert!(delivered == 1 || repeats);
                    prop_assert!(verdict.line.is_empty());
                }
                Outcome::Dead(Reason::Refused(error)) => {
                    prop_assert!(*is_bad || line.len() + 1 > max_body || is_believed);
                    prop_assert!(error.status().is_some());
                    prop_assert_eq!(&verdict.line[..line.len()], line.as_bytes());
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        if ordered {
            prop_assert_eq!(world.most_in_flight, 1);
            let mut first = world.queue.records.clone();
            let mut seen = std::collections::BTreeSet::new();
            first.retain(|id| seen.insert(*id));
            prop_assert!(first.is_sorted(), "{first:?}");
        }
    }

    #[test]
    fn memory_stays_below_its_limit_whatever_the_service_does(
        records in any_records(),
        settings in any_settings(),
        troubles in vec(any_trouble(), 0..80),
        latencies in any_latencies(),
    ) {
        let largest = 400 + 64;
        let mut world = World::new(settings.memory(2000)).troubles(troubles).latencies(latencies);
        push_patiently(&mut world, &records);
        world.run();
        prop_assert!(world.most_memory <= 2000.max(largest));
        prop_assert!(world.most_in_flight <= 4);
    }

    #[test]
    fn k_bad_of_n_cost_no_more_requests_than_promised_and_keep_the_order_of_the_rest(
        n in 1..300_u64,
        bad in vec(any::<prop::sample::Index>(), 0..8),
        in_flight in 1..4_usize,
        too_large in any::<bool>(),
    ) {
        let length = usize::try_from(n).unwrap();
        let bad: std::collections::BTreeSet<u64> =
            bad.iter().map(|index| u64::try_from(index.index(length)).unwrap()).collect();
        let ordered = in_flight == 1;
        let mut world = World::new(Settings::new().in_flight(in_flight).ordered(ordered));
        world.queue.max_body = 90 << 10;
        for id in 0..n {
            let (is_bad, size) = match bad.contains(&id) {
                true if too_large => (false, 100 << 10),
                is_bad => (is_bad, 0),
            };
            world.push(id, &line(id, is_bad, size)).unwrap();
        }
        world.close(Duration::MAX);
        let dead = world.ids(|outcome| matches!(outcome, Outcome::Dead(Reason::Refused(_))));
        prop_assert_eq!(dead, bad.iter().copied().collect::<Vec<_>>());
        let k = bad.len();
        let depth = usize::try_from(n.next_power_of_two().ilog2()).unwrap();
        prop_assert!(world.sent.len() <= 2 * k * (depth + 1) + 1, "{} requests", world.sent.len());
        let rest: Vec<u64> = (0..n).filter(|id| !bad.contains(id)).collect();
        let mut accepted = world.queue.records.clone();
        if !ordered {
            accepted.sort_unstable();
        }
        prop_assert_eq!(accepted, rest);
    }

    #[test]
    fn closing_ends_in_time_and_hands_every_record_back(
        records in any_records(),
        settings in any_settings(),
        troubles in vec(any_trouble(), 0..80),
        latencies in any_latencies(),
        (before, time) in (0..9000_u64, 0..9000_u64),
    ) {
        let mut world = World::new(settings.memory(1 << 20)).troubles(troubles).latencies(latencies);
        push_patiently(&mut world, &records);
        world.pass(millis(before));
        let start = world.now;
        world.shipper.close(millis(time), world.now);
        world.pass(millis(time));
        prop_assert!(world.now.since(start) <= millis(time));
        prop_assert_eq!(world.verdicts.len(), records.len());
        for (id, verdict) in &world.verdicts {
            match verdict.outcome {
                Outcome::Accepted => prop_assert!(world.queue.records.contains(id)),
                Outcome::GivenUp(Reason::Closed(_)) | Outcome::Dead(Reason::Refused(_)) => {
                    prop_assert!(!verdict.line.is_empty());
                }
                _ => prop_assert!(false, "{verdict:?}"),
            }
        }
        // Late responses change nothing.
        world.run();
        prop_assert_eq!(world.verdicts.len(), records.len());
        prop_assert_eq!(world.books().pending, pipeline_shipper::Count::default());
    }

    #[test]
    fn a_deadline_comes_neither_early_nor_much_too_late(
        pauses in vec(0..4000_u64, 1..20),
        troubles in vec(any_trouble(), 0..200),
    ) {
        let deadline = secs(20);
        let settings = Settings::new().deadline(deadline).batch_records(3).linger(secs(1));
        let mut world = World::new(settings).troubles(troubles);
        let mut taken = Vec::new();
        for (id, pause) in (0..).zip(&pauses) {
            taken.push(world.now);
            world.push(id, &line(id, false, 0)).unwrap();
            world.pass(millis(*pause));
            for (id, taken) in (0..).zip(&taken) {
                let age = world.now.since(*taken);
                let verdict = world.verdicts.get(&id);
                // The linger, and one attempt.
                prop_assert!(verdict.is_some() || age <= deadline + secs(1) + millis(10));
                let given_up = verdict.is_some_and(|it| matches!(it.outcome, Outcome::GivenUp(_)));
                prop_assert!(!given_up || age >= deadline);
            }
        }
        world.run();
        prop_assert_eq!(world.verdicts.len(), pauses.len());
    }
}
