//! What may become of a body on its way: compressed, marked, damaged, replaced by a page of somebody else.

use std::io::Write as _;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use pipeline_proto::{
    CallOptions, Cause, ErrorCode, ErrorKind, FaultKind,
    resource::workflow::{GetWorkflow, ListWorkflows, StartWorkflow},
};

use super::support::{Event, builder, context, name, response, run, run_with};

const LIST: &str = r#"[{"name":"logs"}]"#;
const GONE: &str = r#"{"error":"E18641: logs"}"#;

macro_rules! packed {
    ($encoder:ident, $body:expr) => {{
        let mut encoder = $encoder::new(Vec::new(), Compression::best());
        encoder.write_all($body.as_ref()).unwrap();
        encoder.finish().unwrap()
    }};
}

/// A body in each form that is read, with its header.
fn forms(body: &str) -> Vec<(&'static str, Vec<u8>)> {
    let gzip = packed!(GzEncoder, body);
    vec![
        ("gzip", gzip.clone()),
        ("x-gzip", gzip.clone()),
        (" GZIP ", gzip.clone()),
        // The header was lost on the way.
        ("identity", gzip),
        ("deflate", packed!(ZlibEncoder, body)),
        ("deflate", packed!(DeflateEncoder, body)),
        // The header stayed although somebody has decompressed the body.
        ("gzip", body.into()),
        ("deflate", body.into()),
        ("identity", body.into()),
    ]
}

fn coded(status: u16, coding: &str, body: impl Into<bytes::Bytes>) -> Event {
    response(status)
        .header("content-encoding", coding)
        .body(body)
}

#[test]
fn compressed_bodies_are_read_all_the_same_and_codes_with_them() {
    for (coding, body) in forms(LIST) {
        let trace = run(ListWorkflows::new(), [coded(200, coding, body)]);
        let list = trace
            .result
            .unwrap_or_else(|error| panic!("{coding}: {error}"));
        assert_eq!(list[0].name, "logs");
    }
    for status in [200, 404] {
        for (coding, body) in forms(GONE) {
            let error = run(GetWorkflow::new(name()), [coded(status, coding, body)]).error();
            assert_eq!(
                error.code(),
                Some(ErrorCode::WORKFLOW_NOT_FOUND),
                "{coding}: {error}"
            );
        }
    }
}

#[test]
fn a_body_that_grows_beyond_the_limit_is_too_large() {
    // 64 MiB in some 64 KiB.
    let zeros = vec![b' '; 64 << 20];
    for (coding, bomb) in [
        ("gzip", packed!(GzEncoder, zeros)),
        ("deflate", packed!(ZlibEncoder, zeros)),
        ("deflate", packed!(DeflateEncoder, zeros)),
    ] {
        assert!(bomb.len() < 1 << 18);
        for status in [200, 404, 503] {
            let error = run(ListWorkflows::new(), [coded(status, coding, bomb.clone())]).error();
            let too_large = matches!(error.cause(), Cause::Fault(fault) if fault.kind() == FaultKind::BodyTooLarge);
            assert!(
                too_large && error.attempts() == 1,
                "{coding}, {status}: {error}"
            );
        }
    }
    let small = builder().max_response_size(LIST.len()).build();
    for (size, fits) in [(LIST.len(), true), (LIST.len() + 1, false)] {
        let event = coded(200, "gzip", packed!(GzEncoder, format!("{LIST:size$}")));
        let trace = run_with(
            &small,
            ListWorkflows::new(),
            CallOptions::default(),
            [event],
        );
        assert_eq!(trace.result.is_ok(), fits, "{size}");
    }
}

#[test]
fn what_cannot_be_decompressed_is_named_and_the_status_still_counts() {
    let whole = packed!(GzEncoder, LIST);
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (coding, body, says) in [
        (
            "gzip",
            &whole[..whole.len() - 9],
            "compressed as gzip, and damaged",
        ),
        ("gzip", &damaged[..], "compressed as gzip, and damaged"),
        (
            "deflate",
            &b"\xff\xff"[..],
            "compressed as deflate, and damaged",
        ),
        (
            "br",
            &b"\x0b"[..],
            "compressed as br, which was not asked for",
        ),
        ("gzip, br", &b"\x0b"[..], "compressed as gzip, br, which"),
    ] {
        let event = |status| coded(status, coding, body.to_vec());
        let error = run(ListWorkflows::new(), [event(200)]).error();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
        assert!(error.to_string().contains(says), "{error}");
        let error = run(GetWorkflow::new(name()), [event(403)]).error();
        assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
    }
    // Of an empty body, the coding says nothing.
    assert!(
        run(StartWorkflow::new(name()), [coded(200, "br", "")])
            .result
            .is_ok()
    );
}

#[test]
fn a_mark_and_half_a_surrogate_cost_nothing_but_themselves() {
    let list =
        "\u{feff}[{\"name\":\"a\",\"comment\":\"\\ud83d\",\"x\":\"\\ud83d\"},{\"name\":\"b\"}]";
    let workflows = run(ListWorkflows::new(), [response(200).body(list)])
        .result
        .unwrap();
    assert_eq!(
        (&*workflows[0].comment, &*workflows[1].name),
        ("\u{fffd}", "b")
    );
    let gone = response(200).body(format!("\u{feff}{GONE}"));
    let error = run(StartWorkflow::new(name()), [gone]).error();
    assert_eq!(error.code(), Some(ErrorCode::WORKFLOW_NOT_FOUND));
    run(StartWorkflow::new(name()), [response(200).body("\u{feff}")])
        .result
        .unwrap();
}

#[test]
fn a_page_instead_of_data_shows_its_type_and_first_words() {
    let page = "<!DOCTYPE html><html><head><title>Sign in</title><style>b{}</style></head>\
        <body>\x1b[2JWelcome <b>back</b></body>";
    let portal = |media_type: &str| response(200).header("content-type", media_type).body(page);
    for (event, says) in [
        (
            portal("text/html; charset=utf-8"),
            "not JSON, but text/html that begins with \"Sign in \\u{1b}[2JWelcome back\" (HTTP 200)",
        ),
        (
            portal("application/json"),
            "not JSON, but HTML or XML that begins with",
        ),
        (
            response(200)
                .header("content-type", "text/plain")
                .body("OK"),
            "text/plain that begins with \"OK\"",
        ),
    ] {
        for error in [
            run(ListWorkflows::new(), [event.clone()]).error(),
            run(StartWorkflow::new(name()), [event.clone()]).error(),
        ] {
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
            assert!(error.to_string().contains(says), "{error}");
        }
    }
    let long = response(200)
        .header("content-type", "text/html")
        .body("<p>".to_owned() + &"a".repeat(5000));
    let context = context();
    let error = run_with(
        &context,
        ListWorkflows::new(),
        CallOptions::default(),
        [long],
    )
    .error();
    assert!(error.to_string().len() < 250, "{error}");
}
