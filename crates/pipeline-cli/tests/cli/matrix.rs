//! Every command, in every form of output, in every situation: stdout can be read or is empty, stderr
//! has one line that helps, and the exit code is that of the table.

use std::net::TcpListener;

use crate::support::{ACCESS_KEY, Run as _, SECRET_KEY, Service, TemporaryFile, pipeline};

const FORMS: [&str; 5] = ["table", "wide", "json", "yaml", "name"];

/// A command that calls the service, on the workflow `w`.
pub(crate) struct Line {
    pub(crate) words: &'static str,
    /// Exit codes for a workflow that is not there, and for a response that never comes.
    not_found: i32,
    timeout: i32,
    /// What it needs the workflow to be.
    needs: Needs,
    /// What it needs beside it, by commands that make it.
    before: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
enum Needs {
    /// There, or not at all.
    Stopped,
    Started,
    /// Not there.
    Gone,
}

/// Most commands end in the same ways.
const fn line(words: &'static str, needs: Needs) -> Line {
    Line {
        words,
        not_found: 3,
        timeout: 8,
        needs,
        before: &[],
    }
}

/// A line of a command about a resource, and what makes what it is about.
const fn resource(words: &'static str, before: &'static [&'static str]) -> Line {
    Line {
        before,
        ..line(words, Needs::Stopped)
    }
}

/// The same for one that finds nothing wrong where there is nothing.
const fn found(words: &'static str, before: &'static [&'static str]) -> Line {
    Line {
        not_found: 0,
        ..resource(words, before)
    }
}

const SOURCE: &str = "datasource create s --from kodo --bucket bbbb --file-type json --schema ip";
const JOB: &str = "job create j --from s=t --sql select --container 1U2G --run manual";
const SAVE: &str = "job-export create j e --to http --host h --uri /u";
const VARIABLE: &str = "variable create v --type string --value x";
const GROUP: &str = "group create g --container 1U2G";
const QUEUE: &str = "repo create q --schema ip";
const TRANSFORM: &str = "transform create q t out --sql select";
const EXPORT: &str = "export create q e --to http --host h --uri /u";
const PLUGIN: &str = "plugin upload com.example.P FILE";

pub(crate) const LINES: &[Line] = &[
    Line {
        not_found: 0,
        ..line("workflow list", Needs::Stopped)
    },
    line("workflow get w", Needs::Stopped),
    line("workflow status w", Needs::Stopped),
    line("workflow search w", Needs::Stopped),
    Line {
        not_found: 0,
        ..line("workflow create w", Needs::Gone)
    },
    line("workflow update w -f FILE --yes", Needs::Stopped),
    line("workflow start w", Needs::Stopped),
    line("workflow stop w", Needs::Started),
    Line {
        timeout: 6,
        ..line("workflow start w --wait", Needs::Stopped)
    },
    Line {
        timeout: 6,
        ..line("workflow restart w", Needs::Started)
    },
    Line {
        timeout: 6,
        ..line("workflow wait w --for started", Needs::Started)
    },
    line("workflow delete w --yes", Needs::Stopped),
    line("workflow get -l name=w", Needs::Stopped),
    line("workflow status -l name=w", Needs::Stopped),
    line("workflow start -l name=w", Needs::Stopped),
    line("workflow stop -l name=w --wait", Needs::Started),
    line("workflow delete -l name=w --yes", Needs::Stopped),
    line("workflow export w", Needs::Stopped),
    line("workflow graph w", Needs::Stopped),
    line("workflow lint w", Needs::Stopped),
    line("workflow diff w FILE", Needs::Stopped),
    Line {
        not_found: 0,
        ..line("workflow apply -f FILE --yes", Needs::Stopped)
    },
    Line {
        not_found: 0,
        ..line("doctor", Needs::Stopped)
    },
    found("repo list", &[]),
    resource("repo get q", &[QUEUE]),
    resource("repo describe q", &[QUEUE, TRANSFORM, EXPORT]),
    resource("repo get q q", &[QUEUE]),
    resource("repo get -l 'name=q*'", &[QUEUE]),
    found("repo create b --schema ip", &[]),
    resource("repo update out --add ref", &[QUEUE, TRANSFORM]),
    resource("repo delete b -y", &["repo create b --schema ip"]),
    resource("repo delete -l name=b -y", &["repo create b --schema ip"]),
    resource("repo sample q", &[QUEUE]),
    found("repo exists q", &[QUEUE]),
    found("transform list", &[QUEUE, TRANSFORM]),
    resource("transform get q t", &[QUEUE, TRANSFORM]),
    resource("transform describe q t", &[QUEUE, TRANSFORM]),
    resource("transform create q t out --sql select", &[QUEUE]),
    resource("transform update q t --interval 5m", &[QUEUE, TRANSFORM]),
    resource("transform delete q t -y", &[QUEUE, TRANSFORM]),
    found("transform exists q/t", &[QUEUE, TRANSFORM]),
    found("export list", &[QUEUE, EXPORT]),
    resource("export get q e", &[QUEUE, EXPORT]),
    resource("export describe q e", &[QUEUE, EXPORT]),
    resource("export create q e --to http --host h --uri /u", &[QUEUE]),
    resource("export update q e --uri /v", &[QUEUE, EXPORT]),
    resource("export delete q e -y", &[QUEUE, EXPORT]),
    found("export exists q/e", &[QUEUE, EXPORT]),
    found("datasource list", &[SOURCE]),
    resource("datasource get s", &[SOURCE]),
    resource("datasource describe s", &[SOURCE, JOB]),
    found(
        "datasource create s --from kodo --bucket bbbb --file-type json --schema ip",
        &[],
    ),
    resource("datasource update s --add ref", &[SOURCE]),
    resource("datasource delete s -y", &[SOURCE]),
    found("datasource exists s", &[SOURCE]),
    found(
        "datasource infer --from kodo --bucket bbbb --file-type json",
        &[SOURCE],
    ),
    found("job list", &[SOURCE, JOB]),
    resource("job get j", &[SOURCE, JOB]),
    resource("job describe j", &[SOURCE, JOB, SAVE]),
    resource(
        "job create j --from s=t --sql select --container 1U2G --run manual",
        &[SOURCE],
    ),
    resource("job update j --sql select", &[SOURCE, JOB]),
    resource("job delete j -y", &[SOURCE, JOB]),
    found("job exists j", &[SOURCE, JOB]),
    resource("job start j", &[SOURCE, JOB]),
    resource("job stop j", &[SOURCE, JOB, "job start j"]),
    resource("job history j", &[SOURCE, JOB]),
    found("job-export list", &[SOURCE, JOB, SAVE]),
    resource("job-export get j e", &[SOURCE, JOB, SAVE]),
    resource("job-export describe j e", &[SOURCE, JOB, SAVE]),
    resource(
        "job-export create j e --to http --host h --uri /u",
        &[SOURCE, JOB],
    ),
    resource("job-export update j e --uri /v", &[SOURCE, JOB, SAVE]),
    resource("job-export delete j e -y", &[SOURCE, JOB, SAVE]),
    found("job-export exists j/e", &[SOURCE, JOB, SAVE]),
    found("plugin list", &[]),
    resource("plugin get com.example.P", &[PLUGIN]),
    resource("plugin describe com.example.P", &[PLUGIN]),
    found("plugin upload com.example.P FILE", &[]),
    resource("plugin delete com.example.P -y", &[PLUGIN]),
    found("udf jar list", &[]),
    found("udf function list", &[]),
    found("udf function builtins", &[]),
    found("variable list", &[VARIABLE]),
    resource("variable get v", &[VARIABLE]),
    resource("variable describe v", &[VARIABLE]),
    found("variable create v --type string --value x", &[]),
    resource("variable update v --value y", &[VARIABLE]),
    resource("variable delete v -y", &[VARIABLE]),
    found("group list", &[GROUP]),
    resource("group get g", &[GROUP]),
    resource("group describe g", &[GROUP]),
    found("group create g --container 1U2G", &[]),
    resource("group update g --container 1U2Gx2", &[GROUP]),
    resource("group start g", &[GROUP]),
    resource("group stop g", &[GROUP, "group start g"]),
    resource("group delete g -y", &[GROUP]),
];

/// Words that a test runs: lines of transcripts and of tables, and lists of arguments.
fn run_somewhere() -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let below = ["transcripts", "emulator", "ship"].map(|name| folder.join(name));
    let mut folders = [&below[..], &[folder]].concat();
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let read = |file: std::path::PathBuf| std::fs::read_to_string(file).ok();
        text.extend(files.filter(|file| file.is_file()).filter_map(read));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace("\", \"", " ")
}

#[test]
fn every_command_is_run_by_some_test() {
    let text = run_somewhere();
    let begins = ["\"", "$ ", "[&[\""];
    let untried: Vec<String> = crate::output::commands("")
        .into_iter()
        .filter(|command| {
            let mut ends = [" ", "\"", "|"].iter().flat_map(|end| {
                begins
                    .iter()
                    .map(move |begin| format!("{begin}{command}{end}"))
            });
            !ends.any(|line| text.contains(&line))
        })
        .collect();
    assert_eq!(untried, Vec::<String>::new());
}

/// A workflow file about `w`, other than what the tests put there.
pub(crate) const FILE: &str = r#"{
  "name": "w",
  "region": "nb",
  "nodes": {
    "visits-repo": {"name": "visits", "type": "repo",
      "data": {"region": "nb", "schema": [{"key": "ip", "valtype": "string"}]}}
  }
}"#;

impl Line {
    /// A service in which the command succeeds.
    pub(crate) fn service(&self) -> Service {
        let service = Service::new().with_workflow("w");
        match self.needs {
            Needs::Stopped => {}
            Needs::Started => drop(service.run("workflow start w").ok()),
            Needs::Gone => drop(service.run("workflow delete w -y").ok()),
        }
        let file = TemporaryFile::new("p.jar", FILE);
        for before in self.before {
            service.run(&before.replace("FILE", file.path())).ok();
        }
        service.forget();
        service
    }

    /// As it is typed, with this form of output.
    pub(crate) fn typed(&self, form: &str, file: &TemporaryFile) -> String {
        let line = self.words.replace("FILE", file.path());
        if self.has_forms() {
            format!("{line} -o {form}")
        } else {
            line
        }
    }

    /// Whether the command knows forms of output. A picture has its own.
    fn has_forms(&self) -> bool {
        !self.words.starts_with("workflow graph")
    }

    fn is_about_workflows(&self) -> bool {
        self.words.starts_with("workflow") || self.reports()
    }

    /// A command that says what it found also when that is nothing good.
    fn reports(&self) -> bool {
        self.words == "doctor"
    }
}

/// What is on stdout can be read as what was asked for.
#[track_caller]
fn readable(stdout: &str, form: &str, context: &str) {
    match form {
        "json" if !stdout.is_empty() => {
            // `watch` and others may write a line for each thing.
            let document: Result<serde_json::Value, _> = serde_json::from_str(stdout);
            assert!(document.is_ok(), "{context}: {stdout}");
        }
        "yaml" => {
            for event in granit_parser::Parser::new_from_str(stdout) {
                assert!(event.is_ok(), "{context}: {event:?}: {stdout}");
            }
        }
        "name" => assert!(
            stdout.lines().all(|line| !line.is_empty()),
            "{context}: {stdout}"
        ),
        _ => assert!(!stdout.contains('\x1b'), "{context}: {stdout}"),
    }
}

/// Runs each command in each form, in a situation in which it fails, if with `code` of it.
fn each_fails(
    lines: impl Fn(&Line) -> bool,
    code: impl Fn(&Line) -> i32,
    endpoint: &str,
    timeout: &str,
    environment: &[(&str, &str)],
    says: &[&str],
) {
    let file = TemporaryFile::new("w.json", FILE);
    for line in LINES.iter().filter(|line| lines(line)) {
        for form in FORMS {
            // What fails says so in one place for all resources.
            let few = !line.is_about_workflows() && form != "json";
            if !line.has_forms() && form != "table" || few {
                continue;
            }
            let typed = line.typed(form, &file);
            let context = format!("{typed} --timeout {timeout} --retries 0 --endpoint {endpoint}");
            let mut command = pipeline(&context);
            command.envs(environment.iter().copied());
            let shown = command
                .get_args()
                .all(|argument| !argument.to_string_lossy().contains(SECRET_KEY));
            assert!(shown, "the secret is an argument: {command:?}");
            let ran = command.ran();
            if line.reports() {
                assert_eq!(ran.code, Some(code(line)), "{context}: {ran:?}");
                readable(&ran.stdout, form, &context);
                continue;
            }
            let message = ran.failed(code(line));
            assert!(
                says.iter().any(|part| message.contains(part)),
                "{context}: {message}"
            );
        }
    }
}

const KEYS: [(&str, &str); 2] = [
    ("PANDORA_ACCESS_KEY", ACCESS_KEY),
    ("PANDORA_SECRET_KEY", SECRET_KEY),
];

#[test]
fn every_command_succeeds_in_every_form() {
    let file = TemporaryFile::new("w.json", FILE);
    for line in LINES {
        for form in FORMS {
            if !line.has_forms() && form != "table" {
                continue;
            }
            let service = line.service();
            let typed = line.typed(form, &file);
            let ran = service.run(&typed);
            assert_eq!(ran.code, Some(0), "{typed}: {ran:?}");
            readable(&ran.stdout, form, &typed);
            assert!(!ran.stderr.contains("error"), "{typed}: {ran:?}");
        }
    }
}

#[test]
fn a_workflow_that_is_not_there_is_said_to_be_so() {
    let service = Service::new();
    each_fails(
        |line| line.not_found == 3,
        |line| line.not_found,
        &service.server.url(),
        "30s",
        &KEYS,
        &[
            "E18641, the workflow does not exist",
            "no workflow fits",
            "; see: pipeline ",
            "none of the",
            "E18612",
        ],
    );
}

#[test]
fn refused_keys_are_said_to_be_so() {
    let service = Service::new().with_workflow("w");
    each_fails(
        |_| true,
        |_| 4,
        &service.server.url(),
        "30s",
        &[KEYS[0], ("PANDORA_SECRET_KEY", "wrong")],
        &["check the access key and the secret key"],
    );
}

#[test]
fn a_service_that_never_answers_ends_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    each_fails(
        |_| true,
        |line| line.timeout,
        &endpoint,
        "50ms",
        &KEYS,
        &["timed out while", "not finished within", " looks"],
    );
}

#[test]
fn without_any_configuration_the_way_on_is_shown() {
    each_fails(
        |_| true,
        |_| 4,
        "http://127.0.0.1:1",
        "30s",
        &[],
        &["pipeline demo"],
    );
}
