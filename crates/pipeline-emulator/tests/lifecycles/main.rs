//! Lifecycles of resources over a socket, as texts: what is sent, and below it what comes back.
//!
//! ```text
//! # The title of a lifecycle, which begins with an empty service
//! POST /v2/repos/r {"region":"nb", …}         JSON is sent as such; `bare` in front of it leaves out its type
//!     {}                                      the whole body of a success
//! PUT /v2/groups/g json                       a type without a body
//!     400 E18006                              status and code of a refusal, and words that are in its message
//! GET /v2/groups/g => 404 E18221              the same on one line
//! POST /v2/repos/r/data text a=1\tb=2\n       plain text; `\t`, `\n` and `\\` are escapes
//! POST /v2/plugins/p jar plugin content       bytes of a jar with their digest, which is another for `damaged`;
//!     409 E18217                              `@` and a name is one that `jars` makes
//! with max_fields 2                           a rule that is set, before anything else
//! wait 500                                    milliseconds that pass
//! ```
//!
//! What is refused has changed nothing.

mod jars;
#[path = "../support/mod.rs"]
mod support;

use std::{fs, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use pipeline_emulator::{Authentication, Emulator, Transition, server::Limits};
use serde_json::Value;
use support::{send, serve};

#[test]
fn every_lifecycle_goes_as_it_is_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lifecycles");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    for file in files.filter(|file| file.extension().is_some_and(|it| it == "txt")) {
        let text = fs::read_to_string(&file).unwrap();
        for lifecycle in text.split("\n# ").filter(|text| text.contains('\n')) {
            play(&file.display().to_string(), lifecycle);
        }
    }
}

fn play(file: &str, lifecycle: &str) {
    let mut builder = Emulator::builder()
        .transitions(Transition::Immediate)
        .any_owner();
    if lifecycle.contains("\nwait ") {
        // Every request is signed with the date at which the test begins.
        builder = builder.authentication(Authentication::Off);
    }
    let mut lines = lifecycle
        .lines()
        .filter(|line| !line.trim().is_empty())
        .peekable();
    let title = lines.next().unwrap();
    while let Some(rule) = lines.next_if(|line| line.starts_with("with ")) {
        let (name, value) = rule["with ".len()..].split_once(' ').unwrap();
        let count = || value.parse().unwrap();
        let time = || Duration::from_millis(value.parse().unwrap());
        builder = match name {
            "destination_delay" => builder.destination_delay(time()),
            "schema_delay" => builder.schema_delay(time()),
            "manual_run" => builder.manual_run(time()),
            "max_fields" => builder.max_fields(count()),
            "max_repos" => builder.max_repos(count()),
            "max_description" => builder.max_description(count()),
            "regions" => builder.regions(value.split(' ')),
            "stuck" if value == "start" => builder.start_transition(Transition::Stuck),
            "stuck" => builder.stop_transition(Transition::Stuck),
            "reads" => builder.transitions(Transition::AfterReads(value.parse().unwrap())),
            _ => panic!("there is no rule {name}"),
        };
    }
    let (server, clock) = serve(builder, Limits::default());
    let snapshot = || server.with(|emulator| emulator.snapshot(clock.now()));
    while let Some(line) = lines.next() {
        let (line, expected) = match line.rsplit_once(" => ") {
            Some((line, expected)) => (line, Some(expected)),
            None => (line, None),
        };
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (method, target, body) = (word(), word(), word());
        if method == "wait" {
            clock.advance(Duration::from_millis(target.parse().unwrap()));
            continue;
        }
        let (content_type, body) = match body.split_once(' ').unwrap_or((body, "")) {
            ("bare", body) => ("", body.as_bytes().to_vec()),
            ("jar" | "damaged", body) => ("application/java-archive", jars::bytes(body)),
            ("json", body) => ("application/json", body.as_bytes().to_vec()),
            ("text", body) => {
                let plain = ["\\t", "\t", "\\n", "\n", "\\\\", "\\"];
                let body = plain
                    .chunks(2)
                    .fold(body.to_owned(), |body, it| body.replace(it[0], it[1]));
                ("text/plain", body.into_bytes())
            }
            ("", _) => ("", Vec::new()),
            _ => ("application/json", body.as_bytes().to_vec()),
        };
        let mut headers = vec![("X-Resource-Owner", "1380000000")];
        if !content_type.is_empty() {
            headers.push(("Content-Type", content_type));
        }
        let digested = if line.contains(" damaged ") {
            b""
        } else {
            &body[..]
        };
        let digest = STANDARD.encode(Md5::digest(digested));
        if content_type == "application/java-archive" {
            headers.push(("Content-Md5", &digest));
        }
        let before = snapshot();
        let response = send(server.addr(), method, target, &headers, &body);
        let place = format!("{file}: {title}\n{line}\n{response:?}");
        let expected = expected.or_else(|| lines.next()?.strip_prefix("    "));
        let expected = expected.unwrap_or_else(|| panic!("no response: {place}"));
        assert_eq!(response.header("content-type"), ["application/json"]);
        assert_eq!(response.header("x-reqid").len(), 1);
        if response.status == 200 {
            let expected: Value = serde_json::from_str(expected)
                .unwrap_or_else(|error| panic!("{error}: {expected}: {place}"));
            assert_eq!(response.json(), expected, "{place}");
        } else {
            let mut words = expected.splitn(3, ' ');
            let (status, code) = (words.next().unwrap(), words.next().unwrap_or_default());
            let found = (response.status.to_string(), response.code());
            assert_eq!(found.0, status, "{place}");
            assert_eq!(
                found.1.unwrap_or_default(),
                code.trim_matches('-'),
                "{place}"
            );
            let json = response.json();
            let message = json["error"].as_str().unwrap_or_default();
            assert!(
                message.contains(words.next().unwrap_or_default()),
                "{place}"
            );
            assert_eq!(snapshot(), before, "{place}");
        }
    }
}
