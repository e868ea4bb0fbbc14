//! Exports that follow the schema of a queue.

use std::sync::{Arc, Mutex};

use pipeline_proto::resource::{
    export::{ExportSpec, HttpTarget, KodoTarget, LogdbTarget, MongoTarget, TsdbTarget},
    schema::Schema,
};
use pipeline_shipper::{
    Event, SchemaFree, Settings,
    exports::{Action, AutoExport},
};
use serde_json::{Map, Value, json};

use crate::{
    service::{Bed, Flow},
    sisters::SERVICES,
    world::{Trouble, secs},
};

fn wish(kind: &str, spec: &Value) -> AutoExport {
    let spec = json!({"type": kind, "spec": spec});
    AutoExport::to(serde_json::from_value::<ExportSpec>(spec).unwrap())
}

/// What is to be done: the action, and the spec or what is wrong.
fn plan(wish: &AutoExport, schema: &str, present: &[Value]) -> (String, Value) {
    let schema: Schema = if schema.is_empty() {
        Schema::default()
    } else {
        schema.parse().unwrap()
    };
    let present: Vec<ExportSpec> = present
        .iter()
        .map(|it| serde_json::from_value(it.clone()).unwrap())
        .collect();
    match wish.plan(&"My_clicks".parse().unwrap(), &schema.0, &present) {
        Err(error) => ("error".to_owned(), error.to_string().into()),
        Ok(plan) => {
            let (action, spec) = match plan.action {
                Action::Nothing => ("nothing", json!(plan.differs)),
                Action::Wait => ("wait", Value::Null),
                Action::Create(spec) => ("create", json!(spec)),
                Action::Update(spec) => ("update", json!(spec)),
                other => panic!("{other:?}"),
            };
            (format!("{action} {}", plan.name), spec)
        }
    }
}

#[test]
fn an_export_is_made_with_the_names_and_mappings_of_the_vendors_clients() {
    let schema = "host string, n long, at date";
    let all = json!({"host": "#host", "n": "#n", "at": "#at"});
    let prefix = "logkitauto/date=$(year)-$(mon)-$(day)/hour=$(hour)/min=$(min)/$(sec)";
    for (kind, said, name, spec) in [
        (
            "logdb",
            json!({}),
            "My_clicks_export2_logdb",
            json!({"destRepoName": "my_clicks", "doc": all, "omitInvalid": false, "omitEmpty": true}),
        ),
        (
            "logdb",
            json!({"destRepoName": "Other", "omitInvalid": true, "doc": {"h": "#host", "x": "#later"}}),
            "My_clicks_export2_logdb",
            json!({"destRepoName": "other", "doc": {"h": "#host"}, "omitInvalid": true, "omitEmpty": true}),
        ),
        (
            "kodo",
            json!({}),
            "My_clicks_export2_kodo",
            json!({"bucket": "My-clicks", "keyPrefix": prefix, "format": "parquet", "fields": all}),
        ),
        (
            "kodo",
            json!({"bucket": "b_c", "keyPrefix": "p/", "format": "csv", "delimiter": ";", "rotateSize": 2048, "rotateInterval": 60}),
            "My_clicks_export2_kodo",
            json!({"bucket": "b_c", "keyPrefix": "p/", "format": "csv", "delimiter": ";", "fields": all, "rotateSize": 2048,
                "rotateInterval": 60, "rotateStrategy": "both", "rotateNumber": 2, "rotateSizeType": "KB"}),
        ),
        (
            "tsdb",
            json!({"series": "s", "tags": {"host": "#host", "zone": "#zone"}, "timestamp": "#at"}),
            "My_clicksexport2tsdb_s",
            json!({"destRepoName": "My_clicks", "series": "s", "tags": {"host": "#host"}, "fields": {"n": "#n", "at": "#at"},
                "timestamp": "#at", "omitInvalid": false, "omitEmpty": true}),
        ),
        (
            "mongo",
            json!({"host": "m:1", "dbName": "d", "collName": "c", "mode": "UPSERT", "updateKey": ["host"]}),
            "My_clicks_export2_mongo",
            json!({"host": "m:1", "dbName": "d", "collName": "c", "mode": "UPSERT", "updateKey": ["host"], "doc": all}),
        ),
        (
            "http",
            json!({"host": "h", "uri": "/u"}),
            "My_clicks_export2_http",
            json!({"host": "h", "uri": "/u"}),
        ),
    ] {
        let (action, made) = plan(&wish(kind, &said), schema, &[]);
        assert_eq!(action, format!("create {name}"), "{made}");
        assert_eq!(
            made,
            json!({"type": kind, "spec": spec, "whence": "oldest"}),
            "{kind}"
        );
        // What was made is all that is wanted, and grows.
        let there =
            |spec: &Value| json!({"name": name, "type": kind, "spec": spec, "whence": "oldest"});
        let again = plan(&wish(kind, &said), schema, &[there(&spec)]);
        assert_eq!(again, (format!("nothing {name}"), json!([])), "{kind}");
    }
}

#[test]
fn an_export_that_is_there_gets_what_it_lacks_and_keeps_what_somebody_has_set() {
    let kodo = |said: Value| wish("kodo", &said);
    let there =
        |kind: &str, name: &str, spec: Value| json!({"name": name, "type": kind, "spec": spec});
    let of_kodo = |spec| there("kodo", "My_clicks_export2_kodo", spec);
    let name = "My_clicks_export2_kodo";
    for (wish, present, action, spec) in [
        // A renamed field is there, a target that somebody gave to another field is theirs, and what nobody here knows
        // stays.
        (
            kodo(json!({"bucket": "b"})),
            of_kodo(
                json!({"bucket": "b", "format": "json", "unknown": 1, "fields": {"host": "constant", "when": "#at"}}),
            ),
            format!("update {name}"),
            json!({"spec": {"bucket": "b", "format": "json", "unknown": 1, "fields": {"host": "constant", "when": "#at", "n": "#n"}}}),
        ),
        (
            kodo(json!({"bucket": "b", "format": "csv"})),
            of_kodo(
                json!({"bucket": "b", "format": "json", "fields": {"host": "#host", "n": "#n", "at": "#at"}}),
            ),
            format!("nothing {name}"),
            json!(["its format is \"json\", not \"csv\""]),
        ),
        // Fields of a mapping of one's own.
        (
            wish("logdb", &json!({"doc": {"a": "#host", "b": "#host"}})),
            there(
                "logdb",
                "My_clicks_export2_logdb",
                json!({"destRepoName": "my_clicks", "doc": {"a": "#host", "geo": {"n": "#n"}}}),
            ),
            "update My_clicks_export2_logdb".to_owned(),
            json!({"spec": {"destRepoName": "my_clicks", "doc": {"a": "#host", "geo": {"n": "#n"}, "b": "#host"}}}),
        ),
        // A field in a map counts as written.
        (
            wish("logdb", &json!({})),
            there(
                "logdb",
                "My_clicks_export2_logdb",
                json!({"destRepoName": "my_clicks", "doc": {"a": {"h": "#host"}, "at": "#at"}}),
            ),
            "update My_clicks_export2_logdb".to_owned(),
            json!({"spec": {"destRepoName": "my_clicks", "doc": {"a": {"h": "#host"}, "at": "#at", "n": "#n"}}}),
        ),
        // The time, which the vendor's client loses.
        (
            wish(
                "tsdb",
                &json!({"timestamp": "#at", "tags": {"host": "#host"}}),
            ),
            there(
                "tsdb",
                "My_clicksexport2tsdb_My_clicks",
                json!({"destRepoName": "My_clicks", "series": "My_clicks", "fields": {"n": "#n"}, "omitEmpty": true}),
            ),
            "update My_clicksexport2tsdb_My_clicks".to_owned(),
            json!({"spec": {"destRepoName": "My_clicks", "series": "My_clicks", "fields": {"n": "#n", "at": "#at"},
                "tags": {"host": "#host"}, "timestamp": "#at", "omitEmpty": true}}),
        ),
        // What cannot be both.
        (
            kodo(json!({"bucket": "b"})),
            of_kodo(json!({"bucket": "c", "fields": {}})),
            "error".to_owned(),
            json!(
                "export My_clicks_export2_kodo: there is one already, with bucket \"c\" and not \"b\": give this one another name"
            ),
        ),
        (
            kodo(json!({"bucket": "b"})),
            there("http", name, json!({})),
            "error".to_owned(),
            json!(
                "export My_clicks_export2_kodo: there is one already, with type \"http\" and not \"kodo\": give this one another name"
            ),
        ),
    ] {
        assert_eq!(
            plan(&wish, "host string, n long, at date", &[present]),
            (action, spec)
        );
    }
}

#[test]
fn what_cannot_be_made_waits_for_its_fields_or_says_what_is_wrong() {
    let error = |text: &str| ("error".to_owned(), Value::from(text));
    for (kind, said, schema, expected) in [
        (
            "kodo",
            json!({}),
            "",
            ("wait My_clicks_export2_kodo".to_owned(), Value::Null),
        ),
        (
            "tsdb",
            json!({"timestamp": "#at"}),
            "n long",
            (
                "wait My_clicksexport2tsdb_My_clicks".to_owned(),
                Value::Null,
            ),
        ),
        (
            "mongo",
            json!({"host": "h", "dbName": "d", "collName": "c", "mode": "UPDATE"}),
            "n long",
            error("export mongo: updateKey is missing, with mode UPDATE"),
        ),
        (
            "mongo",
            json!({"host": "h"}),
            "n long",
            error("export mongo: dbName is missing"),
        ),
        (
            "http",
            json!({"host": "h"}),
            "n long",
            error("export http: uri is missing"),
        ),
        (
            "hdfs",
            json!({}),
            "n long",
            error("export hdfs: only logdb, kodo, tsdb, mongo, http are made automatically"),
        ),
        (
            "logdb",
            json!({"destRepoName": "_a"}),
            "n long",
            error(
                "export logdb: the LogDB repo name starts with '_'; it must start with a lower-case letter; name a repo of LogDB",
            ),
        ),
    ] {
        assert_eq!(
            plan(&wish(kind, &said), schema, &[]),
            expected,
            "{kind} {said}"
        );
    }
    let long = "a".repeat(120);
    let error = AutoExport::to(KodoTarget::default()).plan(&long.parse().unwrap(), &[], &[]);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .ends_with("give it another name")
    );
}

type Told = Arc<Mutex<Vec<String>>>;

fn bed(schema: &str, exports: impl IntoIterator<Item = AutoExport>, flow: bool) -> (Bed, Told) {
    let mut free = SERVICES
        .into_iter()
        .fold(SchemaFree::new(), SchemaFree::reaches);
    if flow {
        free = free.workflow("flow".parse().unwrap()).may_stop(true);
    }
    let told = Told::default();
    let sink = Arc::clone(&told);
    let free = exports.into_iter().fold(free, SchemaFree::export);
    let settings = Settings::new().schema_free(free).observer(move |event| {
        sink.lock().unwrap().extend(match event {
            Event::ExportMade { export, .. } => Some(format!("made {export}")),
            Event::ExportGrown { export, .. } => Some(format!("grown {export}")),
            Event::ExportFailed { error, .. } => Some(format!("failed {error}")),
            _ => None,
        });
    });
    (Bed::with(schema, settings), told)
}

fn all() -> Vec<AutoExport> {
    let mut tsdb = TsdbTarget::new("t", "s");
    tsdb.tags = Some([("host".to_owned(), "#host".to_owned())].into());
    vec![
        AutoExport::to(HttpTarget::new("h", "/u")),
        AutoExport::to(MongoTarget::new("h:1", "d", "c", "INSERT", Map::new())),
        AutoExport::to(tsdb),
        AutoExport::to(KodoTarget::default()),
        AutoExport::to(LogdbTarget::default())
            .analyzer("keyword")
            .analyzer_of("geo.city", "path"),
    ]
}

const NAMES: [&str; 5] = [
    "clicks_export2_logdb",
    "clicks_export2_kodo",
    "clicksexport2tsdb_s",
    "clicks_export2_mongo",
    "clicks_export2_http",
];

#[test]
fn all_exports_are_made_with_the_queue_and_grow_with_it() {
    let (mut bed, told) = bed("", all(), true);
    bed.push(0, 1, r#"{"host":"a","v":1}"#);
    bed.run();
    let made = [
        "get_repo",
        "get_workflow",
        "create_workflow",
        "create_repo",
        "list_exports",
        "get_logdb_repo",
        "create_logdb_repo",
        "create_export",
        "create_export",
        "create_tsdb_repo",
        "create_tsdb_series",
        "create_export",
        "create_export",
        "create_export",
        "get_workflow_status",
        "start_workflow",
    ];
    let log: Vec<_> = bed
        .service
        .log
        .iter()
        .filter(|it| **it != "push_points")
        .take(made.len())
        .copied()
        .collect();
    assert_eq!(log, made);
    assert_eq!(
        *told.lock().unwrap(),
        NAMES.map(|name| format!("made {name}")).to_vec()
    );
    assert!(matches!(
        bed.service.flow,
        Some(Flow::Started | Flow::Starting(_))
    ));
    told.lock().unwrap().clear();
    bed.service.log.clear();
    bed.push(0, 2, r#"{"host":"b","n":1,"geo":{"city":"x"}}"#);
    bed.run();
    assert_eq!(bed.outcomes(), ["accepted", "accepted"]);
    let sisters = &bed.service.sisters;
    let all = "geo=#geo host=#host n=#n v=#v";
    assert_eq!(sisters.mapped(NAMES[0], "doc"), all);
    assert_eq!(sisters.mapped(NAMES[1], "fields"), all);
    assert_eq!(
        (
            &*sisters.mapped(NAMES[2], "tags"),
            &*sisters.mapped(NAMES[2], "fields")
        ),
        ("host=#host", "geo=#geo n=#n v=#v")
    );
    assert_eq!(sisters.mapped(NAMES[3], "doc"), all);
    assert_eq!(
        *told.lock().unwrap(),
        NAMES[..4]
            .iter()
            .map(|name| format!("grown {name}"))
            .collect::<Vec<_>>()
    );
    let schema = &sisters.logdb["clicks"]["schema"];
    assert_eq!(
        schema[0],
        json!({"key": "host", "valtype": "string", "analyzer": "keyword"})
    );
    assert_eq!(schema.as_array().unwrap().len(), 4);
    assert_eq!(
        (
            sisters.logdb["clicks"]["retention"].as_str(),
            sisters.logdb["clicks"]["region"].as_str()
        ),
        (Some("30d"), Some("nb"))
    );
    // Before the workflow starts again.
    let at = |name: &str| bed.service.log.iter().rposition(|it| *it == name).unwrap();
    assert!(
        at("update_export") < at("start_workflow"),
        "{:?}",
        bed.service.log
    );
    // Nothing new: nothing is asked.
    bed.service.log.clear();
    bed.push(0, 3, r#"{"host":"c"}"#);
    bed.run();
    assert_eq!(bed.service.log, ["push_points"]);
}

#[test]
fn a_failed_export_is_told_once_and_tried_again_and_records_go_on() {
    let gone = || Trouble::Response(503, "down", None);
    // What may pass is tried again by itself; of the rest, the next change is the occasion.
    let (passing, told) = bed(
        "host string",
        [AutoExport::to(KodoTarget::default())],
        false,
    );
    let mut passing = passing.trouble("create_export", [gone(), gone()]);
    passing.push(0, 1, r#"{"host":"a"}"#);
    passing.run();
    let events = told.lock().unwrap().clone();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(
        events[0].starts_with("failed export clicks_export2_kodo: create_export: "),
        "{events:?}"
    );
    assert_eq!(events[1], "made clicks_export2_kodo");
    assert_eq!(passing.outcomes(), ["accepted"]);

    let (lasting, told) = bed(
        "host string",
        [AutoExport::to(KodoTarget::default())],
        false,
    );
    let refused = || Trouble::Response(400, "E18323: no such bucket", None);
    let mut lasting = lasting.trouble("create_export", [refused(), refused()]);
    for (id, line) in [
        (1, r#"{"host":"a"}"#),
        (2, r#"{"host":"b","n":1}"#),
        (3, r#"{"host":"b","m":1}"#),
    ] {
        lasting.push(0, id, line);
        lasting.pass(secs(60));
    }
    let events = told.lock().unwrap().clone();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events[0].contains("E18323"), "{events:?}");
    assert_eq!(
        lasting
            .service
            .sisters
            .mapped("clicks_export2_kodo", "fields"),
        "host=#host m=#m n=#n"
    );
    assert_eq!(lasting.outcomes(), ["accepted"; 3]);
}

#[test]
fn two_shippers_and_a_queue_that_is_gone_leave_exports_with_all_fields() {
    let (mut bed, _) = bed("host string, v long", all(), false);
    bed.push(0, 1, r#"{"host":"a"}"#);
    bed.run();
    // The vendor's client never looks at an export whose LogDB repo is complete.
    let doc = json!({"host": "#host"});
    bed.service.sisters.exports.get_mut(NAMES[0]).unwrap()["spec"]["doc"] = doc;
    bed.service.sisters.logdb.get_mut("clicks").unwrap()["schema"] =
        json!([{"key": "host", "valtype": "string"}, {"key": "n", "valtype": "long"}]);
    bed.push(0, 2, r#"{"host":"a","n":1}"#);
    bed.run();
    assert_eq!(
        bed.service.sisters.mapped(NAMES[0], "doc"),
        "host=#host n=#n v=#v"
    );
    // Its exports go with a queue.
    bed.service.schema = None;
    bed.service.sisters.exports.clear();
    bed.push(0, 3, r#"{"host":"a"}"#);
    bed.run();
    assert_eq!(bed.service.sisters.exports.len(), NAMES.len());
    assert_eq!(bed.outcomes(), ["accepted"; 3]);
}

#[test]
fn without_a_way_to_the_sister_services_only_exports_are_made() {
    let (mut bed, told) = bed("host string", [], false);
    let free = SchemaFree::new().export(AutoExport::to(LogdbTarget::default()));
    let sink = Arc::clone(&told);
    let settings = Settings::new().schema_free(free).observer(move |event| {
        if let Event::ExportFailed { error, .. } = event {
            sink.lock().unwrap().push(error.to_string());
        }
    });
    bed.shippers = vec![pipeline_shipper::Shipper::new(
        "clicks".parse().unwrap(),
        settings,
    )];
    bed.push(0, 1, r#"{"host":"a"}"#);
    bed.close(secs(60));
    assert!(!bed.service.log.contains(&"get_logdb_repo"));
    assert!(told.lock().unwrap()[0].contains("E18122"), "{told:?}");
    assert_eq!(bed.outcomes(), ["accepted"]);
}
