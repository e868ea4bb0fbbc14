//! Records without a schema: what becomes of the queue, and of each of them.

use std::time::Duration;

use pipeline_proto::WorkflowName;
use pipeline_shipper::{Outcome, Reason, SchemaFree, Settings, UnknownFields};

use crate::{
    service::{Bed, Flow},
    world::{Trouble, millis, secs},
};

fn free() -> SchemaFree {
    SchemaFree::new()
}

fn in_flow() -> SchemaFree {
    free()
        .workflow(WorkflowName::from_static("flow"))
        .may_stop(true)
}

/// What is pushed to an account with this queue, the queue that there is afterwards, and the verdicts.
#[test]
fn records_make_the_schema_that_they_need_and_fit_the_one_that_is_there() {
    let dead = |reason: &str| format!("dead: {reason}");
    let ok = || "accepted".to_owned();
    let cases: [(&str, &[&str], &str, Vec<String>); 12] = [
        // The types are those of all records, in whatever order they come.
        (
            "",
            &[r#"{"id":1,"r":1}"#, r#"{"id":2,"r":0.5}"#],
            "id long, r float",
            vec![ok(), ok()],
        ),
        ("", &[r#"{"id":"007"}"#], "id string", vec![ok()]),
        // What is there stays where it is, and as it is.
        (
            "b long, a long",
            &[r#"{"c":1,"a":2}"#],
            "b long, a long, c long",
            vec![ok()],
        ),
        (
            "a long",
            &[r#"{"a":"7"}"#, r#"{"a":7.0}"#],
            "a long",
            vec![ok(), ok()],
        ),
        // Nothing is narrowed in silence.
        (
            "a long",
            &[r#"{"a":7.5}"#, r#"{"a":"007"}"#],
            "a long",
            vec![
                dead("the field \"a\": a float that would lose something as a long"),
                dead("the field \"a\": a text that would lose something as a long"),
            ],
        ),
        (
            "a float",
            &[r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#],
            "a float",
            vec![
                dead("the field \"a\": an integer that would lose something as a float"),
                ok(),
            ],
        ),
        // A record that is dead for one field adds no other, and does not spoil the types of those that others add.
        (
            "a long",
            &[r#"{"a":"x","b":1,"c":"x"}"#, r#"{"a":1,"c":2}"#],
            "a long, c long",
            vec![
                dead("the field \"a\": a text that cannot be made a long"),
                ok(),
            ],
        ),
        // Keys become names, each another one.
        (
            "",
            &[r#"{"a-b":1,"a.b":2,"a_b":3,"1x":4,"":5}"#],
            "a_b_2 long, a_b_3 long, a_b long, K1x long, KEmptyPandoraAutoAdd long",
            vec![ok()],
        ),
        // A map grows inside.
        (
            "geo { lat float }",
            &[r#"{"geo":{"lat":1.5,"lon":2.5}}"#],
            "geo map",
            vec![ok()],
        ),
        // What the vendor's clients fail on: a batch is refused for none of these.
        (
            "",
            &[r#"{"a":[null],"b":[true],"c":[1,"x"]}"#],
            "a jsonstring, b array, c array",
            vec![ok()],
        ),
        (
            "",
            &["{}", r#"{"a":null}"#, "[1]", "nonsense", r#"{"a":1}"#],
            "a long",
            vec![
                dead("the record has no field with a value"),
                dead("the record has no field with a value"),
                dead("no JSON: invalid type: sequence, expected a map at line 1 column 0"),
                dead("no JSON: expected ident at line 1 column 2"),
                ok(),
            ],
        ),
        (
            "a { b long }",
            &[r#"{"a":{"b":"x","c":1}}"#],
            "a map",
            vec![dead("the field \"a.b\": a text that cannot be made a long")],
        ),
    ];
    for (schema, lines, expected, verdicts) in cases {
        let mut bed = Bed::new(schema, free());
        for (id, line) in (0..).zip(lines) {
            bed.push(0, id, line);
        }
        bed.run();
        assert_eq!(bed.service.schema(), expected, "{lines:?}");
        assert_eq!(bed.outcomes(), verdicts, "{lines:?}");
        assert_eq!(bed.service.blind_pushes, 0, "{lines:?}");
        bed.close(secs(1));
    }
}

/// The calls in each situation, as the facts list them, and none beyond.
#[test]
fn no_call_is_made_that_is_not_needed() {
    let one = r#"{"id":1}"#;
    for (schema, flow, options, calls) in [
        ("", None, free(), "get_repo create_repo push_points"),
        ("id long", None, free(), "get_repo push_points"),
        (
            "x long",
            None,
            free(),
            "get_repo get_repo update_repo get_repo push_points",
        ),
        (
            "",
            None,
            in_flow(),
            "get_repo get_workflow create_workflow create_repo get_workflow_status push_points start_workflow get_workflow_status get_workflow_status get_workflow_status",
        ),
        (
            "",
            Some(Flow::Stopped),
            in_flow(),
            "get_repo get_workflow create_repo push_points",
        ),
    ] {
        let mut bed = Bed::new(schema, options);
        bed.service.flow = flow;
        bed.push(0, 1, one);
        bed.run();
        assert_eq!(bed.outcomes(), ["accepted"], "{calls}");
        assert_eq!(bed.service.log.join(" "), calls);
    }
}

#[test]
fn records_with_known_fields_do_not_wait_for_those_with_new_ones_unless_order_is_asked_for() {
    for (ordered, expected) in [
        (false, vec!["id=1", "id=3", "id=2\tx=1"]),
        (true, vec!["id=1", "id=2\tx=1", "id=3"]),
    ] {
        let settings = Settings::new()
            .ordered(ordered)
            .schema_free(free())
            .linger(millis(100));
        let mut bed = Bed::with("id long", settings);
        bed.push(0, 1, r#"{"id":1}"#);
        bed.pass(millis(500));
        bed.push(0, 2, r#"{"id":2,"x":1}"#);
        bed.push(0, 3, r#"{"id":3}"#);
        bed.run();
        assert_eq!(bed.service.points, expected);
    }
}

/// Troubles with one of the calls, and what the record ends as.
#[test]
fn what_fails_is_looked_at_again_and_what_is_refused_is_a_dead_letter_with_the_reason() {
    use Trouble::{Lost, NotSent, ResetAfter, ResetBefore, Response};
    let busy = || Response(503, "busy", Some(3));
    let no = || Response(403, "E18003: no permission", None);
    for (schema, call, troubles, verdict) in [
        ("", "get_repo", vec![busy(), NotSent, Lost], "accepted"),
        ("", "create_repo", vec![ResetAfter], "accepted"),
        (
            "",
            "create_repo",
            vec![ResetBefore, busy(), Lost],
            "accepted",
        ),
        (
            "",
            "create_repo",
            vec![Response(409, "E18101: somebody was faster", None)],
            "accepted",
        ),
        ("x long", "update_repo", vec![ResetAfter], "accepted"),
        (
            "x long",
            "update_repo",
            vec![ResetBefore, busy(), Lost],
            "accepted",
        ),
        (
            "x long",
            "update_repo",
            vec![Response(404, "E18102: gone", None)],
            "accepted",
        ),
        ("", "get_repo", vec![no()], "dead: get_repo: E18003"),
        ("", "create_repo", vec![no()], "dead: create_repo: E18003"),
        (
            "x long",
            "update_repo",
            vec![no()],
            "dead: its new fields were not added: update_repo: E18003",
        ),
        (
            "x long",
            "update_repo",
            vec![Response(400, "E18106: too many", None)],
            "dead: its new fields were not added: update_repo: E18106",
        ),
    ] {
        let mut bed = Bed::new(schema, free()).trouble(call, troubles.clone());
        bed.push(0, 1, r#"{"id":1}"#);
        bed.run();
        bed.begins(0, verdict);
        assert_eq!(bed.service.blind_pushes, 0);
        // And the next one is tried anew.
        bed.push(0, 2, r#"{"id":2}"#);
        bed.run();
        assert_eq!(bed.outcomes()[1], "accepted", "{call} {troubles:?}");
    }
}

/// Of records that are refused together, those go on that would be taken alone.
#[test]
fn records_that_fit_go_on_whatever_others_need_that_the_service_refuses() {
    let name = "dead: its new fields were not added: update_repo: E18106";
    let name_of_new = "dead: its new fields were not added: create_repo: E18106";
    let number = "dead: its new fields were not added: update_repo: E18134";
    let ok = "accepted";
    let (bad, both, good, old) = (
        r#"{"bad":1}"#,
        r#"{"bad":1,"y":1}"#,
        r#"{"y":1}"#,
        r#"{"x":1}"#,
    );
    let cases: [(&str, &[&str], &[&str], &str); 9] = [
        (
            "x long",
            &[bad, old, good],
            &[name, ok, ok],
            "x long, y long",
        ),
        (
            "x long",
            &[good, old, bad],
            &[ok, ok, name],
            "x long, y long",
        ),
        // No field is added for a record that is dead.
        ("x long", &[both, old], &[name, ok], "x long"),
        ("x long", &[both, good], &[name, ok], "x long, y long"),
        (
            "x long",
            &[bad, both, bad, good, bad],
            &[name, name, name, ok, name],
            "x long, y long",
        ),
        ("", &[old, bad, good], &[ok, name, ok], "x long, y long"),
        ("", &[bad, old], &[name_of_new, ok], "x long"),
        ("", &[bad, both], &[name_of_new, name_of_new], ""),
        (
            "x long",
            &[
                r#"{"a":1}"#,
                r#"{"b":1,"c":1}"#,
                r#"{"d":1,"e":1,"f":1}"#,
                old,
                r#"{"g":1}"#,
            ],
            &[ok, ok, number, ok, ok],
            "x long, a long, b long, c long, g long",
        ),
    ];
    for (ordered, (schema, lines, verdicts, expected)) in [false, true]
        .into_iter()
        .flat_map(|ordered| cases.map(|case| (ordered, case)))
    {
        let settings = Settings::new().schema_free(free()).ordered(ordered);
        let mut bed = Bed::with(schema, settings);
        bed.service.most_fields = 5;
        for (id, line) in (0..).zip(lines) {
            bed.push(0, id, line);
        }
        bed.run();
        for (at, verdict) in verdicts.iter().enumerate() {
            bed.begins(at, verdict);
        }
        assert_eq!(bed.service.schema(), expected, "{ordered} {lines:?}");
        bed.close(secs(1));
    }
}

/// Many records that need one refused field, between others that each need one of their own.
#[test]
fn a_refused_field_costs_few_calls_however_many_records_need_it() {
    let mut bed = Bed::new("x long", free());
    for id in 0..200 {
        let key = if id % 2 == 0 {
            "bad".to_owned()
        } else {
            format!("y{}", id % 20)
        };
        bed.push(0, id, &format!(r#"{{"{key}":1}}"#));
    }
    bed.run();
    let accepted = bed.outcomes().iter().filter(|it| *it == "accepted").count();
    assert_eq!(accepted, 100);
    let updates = bed.calls("update_repo");
    assert!(updates < 12, "{:?}", bed.service.log);
}

#[test]
fn what_is_refused_is_held_on_request() {
    let no = Trouble::Response(403, "E18003: no permission", None);
    let settings = Settings::new().schema_free(free()).hold_refused(true);
    let mut bed = Bed::with("x long", settings).trouble("update_repo", vec![no; 3]);
    bed.push(0, 1, r#"{"id":1}"#);
    bed.run();
    assert_eq!(bed.outcomes(), ["accepted"]);
}

#[test]
fn a_running_workflow_is_stopped_for_new_fields_and_started_again_only_where_that_is_allowed() {
    for (may_stop, held, expected) in [
        (true, false, "accepted"),
        (
            false,
            false,
            "dead: its new fields were not added: update_repo: E18643",
        ),
    ] {
        let settings = Settings::new()
            .schema_free(free().may_stop(may_stop))
            .hold_refused(held);
        let mut bed = Bed::with("x long", settings);
        (bed.service.flow, bed.service.in_flow) = (Some(Flow::Started), true);
        bed.push(0, 1, r#"{"id":1}"#);
        bed.push(0, 2, r#"{"x":1}"#);
        bed.run();
        bed.begins(0, expected);
        assert_eq!(bed.outcomes()[1], "accepted");
        bed.pass(secs(10));
        let started = bed.calls("start_workflow");
        assert_eq!(started, usize::from(may_stop));
        assert!(matches!(
            bed.service.flow,
            Some(Flow::Started | Flow::Starting(_))
        ));
    }
}

#[test]
fn a_workflow_that_never_stops_is_given_up_after_five_minutes() {
    let mut bed = Bed::new("x long", free().may_stop(true));
    (bed.service.flow, bed.service.in_flow) = (Some(Flow::Started), true);
    bed.service.never_stops = true;
    bed.push(0, 1, r#"{"id":1}"#);
    bed.pass(secs(299));
    assert!(bed.verdicts.is_empty());
    bed.pass(secs(10));
    assert!(matches!(
        bed.verdicts[&1].outcome,
        Outcome::Dead(Reason::NotStopped(_))
    ));
    bed.run();
    bed.close(secs(1));
}

#[test]
fn a_queue_that_is_deleted_is_made_again_with_all_its_fields() {
    let mut bed = Bed::new("", free());
    bed.push(0, 1, r#"{"id":1,"x":1}"#);
    bed.run();
    bed.service.schema = None;
    bed.push(0, 2, r#"{"id":2}"#);
    bed.run();
    assert_eq!(bed.outcomes(), ["accepted", "accepted"]);
    assert_eq!(bed.service.schema(), "id long, x long");
    assert_eq!(bed.service.points, ["id=1\tx=1", "id=2"]);
}

/// What was read a minute ago is read again before a record dies for it, and at a refusal of what fitted it.
#[test]
fn a_queue_that_was_made_again_with_other_types_is_read_again() {
    for (old, between, record, expected) in [
        ("n long", 59, r#"{"n":"x"}"#, "dead: the field"),
        ("n long", 61, r#"{"n":"x"}"#, "accepted"),
        ("n string", 61, r#"{"n":"x"}"#, "dead: push_points: E18110"),
    ] {
        let mut bed = Bed::new(old, free());
        bed.push(0, 1, r#"{"n":1}"#);
        bed.pass(secs(between));
        let new = if old == "n long" {
            "n string"
        } else {
            "n long"
        };
        bed.service.set(new, bed.now.mono);
        bed.push(0, 2, record);
        bed.run();
        bed.begins(1, expected);
        // From then on it is known.
        bed.push(0, 3, record);
        bed.run();
        let expected = if new == "n long" {
            "dead: the field"
        } else {
            expected
        };
        bed.begins(2, expected);
    }
}

#[test]
fn a_queue_that_is_gone_and_cannot_be_made_again_ends_in_dead_letters() {
    let no = Trouble::Response(403, "E18003: no permission", None);
    let mut bed = Bed::new("id long", free()).trouble("create_repo", vec![no; 9]);
    bed.push(0, 1, r#"{"id":1}"#);
    bed.pass(millis(500));
    bed.service.schema = None;
    bed.push(0, 2, r#"{"id":2}"#);
    bed.run();
    bed.push(0, 3, r#"{"id":3}"#);
    bed.run();
    assert_eq!(bed.outcomes()[0], "accepted");
    for id in [2, 3] {
        let outcome = &bed.verdicts[&id].outcome;
        assert!(
            matches!(outcome, Outcome::Dead(Reason::NotWelcome(_))),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_field_that_the_service_does_not_know_yet_is_waited_for_and_one_that_is_missing_is_not() {
    for (spread, expected) in [
        (secs(6), "accepted"),
        (secs(15), "accepted"),
        (Duration::MAX / 4, "dead: push_points: E18111"),
    ] {
        let mut bed = Bed::new("", free());
        bed.service.spread = spread;
        bed.push(0, 1, r#"{"id":1}"#);
        bed.push(0, 2, r#"{"id":2}"#);
        bed.run();
        bed.begins(0, expected);
        bed.begins(1, expected);
        assert!(bed.now.mono < secs(5000 + 60), "{:?}", bed.now);
    }
}

#[test]
fn a_shipper_of_points_is_patient_after_it_was_told_of_a_change() {
    for (is_told, dead) in [(true, false), (false, true)] {
        let mut bed = Bed::with("id long", Settings::new());
        bed.service.spread = secs(6);
        bed.service.set("id long, x long", bed.now.mono);
        if is_told {
            bed.shippers[0].schema_changed(bed.now);
        }
        bed.push(0, 1, "id=1\tx=1");
        bed.run();
        assert_eq!(matches!(bed.verdicts[&1].outcome, Outcome::Dead(_)), dead);
    }
}

#[test]
fn a_field_that_somebody_takes_away_is_added_again() {
    let mut bed = Bed::new("", free());
    bed.push(0, 1, r#"{"id":1,"x":1}"#);
    bed.run();
    bed.service.set("id long", bed.now.mono);
    bed.push(0, 2, r#"{"id":2,"x":1}"#);
    bed.run();
    assert_eq!(bed.outcomes(), ["accepted", "accepted"]);
    assert_eq!(bed.service.schema(), "id long, x long");
}

#[test]
fn unknown_fields_are_refused_or_left_out_with_a_count_but_never_in_silence() {
    for (unknown, verdicts, dropped) in [
        (
            UnknownFields::Refuse,
            [
                "dead: the field \"x\": the schema does not have it",
                "accepted",
            ],
            0,
        ),
        (UnknownFields::Drop, ["accepted", "accepted"], 1),
    ] {
        let mut bed = Bed::new("id long", free().unknown_fields(unknown));
        bed.push(0, 1, r#"{"id":1,"x":1}"#);
        bed.push(0, 2, r#"{"id":2}"#);
        bed.run();
        assert_eq!(bed.outcomes(), verdicts);
        assert_eq!(bed.service.schema(), "id long");
        assert_eq!(bed.shippers[0].books(bed.now).dropped_fields, dropped);
    }
    // Without a queue nothing is made, and nothing is left out.
    for unknown in [UnknownFields::Refuse, UnknownFields::Drop] {
        let mut bed = Bed::new("", free().unknown_fields(unknown));
        bed.push(0, 1, r#"{"id":1}"#);
        bed.run();
        bed.begins(0, "dead: get_repo: E18102");
    }
    // A field that somebody else adds meanwhile is known from then on.
    let mut bed = Bed::new("id long", free().unknown_fields(UnknownFields::Refuse));
    bed.push(0, 1, r#"{"id":1}"#);
    bed.run();
    bed.service.set("id long, x long", bed.now.mono);
    bed.push(0, 2, r#"{"id":1,"x":1}"#);
    bed.run();
    assert_eq!(bed.outcomes(), ["accepted", "accepted"]);
}

#[test]
fn a_flush_and_a_close_wait_for_records_with_new_fields() {
    let settings = Settings::new().schema_free(free()).linger(secs(3600));
    let mut bed = Bed::with("", settings);
    bed.push(0, 1, r#"{"id":1}"#);
    bed.pass(secs(5));
    let flush = bed.shippers[0].flush();
    assert!(!bed.shippers[0].is_flushed(flush));
    bed.pass(secs(1));
    assert!(bed.shippers[0].is_flushed(flush));
    assert_eq!(bed.outcomes(), ["accepted"]);
    bed.push(0, 2, r#"{"id":2,"x":1}"#);
    bed.close(secs(10));
    assert_eq!(bed.outcomes(), ["accepted", "accepted"]);
}

#[test]
fn a_close_gives_back_what_waits_for_a_service_that_is_away() {
    let away = Trouble::Response(503, "away", None);
    let mut bed = Bed::new("", free()).trouble("get_repo", vec![away; 100]);
    bed.push(0, 1, r#"{"id":1}"#);
    bed.pass(secs(100));
    bed.close(secs(5));
    bed.begins(0, "given up: the shipper was closed");
    assert_eq!(bed.verdicts[&1].line, "{\"id\":1}\n");
}

#[test]
fn memory_counts_what_waits_and_a_full_shipper_does_not_wait_for_more() {
    let settings = Settings::new()
        .schema_free(free())
        .memory(2000)
        .linger(secs(3600));
    let mut bed = Bed::with("x long", settings);
    let mut id = 0;
    while bed.shippers[0]
        .try_push(id, format!(r#"{{"id":{id}}}"#).as_bytes(), bed.now)
        .is_ok()
    {
        id += 1;
    }
    assert!(bed.shippers[0].take_news());
    // Who waits for room tries again at each news: that must not be news.
    let refused = bed.shippers[0].try_push(id, b"{}", bed.now);
    assert!(refused.is_err() && !bed.shippers[0].take_news());
    assert!(bed.shippers[0].books(bed.now).memory <= 2000);
    assert_eq!(bed.shippers[0].books(bed.now).waiting.records, id);
    bed.pass(secs(5));
    assert_eq!(bed.outcomes().len() as u64, id);
}
