//! What `pipeline doctor` finds.

use std::{net::TcpListener, time::Duration};

use pipeline_conformance::{Identity, Relay, Speaks, Special};
use pipeline_emulator::ClockSkew;
use serde_json::Value;

use crate::support::{ACCESS_KEY, Ran, Run as _, SECRET_KEY, Service, TemporaryFile, pipeline};

/// The outcome of each check, and the exit code.
fn findings(ran: &Ran) -> (Vec<(String, String)>, Option<i32>) {
    assert_eq!(ran.stderr, "", "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    let checks = checks.map(|check| (text(&check["name"]), text(&check["outcome"])));
    (checks.collect(), ran.code)
}

fn examine(endpoint: &str, secret_key: &str) -> Ran {
    let arguments = format!("doctor -o json --timeout 5s --endpoint {endpoint}");
    pipeline(&arguments)
        .env("PANDORA_ACCESS_KEY", ACCESS_KEY)
        .env("PANDORA_SECRET_KEY", secret_key)
        .ran()
}

/// The check that failed, its text, and the exit code. All before it were fine.
#[track_caller]
fn failed(ran: &Ran) -> (String, String, Option<i32>) {
    let (checks, code) = findings(ran);
    let failed: Vec<&(String, String)> = checks
        .iter()
        .filter(|(_, outcome)| outcome == "failed")
        .collect();
    assert_eq!(failed.len(), 1, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let check = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["outcome"] == "failed")
        .unwrap();
    (failed[0].0.clone(), check.to_string(), code)
}

#[test]
fn everything_is_fine() {
    let service = Service::new().with_workflow("w");
    let (checks, code) = findings(&examine(&service.server.url(), SECRET_KEY));
    let names: Vec<&str> = checks.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        "configuration endpoint keys resolution connection service clock credentials"
            .split(' ')
            .collect::<Vec<_>>()
    );
    assert!(
        checks.iter().all(|(_, outcome)| outcome == "ok"),
        "{checks:?}"
    );
    assert_eq!(code, Some(0));
    let table = service.run("doctor").ok();
    assert!(table.contains("the account has one workflow"), "{table}");
    let chinese = service.run("doctor --lang zh").ok();
    assert!(chinese.contains("账号下有 1 个工作流"), "{chinese}");
    assert_eq!(service.run("doctor -o name").ok(), "");
}

#[test]
fn a_wrong_key_is_found() {
    let service = Service::new();
    let (check, text, code) = failed(&examine(&service.server.url(), "wrong"));
    assert_eq!((check.as_str(), code), ("credentials", Some(4)));
    assert!(
        text.contains("the clocks agree") && text.contains("config explain"),
        "{text}"
    );
}

#[test]
fn a_wrong_clock_is_found_and_does_not_hide_that_the_keys_are_right() {
    for (offset, says) in [
        (
            ClockSkew::Ahead(Duration::from_secs(1200)),
            "behind the service's",
        ),
        (
            ClockSkew::Behind(Duration::from_secs(1200)),
            "ahead of the service's",
        ),
    ] {
        let service = Service::with(|builder| builder.clock_offset(offset));
        let ran = examine(&service.server.url(), SECRET_KEY);
        let (checks, code) = findings(&ran);
        let outcome = |name: &str| {
            let check = checks.iter().find(|(check, _)| check == name);
            check.unwrap().1.clone()
        };
        assert_eq!(
            (outcome("clock"), outcome("credentials"), code),
            ("warning".into(), "ok".into(), Some(0))
        );
        assert!(ran.stdout.contains(says), "{ran:?}");
    }
}

#[test]
fn what_is_missing_or_broken_is_found() {
    let none = pipeline("doctor -o json --endpoint http://127.0.0.1:1").output();
    let (checks, code) = findings(&Ran::of(none.unwrap()));
    let first = checks.iter().find(|(_, outcome)| outcome == "failed");
    assert_eq!((first.unwrap().0.as_str(), code), ("keys", Some(4)));

    let output = pipeline("doctor -o json --profile gone").output();
    let (check, text, code) = failed(&Ran::of(output.unwrap()));
    assert_eq!((check.as_str(), code), ("configuration", Some(2)));
    assert!(text.contains("no profile"), "{text}");
}

#[test]
fn trouble_on_the_way_is_found_where_it_is() {
    let (check, _, code) = failed(&examine("http://pipeline.invalid", SECRET_KEY));
    assert_eq!((check.as_str(), code), ("resolution", Some(8)));

    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (check, text, code) = failed(&examine(&format!("http://{free}"), SECRET_KEY));
    assert_eq!((check.as_str(), code), ("connection", Some(8)));
    assert!(text.contains("firewalls"), "{text}");

    // It takes connections and does not speak TLS.
    let service = Service::new();
    let https = service.server.url().replace("http://", "https://");
    let (check, text, code) = failed(&examine(&https, SECRET_KEY));
    assert_eq!((check.as_str(), code), ("tls", Some(8)));
    assert!(text.contains("--ca-file"), "{text}");
}

#[test]
fn a_token_for_something_else_is_no_fault() {
    let service = Service::new();
    let mint = "token mint --method POST --resource /v2/workflows/w/start";
    let minted = service.run(&format!("{mint} --ttl 5m")).ok();
    let output = pipeline(&["doctor", "-o", "json", "--endpoint", &service.server.url()])
        .env("PANDORA_TOKEN", minted.trim_end())
        .output();
    let (checks, code) = findings(&Ran::of(output.unwrap()));
    assert_eq!(
        checks.last().unwrap(),
        &("credentials".into(), "skipped".into())
    );
    assert_eq!(code, Some(0));
}

/// A resource that is named, and a queue that has to take pushes; nothing is pushed.
#[test]
fn what_is_named_is_looked_at_and_pushing_is_tried_where_that_is_asked_for() {
    let service = Service::new().with_workflow("w");
    for line in [
        "repo create q --schema ip",
        "export create q e --to http --host h --uri /u",
        "datasource create s --from kodo --bucket bbbb --file-type json --schema ip",
        "job create j --from s=t --sql select --container 1U2G --run manual",
    ] {
        service.run(line).ok();
    }
    for (line, code, outcome, says) in [
        ("repo q --push q", 0, "ok", "q takes pushes"),
        ("repo q", 0, "ok", "repo q is there"),
        ("export q e", 0, "ok", "export q/e is there"),
        ("export q/e", 0, "ok", "export q/e is there"),
        ("job j", 0, "ok", "job j is there"),
        ("workflow w", 0, "warning", "workflow w is Ready"),
        (
            "repo clicks",
            0,
            "warning",
            "workflow w is Ready: nothing is computed or exported",
        ),
        ("repo gone", 3, "failed", "E18102"),
        ("export q gone", 3, "failed", "E18302"),
        ("workflow gone", 3, "failed", "there is no such workflow"),
        ("--push gone", 3, "failed", "`pipeline repo list`"),
    ] {
        let table = service.run(&format!("doctor {line}"));
        assert!(
            table.stdout.lines().last().unwrap().contains(says),
            "{line}: {table:?}"
        );
        let (checks, exit) = findings(&service.run(&format!("doctor {line} -o json")));
        assert_eq!(
            (checks.last().unwrap().1.as_str(), exit),
            (outcome, Some(code)),
            "{line}"
        );
    }
    for line in ["q", "repo", "export q", "repo a-b", "nothing x"] {
        service.run(&format!("doctor {line}")).failed(2);
    }
    assert_eq!(service.run("repo sample q").ok(), "");
    // A device that may push and do nothing else.
    let device = |token: &str, repo: &str| {
        let ran = pipeline(&format!("doctor -o json --push {repo}"))
            .env("PANDORA_ENDPOINT", service.server.url())
            .env("PANDORA_TOKEN", token.trim_end())
            .ran();
        let (checks, code) = findings(&ran);
        (checks.last().unwrap().clone(), code)
    };
    let token = service.run("token mint push_points q").ok();
    assert_eq!(device(&token, "q"), (("push".into(), "ok".into()), Some(0)));
    assert_eq!(
        device(&token, "clicks"),
        (("push".into(), "failed".into()), Some(4))
    );
}

#[test]
fn a_clock_that_is_days_off_is_made_up_for_only_if_asked() {
    let days = ClockSkew::Ahead(Duration::from_secs(2 * 86_400));
    let service = Service::with(|builder| builder.clock_offset(days));
    let ran = service.run("doctor -o json");
    assert!(ran.stdout.contains("without --correct-clock"), "{ran:?}");
    let line = service.run("workflow list").failed(4);
    assert!(
        line.contains("at most 86400 s are made up for; --correct-clock DURATION"),
        "{line}"
    );
    service.run("workflow list --correct-clock 3d").ok();
    let service =
        Service::with(|builder| builder.clock_offset(ClockSkew::Ahead(Duration::from_secs(1200))));
    service.run("workflow list").ok();
    service.run("workflow list --correct-clock 0s").failed(4);
}

#[test]
fn plain_http_to_another_machine_is_warned_of() {
    for (endpoint, warned) in [
        ("http://pipeline.invalid", true),
        ("https://pipeline.invalid", false),
        ("http://localhost:1", false),
    ] {
        let list = format!("workflow list --retries 0 --endpoint {endpoint}");
        let ran = pipeline(&list)
            .env("PANDORA_ACCESS_KEY", ACCESS_KEY)
            .env("PANDORA_SECRET_KEY", SECRET_KEY)
            .ran();
        assert_eq!(ran.stderr.contains("warning: "), warned, "{ran:?}");
        let (checks, _) = findings(&examine(endpoint, SECRET_KEY));
        let outcome = if warned { "warning" } else { "ok" };
        assert_eq!(checks[1], ("endpoint".into(), outcome.into()));
    }
}

/// TLS fails before the service can say what time it is.
#[test]
fn a_clock_that_tls_fails_by_is_named() {
    let service = Service::new();
    for (special, expected) in [
        (Special::None, None),
        (Special::New, Some("is not valid before Wed, 01 Jan 3000")),
        (Special::Old, Some("expired on Sat, 01 Jan 2000")),
    ] {
        let identity = Identity::new("localhost", special);
        let server = Relay::start(Speaks::Nothing, Some(&identity), &service.server.url());
        let url = format!("https://localhost:{}", server.address().port());
        let file = TemporaryFile::new("trusted.pem", &identity.pem);
        let run = |line: &str| {
            let mut command = service.command(line);
            command.env("PANDORA_ENDPOINT", &url);
            command.env("PANDORA_CA_FILE", file.path()).ran()
        };
        let ran = run("doctor -o json");
        let Some(expected) = expected else {
            let (checks, code) = findings(&ran);
            assert!(checks.contains(&("tls".into(), "ok".into())), "{ran:?}");
            assert_eq!(code, Some(0));
            continue;
        };
        let (check, text, code) = failed(&ran);
        assert_eq!((check.as_str(), code), ("tls", Some(8)));
        let line = run("workflow list").failed(8);
        for text in [text, line] {
            for part in [
                expected,
                "this machine's clock shows ",
                "set this machine's clock if it is wrong",
            ] {
                assert!(text.contains(part), "{text}");
            }
        }
        let chinese = run("doctor --lang zh");
        assert!(
            chinese.stdout.contains("若本机时钟有误请校准"),
            "{chinese:?}"
        );
    }
}
