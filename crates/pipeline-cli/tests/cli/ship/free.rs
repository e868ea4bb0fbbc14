//! Shipping without a schema, from an empty account.

use std::process::Stdio;

use pipeline_emulator::InjectedFault;
use pipeline_proto::ErrorCode;
use serde_json::{Value, json};

use super::bed::Bed;

/// The queue as a schema in its short form, by `repo get`.
fn schema(bed: &Bed, repo: &str) -> String {
    let ran = bed.service.run(&format!("repo get {repo} -o json")).ok();
    let repo: Value = serde_json::from_str(&ran).unwrap();
    let fields = repo["schema"].as_array().unwrap().iter();
    let fields = fields.map(|it| {
        format!(
            "{} {}",
            it["key"].as_str().unwrap(),
            it["valtype"].as_str().unwrap()
        )
    });
    fields.collect::<Vec<_>>().join(", ")
}

#[test]
fn an_empty_account_gets_a_queue_in_a_workflow_with_the_fields_that_records_have() {
    let bed = Bed::empty();
    bed.write(
        "a.ndjson",
        "{\"ip\":\"a\",\"n\":1,\"at\":\"2026-11-28T00:20:47Z\"}\n{\"ip\":\"b\",\"n\":0.5,\"user-agent\":\"007\"}\n",
    );
    let (_, ran, document) = bed.books("a.ndjson --schema-free --dry-run");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(
        document["points"],
        json!([
            "ip=a\tn=1\tat=2026-11-28T00:20:47Z",
            "ip=b\tn=0.5\tuser_agent=007"
        ])
    );
    let keys = document["schema"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["key"].as_str().unwrap());
    assert_eq!(keys.collect::<Vec<_>>(), ["ip", "n", "at", "user_agent"]);
    bed.service.run("repo get clicks").failed(3);

    let (books, ran, _) =
        bed.books("a.ndjson --schema-free --workflow site --dates --schema 'n float'");
    assert_eq!((books, ran.code), ([2, 2, 0, 0], Some(0)), "{ran:?}");
    assert!(ran.stderr.contains("clicks has 4 fields now"), "{ran:?}");
    assert_eq!(
        schema(&bed, "clicks"),
        "n float, ip string, at date, user_agent string"
    );
    let ran = bed.service.run("workflow get site -o json").ok();
    assert!(ran.contains("clicks"), "{ran:?}");
    assert_eq!(bed.arrived(), 2);
}

#[test]
fn a_new_field_in_the_middle_is_added_and_a_value_that_does_not_fit_is_a_dead_letter() {
    let bed = Bed::new();
    let lines = (0..300).map(|n| match n {
        77 => "{\"ip\":\"a\",\"n\":7.5}\n".to_owned(),
        150 => "{\"ip\":\"a\",\"n\":1,\"extra\":{\"a\":[1]}}\n".to_owned(),
        n => format!("{{\"ip\":\"a\",\"n\":{n}}}\n"),
    });
    bed.write("a.ndjson", lines.collect::<String>());
    let (books, ran, _) = bed.books("a.ndjson --schema-free --dead-letters dead");
    assert_eq!((books, ran.code), ([300, 299, 1, 0], Some(1)), "{ran:?}");
    assert_eq!(
        schema(&bed, "clicks"),
        "ip string, n long, extra jsonstring"
    );
    let letter = &bed.letters("dead")[0];
    assert_eq!(
        letter["reason"],
        "the field \"n\": a float that would lose something as a long"
    );
    assert_eq!(
        (&letter["format"], &letter["line"]),
        (&json!("ndjson"), &json!(78))
    );
    // Once more, with what is lost.
    let (books, ..) = bed.books("--again dead --schema-free --lossy --dead-letters still");
    assert_eq!((books, bed.arrived()), ([1, 1, 0, 0], 300));
}

#[test]
fn all_forms_of_records_can_make_a_queue_and_names_are_mapped_before() {
    for (name, text, options, expected) in [
        (
            "a.csv",
            "ip,n\na,007\n,1\n",
            "--map n=m",
            "ip string, m string",
        ),
        (
            "a.points",
            "ip=a\tn=1\n",
            "--map n=m",
            "ip string, m string",
        ),
        (
            "a.ndjson",
            "{\"ip\":\"a\",\"n\":1}\n",
            "--map n=m",
            "ip string, m long",
        ),
        ("a.log", "one\ntwo\n", "--raw-field line", "line string"),
        (
            "b.csv",
            "ip,n\na,7\n",
            "--schema 'n long'",
            "n long, ip string",
        ),
        ("b.ndjson", "{\"n\":1}\n", "--floats", "n float"),
    ] {
        let bed = Bed::empty();
        bed.write(name, text);
        let (books, ran, _) = bed.books(&format!("{name} --schema-free {options}"));
        assert_eq!((books[2], ran.code), (0, Some(0)), "{name}: {ran:?}");
        assert_eq!(schema(&bed, "clicks"), expected, "{name}");
    }
}

#[test]
fn two_at_the_same_time_give_one_queue_the_fields_of_both() {
    let bed = Bed::empty();
    for who in ["a", "b"] {
        let lines = (0..200).map(|n| format!("{{\"{who}{}\":1,\"n\":{n}}}\n", n % 5));
        bed.write(&format!("{who}.ndjson"), lines.collect::<String>());
    }
    let ship = |who: &str| {
        let mut command = bed.command(&format!("{who}.ndjson --schema-free -o json"));
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    for child in [ship("a"), ship("b")] {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let schema = schema(&bed, "clicks");
    for key in ["a0", "a4", "b0", "b4", "n"] {
        assert!(schema.contains(&format!("{key} long")), "{schema}");
    }
    assert_eq!(bed.arrived(), 400);
}

#[test]
fn what_the_service_refuses_and_unknown_fields_end_as_asked_for() {
    let new = "{\"ip\":\"a\",\"x\":1}\n{\"ip\":\"b\"}\n";
    for (options, books, code) in [
        ("", [2, 2, 0, 0], 0),
        ("--new-fields refuse", [2, 1, 1, 0], 1),
        ("--new-fields drop", [2, 2, 0, 0], 0),
    ] {
        let bed = Bed::new();
        let (is, ran) = bed.pipe(new.as_bytes(), &format!("--schema-free {options}"));
        assert_eq!((is, ran.code), (books, Some(code)), "{options}: {ran:?}");
        let is_said = ran
            .stderr
            .contains("1 values were left out whose fields the queue does not have");
        assert_eq!(is_said, options.ends_with("drop"), "{ran:?}");
    }
    let bed = Bed::new();
    bed.service.server.with(|emulator| {
        emulator
            .inject(InjectedFault::code(ErrorCode::WORKFLOW_UPDATE_FORBIDDEN).on("update_repo"));
    });
    let (is, ran) = bed.pipe(new.as_bytes(), "--schema-free");
    assert_eq!(is, [2, 1, 1, 0], "{ran:?}");
    assert!(
        ran.stderr.contains("its new fields were not added"),
        "{ran:?}"
    );
    for line in [
        "--workflow site",
        "--allow-stop",
        "--dates --schema 'n long'",
    ] {
        bed.ship(&format!("a.ndjson {line}")).failed(2);
    }
}

#[test]
fn a_tag_takes_the_place_of_a_field_that_is_required_also_where_nothing_is_sent() {
    let bed = Bed::empty();
    let create = "repo create clicks --schema '*host string, n long'";
    bed.service.run(create).ok();
    bed.write("a.ndjson", "{\"n\":1}\n{\"n\":2,\"x\":1}\n");
    for (options, dead) in [("", 2), ("--tag host=a", 0)] {
        for options in [format!("{options} --dry-run"), options.to_owned()] {
            let (books, ran, _) = bed.books(&format!("a.ndjson --schema-free {options}"));
            assert_eq!(books[2], dead, "{options}: {ran:?}");
        }
    }
    assert_eq!(bed.arrived(), 2);
}

#[test]
fn a_rehearsal_ends_when_the_service_cannot_be_asked() {
    for (status, code) in [(503, 1), (403, 1), (401, 4)] {
        let bed = Bed::empty();
        bed.write("a.ndjson", "{\"a\":1}\n");
        let status = http::StatusCode::from_u16(status).unwrap();
        let fault = InjectedFault::status(status).times(9).on("get_repo");
        bed.service.server.with(|emulator| emulator.inject(fault));
        let ran = bed.ship("a.ndjson --schema-free --dry-run");
        assert_eq!(ran.code, Some(code), "{status}: {ran:?}");
    }
}
