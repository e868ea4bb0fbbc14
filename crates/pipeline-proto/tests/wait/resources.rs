//! What beside workflows can be waited for.

use pipeline_proto::{
    Operation,
    name::{GroupName, JobName},
    wait::{Goal, JobRun, Progress, WaitOptions, Watch},
};

/// Reads a look as the operation does, and says how far it is.
fn progress<W: Watch>(watched: &W, body: &str, goal: Goal) -> (String, Progress) {
    let response = http::Response::new(body.to_owned().into());
    let state = watched
        .look(&WaitOptions::default())
        .decode(&response)
        .unwrap();
    (W::status(&state).to_string(), W::progress(&state, goal))
}

fn sent<O: Operation>(operation: &O) -> String {
    format!(
        "{} {}",
        operation.name(),
        operation.template().unwrap().target()
    )
}

#[test]
fn each_is_looked_at_started_and_stopped_by_its_own_requests() {
    fn requests<W: Watch>(watched: &W) -> [String; 3] {
        let look = watched.look(&WaitOptions::default());
        [sent(&look), sent(&watched.start()), sent(&watched.stop())]
    }
    let job = JobName::from_static("j");
    assert_eq!(
        requests(&job),
        [
            "get_job /v2/jobs/j",
            "start_job /v2/jobs/j/actions/start",
            "stop_job /v2/jobs/j/actions/stop"
        ]
    );
    assert_eq!(
        requests(&GroupName::from_static("g")),
        [
            "get_group /v2/groups/g",
            "start_group /v2/groups/g/actions/start",
            "stop_group /v2/groups/g/actions/stop"
        ]
    );
    let run = JobRun::new(job, 3);
    assert_eq!(
        requests(&run),
        [
            "list_batches /v2/jobs/j/history?runId=3",
            "rerun_batch /v2/batch/actions/rerun",
            "stop_batch /v2/batch/actions/stop"
        ]
    );
    assert_eq!(run.to_string(), "run 3 of j");
}

#[test]
fn a_job_and_a_group_are_where_their_container_is() {
    use Progress::{Open, Reached, Settled, UnderWay};
    let (job, group) = (JobName::from_static("j"), GroupName::from_static("g"));
    for (status, started, stopped) in [
        ("Ready", Settled, Reached),
        ("Starting", UnderWay, Open),
        ("Started", Reached, Settled),
        ("Stopping", Open, UnderWay),
        ("Stopped", Settled, Reached),
        ("x", Open, Open),
    ] {
        let body = format!(r#"{{"container":{{"type":"1U2G","count":1,"status":"{status}"}}}}"#);
        for (goal, expected) in [
            (Goal::Started, started),
            (Goal::Stopped, stopped),
            (Goal::Deleted, Open),
        ] {
            let expected = (status.to_owned(), expected);
            assert_eq!(progress(&job, &body, goal), expected, "{goal}");
            assert_eq!(progress(&group, &body, goal), expected, "{goal}");
        }
    }
    // One that depends on another has no container, and then nothing is known.
    assert_eq!(progress(&job, "{}", Goal::Stopped), (String::new(), Open));
}

#[test]
fn a_run_is_waited_for_by_its_status() {
    use Progress::{Open, Reached, Settled, UnderWay};
    let run = JobRun::latest(JobName::from_static("j"));
    for (status, started, stopped) in [
        ("Ready", UnderWay, Open),
        ("Running", Reached, Open),
        ("Successful", Settled, Reached),
        ("Failed", Settled, Reached),
        ("Canceled", Settled, Reached),
        ("Restarting", UnderWay, Open),
        ("Cancelling", Open, Open),
        ("later", Open, Open),
    ] {
        let body = format!(r#"{{"total":1,"history":[{{"runId":3,"status":"{status}"}}]}}"#);
        for (goal, expected) in [
            (Goal::Started, started),
            (Goal::Stopped, stopped),
            (Goal::Deleted, Open),
        ] {
            let found = progress(&run, &body, goal);
            assert_eq!(found, (status.to_owned(), expected), "{goal}");
        }
    }
    let none = progress(&run, r#"{"total":0,"history":[]}"#, Goal::Started);
    assert_eq!(none, (String::new(), Open));
}
