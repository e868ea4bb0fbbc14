//! Ways of failing that no transcript can play.

use std::time::Duration;

use http::StatusCode;
use pipeline_emulator::{ClockSkew, InjectedFault, Transition};

use crate::support::{Service, run};

#[test]
fn an_answer_that_is_none_of_the_services_is_1() {
    let service = Service::new();
    let html = http::HeaderValue::from_static("text/html");
    let page = InjectedFault::status(StatusCode::OK).body(html, "<h1>Welcome\n to the proxy</h1>");
    service.inject(page.always());
    let says = "not JSON, but text/html that begins with \"Welcome to the proxy\" (HTTP 200";
    for form in ["table", "wide", "json", "yaml", "name"] {
        service
            .run(&format!("workflow list -o {form}"))
            .fails(1, [says]);
    }
}

#[test]
fn a_clock_that_is_off_is_corrected() {
    let offset = ClockSkew::Ahead(Duration::from_secs(1200));
    let service = Service::with(|builder| builder.clock_offset(offset));
    service.run("workflow list").ok();
}

#[test]
fn help_and_version_are_data() {
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["workflow", "start", "--help"],
        &["--version"],
        &[],
    ] {
        let ran = run(arguments);
        assert_eq!(ran.stderr, "");
        assert!(ran.ok().contains("pipeline"));
    }
    let ran = run("workflow");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("Usage: pipeline workflow"));
}

#[cfg(unix)]
#[test]
fn a_question_that_is_not_answered_with_yes_has_its_own_code() {
    use crate::support::Terminal;

    let service = Service::new().with_workflow("clicks");
    let delete = |typed: &str| {
        let command = service.command("workflow delete clicks");
        Terminal::new().run(command, typed)
    };
    // The last one is the end of the input, Ctrl-D.
    for no in ["n\n", "\n", "nonsense\n", "\u{4}"] {
        let ran = delete(no);
        assert_eq!(ran.code, Some(9), "{ran:?}");
        assert!(ran.stderr.contains("nothing was done"), "{ran:?}");
    }
    let ran = delete("y\n");
    assert!(
        ran.stderr.contains("Delete clicks with its nodes? [y/N]"),
        "{ran:?}"
    );
    ran.ok();
}

#[test]
fn what_may_have_taken_effect_can_be_looked_at() {
    let service = Service::new().with_workflow("w");
    let broken = InjectedFault::pass().after_effect().reset();
    service.inject(broken);
    let line = service.run("workflow start w").failed(8);
    assert!(line.starts_with("w: the start failed: "), "{line}");
    let end = "; it may have taken effect";
    assert!(
        line.contains(end) && line.ends_with("; see: pipeline workflow status w"),
        "{line}"
    );
}

#[test]
fn a_start_that_fails_names_its_nodes_and_the_reason_in_the_logs() {
    let falls = Transition::FallsBack(Duration::ZERO);
    let service = Service::with(|builder| builder.transitions(falls)).with_workflow("w");
    let failed = "w: the start failed: it is Stopped again; not started: clicks-repo (Stopped), \
                  save-export (Stopped); the logs say of clicks-repo: the start failed; \
                  see: pipeline workflow search w";
    let start = ["workflow", "start", "w", "--wait"];
    assert_eq!(service.run(&start).failed(7), failed);
    // An installation without logs fails in the same way, with less to say.
    let unknown = InjectedFault::code(pipeline_proto::ErrorCode::NOT_IMPLEMENTED);
    let unknown = unknown.on("search_logs").always();
    service.inject(unknown);
    let line = service.run(&start).failed(7);
    assert!(!line.contains("the logs say"), "{line}");
    // Several have one name in a line, once.
    let ran = service.run("workflow start w gone --wait");
    assert!(
        ran.stderr.contains("error: w: the start failed: it is"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("error: gone: E18641, "), "{ran:?}");
}
