//! Several workflow files at once, and values of the environment in them.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, Run as _, Service, TemporaryFile, run, run_with_input};

const CANARY: &str = "canary-value-5b1e";

/// A folder of files that is gone with the value.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, String)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    /// Runs a command in it, with the canary in `VALUE`.
    fn run(&self, service: &Service, words: &str) -> Ran {
        let words: Vec<&str> = words.split(' ').collect();
        let mut command = service.command(&[&["workflow"], &words[..]].concat());
        command.current_dir(self.0.path()).env("VALUE", CANARY);
        let ran = command.ran();
        assert!(
            !ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY),
            "{words:?}: {ran:?}"
        );
        assert!(!ran.stderr.contains(": error: "), "{words:?}: {ran:?}");
        ran
    }
}

/// A healthy workflow of this name.
fn file(name: &str) -> String {
    format!(
        "name: {name}\nregion: nb\nnodes:\n  raw-repo:\n    data: {{schema: [{{key: ip, valtype: string}}]}}\n"
    )
}

/// One with an export whose spec has these members beside.
fn export(name: &str, members: &str) -> String {
    file(name)
        + &format!(
            "  save-export:\n    parents: [raw-repo]\n    data: {{type: http, spec: {{host: \"http://a.example\", uri: /u, {members}}}}}\n"
        )
}

#[test]
fn variables_of_this_program_are_refused_by_every_command_that_reads_a_file() {
    let service = Service::new();
    for variable in [
        "PANDORA_SECRET_KEY",
        "PANDORA_ACCESS_KEY",
        "PANDORA_TOKEN",
        "PANDORA_ENDPOINT",
        "PANDORA_CA_FILE",
        "PANDORA_PROFILE",
        "PANDORA_CONFIG_FILE",
        "PANDORA_ALLOW_OPEN_FILES",
        "pandora_secret_key",
        "https_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_COLOR",
        "LANG",
        "HOME",
        "COMPLETE",
    ] {
        let text = file("w").replace(
            "region: nb",
            &format!("region: nb\ncomment: x${{{variable}}}"),
        );
        let folder = Folder::new(&[("w.yaml", text), ("v.yaml", file("v"))]);
        for (words, code) in [
            ("apply w.yaml", 2),
            ("apply w.yaml --dry-run", 2),
            ("apply w.yaml --keep-secrets", 2),
            ("apply w.yaml v.yaml", 2),
            ("diff w.yaml", 2),
            ("diff w.yaml v.yaml", 2),
            ("diff -f w.yaml", 2),
            ("lint w.yaml", 1),
            ("lint w.yaml --no-env", 1),
            ("lint w.yaml v.yaml", 1),
            ("update w -f w.yaml", 2),
            ("graph w.yaml", 2),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            let mut command = service.command(&[&["workflow"], &words[..]].concat());
            command.current_dir(folder.0.path());
            let ran = command.ran();
            let says = format!("{variable} cannot be used: this program reads it for itself");
            let (out, err) = (&ran.stdout, &ran.stderr);
            assert!(
                out.contains(&says) || err.contains(&says),
                "{words:?}: {ran:?}"
            );
            assert_eq!(ran.code, Some(code), "{words:?}: {ran:?}");
        }
    }
    assert_eq!(service.asked(), [""; 0]);
}

#[test]
fn what_came_from_a_variable_is_sent_and_never_shown() {
    let service = Service::new();
    let before = export("w", "note: a");
    let texts = [
        ("w.yaml", export("w", "note: \"${VALUE}\"")),
        ("part.yaml", export("w", "note: \"before ${VALUE} after\"")),
        (
            "deep.yaml",
            export("w", "note: {a: [{key: \"${VALUE}\", b: \"x${VALUE}\"}]}"),
        ),
        ("before.yaml", before),
        (
            "name.yaml",
            file("w").replace("name: w", "name: \"${VALUE}\""),
        ),
        ("type.yaml", file("w").replace("string", "\"${VALUE}\"")),
        (
            "region.yaml",
            file("w").replace("region: nb", "region: \"${VALUE}\""),
        ),
        (
            "edge.yaml",
            export("w", "note: a").replace("type: http", "type: \"${VALUE}\""),
        ),
    ];
    let folder = Folder::new(&texts);
    folder.run(&service, "apply before.yaml").ok();
    for name in ["w.yaml", "part.yaml", "deep.yaml"] {
        for words in [
            "diff FILE",
            "diff FILE -o json",
            "diff before.yaml FILE",
            "apply FILE --dry-run",
            "apply FILE --dry-run -o json",
            "lint FILE",
            "graph FILE",
            "graph FILE -o svg",
            "graph FILE -o mermaid",
        ] {
            let ran = folder.run(&service, &words.replace("FILE", name));
            assert!(matches!(ran.code, Some(0 | 10)), "{words} {name}: {ran:?}");
        }
        let shown = folder.run(&service, &format!("diff {name}")).ok();
        assert!(shown.contains("${VALUE}"), "{shown}");
    }
    // Lint sees the values, and does not say them.
    service.changes();
    for (name, rule) in [
        ("name.yaml", "[workflow-name]"),
        ("type.yaml", "[schema-valtype]"),
        ("edge.yaml", "[unknown-value]"),
    ] {
        let ran = folder.run(&service, &format!("lint {name}"));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stdout.contains("once ${VALUE} is filled in"), "{ran:?}");
        assert!(ran.stdout.contains(rule), "{ran:?}");
        folder.run(&service, &format!("lint {name} --no-env")).ok();
        folder
            .run(&service, &format!("apply {name}"))
            .fails(1, [rule]);
    }
    folder.run(&service, "apply region.yaml");
    folder.run(&service, "diff region.yaml");
    assert_eq!(service.changes(), [""; 0]);
    folder.run(&service, "apply w.yaml").ok();
    let sent = service.run("workflow get w -o json").ok();
    assert!(sent.contains(CANARY));
}

#[test]
fn a_variable_that_is_not_set_counts_as_what_the_service_has() {
    let service = Service::new();
    let url = "url: \"http://u:${VALUE}@h.example/x\", password: \"${VALUE}\", list: [{name: a, v: \"${VALUE}\"}]";
    let unset = url.replace("VALUE", "NOT_SET");
    let changed = unset.replace("/x", "/y");
    let folder = Folder::new(&[
        ("set.yaml", export("w", url)),
        ("unset.yaml", export("w", &unset)),
        (
            "changed.yaml",
            export("w", &unset).replace("uri: /u", "uri: /changed"),
        ),
        ("misfit.yaml", export("w", &changed)),
        ("new.yaml", export("new", &unset)),
    ]);
    folder.run(&service, "apply set.yaml").ok();
    let said = "NOT_SET is not set; its value is taken to be as the service has it\n";
    for words in [
        "diff unset.yaml --exit-code",
        "apply unset.yaml --keep-secrets --dry-run",
    ] {
        let ran = folder.run(&service, words);
        assert!(ran.stderr.contains(said), "{ran:?}");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    }
    folder
        .run(&service, "apply changed.yaml")
        .fails(2, ["NOT_SET is not set", "--keep-secrets"]);
    let shown = folder.run(&service, "diff changed.yaml").ok();
    assert_eq!(
        shown,
        "~ node save-export\n    ~ data.spec.uri: \"/u\" -> \"/changed\"\n"
    );
    service.changes();
    for words in [
        "apply misfit.yaml --keep-secrets",
        "apply new.yaml --keep-secrets",
    ] {
        let ran = folder.run(&service, words);
        assert!(
            ran.stderr.contains("the service has nothing that fits"),
            "{ran:?}"
        );
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    assert_eq!(service.changes(), [""; 0]);
    folder
        .run(&service, "apply changed.yaml --keep-secrets")
        .ok();
    let sent = service.run("workflow get w -o json").ok();
    assert!(sent.contains(CANARY) && sent.contains("/changed") && !sent.contains("NOT_SET"));
}

/// `a` and `b` are healthy, and so is `deep/c`.
fn several(more: &[(&str, String)]) -> Folder {
    let healthy = [
        ("a.yaml", file("a")),
        ("b.json", r#"{"name": "b", "region": "nb", "nodes": {"raw_b-repo": {"data": {"schema": [{"key": "ip", "valtype": "string"}]}}}}"#.to_owned()),
        ("deep/c.yml", file("c").replace("raw", "raw_c")),
        ("deep/notes.txt", "no workflow".to_owned()),
        (".hidden.yaml", "nodes: [".to_owned()),
    ];
    Folder::new(&[&healthy[..], more].concat())
}

#[test]
fn lint_and_diff_go_on_after_a_failure_and_end_with_one_code() {
    let service = Service::new();
    let wrong = file("x").replace("string", "text");
    let folder = several(&[
        ("x.yaml", wrong),
        ("deep/broken.yaml", "nodes: [".to_owned()),
        ("empty/more/notes.txt", String::new()),
        ("same/again.yaml", file("a")),
    ]);
    for (words, code, out, err) in [
        (
            "lint a.yaml",
            0,
            &["a.yaml:1:1: warning"][..],
            &["a.yaml: 1 warning"][..],
        ),
        (
            "lint a.yaml b.json",
            0,
            &["b.json:1:1: warning"],
            &["0 of 2 with errors: 2 warnings"],
        ),
        (
            "lint a.yaml x.yaml b.json",
            1,
            &["x.yaml:5:"],
            &["1 of 3 with errors: 1 error"],
        ),
        (
            "lint .",
            1,
            &["x.yaml:5:"],
            &["1 of 3 with errors: 1 error"],
        ),
        (
            "lint -R .",
            1,
            &["x.yaml:5:", "broken.yaml:1:8"],
            &["2 of 6 with errors", "checked 5 of 6"],
        ),
        (
            "lint a.yaml missing.yaml x.yaml",
            1,
            &["x.yaml:5:"],
            &[
                "error: missing.yaml: ",
                "checked 2 of 3; 1 failed: missing.yaml",
            ],
        ),
        (
            "lint missing.yaml a.yaml",
            2,
            &["a.yaml:1:1: warning"],
            &["error: missing.yaml: ", "checked 1 of 2"],
        ),
        ("diff a.yaml", 0, &["+ node raw-repo"], &[]),
        (
            "diff . --exit-code",
            10,
            &["a.yaml:\n", "+ node raw-repo", "b.json:\n"],
            &[],
        ),
        (
            "diff a.yaml missing.yaml b.json",
            2,
            &["a.yaml:\n", "b.json:\n"],
            &[
                "error: missing.yaml: ",
                "compared 2 of 3; 1 failed: missing.yaml",
            ],
        ),
        (
            "diff -R deep",
            2,
            &["c.yml:\n"],
            &["broken.yaml:1:8: ", "compared 1 of 2"],
        ),
        (
            "lint a.yaml empty b.json",
            2,
            &["b.json:1:1: warning"],
            &[
                "error: empty: there are no workflow files",
                "-R looks in folders",
                "checked 2 of 3; 1 failed: empty",
            ],
        ),
        (
            "diff a.yaml empty b.json",
            2,
            &["a.yaml:\n", "b.json:\n"],
            &["error: empty: there are", "compared 2 of 3"],
        ),
        (
            "lint a.yaml same/again.yaml",
            2,
            &["a.yaml:1:1: warning"],
            &["error: same/again.yaml: it is about a, and so is a.yaml"],
        ),
        ("diff a.yaml same/again.yaml", 0, &[], &[]),
        (
            "diff a.yaml same b.json",
            2,
            &["a.yaml:\n", "b.json:\n"],
            &["error: same/again.yaml: it is about a, and so is a.yaml"],
        ),
        // The same file is no second one, whatever it is called.
        (
            "lint a.yaml ./a.yaml b.json",
            0,
            &["b.json:1:1: warning"],
            &["0 of 2 with errors"],
        ),
    ] {
        let ran = folder.run(&service, words);
        assert_eq!(ran.code, Some(code), "{words}: {ran:?}");
        assert!(
            out.iter().all(|part| ran.stdout.contains(part)),
            "{words}: {ran:?}"
        );
        assert!(
            err.iter().all(|part| ran.stderr.contains(part)),
            "{words}: {ran:?}"
        );
        assert!(!out.is_empty() || ran.stdout.is_empty(), "{words}: {ran:?}");
        assert!(!err.is_empty() || ran.stderr.is_empty(), "{words}: {ran:?}");
    }
    let mut command = service.command("workflow lint - a.yaml");
    command.current_dir(folder.0.path());
    let ran = run_with_input(command, file("x").replace("string", "text").as_bytes());
    assert!(ran.stdout.contains("stdin:5:40: error: "), "{ran:?}");
    assert_eq!(ran.code, Some(1));
    let report: Value = folder
        .run(&service, "lint a.yaml x.yaml -o json")
        .stdout
        .parse()
        .unwrap();
    assert_eq!(report["items"][1]["findings"][1]["rule"], "schema-valtype");
}

#[test]
fn apply_of_several_files_sends_nothing_if_one_of_them_is_bad() {
    let service = Service::new();
    let folder = several(&[
        ("bad/x.yaml", file("x").replace("string", "text")),
        ("bad/unset.yaml", export("y", "token: \"${NOT_SET}\"")),
        ("bad/again.yaml", file("a")),
        ("bad/broken.yaml", "nodes: [".to_owned()),
        ("empty/notes.txt", String::new()),
    ]);
    for (words, code, says) in [
        ("apply a.yaml bad/x.yaml b.json", 1, "[schema-valtype]"),
        ("apply a.yaml bad/unset.yaml", 2, "NOT_SET is not set"),
        (
            "apply a.yaml bad/again.yaml",
            2,
            "it is about a, and so is a.yaml",
        ),
        ("apply a.yaml missing.yaml", 2, "error: missing.yaml: "),
        (
            "apply a.yaml bad/broken.yaml",
            2,
            "error: bad/broken.yaml:1:",
        ),
        ("apply -R . --dry-run", 1, "checked 3 of 7; 4 failed: "),
        (
            "apply a.yaml empty",
            2,
            "empty: there are no workflow files",
        ),
    ] {
        let ran = folder.run(&service, words);
        assert_eq!(ran.code, Some(code), "{words}: {ran:?}");
        assert!(ran.stderr.contains(says), "{words}: {ran:?}");
        assert_eq!(service.asked(), [""; 0], "{words}");
    }
    #[cfg(unix)]
    {
        let [old, soft, hard] =
            ["a.yaml", "soft.yaml", "hard.yaml"].map(|it| folder.0.path().join(it));
        std::os::unix::fs::symlink(&old, soft).unwrap();
        std::fs::hard_link(old, hard).unwrap();
    }
    let ran = folder.run(&service, "apply . --dry-run");
    assert_eq!(ran.code, Some(10), "{ran:?}");
    assert_eq!(service.changes(), [""; 0]);
    let ran = folder.run(&service, "apply a.yaml deep b.json -o json");
    assert!(ran.stderr.ends_with("applied 3 of 3\n"), "{ran:?}");
    let report = ran.json();
    let names = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["a", "c", "b"]);
    assert_eq!(
        service.changes(),
        [
            "create_workflow",
            "update_workflow",
            "create_workflow",
            "update_workflow",
            "create_workflow",
            "update_workflow"
        ]
    );
    assert_eq!(folder.run(&service, "apply -f a.yaml -f b.json").ok(), "");
    assert_eq!(service.changes(), [""; 0]);
}

#[test]
fn update_reads_a_file_as_apply_does() {
    let service = Service::new().with_workflow("w");
    let twice = file("w").replace("nodes:\n", "nodes:\n  raw-repo: {}\n");
    let folder = Folder::new(&[
        (
            "w.yaml",
            format!("\u{feff}{}", export("w", "note: \"${VALUE}\"")),
        ),
        ("twice.yaml", twice),
        ("unset.yaml", export("w", "note: \"${NOT_SET}\"")),
        ("node.yaml", file("w").replace("nodes:", "node:")),
    ]);
    service.changes();
    for (name, says) in [
        ("twice.yaml", "\"raw-repo\" is there twice"),
        ("unset.yaml", "NOT_SET is not set"),
        ("node.yaml", "nodes"),
    ] {
        folder
            .run(&service, &format!("update w -f {name}"))
            .fails(2, [says, name]);
    }
    assert_eq!(service.asked(), [""; 0]);
    folder.run(&service, "update w -f w.yaml --yes").ok();
    let sent = service.run("workflow get w -o json").ok();
    assert!(sent.contains(CANARY));
}

#[test]
fn update_asks_before_it_removes_as_apply_does() {
    let service = Service::new();
    let whole = export("w", "note: a");
    let folder = Folder::new(&[
        ("whole.yaml", whole.clone()),
        ("alone.yaml", file("w")),
        ("apart.yaml", whole.replace("    parents: [raw-repo]\n", "")),
        ("none.json", r#"{"nodes": {}}"#.to_owned()),
    ]);
    folder.run(&service, "apply whole.yaml").ok();
    service.changes();
    for (name, what) in [
        ("alone.yaml", "Remove node save-export from w?"),
        ("apart.yaml", "Remove edge raw-repo -> save-export from w?"),
        (
            "none.json",
            "Remove node raw-repo, node save-export from w?",
        ),
    ] {
        let update = format!("update w -f {name}");
        folder.run(&service, &update).fails(2, [what, "--yes"]);
        #[cfg(unix)]
        {
            let mut command = service.command(&format!("workflow update w -f {name}"));
            command.current_dir(folder.0.path());
            let declined = crate::support::Terminal::new().run(command, "n\n");
            assert_eq!(declined.code, Some(9), "{declined:?}");
            assert!(declined.stderr.contains(what), "{declined:?}");
        }
        assert_eq!(service.changes(), [""; 0]);
        let ran = folder.run(&service, &format!("{update} --yes"));
        if name == "apart.yaml" {
            // Asked it has; that an export hangs on a queue is for the service to say.
            assert!(ran.failed(1).contains("E18646"));
        } else {
            ran.ok();
        }
        // A token for the update alone is enough.
        assert_eq!(service.asked(), ["update_workflow"]);
        folder.run(&service, "update w -f whole.yaml").ok();
        assert_eq!(
            service.asked(),
            ["update_workflow", "get_workflow", "update_workflow"]
        );
        service.changes();
    }
    folder
        .run(&service, "update gone -f alone.yaml")
        .fails(2, ["is about \"w\", not gone"]);
    folder
        .run(&service, "update gone -f none.json")
        .fails(3, ["gone"]);
}

#[test]
fn a_graph_of_a_faulty_workflow_says_the_errors_and_is_drawn() {
    let service = Service::new();
    let gone = export("w", "note: a").replace("[raw-repo]", "[gone-repo]");
    let folder = Folder::new(&[
        ("edge.yaml", gone),
        ("type.yaml", file("w").replace("string", "text")),
        ("fine.yaml", file("w")),
    ]);
    for (name, says) in [
        ("edge.yaml", &["error: edge.yaml: ", "gone-repo"][..]),
        ("type.yaml", &["error: type.yaml: ", "[schema-valtype]"]),
        ("fine.yaml", &[]),
    ] {
        for form in ["tree", "svg", "dot", "mermaid"] {
            let ran = folder.run(&service, &format!("graph {name} -o {form}"));
            assert!(says.iter().all(|part| ran.stderr.contains(part)), "{ran:?}");
            assert_eq!(says.is_empty(), ran.stderr.is_empty(), "{ran:?}");
            assert!(ran.ok().contains("raw"));
        }
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
    let ran = run(&format!("workflow graph {} --format mermaid", file.path()));
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stderr.contains("up to 500 edges") && ran.stderr.contains("maxEdges"),
        "{}",
        ran.stderr
    );
    let ran = run(&format!("workflow graph {} --format dot", file.path()));
    assert_eq!(ran.stderr, "");
}
