//! Seeing what goes over the wire.

use http::StatusCode;
use pipeline_emulator::{ClockSkew, InjectedFault, Transition};
use std::time::Duration;

use crate::support::{Ran, Run as _, SECRET_KEY, Service, TemporaryFile, pipeline};

#[test]
fn each_attempt_is_shown_without_credentials() {
    let service = Service::new();
    let busy = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE);
    service.inject(busy.times(1));
    let ran = service.run("workflow list --debug-http -o json");
    let seen = ran.stderr.clone();
    for part in [
        "[1] * list_workflows, attempt 1\n[1] > GET http://127.0.0.1:",
        "[1] > authorization: Pandora [hidden]\n",
        "[1] < 503 Service Unavailable after ",
        "[1] * again in ",
        ": HTTP 503\n",
        "[1] * list_workflows, attempt 2\n",
        "[1] < 200 OK after ",
        "[1] < [body of 2 bytes]\n",
        "[1] * 2 attempts, ",
    ] {
        assert!(seen.contains(part), "{part} is not in {seen}");
    }
    assert!(!seen.contains("Pandora access"), "{seen}");
    ran.json();
}

#[test]
fn a_recording_is_played_back_without_the_service_and_without_waiting() {
    let service = Service::with(|builder| {
        builder
            .transitions(Transition::AfterReads(2))
            .clock_offset(ClockSkew::Ahead(Duration::from_secs(1200)))
    })
    .with_workflow("w");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.jsonl");
    let record = path.to_str().unwrap();
    let start = ["workflow", "start", "w", "--wait", "-o", "json"];
    let recorded = service.run(&[&start[..], &["--record", record]].concat());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(SECRET_KEY) && !text.contains("Pandora access"));
    assert!(text.lines().count() >= 4, "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // No keys, no endpoint; a time-out that would end the test is not waited for.
    let replay = |arguments: &[&str]| pipeline(&[arguments, &["--replay", record]].concat()).ran();
    let status = |ran: Ran| ran.json()["status"].clone();
    assert_eq!(status(replay(&start)), status(recorded));
    replay(&["workflow", "get", "w"]).fails(2, ["no further response to GET /v2/workflows/w"]);
    // A recording is never overwritten.
    service
        .run(&format!("workflow list --record {record}"))
        .fails(2, ["exists"]);
}

#[test]
fn faults_are_recorded_and_played_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.jsonl");
    let record = path.to_str().unwrap();
    let list = |option: &str| {
        pipeline(&format!("workflow list {option} {record}"))
            .env("PANDORA_ENDPOINT", "http://127.0.0.1:1")
            .env("PANDORA_ACCESS_KEY", "ak")
            .env("PANDORA_SECRET_KEY", SECRET_KEY)
            .ran()
            .failed(8)
    };
    assert_eq!(list("--record"), list("--replay"));
}

#[test]
fn what_is_no_recording_is_refused_with_its_line() {
    for (text, says) in [
        ("{}\n", ":1:2: not a line of a recording: missing field"),
        ("\n\nx\n", ":3:1: "),
    ] {
        let file = TemporaryFile::new("no-recording", text);
        pipeline(&format!("workflow list --replay {}", file.path()))
            .ran()
            .fails(2, [says]);
    }
}
