//! The command as a shell asks it while a line is typed.

use std::net::TcpListener;

use crate::support::{
    ACCESS_KEY, Ran, Run as _, SECRET_KEY, Service, TemporaryFile, pipeline, run,
};

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// What bash would offer for the last of these words.
fn offered(service: &Service, words: &[&str]) -> Vec<String> {
    let mut command = service.command(&[&["--", "pipeline"], words].concat());
    command
        .env("COMPLETE", "bash")
        .env("_CLAP_IFS", "\u{b}")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_COMPLETE_COMP_TYPE", "9")
        .env("_CLAP_COMPLETE_SPACE", "true");
    quiet(&command.ran())
}

fn quiet(ran: &Ran) -> Vec<String> {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let words = ran.stdout.split('\u{b}').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn with_workflows() -> Service {
    let service = Service::new();
    for name in ["clicks", "nginx_logs", "nginx_errors"] {
        service.run(&format!("workflow create {name}")).ok();
    }
    service.forget();
    service
}

#[test]
fn every_shell_gets_a_script_that_asks_this_program() {
    for shell in SHELLS {
        let script = run(&format!("completions {shell}")).ok();
        assert!(script.contains("COMPLETE"), "{script}");
        assert!(script.contains(env!("CARGO_BIN_EXE_pipeline")), "{script}");
        // The way that other programs know.
        let mut command = pipeline(&[]);
        command.env("COMPLETE", shell);
        assert_eq!(command.ran().ok(), script);
    }
    assert!(run("completions tcsh").failed(2).contains("tcsh"));
}

#[test]
fn names_of_workflows_come_from_the_service() {
    let service = with_workflows();
    let all = ["clicks", "nginx_errors", "nginx_logs"];
    for command in ["start", "get", "delete", "wait", "export"] {
        assert_eq!(
            offered(&service, &["workflow", command, ""]),
            all,
            "{command}"
        );
    }
    let some = &all[1..];
    assert_eq!(
        offered(&service, &["workflow", "stop", "clicks", "ngi"]),
        some
    );
    assert_eq!(offered(&service, &["workflow", "diff", "ngi"]), some);
    assert_eq!(offered(&service, &["wf", "stop", "--wait", "ngi"]), some);
    assert_eq!(offered(&service, &["token", "mint", "start", "ngi"]), some);
    assert_eq!(offered(&service, &["token", "bundle", "ngi"]), some);
    assert!(offered(&service, &["workflow", "start", "x"]).is_empty());
    assert_eq!(service.asked().len(), 11);
    // A name that exists cannot be created.
    assert!(offered(&service, &["workflow", "create", "ngi"]).is_empty());
    assert_eq!(service.asked().len(), 11);
}

#[test]
fn fish_shows_the_statuses_as_well() {
    let service = with_workflows();
    let mut command = service.command("-- pipeline workflow start nginx_l");
    command.env("COMPLETE", "fish");
    let shown = command.ran().ok();
    assert_eq!(shown, "nginx_logs\tReady\n");
}

#[test]
fn options_of_the_line_count() {
    let service = with_workflows();
    let url = service.server.url();
    let line = ["workflow", "--endpoint", &url, "start", "--wait", "cl"];
    let mut command = pipeline(&[&["--", "pipeline"], &line[..]].concat());
    command
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", line.len().to_string())
        .env("PANDORA_ACCESS_KEY", ACCESS_KEY)
        .env("PANDORA_SECRET_KEY", SECRET_KEY)
        .env("PANDORA_ENDPOINT", "http://127.0.0.1:1");
    assert_eq!(quiet(&command.ran()), ["clicks"]);
    // The secret key would be read from the terminal.
    let from_stdin = ["workflow", "--secret-key-file", "-", "start", "cl"];
    assert!(offered(&service, &from_stdin).is_empty());
}

#[test]
fn a_profile_counts_unless_a_program_has_its_keys() {
    let service = with_workflows();
    let file = TemporaryFile::new("config.toml", "");
    let secret = TemporaryFile::new("secret", SECRET_KEY);
    let asked = TemporaryFile::new("asked", "no");
    let with_file = |words: &[&str]| {
        let mut command = pipeline(words);
        command.env("PANDORA_CONFIG_FILE", file.path());
        command
    };
    let program = format!("echo yes > {}", asked.path());
    for (profile, key, value) in [
        ("keys", "endpoint", service.server.url().as_str()),
        ("keys", "access_key", ACCESS_KEY),
        ("keys", "secret_key_file", secret.path()),
        ("program", "endpoint", &service.server.url()),
        ("program", "access_key", ACCESS_KEY),
        ("program", "credential_process", &program),
    ] {
        let mut set = with_file(&["config", "set", key, value, "--profile", profile]);
        set.ran().ok();
    }
    let offered = |words: &[&str]| {
        let mut command = with_file(&[&["--", "pipeline"], words].concat());
        command
            .env("COMPLETE", "bash")
            .env("_CLAP_IFS", "\u{b}")
            .env("_CLAP_COMPLETE_INDEX", words.len().to_string());
        quiet(&command.ran())
    };
    let start = ["--profile", "keys", "workflow", "start", "cl"];
    assert_eq!(offered(&start), ["clicks"]);
    let start = ["--profile", "program", "workflow", "start", "cl"];
    assert!(offered(&start).is_empty());
    // It may ask for a password, so it was not run.
    assert_eq!(std::fs::read_to_string(asked.path()).unwrap(), "no");
    assert_eq!(offered(&["workflow", "--profile", ""]), ["keys", "program"]);
    assert_eq!(offered(&["config", "use", "k"]), ["keys"]);
    assert_eq!(offered(&["config", "set", "endp"]), ["endpoint"]);
}

#[test]
fn what_the_line_would_show_and_record_is_left_out() {
    let service = with_workflows();
    let record = TemporaryFile::new("record", "before");
    let line = [
        "--debug-http",
        "--record",
        record.path(),
        "workflow",
        "start",
        "cl",
    ];
    assert_eq!(offered(&service, &line), ["clicks"]);
    assert_eq!(std::fs::read_to_string(record.path()).unwrap(), "before");
}

#[test]
fn whatever_goes_wrong_nothing_is_offered_and_nothing_said() {
    let service = with_workflows();
    let line = ["--", "pipeline", "workflow", "start", "c"];
    let asked = |variable: &str, value: &str| {
        let mut command = service.command(&line);
        command
            .env("COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", "3")
            .env(variable, value);
        quiet(&command.ran())
    };
    assert_eq!(asked("PANDORA_TOKEN", ""), ["clicks"]);
    // No keys, wrong ones, half of them.
    assert!(asked("PANDORA_ACCESS_KEY", "nobody").is_empty());
    assert!(asked("PANDORA_ACCESS_KEY", "").is_empty());
    assert!(asked("PANDORA_TOKEN", "nonsense").is_empty());
    // Nobody there, no address at all.
    for endpoint in ["http://127.0.0.1:1", "nonsense"] {
        assert!(asked("PANDORA_ENDPOINT", endpoint).is_empty());
    }
    // Somebody who does not answer.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let line = [
        "--timeout",
        "100ms",
        "--endpoint",
        &url,
        "workflow",
        "start",
        "c",
    ];
    assert!(offered(&service, &line).is_empty());
    // A line that makes no sense.
    assert!(offered(&service, &["wrkflow", "start", "xyz"]).is_empty());
    let mut beyond = service.command("-- pipeline");
    beyond
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "7");
    let beyond = beyond.ran();
    assert_eq!((beyond.stdout.as_str(), beyond.stderr.as_str()), ("", ""));
}

#[test]
fn commands_options_and_values_are_offered() {
    let service = Service::new();
    let offers = |words: &[&str]| offered(&service, words);
    assert_eq!(offers(&["work"]), ["workflow"]);
    assert_eq!(offers(&["w"]), ["workflow"]);
    let selector = |start| offers(&["workflow", "stop", "--selector", start]);
    assert_eq!(selector(""), ["name=", "status=", "region="]);
    assert_eq!(
        selector("region!=nb,status!=Sta"),
        ["region!=nb,status!=Starting", "region!=nb,status!=Started",]
    );
    assert_eq!(offers(&["workflow", "sta"]), ["start", "status"]);
    assert_eq!(offers(&["workflow", "start", "--wa"]), ["--wait"]);
    let states = ["started", "stopped", "deleted"];
    assert_eq!(offers(&["workflow", "wait", "w", "--for", ""]), states);
    assert_eq!(
        offers(&["workflow", "wait", "w", "--for=d"]),
        ["--for=deleted"]
    );
    assert_eq!(offers(&["token", "mint", "start_w"]), ["start_workflow"]);
    assert_eq!(
        offers(&["token", "bundle", "w", "--operation", "get_workflow,sea"]),
        ["get_workflow,search_logs"]
    );
    assert_eq!(offers(&["workflow", "list", "-o", "js"]), ["json"]);
    assert_eq!(offers(&["completions", "f"]), ["fish"]);
    assert_eq!(offers(&["explain", "E1864"]).first().unwrap(), "E18640");
    assert_eq!(offers(&["explain", "not"]), ["not-found"]);
    assert_eq!(
        offers(&["help", "e"]),
        ["export", "explain", "emulator", "environment", "exit-codes"]
    );
    assert_eq!(offers(&["help", "workflow", "sta"]), ["start", "status"]);
    assert!(service.asked().is_empty());
}

#[test]
fn the_variable_may_mean_something_else() {
    for value in ["", "0", "1", "yes", "tcsh"] {
        let mut command = pipeline("explain E18641 -o name");
        command.env("COMPLETE", value);
        assert_eq!(command.ran().ok(), "E18641\n", "{value}");
    }
}
