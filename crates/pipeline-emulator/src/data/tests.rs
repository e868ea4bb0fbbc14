use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
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
    let headers: Vec<_> = coding
        .map(|it| ("content-encoding", it))
        .into_iter()
        .collect();
    let response = service.request("POST", DATA, &headers, body);
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
    for (count, status) in [("0", 400), ("x", 400), ("-1", 400), ("", 200)] {
        let response = service.send("GET", &format!("/v2/repos/r/data?count={count}"), "");
        assert_eq!(response.status(), status, "{count:?}");
    }
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
    for (repo, code, says) in [("r", 400, "E18007: "), ("other", 404, "E18102: ")] {
        let refused = service.ok("POST", &format!("/v2/stream/{repo}/data"), "any text");
        assert_eq!(refused["code"], code);
        let message = refused["message"].as_str().unwrap();
        assert!(message.starts_with(says), "{message}");
    }
    assert_eq!(service.ok("GET", DATA, "")["records"], json!([]));
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
