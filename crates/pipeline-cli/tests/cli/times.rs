//! Times: shown in the local zone with their age, and given in any form in which they are shown.

use crate::support::{Ran, Run as _, Service};

/// In a zone that needs no database on the machine.
fn in_china(service: &Service, arguments: &[&str]) -> Ran {
    service.command(arguments).env("TZ", "CST-8").ran()
}

#[test]
fn times_are_local_and_have_their_age_beside_them() {
    let service = Service::new().with_workflow("w");
    service.run("workflow start w").ok();
    for arguments in [
        &["workflow", "list"][..],
        &["workflow", "get", "w"],
        &["workflow", "search", "w"],
    ] {
        let shown = in_china(&service, arguments).ok();
        assert!(
            shown.contains(" +08:00 (") && shown.contains(" ago)"),
            "{shown}"
        );
        // Data stays as the service says it.
        let data = in_china(&service, &[arguments, &["-o", "json"]].concat()).ok();
        assert!(!data.contains("+08:00") && data.contains("Z\""), "{data}");
    }
}

#[test]
fn a_bound_is_given_as_a_time_is_shown() {
    let service = Service::new().with_workflow("w");
    service.run("workflow start w").ok();
    let search = |bounds: &[&str]| {
        let search = ["workflow", "search", "w", "--size", "1", "-o", "table"];
        in_china(&service, &[&search[..], bounds].concat())
    };
    let table = search(&[]).ok();
    let row = table.lines().nth(1).unwrap();
    let shown = row.split_once("  ").unwrap().0;
    assert!(shown.ends_with(" ago)"), "{table}");
    // The second that is shown has begun before the entry.
    let found = search(&["--from", shown]);
    assert_eq!(
        (found.stderr.as_str(), found.stdout.is_empty()),
        ("", false)
    );
    let none = search(&[
        "--until",
        shown.split_once(" (").unwrap().0,
        "--from",
        "-1m",
    ]);
    assert!(none.stderr.contains("nothing was found") || !none.stdout.is_empty());
    for (from, until) in [
        ("-15m", "now"),
        ("15m", "-0s"),
        ("15m ago", "2999-01-01T00:00:00Z"),
    ] {
        let found = search(&["--from", from, "--until", until]);
        assert!(found.stdout.contains("clicks"), "{from} {until}: {found:?}");
    }
    let local = search(&["--from", "2017-06-01 15:00"]);
    assert_eq!(
        local.stderr,
        "--from has no zone: taken as 2017-06-01 15:00:00 +08:00\n"
    );
    local.ok();
}
