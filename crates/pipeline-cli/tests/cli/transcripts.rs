//! Sessions as users see them, each a file in `transcripts`, played against a service of its own.
//!
//! | line | what it is |
//! |---|---|
//! | `$ workflow list < FILE` | a command; words of the form `NAME=VALUE` before it are its environment |
//! | two blanks | a line of its stdout |
//! | `! ` | a line of its stderr |
//! | `= 3` | its exit code, if it is not 0 |
//! | `# ` | a comment |
//! | `workflow a b` | makes workflows that can be started |
//! | `file NAME`, then lines with `\| ` | writes a file |
//! | `bytes NAME "TEXT"` | writes a file, its text as a JSON string |
//! | `data NAME` | copies a file from `data` |
//! | `cat NAME`, `ls NAME` | shows a file, or what is in a folder |
//! | `fault 500 start_workflow b` | the service fails so from now on; `E18644` is an error with that code |
//! | `well` | it does not any more |
//! | `stuck stop` | stops, or starts, come to no end from now on |
//! | `asked`, `forget` | the requests since the last of both; `forget` does not show them |
//!
//! What differs from run to run is replaced: ids, times and ages, `URL` and `FOLDER`. With `UPDATE=1` in the
//! environment the files are written anew; look at the difference.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use http::StatusCode;
use pipeline_emulator::{Emulator, InjectedFault, Transition};
use regex_lite::Regex;
use tempfile::TempDir;

use crate::support::{Ran, Run as _, Service, run_with_input};

macro_rules! transcripts {
    ($($name:ident)*) => {
        $(#[test] fn $name() { play(stringify!($name)); })*
    };
}

transcripts! {
    applies
    codes
    completions
    config
    errors
    exports
    files
    in_chinese
    jars
    one_workflow
    records
    requests
    resources
    runs
    several_workflows
    tokens
    waits_for_several
}

#[track_caller]
fn play(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/transcripts");
    let path = folder.join(format!("{name}.txt"));
    let expected = fs::read_to_string(&path).unwrap();
    let is_output = |line: &&str| ["  ", "! ", "= "].iter().any(|it| line.starts_with(it));
    let mut lines = expected.lines().filter(|line| !is_output(line)).peekable();
    let stage = Stage::new();
    let mut played = String::new();
    while let Some(line) = lines.next() {
        played += line;
        played += "\n";
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        if verb == "file" {
            let mut text = String::new();
            while let Some(line) = lines.next_if(|line| line.starts_with('|')) {
                for (to, part) in [
                    (&mut played, line),
                    (&mut text, line.get(2..).unwrap_or("")),
                ] {
                    to.push_str(part);
                    to.push('\n');
                }
            }
            stage.write(rest, &text);
        } else {
            played += &stage.act(verb, rest);
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &played).unwrap();
        return;
    }
    let both = expected.lines().zip(played.lines());
    for (number, (expected, played)) in both.enumerate() {
        assert_eq!(expected, played, "{name}.txt:{}", number + 1);
    }
    assert_eq!(expected, played);
}

/// Where a session is played.
struct Stage {
    service: Service,
    folder: TempDir,
    /// Patterns of what differs, and what stands in its place.
    varies: Vec<(Regex, &'static str)>,
}

impl Stage {
    fn new() -> Self {
        let patterns = [
            (r"(request|请求) [\w-]{16}", "$1 ID"),
            // Not those of 2017, which a transcript has written itself.
            (r"(?m)202\d-\d\d-\d\d(T[\d:.]+Z| [\d:]{8}$)", "TIME"),
            (r"os error \d+", "os error N"),
            (
                r"\d{4}-\d\d-\d\d [\d:]+ \+00:00( \([^)]+ ago\))? *",
                "TIME  ",
            ),
            (r"(TIME|UPDATED|CREATED) +", "$1  "),
            (r#"("?waited_seconds"?: |waited )[\d.]+( m?s)?"#, "${1}SOME"),
            (r"after \d+ s and \d+ looks?", "after SOME s and SOME looks"),
            (
                r"在 \d+ 秒内（查看 \d+ 次）",
                "在 SOME 秒内（查看 SOME 次）",
            ),
            (
                r"good for another \d+ \w+( \d+ \w+)?",
                "good for another SOME",
            ),
            ("\x1b", "␛"),
        ];
        Self {
            service: Service::new(),
            folder: TempDir::new().unwrap(),
            varies: patterns
                .map(|(pattern, instead)| (Regex::new(pattern).unwrap(), instead))
                .into(),
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        // A configuration is for the eyes of its owner only.
        let is_config = Path::new(name).extension().is_some_and(|it| it == "toml");
        let mode = if is_config { 0o600 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn act(&self, verb: &str, rest: &str) -> String {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let with = |act: &dyn Fn(&mut Emulator)| self.service.server.with(|it| act(it));
        match (verb, words.as_slice()) {
            ("" | "#", _) => {}
            ("$", _) => return self.run(rest),
            ("bytes", [name, ..]) => {
                let (_, text) = rest.split_once(' ').unwrap();
                self.write(name, &serde_json::from_str::<String>(text).unwrap());
            }
            ("data", [name]) => {
                let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/data");
                fs::copy(data.join(name), self.folder.path().join(name)).unwrap();
            }
            ("workflow", names) => {
                for name in names {
                    self.service.create(name);
                }
                with(&|emulator| emulator.clear_requests());
            }
            ("cat", _) => {
                let text = fs::read_to_string(self.folder.path().join(rest)).unwrap();
                return self.shown("  ", &text);
            }
            ("ls", _) => {
                let entries = fs::read_dir(self.folder.path().join(rest)).unwrap();
                let shown = |entry: fs::DirEntry| {
                    let mode = entry.metadata().unwrap().permissions().mode() & 0o077;
                    let private = if mode == 0 { " (private)" } else { "" };
                    format!("{}{private}", entry.file_name().to_str().unwrap())
                };
                let mut names: Vec<String> = entries.map(|entry| shown(entry.unwrap())).collect();
                names.sort();
                return self.shown("  ", &names.join("\n"));
            }
            ("fault", [how, operation, workflow @ ..]) => {
                let fault = match how.parse::<u16>() {
                    Ok(status) => InjectedFault::status(StatusCode::from_u16(status).unwrap()),
                    Err(_) => InjectedFault::code(how.parse().unwrap()),
                };
                let operation: &'static str = operation.to_string().leak();
                let mut fault = fault.on(operation);
                for name in workflow {
                    fault = fault.on_workflow(*name);
                }
                self.service.inject(fault.always());
            }
            ("stuck", ["start"]) => {
                with(&|emulator| emulator.set_start_transition(Transition::Stuck));
            }
            ("stuck", ["stop"]) => {
                with(&|emulator| emulator.set_stop_transition(Transition::Stuck));
            }
            ("well", []) => with(&|emulator| emulator.clear_faults()),
            ("forget", []) => with(&|emulator| emulator.clear_requests()),
            ("asked", []) => {
                let asked = self.service.asked();
                with(&|emulator| emulator.clear_requests());
                let times = asked
                    .chunk_by(|one, other| one == other)
                    .map(|same| match same {
                        [one] => (*one).to_owned(),
                        more => format!("{} {} times", more[0], more.len()),
                    });
                let times: Vec<String> = times.collect();
                let nothing = || "nothing".to_owned();
                let asked = Some(times.join(", ")).filter(|_| !times.is_empty());
                return self.shown("  ", &asked.unwrap_or_else(nothing));
            }
            _ => panic!("what is {verb:?} {rest:?}?"),
        }
        String::new()
    }

    fn run(&self, line: &str) -> String {
        let (line, input) = line.split_once(" < ").unwrap_or((line, ""));
        let words = shell_words::split(line).unwrap();
        let is_variable = |word: &&String| word.contains('=') && !word.starts_with('-');
        let variables: Vec<&String> = words.iter().take_while(is_variable).collect();
        let arguments: Vec<&str> = words.iter().skip(variables.len()).map(|it| &**it).collect();
        let mut command = self.service.command(&arguments);
        command.current_dir(self.folder.path());
        command.envs(variables.iter().filter_map(|it| it.split_once('=')));
        let Ran {
            code,
            stdout,
            stderr,
        } = match input {
            "" => command.ran(),
            name => {
                let input = fs::read(self.folder.path().join(name)).unwrap();
                run_with_input(command, &input)
            }
        };
        let code = code.filter(|code| *code != 0);
        let code = code.map(|code| format!("= {code}\n"));
        self.shown("  ", &stdout) + &self.shown("! ", &stderr) + &code.unwrap_or_default()
    }

    fn shown(&self, mark: &str, text: &str) -> String {
        let folder = self.folder.path().to_str().unwrap();
        let text = text.replace(folder, "FOLDER");
        let mut text = text.replace(&self.service.server.url(), "URL");
        for (pattern, instead) in &self.varies {
            text = pattern.replace_all(&text, *instead).into_owned();
        }
        // An editor would take blanks at the end of a line away.
        let lines = text.lines().map(|line| match line {
            "" => format!("{mark}.\n"),
            line => format!("{mark}{}\n", line.trim_end()),
        });
        lines.collect()
    }
}
