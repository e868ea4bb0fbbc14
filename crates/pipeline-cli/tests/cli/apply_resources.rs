//! `pipeline apply`: files about resources that belong to no workflow.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::support::{Ran, Run as _, Service};

/// One of each kind that can be made, each with something that it needs.
const MADE: &[&str] = &[
    "group create g --container 1U2G",
    "repo create clicks --schema ip",
    "transform create clicks t out --sql select --interval 1m --container 1U2G",
    "export create out e --to http --host h --uri /u",
    "datasource create s --from kodo --bucket bbbb --file-type json --schema ip",
    "job create j --from s=t --sql select --container 1U2G --run manual",
    "job create a --from job:j=u --sql select --run depend",
    "job-export create a e --to http --host h --uri /u",
    "variable create v --type string --value x",
];

/// How they are kept: by one command for each, by lists, as descriptions; and as files in an order that is of no use.
const KEPT: &[(&str, &str)] = &[
    ("a.yaml", "job-export get a e -o yaml"),
    ("b.json", "export get out/e -o json"),
    ("c.yaml", "transform describe clicks t -o yaml"),
    ("d.yaml", "job get --all -o yaml"),
    ("e.yml", "repo get clicks out -o yaml"),
    ("f.json", "datasource describe s -o json"),
    ("g.yaml", "variable get --all -o yaml"),
    ("h.yaml", "group get g -o yaml"),
];

fn kept() -> (Service, TempDir) {
    let (service, folder) = (Service::new(), TempDir::new().unwrap());
    for line in MADE {
        service.run(*line).ok();
    }
    for (name, line) in KEPT {
        write(folder.path(), name, &service.run(*line).ok());
    }
    (service, folder)
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

fn apply(service: &Service, folder: &TempDir, options: &str) -> Ran {
    let folder = folder.path().to_str().unwrap();
    service.run(&format!("apply -f {folder} {options}"))
}

#[test]
fn what_is_shown_is_a_folder_that_makes_it_again() {
    let (service, folder) = kept();
    let unchanged = "0 created, 0 updated, 10 unchanged\n";
    let same = apply(&service, &folder, "");
    assert_eq!(
        (same.code, &*same.stdout, &*same.stderr),
        (Some(0), "", unchanged)
    );
    assert_eq!(apply(&service, &folder, "--dry-run").code, Some(0));

    let other = Service::new();
    let dry = apply(&other, &folder, "--dry-run");
    assert_eq!(dry.code, Some(10), "{dry:?}");
    assert!(
        !other
            .asked()
            .iter()
            .any(|asked| asked.starts_with("create")),
        "{dry:?}"
    );
    let made = apply(&other, &folder, "");
    assert_eq!(
        (made.code, &made.stdout),
        (Some(0), &dry.stdout),
        "{made:?}"
    );
    assert!(
        made.stderr
            .ends_with("10 created, 0 updated, 0 unchanged\n"),
        "{made:?}"
    );
    // What others need comes before them.
    let at = |name: &str| {
        made.stdout
            .find(name)
            .unwrap_or_else(|| panic!("{name}: {made:?}"))
    };
    for [first, then] in [
        ["repo clicks", "transform clicks/t"],
        ["repo out", "transform clicks/t"],
        ["repo out", "export out/e"],
        ["datasource s", "job j"],
        ["job j", "job a"],
        ["job a", "job-export a/e"],
    ] {
        assert!(at(first) < at(then), "{first}, {then}: {made:?}");
    }
    assert_eq!(apply(&other, &folder, "").stderr, unchanged);
}

#[test]
fn what_differs_is_changed_and_what_is_not_named_stays() {
    let (service, folder) = kept();
    write(
        folder.path(),
        "c.yaml",
        "{kind: transform, source: clicks, name: t, to: out, mode: sql, code: select, interval: 5m}",
    );
    write(
        folder.path(),
        "g.yaml",
        "{kind: variable, name: v, type: string, value: '${NEW}'}",
    );
    let mut command = service.command(&["apply", folder.path().to_str().unwrap()]);
    let ran = command.env("NEW", "s3cret").ran();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(
        ran.stdout,
        "~ transform clicks/t: interval\n~ variable v: value\n"
    );
    assert!(
        ran.stderr.ends_with("0 created, 2 updated, 8 unchanged\n"),
        "{ran:?}"
    );
    let transform = service.run("transform get clicks t -o json").json();
    assert_eq!(transform["spec"]["interval"], "5m");
    assert_eq!(transform["spec"]["container"]["type"], "1U2G");
}

/// Fields go after a question, and everything else that would go is refused; then nothing is sent.
#[test]
fn a_loss_is_asked_about_before_anything_is_sent() {
    let (service, folder) = kept();
    let before = |service: &Service| {
        let asked = service.asked();
        asked
            .iter()
            .filter(|asked| !asked.starts_with("get") && !asked.starts_with("list"))
            .count()
    };
    let sent = before(&service);
    let wide = "{kind: repo, name: clicks, schema: [{key: at, valtype: date}]}";
    let alone = "{kind: repo, name: clicks, schema: [{key: ip, valtype: string}]}";
    for (name, text, code, says) in [
        ("z.yaml", wide, 2, "it is about repo clicks, and so is "),
        (
            "e.yml",
            wide,
            2,
            "Remove from repo clicks the fields ip? There is no terminal",
        ),
        ("e.yml", alone, 0, ""),
        ("z.yaml", "schema: []", 2, "\"kind\" is missing"),
        ("z.yaml", "kind: repos", 2, "there is no kind \"repos\""),
        ("z.yaml", "kind: repo\nschema: []", 2, "\"name\" is missing"),
        (
            "z.yaml",
            "kind: repo\nname: b\nshema: []",
            2,
            "z.yaml:3:1: \"shema\" means nothing here",
        ),
        (
            "z.yaml",
            "name: w\nnodes: {}",
            2,
            "`pipeline workflow apply` takes it",
        ),
        (
            "z.yaml",
            "items: [1]",
            2,
            "an element of \"items\" is no object",
        ),
        (
            "z.yaml",
            "kind: plugin\nname: com.example.P",
            2,
            "`pipeline plugin upload` makes it",
        ),
        (
            "z.yaml",
            "kind: job\nname: x\nsrcs: [{name: x, type: job, tableName: t}]\ncomputation: {code: select, type: sql}\nscheduler: {type: depend}",
            2,
            "they need each other: job x",
        ),
        (
            "z.yaml",
            "kind: repo\nname: b\nschema: [{key: ip, valtype: '${NOWHERE}'}]",
            2,
            "variable NOWHERE is not set",
        ),
        (
            "b.json",
            "{\"kind\": \"export\", \"source\": \"out\", \"name\": \"e\", \"type\": \"mongo\", \"spec\": {\"host\": \"h\", \"dbName\": \"d\", \"collName\": \"c\", \"mode\": \"INSERT\", \"doc\": {\"ip\": \"#ip\"}}}",
            5,
            "its \"type\" cannot be changed",
        ),
    ] {
        let old = fs::read_to_string(folder.path().join(name));
        write(folder.path(), name, text);
        let ran = apply(&service, &folder, "");
        assert!(
            ran.code == Some(code) && ran.stderr.contains(says),
            "{text}: {ran:?}"
        );
        assert_eq!(before(&service), sent, "{text}");
        match old {
            Ok(old) => write(folder.path(), name, &old),
            Err(_) => fs::remove_file(folder.path().join(name)).unwrap(),
        }
    }
    // One answer is enough.
    let narrow = "{items: [{kind: repo, name: clicks, schema: [{key: at, valtype: date}]}]}";
    write(folder.path(), "e.yml", narrow);
    let ran = apply(&service, &folder, "--yes -o json").json();
    assert_eq!(
        ran["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["action"] == "updated")
            .count(),
        1
    );
}
