//! When requests are made, and when not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use pipeline_shipper::{Event, Settings, Step, WhyNot};

use crate::world::{Trouble, World, line, millis, secs};

#[test]
fn a_batch_goes_when_it_is_full_in_records_or_bytes_or_when_the_linger_is_over() {
    let sizes = |settings: Settings, ids: u64, size: usize, time| {
        let mut world = World::new(settings.in_flight(9));
        for id in 0..ids {
            world.push(id, &line(id, false, size)).unwrap();
        }
        world.pass(time);
        world.queue.requests
    };
    let settings = Settings::new;
    assert_eq!(
        sizes(settings().batch_records(3), 7, 0, millis(999)),
        [3, 3]
    );
    assert_eq!(sizes(settings().batch_records(3), 7, 0, secs(1)), [3, 3, 1]);
    assert_eq!(
        sizes(settings().batch_bytes(100), 7, 50, millis(999)),
        [2, 2, 2]
    );
    // One more byte does not fit beside another.
    assert_eq!(
        sizes(settings().batch_bytes(100), 3, 51, millis(999)),
        [1, 1]
    );
    // What is larger than a batch goes alone.
    assert_eq!(
        sizes(settings().batch_bytes(100), 2, 500, millis(999)),
        [1, 1]
    );
    assert_eq!(sizes(settings().linger(millis(5)), 4, 0, millis(5)), [4]);
    // What may be held for a second does not gather for ten.
    let short = settings().linger(secs(10)).deadline(secs(1));
    assert_eq!(sizes(short, 4, 0, millis(500)), [4]);
    assert_eq!(sizes(settings(), 10_001, 0, millis(999)), [10_000]);
    let full = sizes(settings(), 3, 1 << 20, millis(999));
    assert_eq!(full, [2]);
    // A setting above the service's limit is no use.
    assert_eq!(
        sizes(settings().batch_bytes(9 << 20), 5, 1 << 20, millis(999)),
        [2, 2]
    );
}

#[test]
fn requests_share_one_back_off_and_one_of_them_asks_whether_it_is_over() {
    let busy = Trouble::Response(503, "busy", Some(7));
    let mut world = World::new(Settings::new().batch_records(1).in_flight(4));
    world.troubles = vec![busy; 5].into();
    world.push_all(0..8, |_| false);
    world.run();
    let start = world.sent[0];
    let sent: Vec<_> = world
        .sent
        .iter()
        .map(|at| at.as_millis() - start.as_millis())
        .collect();
    // Four at once fail, and after 7 s one alone, and after 7 s more one alone, which succeeds.
    assert_eq!(sent[..6], [0, 0, 0, 0, 7010, 14_020]);
    assert!(sent[6..10].iter().all(|at| *at == 14_030), "{sent:?}");
    assert_eq!((sent.len(), world.queue.records.len()), (13, 8));
    assert_eq!(world.books().retries, 5);
}

#[test]
fn what_fails_at_the_same_time_counts_as_one_failure_and_the_longest_wait_holds() {
    for seed in 0..50 {
        let settings = Settings::new().batch_records(1).in_flight(4).seed(seed);
        let mut world = World::new(settings);
        world.troubles = vec![Trouble::NotSent; 4].into();
        world.push_all(0..4, |_| false);
        world.run();
        assert!(world.sent[4] <= world.sent[0] + millis(10 + 200));
    }
    let mut world = World::new(Settings::new().batch_records(1));
    world.troubles = [Trouble::Response(503, "busy", Some(7)), Trouble::NotSent].into();
    world.push_all(0..2, |_| false);
    world.run();
    assert_eq!(world.sent[2], world.sent[0] + secs(7) + millis(10));
}

#[test]
fn a_success_of_a_request_that_was_sent_before_a_failure_does_not_end_the_back_off() {
    let settings = Settings::new().batch_records(1);
    let mut world = World::new(settings).latencies(vec![millis(10), millis(50), millis(10)]);
    world.troubles = [Trouble::Response(503, "busy", Some(1))].into();
    world.push_all(0..5, |_| false);
    world.run();
    let start = world.sent[0];
    assert_eq!(world.sent[2], start + millis(1010));
    // The one that asks whether the service is back is alone.
    assert_eq!(world.sent[3], start + millis(1020));
    assert_eq!(world.sent[4], start + millis(1020));
}

#[test]
fn waits_double_up_to_their_limit_and_begin_anew_after_a_success() {
    let delays = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&delays);
    let settings = Settings::new()
        .ordered(true)
        .observer(move |event| match event {
            Event::BackOff { delay, .. } => told.lock().unwrap().push(*delay),
            Event::Accepted { .. } => told.lock().unwrap().push(Duration::MAX),
            _ => {}
        });
    let mut world = World::new(settings.batch_records(1));
    world.troubles = vec![Trouble::NotSent; 40].into();
    world.troubles.push_back(Trouble::None);
    world.troubles.push_back(Trouble::NotSent);
    world.push_all(0..2, |_| false);
    world.run();
    let delays = delays.lock().unwrap();
    assert_eq!(delays.len(), 43);
    for (at, delay) in delays[..40].iter().enumerate() {
        let bound = millis(200 << at.min(20)).min(secs(30));
        assert!(*delay <= bound, "{delay:?} is more than {bound:?}");
    }
    assert!(delays[..40].iter().any(|delay| *delay > secs(20)));
    assert!(delays[41] <= millis(200), "{:?}", delays[41]);
}

#[test]
fn a_batch_that_always_fails_holds_up_the_others_only_where_order_matters() {
    for (ordered, accepted) in [(true, vec![]), (false, vec![1, 2, 3])] {
        let mut world = World::new(Settings::new().ordered(ordered).batch_records(1));
        world.queue.poison = Some(0);
        world.push_all(0..4, |_| false);
        world.pass(secs(60));
        assert_eq!(world.queue.records, accepted);
        assert_eq!(
            world.books().pending.records,
            4 - world.books().accepted.records
        );
    }
}

#[test]
fn rates_hold_over_any_span_of_time() {
    for (settings, most) in [
        (Settings::new().requests_per_second(5), 5),
        // Thirds of a second are rounded up.
        (Settings::new().requests_per_second(3), 3),
        (Settings::new().bytes_per_second(500), 5),
    ] {
        let mut world = World::new(settings.batch_bytes(100).in_flight(9));
        for id in 0..60 {
            world.push(id, &line(id, false, 50)).unwrap();
        }
        world.run();
        assert_eq!(world.sent.len(), 30);
        for first in &world.sent {
            let second = *first..*first + secs(1);
            let within = world.sent.iter().filter(|at| second.contains(at));
            assert!(within.count() <= most);
        }
        // And they are made use of.
        let whole = secs(30) / u32::try_from(most).unwrap();
        assert!(world.sent[29] <= world.sent[0] + whole);
    }
}

#[test]
fn a_full_shipper_says_when_to_come_again() {
    let mut world = World::new(Settings::new().memory(1000).in_flight(1));
    let busy = Trouble::Response(503, "busy", Some(7));
    world.troubles = [busy].into();
    let mut id = 0;
    let full = |world: &mut World, id: &mut u64| loop {
        match world.push(*id, &line(*id, false, 100)) {
            Ok(()) => *id += 1,
            Err(refused) => {
                assert_eq!(refused.id, *id);
                break refused.why;
            }
        }
    };
    // What gathers goes at once, although its linger is not over.
    assert_eq!(full(&mut world, &mut id), WhyNot::Full(Duration::ZERO));
    assert!(id > 5);
    world.pass(millis(10));
    assert_eq!(full(&mut world, &mut id), WhyNot::Full(secs(7)));
    world.pass(secs(7) + millis(10));
    let taken = id;
    full(&mut world, &mut id);
    assert_eq!(id, 2 * taken);
    assert!(world.most_memory <= 1000);
    // A record that is larger than all of it can be taken all the same, when nothing else is there.
    world.run();
    world.push(id, &line(id, false, 5000)).unwrap();
    world.close(secs(9));
    assert_eq!(world.queue.records.len(), usize::try_from(id).unwrap() + 1);
}

#[test]
fn a_flush_waits_for_all_that_was_taken_before_and_for_nothing_else() {
    let mut world = World::new(Settings::new()).latencies(vec![secs(1)]);
    world.push_all(0..3, |id| id == 1);
    let flush = world.shipper.flush();
    world.pass(millis(500));
    world.push_all(3..6, |_| false);
    let later = world.shipper.flush();
    assert!(!world.shipper.is_flushed(flush));
    world.pass(secs(2));
    assert!(!world.shipper.is_flushed(flush), "the halves are under way");
    world.run();
    assert!(world.shipper.is_flushed(flush) && world.shipper.is_flushed(later));
    assert_eq!(world.verdicts.len(), 6);
    // What is being told has not been told.
    world.push_all(6..7, |_| false);
    let flush = world.shipper.flush();
    let Step::Push(push) = world.shipper.poll(world.now) else {
        panic!("it is due");
    };
    world.shipper.on_result(push, Ok(()), world.now);
    assert!(!world.shipper.is_flushed(flush));
    let Step::Settled(verdicts) = world.shipper.poll(world.now) else {
        panic!("it is settled");
    };
    assert!(!world.shipper.is_flushed(flush));
    world.shipper.on_told(verdicts);
    assert!(world.shipper.is_flushed(flush));
}

#[test]
fn observers_are_told_what_becomes_of_batches() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&lines);
    let settings = Settings::new().observer(move |event| {
        told.lock().unwrap().push(match event {
            Event::Accepted {
                count, attempts, ..
            } => {
                format!("{} accepted by {attempts}", count.records)
            }
            Event::Halved { count, error, .. } => format!("{} halved: {error}", count.records),
            Event::BackOff { count, delay, .. } => format!("{} in {delay:?}", count.records),
            Event::Dead { count, error, .. } => format!("{} dead: {error}", count.records),
            other => format!("{other:?}"),
        });
    });
    let mut world = World::new(settings.in_flight(1));
    world.troubles = [Trouble::Response(503, "busy", Some(2))].into();
    world.push_all(0..3, |id| id == 0);
    world.run();
    let why = "push_points: E18110, a value does not have the format of its field's type: no long \
               (HTTP 400, request r1)";
    assert_eq!(
        *lines.lock().unwrap(),
        [
            "3 in 2s",
            &format!("3 halved: {why}"),
            &format!("1 dead: {why}"),
            "2 accepted by 1",
        ]
    );
}

#[test]
#[cfg(feature = "gzip")]
fn requests_carry_tags_and_are_compressed_as_asked() {
    use pipeline_proto::{Call, Context, resource::push::Tags};

    let tags = Tags::new([("k", "v")]).unwrap();
    let mut world = World::new(Settings::new().tags(tags.clone()).gzip(9));
    world.push_all(0..1000, |_| false);
    world.shipper.flush();
    let Step::Push(push) = world.shipper.poll(world.now) else {
        panic!("it is due");
    };
    assert!(push.takes_time());
    let context = Context::builder().build();
    let call = Call::new(&context, push.operation(), push.options()).unwrap();
    let attempt = call.start(world.now);
    let (uri, body) = (attempt.request().uri(), attempt.request().body());
    assert!(body.starts_with(&[0x1f, 0x8b]) && body.len() < 4000);
    assert_eq!(uri.query(), Some(&*format!("tags={tags}")));
}

#[test]
fn an_idle_shipper_waits_for_ever_and_news_wakes_it_once() {
    let mut world = World::new(Settings::new());
    assert!(matches!(world.shipper.poll(world.now), Step::Wait(None)));
    assert!(!world.shipper.take_news());
    world.push_all(0..2, |_| false);
    assert!(world.shipper.take_news());
    assert!(!world.shipper.take_news());
    let Step::Wait(Some(delay)) = world.shipper.poll(world.now) else {
        panic!("the linger ends");
    };
    assert_eq!(delay, secs(1));
    // A second record in the same batch changes nothing that anybody waits for.
    world.push_all(2..3, |_| false);
    assert!(!world.shipper.take_news());
    assert_eq!(world.books().lag, Duration::ZERO);
    world.pass(millis(300));
    assert_eq!(world.books().lag, millis(300));
    world.close(Duration::MAX);
    assert_eq!(world.books().lag, Duration::ZERO);
}

#[test]
fn a_close_does_not_wait_for_a_field_to_become_known() {
    let unknown = Trouble::Response(404, "E18111: no such field", None);
    let mut world = World::new(Settings::new()).troubles([unknown]);
    world.shipper.schema_changed(world.now);
    world.push_all(0..1, |_| false);
    world.shipper.flush();
    world.pass(millis(100));
    world.close(millis(500));
    assert_eq!(world.queue.records, [0]);
}
