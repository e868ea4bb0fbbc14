//! Resources of every kind in one grammar: made from options and files, shown, changed, deleted.

use crate::support::{Service, TemporaryFile, pipeline, run_with_input};

const CLICKS: &str = "repo create clicks --schema 'ip string, *at date, geo map{lat float}'";
const CLEAN: &str = "transform create clicks clean clean_clicks --sql 'select ip from stream'";
const SAVE: &str =
    "export create clicks save --to kodo --bucket clicks --fields ip=#ip --fields at=#at";

/// A service with one resource of each kind that can be made by options.
fn service() -> Service {
    let service = Service::new();
    for arguments in [CLICKS, CLEAN, SAVE] {
        service.run(arguments).ok();
    }
    service
}

/// The service says `""` and `null` of what nobody has set.
#[test]
fn members_that_nobody_has_set_are_not_shown() {
    let service = service();
    for line in [
        "datasource create s --from kodo --bucket bbbb --file-type json --schema ip",
        "job create j --from s=t --sql select --container 1U2G --run manual",
        "job-export create j e --to http --host h --uri /u",
        "group create g --container 1U2G",
    ] {
        service.run(line).ok();
    }
    for (noun, names) in [
        ("repo", "clicks"),
        ("transform", "clicks/clean"),
        ("export", "clicks/save"),
        ("datasource", "s"),
        ("job", "j"),
        ("job-export", "j/e"),
        ("group", "g"),
    ] {
        for line in [
            format!("{noun} get {names}"),
            format!("{noun} describe {names}"),
            format!("{noun} list"),
        ] {
            let yaml = service.run(&format!("{line} -o yaml")).ok();
            assert!(
                !yaml.contains(": \"\"") && !yaml.contains(": null"),
                "{line}: {yaml}"
            );
        }
    }
}

/// `job stop --run` and `job rerun` take the number of a run.
#[test]
fn a_row_is_known_by_what_other_commands_take() {
    let service = Service::new();
    let source = "--from kodo --bucket bbbb --file-type text";
    for line in [
        &format!("datasource create s {source} --schema text"),
        "job create j --from s=t --sql select --container 1U2G --run manual",
        "job start j",
    ] {
        service.run(line).ok();
    }
    for (line, name) in [
        ("job history j", "1\n"),
        (&format!("datasource infer {source}"), "text\n"),
        (
            "udf function builtins --category condition",
            "coalesce\nif\nnvl\n",
        ),
    ] {
        assert_eq!(service.run(&format!("{line} -o name")).ok(), name, "{line}");
    }
}

#[test]
fn what_get_writes_is_a_file_to_create_and_update_from() {
    for form in ["json", "yaml"] {
        let service = service();
        for (noun, names) in [
            ("export", "clicks/save"),
            ("transform", "clicks/clean"),
            ("repo", "clicks"),
        ] {
            let text = service.run(&format!("{noun} get {names} -o {form}")).ok();
            let file = TemporaryFile::new(&format!("it.{form}"), &text);
            let update = service.run(&format!("{noun} update -f {}", file.path()));
            assert_eq!(update.stderr, format!("updated {names}\n"));
            if noun == "repo" {
                service.run("repo delete clean_clicks -y");
            }
            service.run(&format!("{noun} delete {names} -y")).ok();
            service
                .run(&format!("{noun} create -f {}", file.path()))
                .ok();
            let again = service.run(&format!("{noun} get {names} -o {form}")).ok();
            assert_eq!(again, text);
            if noun != "repo" {
                service.run(&format!("{noun} delete {names} -y")).ok();
            }
        }
    }
}

#[test]
fn a_line_that_no_push_can_hold_is_named() {
    let service = service();
    let large = TemporaryFile::new("long.log", &format!("a\n{}\n", "b".repeat(3 << 20)));
    let push = format!("repo push clicks {} --parse", large.path());
    let line = service.run(&push).failed(2);
    let says = "long.log:2: a line of 3145728 bytes";
    assert!(line.contains(says), "{line}");
}

/// With a token nothing but the push is allowed, so that the schema cannot be looked at.
#[test]
fn a_token_for_pushing_is_enough_with_tags_as_well() {
    let service = service();
    let token = service.run("token mint push_points clicks").ok();
    for (text, tags, code) in [
        ("at=2026-11-28T00:20:47Z", "", 0),
        ("ip=a", "--tag at=2026-11-28T00:20:47Z", 0),
        ("at=7", "", 1),
    ] {
        let mut command = pipeline(&format!("repo push clicks {tags}"));
        command
            .env("PANDORA_ENDPOINT", service.server.url())
            .env("PANDORA_TOKEN", token.trim_end());
        let ran = run_with_input(command, text.as_bytes());
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    }
}
