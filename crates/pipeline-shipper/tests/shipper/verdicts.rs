//! What becomes of records, by what the service says.

use pipeline_proto::{ErrorCode, RetryPolicy};
use pipeline_shipper::{Outcome, Reason, Settings, Verdict, WhyNot};

use crate::world::{Trouble, World, line, millis, secs};

fn is_dead(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Dead(_))
}

#[test]
fn a_bad_record_stands_alone_with_its_reason_and_the_rest_goes_through() {
    let mut world = World::new(Settings::new());
    world.push_all(0..100, |id| id == 17);
    world.close(secs(60));
    assert_eq!(world.ids(is_dead), [17]);
    let dead = &world.verdicts[&17];
    let Some(Reason::Refused(error)) = dead.reason() else {
        panic!("it was refused");
    };
    assert_eq!(error.code(), Some(ErrorCode::INVALID_FIELD_FORMAT));
    let api = dead.reason().unwrap().api().unwrap();
    assert_eq!((api.message(), api.request_id()), ("no long", Some("r1")));
    assert_eq!(dead.line, "id=17\tbad=x\n");
    assert_eq!(world.queue.records.len(), 99);
    // As many as it takes: one more for each halving of 100, 50, 25, 12 or 13 … 1.
    assert!(world.queue.requests.len() <= 2 * (7 + 1) + 1);
}

/// For each response to the first request: how many records end dead, and after how many requests.
#[test]
fn each_refusal_ends_in_the_verdict_that_fits() {
    use Trouble::{Lost, NotSent, ResetAfter, ResetBefore, Response};
    for (trouble, dead, requests) in [
        (Response(200, "", None), 0, 1),
        // The halves are welcome.
        (Response(400, "E18110: bad", None), 0, 3),
        (Response(404, "E18111: no such field", None), 0, 3),
        (Response(400, "E18123: does not fit", None), 0, 3),
        (Response(400, "E18125: no gzip", None), 0, 3),
        // It passes.
        (Response(500, "E9000: failed", None), 0, 2),
        (Response(503, "busy", Some(3)), 0, 2),
        (Response(429, "slow down", None), 0, 2),
        // Four small records are not too large.
        (Response(413, "", None), 0, 2),
        (Response(413, "E18005: too large", Some(3)), 0, 2),
        (Response(202, "E18124: being created", None), 0, 2),
        // A success that says otherwise is none.
        (Response(200, "E9000: failed", None), 0, 2),
        (NotSent, 0, 2),
        (ResetBefore, 0, 2),
        (ResetAfter, 0, 2),
        (Lost, 0, 2),
        // It does not.
        (Response(401, "bad token", None), 4, 1),
        (Response(403, "no permission", None), 4, 1),
        (Response(404, "E18102: no such repo", None), 4, 1),
        (Response(200, "E18102: no such repo", None), 4, 1),
        (Response(400, "E18223: of a transform", None), 4, 1),
    ] {
        let mut world = World::new(Settings::new()).troubles([trouble.clone()]);
        world.push_all(0..4, |_| false);
        world.run();
        assert_eq!(world.ids(is_dead).len(), dead, "{trouble:?}");
        assert_eq!(world.sent.len(), requests, "{trouble:?}");
        assert_eq!(world.verdicts.len(), 4, "{trouble:?}");
        let not_welcome = world.verdicts[&0].reason();
        assert_eq!(
            matches!(not_welcome, Some(Reason::NotWelcome(_))),
            dead > 0,
            "{trouble:?}"
        );
    }
}

#[test]
fn a_permanent_refusal_holds_nothing_up_and_is_held_on_request() {
    let refused = Trouble::Response(401, "bad token", None);
    let mut world = World::new(Settings::new().in_flight(1).batch_records(1));
    world.troubles = [refused.clone()].into();
    world.push_all(0..2, |_| false);
    world.pass(millis(20));
    assert_eq!(world.ids(is_dead), [0]);
    assert_eq!(world.queue.records, [1]);

    let mut world = World::new(Settings::new().hold_refused(true));
    world.troubles = vec![refused; 50].into();
    world.push_all(0..2, |_| false);
    world.run();
    assert_eq!((world.sent.len(), world.queue.records.len()), (51, 2));
}

#[test]
fn what_can_never_be_sent_is_dead_at_once_and_costs_no_request() {
    let mut world = World::new(Settings::new().memory(64 << 20));
    let limit = 2 << 20;
    world.push(0, &line(0, false, limit + 1)).unwrap();
    world.push(1, "two=1\nlines=2").unwrap();
    world.push(2, "").unwrap();
    world.push(3, "\n").unwrap();
    world.push(4, &line(4, false, limit)).unwrap();
    world.push(5, "id=5\n").unwrap();
    world.close(secs(9));
    assert_eq!(world.ids(is_dead), [0, 1, 2, 3]);
    assert_eq!(world.queue.requests, [1, 1]);
    let reason = |id| world.verdicts[&id].reason().unwrap().to_string();
    assert_eq!(reason(0), "it has 2097153 bytes, and 2097152 are allowed");
    assert_eq!(reason(1), "it is not one line of text");
    assert_eq!(world.verdicts[&1].line, "two=1\nlines=2\n");
}

/// How many requests were made, and which records are dead, when so many requests are refused for their size.
fn refused_for_size(world: &mut World, id: u64, size: usize, times: usize) -> (usize, Vec<u64>) {
    world.troubles = vec![Trouble::Response(413, "", None); times].into();
    let before = world.sent.len();
    world.push(id, &line(id, false, size)).unwrap();
    world.run();
    world.troubles.clear();
    (world.sent.len() - before, world.ids(is_dead))
}

#[test]
fn a_small_record_alone_is_believed_to_be_too_large_only_after_some_attempts() {
    let mut world = World::new(Settings::new().memory(64 << 20));
    assert_eq!(refused_for_size(&mut world, 0, 99, 4), (5, vec![]));
    assert_eq!(refused_for_size(&mut world, 1, 99, 5), (5, vec![1]));
    let reason = world.verdicts[&1].reason().unwrap();
    let Reason::Refused(error) = reason else {
        panic!("{reason}");
    };
    assert_eq!(error.status().map(|status| status.as_u16()), Some(413));
    // Then the next is, and a smaller one not yet.
    assert_eq!(refused_for_size(&mut world, 2, 99, 9), (1, vec![1, 2]));
    assert_eq!(refused_for_size(&mut world, 3, 20, 1), (2, vec![1, 2]));
    // Until enough that is no smaller was accepted.
    for id in 4..20 {
        assert_eq!(refused_for_size(&mut world, id, 99, 0).0, 1);
    }
    assert_eq!(refused_for_size(&mut world, 20, 99, 1), (2, vec![1, 2]));
    // What may well be too large is not sent again as it is.
    let large = 65 << 10;
    assert_eq!(
        refused_for_size(&mut world, 21, large, 1),
        (1, vec![1, 2, 21])
    );
}

#[test]
fn a_limit_on_the_way_that_stays_costs_ever_fewer_refusals_and_one_in_passing_is_grown_out_of() {
    // One request at a time, of records of 100 KiB: how large each is.
    for (max_body, records, troubles, expected) in [
        (
            1 << 20,
            260,
            0,
            [&[20][..], &[10; 8], &[20], &[10; 16], &[20], &[10; 2]].concat(),
        ),
        (2 << 20, 400, 1, [&[10; 8][..], &[20; 16]].concat()),
    ] {
        let settings = Settings::new().in_flight(1).memory(64 << 20);
        let mut world =
            World::new(settings).troubles(vec![Trouble::Response(413, "", None); troubles]);
        world.queue.max_body = max_body;
        for id in 0..records {
            world.push(id, &line(id, false, 100 << 10)).unwrap();
        }
        world.close(secs(600));
        assert_eq!(world.queue.requests, expected);
        assert!(world.verdicts.values().all(Verdict::is_accepted));
    }
}

#[test]
fn a_deadline_gives_up_what_it_was_set_for_and_says_what_was_in_the_way() {
    let busy = Trouble::Response(503, "busy", None);
    let back_off = RetryPolicy::default().max_delay(secs(1));
    let settings = Settings::new().deadline(secs(10)).back_off(back_off);
    let mut world = World::new(settings.batch_records(1));
    world.troubles = vec![busy; 1000].into();
    world.push_all([0], |_| false);
    world.pass(secs(5));
    world.push_all([1], |_| false);
    world.pass(secs(5) + millis(20));
    let Some(Reason::Deadline(Some(error))) = world.verdicts[&0].reason() else {
        panic!("its deadline has passed");
    };
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
    assert!(!world.verdicts.contains_key(&1));
    world.troubles.clear();
    world.run();
    assert!(world.verdicts[&1].is_accepted());
}

#[test]
fn no_record_is_given_up_because_it_travels_with_an_older_one() {
    let mut world = World::new(Settings::new().deadline(secs(10)));
    world.troubles = vec![Trouble::Response(503, "busy", Some(300)); 9].into();
    world.push_all([0], |_| false);
    world.pass(millis(900));
    world.push_all([1], |_| false);
    world.pass(millis(9999));
    assert!(world.verdicts.is_empty());
    world.pass(millis(1));
    assert_eq!(world.verdicts.len(), 2);
}

#[test]
fn of_several_times_to_close_the_shortest_counts() {
    for times in [[2, 9], [9, 2]] {
        let mut world = World::new(Settings::new()).latencies(vec![secs(20)]);
        world.push_all([0], |_| false);
        for time in times {
            world.shipper.close(secs(time), world.now);
        }
        world.pass(millis(1999));
        assert!(world.verdicts.is_empty());
        world.pass(millis(1));
        assert_eq!(world.verdicts.len(), 1);
    }
}

#[test]
fn closing_in_a_back_off_tries_once_and_gives_the_rest_back_in_time() {
    let busy = Trouble::Response(503, "busy", Some(300));
    let mut world = World::new(Settings::new().batch_records(2));
    world.troubles = vec![busy; 1000].into();
    world.push_all(0..5, |_| false);
    world.pass(secs(1));
    let requests = world.sent.len();
    let before = world.now;
    world.close(secs(2));
    assert_eq!(world.sent.len(), requests + 1);
    assert!(world.now.since(before) < secs(2));
    assert_eq!(world.verdicts.len(), 5);
    for verdict in world.verdicts.values() {
        assert!(matches!(
            verdict.outcome,
            Outcome::GivenUp(Reason::Closed(_))
        ));
        assert_eq!(verdict.line, format!("{}\n", line(verdict.id, false, 0)));
    }
    let refused = world.push(9, "id=9").unwrap_err();
    assert_eq!((refused.id, refused.why), (9, WhyNot::Closed));
}

#[test]
fn a_request_in_flight_at_the_end_is_given_up_and_its_late_response_changes_nothing() {
    let mut world = World::new(Settings::new().batch_records(1)).latencies(vec![secs(20)]);
    world.push_all([0], |_| false);
    world.pass(millis(1));
    world.close(secs(2));
    assert_eq!(world.queue.records, [0]);
    let outcome = &world.verdicts[&0].outcome;
    assert!(matches!(outcome, Outcome::GivenUp(Reason::Closed(None))));
    assert_eq!(world.books().given_up.records, 1);
}
