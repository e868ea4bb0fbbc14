//! How much memory a response can make its reader take: no more than a stated multiple of its size,
//! whatever is in it.
//!
//! `cargo test -p pipeline-conformance --test hostile_memory -- --nocapture` prints the figures.

use bytes::Bytes;
use http::Response;
use pipeline_conformance::cases;
use pipeline_proto::{
    ApiError, Operation, WorkflowName,
    resource::workflow::{GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs},
};

/// What the documentation of `decode_json` says.
const LARGEST_MULTIPLE: u64 = 10;

/// What any response may take, however small it is, by the same documentation.
const BASE: u64 = 4 << 20;

/// What the documentation of `ApiError::from_response` says.
const LARGEST_MULTIPLE_OF_ERRORS: u64 = 2;

/// How many times the largest multiple may be allocated in the course of reading, what was given back
/// meanwhile included.
const MOVES: u64 = 3;

/// What grows faster than the body shows in the larger ones. A list that has just outgrown a power
/// of two takes the most, so there are sizes just above one for the smallest element, `{},`.
const SIZES: [usize; 4] = [1 << 14, 98_400, 1 << 19, 1_600_000];

/// A body of about this size: `open`, then as many parts as fit, then `close`. A `#` in a part
/// becomes a text that no other part of the body has.
fn body(size: usize, [open, part, close]: [&str; 3]) -> String {
    const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut text = String::with_capacity(size + 64);
    text.push_str(open);
    let mut number = 0_usize;
    while text.len() < size {
        for c in part.chars() {
            if c == '#' {
                let mut rest = number;
                for _ in 0..4 {
                    text.push(char::from(DIGITS[rest % DIGITS.len()]));
                    rest /= DIGITS.len();
                }
            } else {
                text.push(c);
            }
        }
        number += 1;
    }
    if close.starts_with([']', '}']) && text.ends_with(',') {
        text.pop();
    }
    text.push_str(close);
    text
}

/// Beginning, repeated part and end of each body.
const BODIES: &[(&str, [&str; 3])] = &cases! {
    // The smallest text for the largest value.
    "empty workflows" => ["[", "{},", "]"];
    "empty workflows in an object" => [r#"{"x":["#, "{},", "]}"];
    "workflows of one node" => ["[", r#"{"nodes":{"":{}}},"#, "]"];
    "workflows of one unknown member" => ["[", r#"{"":0},"#, "]"];
    "nodes" => [r#"{"nodes":{"#, r##""#":{},"##, "}}"];
    "nodes of one parent" => [r#"{"nodes":{"#, r##""#":{"parents":[{}]},"##, "}}"];
    "edges" => [r#"{"nodes":{"a":{"parents":["#, "{},", "]}}}"];
    "states of nodes" => [r#"{"nodes":["#, "{},", "]}"];
    "log lines" => [r#"{"log":["#, "{},", "]}"];
    "changes of status" => [r#"{"status":["#, "{},", "]}"];
    "metrics" => [r#"{"metric":["#, "{},", "]}"];
    "advice" => [r#"{"recommend":["#, r#""","#, "]}"];
    // Just so much text around the values that all of them are read.
    "sparse workflows" => ["[", "{                                                                    },", "]"];
    "sparse workflows of one node" => ["[", r#"{"nodes":{"":{                                                                                                                                                                                                                                                                                                                                          }}},"#, "]"];
    "sparse workflows of one unknown member" => ["[", r#"{"":                                                                                0},"#, "]"];
    "sparse edges" => [r#"{"nodes":{"a":{"parents":["#, "{                      },", "]}}}"];
    "sparse nodes" => [r#"{"nodes":{"#, r##""#":{                                      },"##, "}}"];
    "sparse advice" => [r#"{"recommend":["#, r#""                      ","#, "]}"];
    "sparse unknown members" => ["{", r##""#":"aaaa","##, "}"];
    // Members nobody knows.
    "unknown members" => ["{", r##""#":0,"##, "}"];
    "unknown members of a node" => [r#"{"nodes":{"a":{"#, r##""#":0,"##, "}}}"];
    "one unknown member, again and again" => ["{", r#""x":0,"#, "}"];
    "one known member, again and again" => ["{", r#""name":"a","#, "}"];
    "one array, again and again" => ["{", r#""nodes":[{}],"#, "}"];
    // Depth.
    "brackets" => ["", "[", ""];
    "braces" => ["", r#"{"":"#, ""];
    "brackets in an unknown member" => [r#"{"x":"#, "[", ""];
    "brackets in data" => [r#"{"nodes":{"a":{"data":"#, "[", ""];
    // Length.
    "a long name" => [r#"{"name":""#, "a", r#""}"#];
    "a name of escapes" => [r#"{"name":""#, "\\u0041", r#""}"#];
    "a name of short escapes" => [r#"{"name":""#, "\\n", r#""}"#];
    "a name that never ends" => [r#"{"name":""#, "a", ""];
    "an unknown name of escapes" => [r#"{""#, "\\u0041", r#"":0}"#];
    "an unknown long text" => [r#"{"x":""#, "a", r#""}"#];
    "a huge number for a time" => [r#"{"createTime":1"#, "0", "}"];
    "a huge fraction for a time" => [r#"{"createTime":0."#, "1", "}"];
    "a huge number for a count" => [r#"{"metric":[{"total":1"#, "0", "}]}"];
    "an unknown huge number" => [r#"{"x":1"#, "0", "}"];
    "an error of a long text" => [r#"{"error":""#, "a", r#""}"#];
    "an error of escapes" => [r#"{"error":""#, "\\u0041", r#""}"#];
    "an error that is an array" => [r#"{"error":["#, r#""a","#, r#""a"]}"#];
    "an error, again and again" => ["{", r#""error":"a","#, "}"];
    "an error cut short" => [r#"{"error":""#, "\\\"", ""];
    "an error among others" => [r#"{"error":"a","#, r##""#":0,"##, "}"];
    "blanks" => ["", " ", "{}"];
    "text" => ["", "a", ""];
    "control characters" => ["", "\u{1b}", ""];
};

/// Reads each body in each size, and compares what it takes with what it may take.
fn check<T>(reader: &str, multiple: u64, read: impl Fn(&Response<Bytes>) -> T) {
    let mut largest = 0.0_f64;
    for (name, parts) in BODIES {
        for size in SIZES {
            let text = body(size, *parts);
            let length = text.len() as u64;
            let response = Response::new(Bytes::from(text));
            // What `read` returns is still held when it returns.
            let taken = allocation_counter::measure(|| drop(read(&response)));
            let most = taken.bytes_max;
            #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
            let [times, in_all] = [most, taken.bytes_total].map(|n| n as f64 / length as f64);
            println!(
                "{reader:>8}  {name:<40} {length:>8} bytes, {times:>7.2} times, {in_all:>7.2} in all"
            );
            largest = largest.max(times);
            assert!(
                most <= BASE.max(multiple * length),
                "{reader}, {name}: {times:.1} times"
            );
            // Growing step by step moves what is there; how often must not depend on the size.
            let moved = taken.bytes_total;
            assert!(
                moved <= MOVES * BASE.max(multiple * length),
                "{reader}, {name}: {in_all:.1} in all"
            );
        }
    }
    println!("{reader:>8}  at most {largest:.1} times");
}

fn name() -> WorkflowName {
    WorkflowName::from_static("logs")
}

#[test]
fn a_list_takes_a_bounded_multiple_of_its_size() {
    let list = ListWorkflows::new();
    check("list", LARGEST_MULTIPLE, |response| list.decode(response));
}

#[test]
fn a_workflow_takes_a_bounded_multiple_of_its_size() {
    let get = GetWorkflow::new(name());
    check("get", LARGEST_MULTIPLE, |response| get.decode(response));
}

#[test]
fn a_status_takes_a_bounded_multiple_of_its_size() {
    let status = GetWorkflowStatus::new(name());
    check("status", LARGEST_MULTIPLE, |response| {
        status.decode(response)
    });
}

#[test]
fn logs_take_a_bounded_multiple_of_their_size() {
    let search = SearchLogs::new(name());
    check("search", LARGEST_MULTIPLE, |response| {
        search.decode(response)
    });
}

#[test]
fn an_error_takes_a_bounded_multiple_of_its_size() {
    let read = |response: &Response<Bytes>| {
        let error = ApiError::from_response(response);
        let line = error.to_string();
        (error, line)
    };
    check("error", LARGEST_MULTIPLE_OF_ERRORS, read);
}
