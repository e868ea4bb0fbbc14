use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::Request;
use serde_json::{Value, json};

use crate::{Snapshot, testing::Fixture};

const REPO: &str = r#"{"region":"nb","schema":[
    {"key":"host","valtype":"string","required":true},{"key":"bytes","valtype":"long"},{"key":"ratio","valtype":"float"},
    {"key":"ok","valtype":"boolean"},{"key":"at","valtype":"date"},{"key":"src","valtype":"ip"},
    {"key":"tags","valtype":"array","elemtype":"long"},{"key":"raw","valtype":"jsonstring"},
    {"key":"geo","valtype":"map","schema":[{"key":"city","valtype":"string","required":true},
        {"key":"in","valtype":"map","schema":[{"key":"n","valtype":"long"}]}]}]}"#;

const DATA: &str = "/v2/repos/r/data";

fn service() -> Fixture {
    let mut service = Fixture::new();
    service.ok("POST", "/v2/repos/r", REPO);
    service
}

/// Status and message of a push, compressed or not.
fn push(service: &mut Fixture, coding: Option<&str>, body: &[u8]) -> (u16, String) {
    let mut request = Request::post(DATA).header("content-length", body.len());
    if let Some(coding) = coding {
        request = request.header("content-encoding", coding);
    }
    let request = request.body(Bytes::copy_from_slice(body)).unwrap();
    let response = service.emulator.handle(request, service.now);
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let message = body["error"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), message)
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn records(service: &mut Fixture) -> u64 {
    service.emulator.queues().map(|queue| queue.records).sum()
}

#[test]
fn points_are_checked_counted_and_shown_by_their_types() {
    let mut service = service();
    let point = "host=\"q\" \\t=x\tbytes=-7\tratio=1e+06\tok=true\tat=2020-09-22T21:03:42.005+08:00\tsrc=::1\
                 \ttags=[1,2]\traw={\"a\":1}\tgeo={\"city\":\"x\\ty\",\"in\":{\"n\":1}}";
    service.ok("POST", DATA, &format!("{point}\nhost="));
    service.ok("POST", DATA, "host=b\n");
    let shown = service.ok("GET", "/v2/repos/r/data?count=3", "");
    let expected = json!({"host": "\"q\" \\t=x", "bytes": -7, "ratio": 1e6, "ok": true, "src": "::1",
        "at": "2020-09-22T21:03:42.005+08:00", "tags": [1, 2], "raw": "{\"a\":1}",
        "geo": {"city": "x\ty", "in": {"n": 1}}});
    assert_eq!(
        shown["records"],
        json!([expected, {"host": ""}, {"host": "b"}])
    );
    assert_eq!(
        service.ok("GET", "/v2/repos/r/data?count=1", "")["records"],
        json!([{"host": "b"}])
    );
    let queue = service.emulator.queues().next().unwrap();
    let bytes = u64::try_from(point.len() + "\nhost=host=b\n".len()).unwrap();
    assert_eq!(
        (queue.repo.as_str(), queue.records, queue.bytes),
        ("r", 3, bytes)
    );
    for count in ["0", "x", "-1", ""] {
        let response = service.send("GET", &format!("/v2/repos/r/data?count={count}"), "");
        assert_eq!(response.status(), 400);
    }
}

#[test]
fn a_push_with_one_bad_point_is_refused_whole_with_its_place() {
    let mut service = service();
    for (point, code, says) in [
        (
            "host=a\tbytes=1.5",
            "E18110",
            "line 2: the field \"bytes\" is no long: \"1.5\"",
        ),
        ("host=a\tbytes=9223372036854775808", "E18110", "line 2"),
        ("host=a\tbytes=+1", "E18110", "line 2"),
        ("host=a\tbytes=", "E18110", "line 2"),
        ("host=a\tratio=inf", "E18110", "\"ratio\""),
        ("host=a\tok=TRUE", "E18110", "\"ok\""),
        ("host=a\tat=2020-09-22", "E18110", "\"at\""),
        ("host=a\tsrc=1.2.3", "E18110", "\"src\""),
        ("host=a\ttags=[1,\"2\"]", "E18110", "\"tags\""),
        ("host=a\ttags=[1", "E18110", "\"tags\""),
        ("host=a\traw={a:1}", "E18110", "\"raw\""),
        ("host=a\tgeo={\"city\":\"x\",\"x\":1}", "E18110", "\"geo\""),
        ("host=a\tgeo={\"in\":{}}", "E18110", "\"geo\""),
        (
            "bytes=1",
            "E18110",
            "line 2: the field \"host\" is required",
        ),
        ("host=a\tf7=1", "E18111", "line 2: no such field key \"f7\""),
        (
            "host=a\thost=b",
            "E18104",
            "line 2: the field \"host\" is there twice",
        ),
        (
            "host=a\t\tbytes=1",
            "E18007",
            "line 2: \"\" is no key=value",
        ),
        ("host", "E18007", "line 2"),
        ("=a", "E18007", "line 2"),
    ] {
        let (_, message) = push(&mut service, None, format!("host=ok\n{point}\n").as_bytes());
        assert!(
            message.starts_with(code) && message.contains(says),
            "{point}: {message}"
        );
    }
    assert_eq!(records(&mut service), 0, "nothing of them is kept");
    assert_eq!(push(&mut service, None, b"").1[..7], *"E18006:");
    assert_eq!(push(&mut service, None, b"\n\n").1[..7], *"E18006:");
    assert_eq!(
        service.refused("POST", "/v2/repos/other/data", "a=1"),
        (404, "E18102".into())
    );
    assert_eq!(
        service.refused("POST", "/v2/repos/a-b/data", "a=1"),
        (400, "E18103".into())
    );
    service.ok(
        "POST",
        "/v2/repos/r/transforms/t/to/sums",
        r#"{"mode":"sql","code":"select 1"}"#,
    );
    assert_eq!(
        service.refused("POST", "/v2/repos/sums/data", "host=a"),
        (400, "E18223".into())
    );
}

#[test]
fn hostile_bodies_get_a_code_and_are_not_kept() {
    let mut service = service();
    let good = packed(b"host=a\nhost=b");
    let (cut, bomb) = (&good[..good.len() - 5], packed(&vec![b'a'; 50 << 20]));
    assert!(bomb.len() < 1 << 20);
    let huge = format!("host={}", "x".repeat(2 << 20));
    for (coding, body, status, says) in [
        (Some("gzip"), cut, 400, "E18125"),
        (Some("gzip"), &b"host=a"[..], 400, "E18125"),
        (Some("gzip"), &bomb, 413, "E18005"),
        (Some("deflate"), b"host=a", 400, "E18125"),
        (None, &good, 400, "E18007"),
        (None, b"host=a\nhost=\xff\n", 400, "line 2 is not UTF-8"),
        (
            Some("gzip"),
            &packed(b"host=\xff"),
            400,
            "line 1 is not UTF-8",
        ),
        (None, huge.as_bytes(), 413, "E18005"),
        (None, b"\0", 400, "E18007"),
        (None, b"host=a\r\nbytes=1\r\n", 400, "E18110"),
    ] {
        let (found, message) = push(&mut service, coding, body);
        assert!(
            found == status && message.contains(says),
            "{says}: {found} {message}"
        );
    }
    assert_eq!(records(&mut service), 0);
    assert_eq!(push(&mut service, Some("gzip"), &good).0, 200);
    assert_eq!(push(&mut service, Some("identity"), b"host=c").0, 200);
    assert_eq!(records(&mut service), 3);
}

#[test]
fn tags_are_fields_of_each_record_where_the_schema_has_them() {
    let mut service = service();
    // `bytes=7` and `more=x`; `?tags=` with nothing behind it.
    service.ok(
        "POST",
        "/v2/repos/r/data?tags=Ynl0ZXM9Nwltb3JlPXg=",
        "host=a\nhost=b\tbytes=1",
    );
    service.ok("POST", "/v2/repos/r/data?tags=", "host=c");
    let shown = service.ok("GET", DATA, "");
    let expected = json!([{"host": "a", "bytes": 7}, {"host": "b", "bytes": 1}, {"host": "c"}]);
    assert_eq!(shown["records"], expected);
    for tags in ["x", "Ynl0ZXM9Nwltb3JlPXg", "YQ==", "gA=="] {
        let refused = service.refused("POST", &format!("{DATA}?tags={tags}"), "host=a");
        assert_eq!(refused, (400, "E18138".into()), "{tags}");
    }
    // `bytes=x`
    let refused = service.refused("POST", "/v2/repos/r/data?tags=Ynl0ZXM9eA%3D%3D", "host=a");
    assert_eq!(refused, (400, "E18110".into()));
}

#[test]
fn options_of_the_repo_restore_escapes_and_add_the_time_of_receipt() {
    let mut service = service();
    let mut repo: Value = serde_json::from_str(REPO).unwrap();
    repo["options"] = json!({"withTimestamp": "received", "unescapeLine": true});
    service.ok("PUT", "/v2/repos/r", &repo.to_string());
    service.ok("POST", DATA, "host=a\\tb\\nc\\\\d");
    let shown = service.ok("GET", DATA, "");
    let expected = json!([{"host": "a\tb\nc\\\\d", "received": "1994-11-06T08:49:37.000Z"}]);
    assert_eq!(shown["records"], expected);
}

#[test]
fn raw_text_is_refused_in_the_body_of_a_success() {
    let mut service = service();
    let raw = "/v2/stream/r/data";
    assert_eq!(
        service.ok("POST", raw, "host=a\n"),
        json!({"code": 200, "message": ""})
    );
    let refused = service.ok("POST", raw, "any text");
    assert_eq!(refused["code"], 400);
    assert!(
        refused["message"].as_str().unwrap().starts_with("E18007: "),
        "{refused}"
    );
    let missing = service.ok("POST", "/v2/stream/other/data", "a=1");
    assert_eq!(missing["code"], 404);
    // With rules it may be anything, as lines may.
    service.ok(
        "POST",
        "/v2/stream/r/data?tags=&rules=r1,r2",
        "any text\nline 2",
    );
    assert_eq!(
        service.ok("POST", "/v2/streams/r/data?tags=az0x&rules=r1", "line 3"),
        json!({})
    );
    assert_eq!(
        service.refused("POST", "/v2/streams/r/data?tags=x", "line"),
        (400, "E18138".into())
    );
    let shown = service.ok("GET", DATA, "");
    let expected =
        json!([{"host": "a"}, {"raw": "any text"}, {"raw": "line 2"}, {"raw": "line 3"}]);
    assert_eq!(shown["records"], expected);
}

#[test]
fn what_is_kept_is_bounded_and_goes_with_its_repo() {
    let mut service = service();
    let points: Vec<String> = (0..1000).map(|n| format!("host=a\tbytes={n}")).collect();
    let points = points.join("\n");
    service.ok("POST", DATA, &points);
    service.ok("POST", DATA, &format!("host={}", "x".repeat(300 << 10)));
    let snapshot = service.emulator.snapshot(service.now);
    assert!(
        serde_json::to_string(&snapshot).unwrap().len() < 16 << 10,
        "one is too large to be kept"
    );
    service.ok("POST", DATA, &points);
    assert_eq!(
        service.ok("GET", DATA, "")["records"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
    let text = serde_json::to_string(&service.emulator.snapshot(service.now)).unwrap();
    assert!(text.len() < 16 << 10 && text.contains("bytes=999") && text.contains("bytes=900"));
    assert!(!text.contains("bytes=899"));

    // Snapshots have it, and what is deleted does not come back with a repo of the same name.
    service.emulator.reset();
    assert_eq!(records(&mut service), 0);
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    service.emulator.restore(&snapshot, service.now);
    assert_eq!(records(&mut service), 2001);
    service.ok("DELETE", "/v2/repos/r", "");
    service.ok("POST", "/v2/repos/r", REPO);
    assert_eq!(service.ok("GET", DATA, ""), json!({"records": []}));
    assert_eq!(service.emulator.queues().count(), 0);
}
