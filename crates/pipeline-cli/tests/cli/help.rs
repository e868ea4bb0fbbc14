//! The help of commands, topics, and the manual pages that are made of them.

use crate::support::{Service, run};

#[test]
fn help_lists_commands_and_topics() {
    let help = run("help").ok();
    for line in [
        "  workflow     List, change, start and stop workflows",
        "  exit-codes   What the exit code says",
        "  environment  Variables that the command reads",
    ] {
        assert!(help.contains(line), "{line}: {help}");
    }
    assert_eq!(help, run("-h").ok());
    assert_eq!(help, run(&[]).ok());
}

#[test]
fn help_shows_a_topic() {
    let codes = run("help exit-codes").ok();
    assert!(codes.starts_with("Exit codes:\n    0  done\n"), "{codes}");
    assert!(
        codes.contains("\n  130  interrupted: Ctrl-C, SIGINT\n"),
        "{codes}"
    );
    let environment = run("help environment").ok();
    assert!(environment.contains("  PANDORA_TOKEN\n"), "{environment}");
    assert!(run("help tokens").ok().contains("token bundle"));
}

#[test]
fn help_shows_the_long_help_of_a_command() {
    for (words, command) in [
        (&["workflow", "start"][..], &["workflow", "start"][..]),
        (&["wf", "start"], &["workflow", "start"]),
        (&["workflow"], &["workflow"]),
        (&["token"], &["token"]),
        (&["help"], &["help"]),
    ] {
        let help = run(&[&["help"], words].concat()).ok();
        assert_eq!(help, run(&[command, &["--help"]].concat()).ok());
        assert!(help.contains("--access-key"), "the long one: {help}");
    }
    // Groups of commands have the `help` of clap.
    let nested = run("workflow help start").ok();
    assert_eq!(nested, run("help workflow start").ok());
}

#[test]
fn an_unknown_topic_is_one_line_with_a_suggestion() {
    for (words, expected) in [
        (
            &["exit-code"][..],
            "there is no command or topic \"exit-code\"; did you mean `exit-codes`?",
        ),
        (
            &["wrkflow", "start"],
            "there is no command or topic \"wrkflow\"; did you mean `workflow`?",
        ),
        (
            &["workflow", "strat"],
            "`pipeline workflow` has no command \"strat\"; did you mean `start`?",
        ),
        (
            &["\u{1b}[31m"],
            "there is no command or topic \"\\u{1b}[31m\"; `pipeline help` lists them",
        ),
        (
            &["workflow", "exit-codes"],
            "`pipeline workflow` has no command \"exit-codes\"; `pipeline help workflow` lists all",
        ),
    ] {
        assert_eq!(run(&[&["help"], words].concat()).failed(2), expected);
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("man");
    let ran = run(&["man", folder.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    for page in [
        "pipeline.1",
        "pipeline-workflow-start.1",
        "pipeline-token-bundle.1",
    ] {
        let text = std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(text.contains(".SH EXAMPLES"), "{page}: {text}");
    }
    // A folder that cannot be made.
    run(&[
        "man",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/man"),
    ])
    .fails(2, ["Cargo.toml"]);
}

#[test]
fn help_needs_no_service_and_no_keys() {
    let service = Service::new();
    service.run("help exit-codes").ok();
    assert!(service.asked().is_empty());
}
