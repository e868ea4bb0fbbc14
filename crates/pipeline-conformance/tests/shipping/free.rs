//! Both drivers of the shipper without a schema, against the emulator.

use pipeline_emulator::{EmulatorBuilder, Transition};
use pipeline_proto::{
    WorkflowName,
    model::Status,
    resource::{
        export::KodoTarget,
        push::Tags,
        repo::{CreateRepo, RepoSpec},
    },
};
use pipeline_shipper::SchemaFree;

use super::*;

suite! {
    records_without_a_schema_make_the_queue_and_add_fields_whatever_fails
    two_that_have_no_schema_give_one_queue_the_fields_of_both
    two_that_disagree_about_a_type_lose_nothing_in_silence
    new_fields_are_waited_for_until_the_service_knows_them
    a_queue_that_is_made_again_by_somebody_else_is_shipped_to_as_it_is
    a_workflow_that_runs_is_left_alone_unless_it_may_be_stopped
    a_tag_takes_the_place_of_a_field_that_is_required
    whatever_json_has_is_sent_in_a_form_that_the_service_takes
}

fn free() -> SchemaFree {
    SchemaFree::new()
}

fn started(builder: EmulatorBuilder) -> ServerThread {
    let emulator = builder.authentication(Authentication::Off).build();
    Server::on_loopback(emulator).unwrap()
}

fn schema_of(server: &ServerThread) -> String {
    let repo = client(&server.url()).get_repo("clicks").send();
    let fields = repo.unwrap().schema.into_iter();
    let fields = fields.map(|entry| format!("{} {}", entry.key, entry.valtype.as_str()));
    fields.collect::<Vec<_>>().join(", ")
}

/// What became of a record, in words.
fn outcome(told: &Told, id: u64) -> String {
    let told = told.0.lock().unwrap();
    let verdict = told.iter().find(|verdict| verdict.id == id).unwrap();
    verdict
        .reason()
        .map_or_else(|| "accepted".to_owned(), Reason::to_string)
}

fn records_without_a_schema_make_the_queue_and_add_fields_whatever_fails<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    server.with(|emulator| {
        for (call, fault) in [
            ("get_repo", InjectedFault::status(StatusCode::BAD_GATEWAY)),
            ("get_workflow", InjectedFault::pass().reset()),
            ("create_workflow", InjectedFault::pass().reset()),
            ("create_repo", InjectedFault::pass().reset()),
            ("update_repo", InjectedFault::pass().reset()),
            (
                "push_points",
                InjectedFault::status(StatusCode::BAD_GATEWAY),
            ),
        ] {
            emulator.inject(fault.on(call));
        }
    });
    let free = SchemaFree::new().workflow("site".parse().unwrap());
    let settings = settings().schema_free(free).gzip(3);
    let shipper = S::start(&server.url(), settings, told.teller());
    for n in 0..100 {
        shipper.send(n, &click(n)).unwrap();
    }
    shipper.flush();
    assert_eq!(told.accepted().len(), 100);
    for n in 100..200 {
        let record = json!({"n": n, "bytes": "7", "a-new": [n], "ratio": 0.5});
        shipper.send(n, &record).unwrap();
    }
    shipper.send(200, &json!({"n": "many"})).unwrap();
    let books = shipper.close(MINUTE);
    assert_eq!((books.accepted.records, books.dead.records), (200, 1));
    assert_eq!(in_queue(&server), 200);
    let told = told.0.lock().unwrap();
    let dead = told.iter().find(|verdict| verdict.id == 200).unwrap();
    let reason = "the field \"n\": a text that cannot be made a long";
    assert_eq!(dead.reason().unwrap().to_string(), reason);
    assert_eq!(dead.line, "{\"n\":\"many\"}\n");
    let client = client(&server.url());
    let repo = client.get_repo("clicks").send().unwrap();
    let expected = "n long, bytes string, a_new a(l), ratio float";
    assert_eq!(Schema(repo.schema), expected.parse().unwrap());
    assert_eq!(repo.workflow.unwrap().as_str(), "site");
}

fn two_that_have_no_schema_give_one_queue_the_fields_of_both<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    let ship = |who: &'static str| {
        let settings = settings().schema_free(SchemaFree::new());
        let settings = settings.linger(Duration::from_millis(1));
        let shipper = S::start(&server.url(), settings, told.teller());
        thread::spawn(move || {
            for n in 0..50 {
                let record = json!({"n": n, (format!("{who}{}", n % 7)): n});
                shipper.send(n, &record).unwrap();
            }
            shipper.close(MINUTE)
        })
    };
    for thread in ["a", "b"].map(ship) {
        let books = thread.join().unwrap();
        assert_eq!(books.accepted.records, 50, "{books:?}");
    }
    assert_eq!(in_queue(&server), 100);
    let client = client(&server.url());
    let fields = client.get_repo("clicks").send().unwrap().schema.len();
    assert_eq!(fields, 15);
}

/// Of a field that one of them has as a number and the other as a text, whoever comes first says the type.
fn two_that_disagree_about_a_type_lose_nothing_in_silence<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    let ship = |first: u64, value: serde_json::Value| {
        let settings = settings().schema_free(free());
        let shipper = S::start(&server.url(), settings, told.teller());
        thread::spawn(move || {
            for n in first..first + 20 {
                shipper.send(n, &json!({"v": value})).unwrap();
            }
            shipper.close(MINUTE)
        })
    };
    let threads = [ship(0, json!(1)), ship(100, json!("x"))];
    let books = threads.map(|thread| thread.join().unwrap());
    let is_long = schema_of(&server) == "v long";
    assert_eq!(books[0].accepted.records, 20, "{books:?}");
    let (texts, lost) = (books[1].accepted.records, books[1].dead.records);
    assert_eq!((texts, lost), if is_long { (0, 20) } else { (20, 0) });
    let expected = if is_long {
        "the field \"v\": a text that cannot be made a long"
    } else {
        "accepted"
    };
    assert_eq!(outcome(&told, 100), expected);
}

fn new_fields_are_waited_for_until_the_service_knows_them<S: Ships>() {
    let delay = Duration::from_millis(1500);
    let (server, told) = (
        started(Emulator::builder().schema_delay(delay)),
        Told::default(),
    );
    create_queue(&server.url());
    let shipper = S::start(&server.url(), settings().schema_free(free()), told.teller());
    shipper.send(0, &json!({"n": 1})).unwrap();
    shipper.flush();
    for id in 1..20 {
        let record = json!({"n": id, (format!("x{}", id % 3)): 1});
        shipper.send(id, &record).unwrap();
    }
    let books = shipper.close(MINUTE);
    assert_eq!(books.accepted.records, 20, "{books:?}");
    assert!(books.retries > 0 && books.halved == 0, "{books:?}");
}

fn a_queue_that_is_made_again_by_somebody_else_is_shipped_to_as_it_is<S: Ships>() {
    let (server, told) = (emulator(), Told::default());
    create_queue(&server.url());
    let shipper = S::start(&server.url(), settings().schema_free(free()), told.teller());
    let client = client(&server.url());
    let push = |id: u64, record: serde_json::Value| {
        shipper.send(id, &record).unwrap();
        shipper.flush();
    };
    push(0, json!({"n": 0, "bytes": 1, "x": 1}));
    // Gone.
    client.delete_repo("clicks").send().unwrap();
    push(1, json!({"n": 1}));
    assert_eq!(schema_of(&server), "n long, bytes long, x long");
    // Gone, and there again with fewer fields and one more.
    client.delete_repo("clicks").send().unwrap();
    let other: Schema = "y string, x long".parse().unwrap();
    client.create_repo("clicks", other).send().unwrap();
    push(2, json!({"n": 2, "x": 2}));
    push(3, json!({"y": 3}));
    let books = shipper.close(MINUTE);
    assert_eq!(
        books.accepted.records,
        4,
        "{books:?} {:?}",
        told.0.lock().unwrap()
    );
    assert_eq!(schema_of(&server), "y string, x long, n long, bytes long");
    assert_eq!(in_queue(&server), 2);
}

fn a_workflow_that_runs_is_left_alone_unless_it_may_be_stopped<S: Ships>() {
    for may_stop in [false, true] {
        let builder = Emulator::builder().transitions(Transition::Immediate);
        let (server, told) = (started(builder), Told::default());
        let client = client(&server.url());
        client.create_workflow("site").send().unwrap();
        let mut spec = RepoSpec::from(schema());
        spec.workflow = Some(WorkflowName::from_static("site").into());
        let create = CreateRepo::new("clicks".parse().unwrap(), spec);
        client.send(create).unwrap();
        let kodo = KodoTarget::new("b", [("n".into(), "#n".into())].into());
        client.create_export("clicks", "save", kodo).send().unwrap();
        client.ensure_started("site").wait().unwrap();
        let settings = settings().schema_free(free().may_stop(may_stop));
        let shipper = S::start(&server.url(), settings, told.teller());
        shipper.send(0, &json!({"n": 0, "x": 1})).unwrap();
        shipper.send(1, &json!({"n": 1})).unwrap();
        shipper.close(MINUTE);
        assert_eq!(outcome(&told, 1), "accepted");
        let new = outcome(&told, 0);
        let refused = "its new fields were not added: update_repo: E18643";
        assert!(
            new.starts_with(if may_stop { "accepted" } else { refused }),
            "{new}"
        );
        let state = client.get_workflow_status("site").send().unwrap();
        assert_eq!(state.status, Status::Started, "{may_stop}");
        let calls: Vec<_> =
            server.with(|emulator| emulator.requests().filter_map(|it| it.operation).collect());
        assert_eq!(calls.contains(&"stop_workflow"), may_stop, "{calls:?}");
    }
}

fn a_tag_takes_the_place_of_a_field_that_is_required<S: Ships>() {
    let tags = || Tags::new([("host", "a")]).unwrap();
    let required: Schema = "*host string, *n long".parse().unwrap();
    for is_there in [true, false] {
        let (server, told) = (emulator(), Told::default());
        let mut options = free();
        if is_there {
            let client = client(&server.url());
            client
                .create_repo("clicks", required.clone())
                .send()
                .unwrap();
        } else {
            options = options.spec(required.clone().into());
        }
        let settings = settings().schema_free(options).tags(tags());
        let shipper = S::start(&server.url(), settings, told.teller());
        for (id, record) in (0..).zip([
            json!({"n": 1}),
            json!({"n": 2, "x": 1}),
            json!({"n": 3, "host": "b"}),
            json!({"host": "b"}),
        ]) {
            shipper.send(id, &record).unwrap();
        }
        shipper.close(MINUTE);
        let outcomes = [0, 1, 2, 3].map(|id| outcome(&told, id));
        let missing = "the field \"n\": the schema requires it, and it is missing";
        assert_eq!(outcomes, ["accepted", "accepted", "accepted", missing]);
        let repo = client(&server.url()).get_repo("clicks").send().unwrap();
        assert_eq!(repo.schema[0].required, Some(true));
    }
}

/// Records of an empty account, the fields that the queue gets, and the points that arrive.
fn whatever_json_has_is_sent_in_a_form_that_the_service_takes<S: Ships>() {
    let deep = r#"{"a":{"b":{"c":{"d":{"e":{"f":[[1],{"g":null}]}}}}}}"#;
    let long = "k".repeat(200);
    let (long_a, long_b) = (format!("{long}a"), format!("{long}b"));
    let many = json!({ (long_a): 1, (long_b): 2 }).to_string();
    let cut = format!("{} long, {}_2 long", &long[..128], &long[..126]);
    for (line, expected) in [
        (
            r#"{"a":1.0,"b":1e3,"c":1e400,"d":-0}"#,
            "a float, b float, c string, d long",
        ),
        (
            r#"{"a":9223372036854775807,"b":9223372036854775808,"c":0.1}"#,
            "a long, b string, c float",
        ),
        (
            r#"{"a":"2026-11-28T00:20:47Z","b":"2026-11-28T00:20:47.123456789+08:00","c":"2026-11-28 00:20:47","d":"2026-02-30T00:00:00Z"}"#,
            "a date, b date, c string, d string",
        ),
        (deep, "a jsonstring"),
        (
            r#"{"a":[],"b":{},"c":[{}],"d":[[1],[2]],"e":["x",null]}"#,
            "a array, b jsonstring, c array, d array, e jsonstring",
        ),
        (
            r#"{"a":null,"b":"","c":" ","d":"\u0000","e":"\t\n\\"}"#,
            "b string, c string, d string, e string",
        ),
        (
            r#"{"a-b":1,"a_b":2,"a b":3,"_a":4,"7":5,"":6}"#,
            "a_b_2 long, a_b long, a_b_3 long, _a long, K7 long, KEmptyPandoraAutoAdd long",
        ),
        (
            r#"{"名":1,"é":2,"x名y":3,"--":4}"#,
            "Key long, Key_2 long, x_y long, Key_3 long",
        ),
        (&many, &cut),
        (
            r#"{"a":true,"b":[true,false],"c":[1,2.5],"d":["1",2]}"#,
            "a boolean, b array, c array, d array",
        ),
    ] {
        let (server, told) = (emulator(), Told::default());
        let settings = settings().schema_free(free().dates(true));
        let shipper = S::start(&server.url(), settings, told.teller());
        let record: &serde_json::value::RawValue = serde_json::from_str(line).unwrap();
        // Both as a new record and as one whose fields are known.
        for id in 0..2 {
            shipper.send(id, &record).unwrap();
            shipper.flush();
            assert_eq!(outcome(&told, id), "accepted", "{line}");
        }
        assert_eq!(schema_of(&server), expected, "{line}");
        assert_eq!(in_queue(&server), 2);
    }
}
