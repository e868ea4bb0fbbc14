//! Workflows as files: export, lint, diff, graph.

use serde_json::{Value, json};

use crate::support::{Run as _, Service, TemporaryFile, pipeline, run, run_with_input};

const HEALTHY: &str = "\
name: clicks
region: nb
nodes:
  raw-repo:
    data: {region: nb, schema: [{key: ip, valtype: string}]}
  save-export:
    parents: [raw-repo]
    data: {type: kodo, spec: {bucket: b, fields: {ip: \"#ip\"}, exportSecretKey: \"${SECRET}\"}}
";

fn broken() -> TemporaryFile {
    let text = HEALTHY
        .replace("string", "text")
        .replace("name: clicks\n", "");
    TemporaryFile::new("broken.yaml", &text)
}

/// A workflow with a secret in its nodes.
fn service() -> Service {
    let service = Service::new();
    let file = TemporaryFile::new("healthy.yaml", HEALTHY);
    let mut apply = service.command(&["workflow", "apply", "-f", file.path()]);
    apply.env("SECRET", "canary-node-secret").ran().ok();
    service
}

#[test]
fn the_lint_of_a_healthy_file_is_silent() {
    let file = TemporaryFile::new("healthy.yaml", HEALTHY);
    let lint = |source: &str, more: &[&str]| {
        let mut lint = pipeline(&[&["workflow", "lint", source], more].concat());
        lint.env("SECRET", "canary-node-secret");
        lint
    };
    let ran = lint(file.path(), &[]).ran();
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    assert_eq!(ran.stdout, "");
    let ran = lint(file.path(), &["--no-env"]).env_remove("SECRET").ran();
    assert_eq!(ran.ok(), "");
    let ran = run_with_input(lint("-", &[]), HEALTHY.as_bytes());
    assert_eq!(ran.ok(), "");
}

#[test]
fn lint_shows_where_and_why_and_ends_with_1() {
    let file = broken();
    let ran = run(&["workflow", "lint", file.path()]);
    assert_eq!(ran.code, Some(1));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(
        lines[0].ends_with(
            "broken.yaml:1:1: warning: the file does not say which workflow it describes [missing-name]"
        ),
        "{ran:?}"
    );
    assert!(
        lines[1].contains("broken.yaml:4:52: error: the service knows no type \"text\""),
        "{ran:?}"
    );
    assert!(
        lines[2].contains(":7:80: error: the environment variable SECRET is not set"),
        "{ran:?}"
    );
    assert!(ran.stderr.ends_with(": 2 errors, 1 warning\n"), "{ran:?}");

    let ran = run(&["workflow", "lint", file.path(), "-o", "json"]);
    assert_eq!(ran.code, Some(1));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&report["errors"], &report["warnings"]),
        (&json!(2), &json!(1))
    );
    let finding = &report["findings"][1];
    assert_eq!(finding["rule"], "schema-valtype");
    assert_eq!(finding["severity"], "error");
    assert_eq!(
        (&finding["line"], &finding["column"]),
        (&json!(4), &json!(52))
    );
    assert!(finding["message"].is_string());
    let names = run(&["workflow", "lint", file.path(), "-o", "name"]);
    assert_eq!(
        names.stdout,
        "missing-name\nschema-valtype\nunset-variable\n"
    );
}

#[test]
fn a_text_that_is_no_file_is_a_finding_and_a_file_that_is_not_there_is_not() {
    let file = TemporaryFile::new("no.yaml", "nodes: [");
    let ran = run(&["workflow", "lint", file.path()]);
    assert!(ran.stdout.contains("[syntax]"), "{ran:?}");
    assert_eq!(ran.code, Some(1));
    run(&["workflow", "lint", "./nonexistent.yaml"]).failed(2);
    run(&["workflow", "lint", "no-name"]).failed(2);
}

#[test]
fn a_workflow_of_the_service_can_be_checked() {
    let service = service();
    // The service has to know the secrets; nobody can put a variable there.
    assert_eq!(service.run(&["workflow", "lint", "clicks"]).ok(), "");

    let nodes = r##"{"nodes": {
        "raw-repo": {"name": "raw", "type": "repo", "children": [{"name": "a", "type": "export"}, {"name": "b", "type": "export"}],
            "data": {"schema": [{"key": "ip", "valtype": "string"}]}},
        "a-export": {"name": "a", "type": "export", "parents": [{"name": "raw", "type": "repo"}],
            "data": {"type": "kodo", "spec": {"bucket": "b", "fields": {"x": "#no", "y": "#no"}}}},
        "b-export": {"name": "b", "type": "export", "parents": [{"name": "raw", "type": "repo"}],
            "data": {"type": "kodo", "spec": {"bucket": "b", "fields": {"x": "#no"}}}}}}"##;
    let nodes = TemporaryFile::new("nodes.json", nodes);
    service
        .run(&["workflow", "update", "clicks", "-f", nodes.path(), "--yes"])
        .ok();
    let ran = service.run(&["workflow", "lint", "clicks"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let distinct: std::collections::BTreeSet<&&str> = lines.iter().collect();
    assert_eq!((lines.len(), distinct.len()), (3, 3), "{ran:?}");
    for (line, path) in lines.iter().zip([
        "nodes['a-export'].data.spec.fields.x",
        "nodes['a-export'].data.spec.fields.y",
        "nodes['b-export'].data.spec.fields.x",
    ]) {
        assert!(
            line.starts_with(&format!("clicks: {path}: error: ")),
            "{ran:?}"
        );
    }
}

#[test]
fn data_that_is_shown_has_no_secrets_unless_asked_and_is_not_sent_back() {
    let service = service();
    for format in ["json", "yaml"] {
        let get = ["workflow", "get", "clicks", "-o", format];
        let shown = service.run(&get).ok();
        assert!(
            !shown.contains("canary") && shown.contains("${HIDDEN}"),
            "{shown}"
        );
        let whole = service.run(&[&get[..], &["--with-secrets"]].concat()).ok();
        assert!(whole.contains("canary-node-secret"), "{whole}");
        for command in [&["update", "clicks", "-f", "-"][..], &["apply", "-"]] {
            let mut command = service.command(&[&["workflow"], command].concat());
            command.env("HIDDEN", "not a secret of anybody");
            let ran = run_with_input(command, shown.as_bytes());
            assert!(ran.code.is_some_and(|code| code != 0), "{ran:?}");
            assert!(ran.stderr.contains("HIDDEN is not set"), "{ran:?}");
        }
    }
}

#[test]
fn an_export_has_no_secrets_unless_asked() {
    let service = service();
    let ran = service.run(&["workflow", "export", "clicks"]);
    assert!(
        ran.stderr.contains("set SAVE_EXPORT_EXPORT_SECRET_KEY"),
        "{ran:?}"
    );
    let text = ran.ok();
    assert!(!text.contains("canary-node-secret"), "{text}");
    assert!(
        text.starts_with("name: clicks\nregion: nb\nnodes:\n  raw-repo:\n"),
        "{text}"
    );

    let shown = service
        .run(&["workflow", "export", "clicks", "--with-secrets"])
        .ok();
    assert!(shown.contains("canary-node-secret"));
    let json = service
        .run(&["workflow", "export", "clicks", "-o", "json"])
        .json();
    assert_eq!(
        json["nodes"]["save-export"]["data"]["spec"]["exportSecretKey"],
        "${SAVE_EXPORT_EXPORT_SECRET_KEY}"
    );
}

#[test]
fn an_export_is_written_to_a_file_and_can_be_applied() {
    let service = service();
    let file = TemporaryFile::new("export.json", "old");
    service
        .run(&[
            "workflow",
            "export",
            "clicks",
            "--out",
            file.path(),
            "--with-secrets",
            "--yes",
        ])
        .ok();
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(
        text.starts_with("{\n"),
        "the ending of the name decides: {text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let ran = service.run(&["workflow", "apply", "-f", file.path(), "--dry-run"]);
    assert_eq!(ran.ok(), "");
}

#[test]
fn diff_compares_files_and_workflows() {
    let service = service();
    let same = TemporaryFile::new(
        "same.yaml",
        &HEALTHY.replace("${SECRET}", "canary-node-secret"),
    );
    let other = TemporaryFile::new("other.yaml", &HEALTHY.replace("ip, ", "url, "));
    let diff = |extra: &[&str]| service.run(&[&["workflow", "diff"], extra].concat());

    assert_eq!(diff(&["clicks", same.path(), "--exit-code"]).ok(), "");
    // A variable that is not set stands for itself between two files, and else for what the service has.
    let healthy = TemporaryFile::new("healthy.yaml", HEALTHY);
    for arguments in [&["clicks", healthy.path()][..], &[healthy.path()]] {
        let ran = diff(&[arguments, &["--exit-code"]].concat());
        let said = "SECRET is not set; its value is taken to be as the service has it\n";
        assert!(ran.stderr.ends_with(said), "{ran:?}");
        assert_eq!(ran.ok(), "");
    }

    let shown = diff(&[healthy.path(), other.path()]).ok();
    assert!(shown.contains("~ node raw-repo\n"), "{shown}");
    let ran = diff(&[healthy.path(), other.path(), "--exit-code", "-o", "json"]);
    assert_eq!(ran.code, Some(10));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["nodes"][0]["node"], "raw-repo");
    assert_eq!(report["new"], other.path());

    let secret = diff(&[same.path(), healthy.path()]).ok();
    assert!(
        secret.contains("(secret)") && !secret.contains("canary"),
        "{secret}"
    );
    let coloured = diff(&[healthy.path(), other.path(), "--color", "always"]).ok();
    assert!(coloured.contains("\x1b[33m~ node raw-repo"), "{coloured}");
}

#[test]
fn files_need_no_credentials() {
    let file = TemporaryFile::new("healthy.yaml", HEALTHY);
    run(&["workflow", "diff", file.path(), file.path()]).ok();
    let tree = run(&["workflow", "graph", file.path()]).ok();
    assert!(
        tree.contains("raw      repo\n└─ save  export · kodo\n"),
        "{tree}"
    );
}

#[test]
fn a_graph_is_drawn_in_every_form() {
    let service = service();
    let draw = |extra: &[&str]| {
        service
            .run(&[&["workflow", "graph", "clicks"], extra].concat())
            .ok()
    };
    assert!(draw(&[]).starts_with("clicks · Ready\n"));
    assert!(draw(&["--ascii"]).contains("`- save"));
    assert!(draw(&["-o", "mermaid"]).contains("flowchart"));
    assert!(draw(&["-o", "dot"]).contains("digraph"));
    let svg = draw(&["-o", "svg"]);
    assert!(svg.starts_with("<svg"), "{svg}");
    let file = TemporaryFile::new("clicks.svg", "");
    assert_eq!(draw(&["--out", file.path()]), "");
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), svg);
    for text in [draw(&[]), svg] {
        assert!(!text.contains("canary-node-secret"));
    }
    let line = service
        .run(&["-o", "json", "workflow", "graph", "clicks"])
        .failed(2);
    assert!(line.contains("-o tree, mermaid, dot or svg"), "{line}");
}

#[test]
fn a_picture_has_the_name_of_the_workflow_and_can_lead_downwards() {
    let text = r#"{"name":"clicks","nodes":{"a-repo":{"name":"a","type":"repo"}}}"#;
    let file = TemporaryFile::new("some-file.json", text);
    for (form, direction, says) in [
        ("svg", "right", ">clicks</text>"),
        ("svg", "down", ">clicks</text>"),
        ("mermaid", "right", "flowchart LR"),
        ("mermaid", "down", "flowchart TB"),
        ("dot", "down", "rankdir=TB"),
    ] {
        let draw = [
            "workflow",
            "graph",
            file.path(),
            "--format",
            form,
            "--direction",
            direction,
        ];
        let picture = run(&draw).ok();
        assert!(
            picture.contains(says) && picture.contains("clicks"),
            "{picture}"
        );
    }
}

#[test]
fn a_flowchart_that_mermaid_would_refuse_is_said_to_be_one() {
    let children: Vec<_> = (0..501)
        .map(|n| format!(r#"{{"name":"b{n}","type":"export"}}"#))
        .collect();
    let nodes: Vec<_> = (0..501)
        .map(|n| format!(r#""b{n}-export":{{"name":"b{n}","type":"export"}}"#))
        .collect();
    let text = format!(
        r#"{{"name":"w","nodes":{{"a-repo":{{"name":"a","type":"repo","children":[{}]}},{}}}}}"#,
        children.join(","),
        nodes.join(",")
    );
    let file = TemporaryFile::new("wide.json", &text);
    let ran = run(&["workflow", "graph", file.path(), "--format", "mermaid"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stderr.contains("up to 500 edges") && ran.stderr.contains("maxEdges"),
        "{}",
        ran.stderr
    );
    let ran = run(&["workflow", "graph", file.path(), "--format", "dot"]);
    assert_eq!(ran.stderr, "");
}
