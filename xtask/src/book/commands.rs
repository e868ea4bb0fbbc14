//! The commands that the documents show in blocks of `console` text: the command line takes those of
//! `pipeline`, and a task exists for each `cargo xtask`.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use cargo_metadata::Message;
use clap::Parser as _;

use crate::{Result, Task, cargo, failed, markdown};

/// A command line, and where it stands.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    words: Vec<String>,
    place: String,
}

pub(super) fn check() -> Result {
    let mut shown = BTreeSet::new();
    for page in pages()? {
        let text = fs::read_to_string(cargo::root().join(&page))
            .map_err(|error| failed(format!("{page}: {error}")))?;
        shown.extend(commands(&page, &text));
    }
    let pipeline = executable()?;
    let members = members()?;
    let mut wrong = 0;
    let mut checked = 0;
    for Shown { words, place } in &shown {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answer = match words[..] {
            ["pipeline", ref arguments @ ..]
            | ["cargo", "run", "--", ref arguments @ ..]
            | ["cargo", "run", "-q", "--", ref arguments @ ..] => understood(&pipeline, arguments)?,
            ["cargo", "xtask", ref rest @ ..] => task(rest),
            ["cargo", ..] => package(&words, &members),
            _ => continue,
        };
        checked += 1;
        if let Some(complaint) = answer {
            println!("{place}: `{}`: {complaint}", words.join(" "));
            wrong += 1;
        }
    }
    println!("{checked} command lines in the documents");
    match (wrong, checked) {
        (_, 0) => Err(failed("no command line was found, there should be some")),
        (0, _) => Ok(()),
        (n, _) => Err(failed(format!("{n} of them are not understood"))),
    }
}

/// The pages of the book, and the READMEs.
fn pages() -> Result<Vec<String>> {
    let folder = cargo::root().join("docs");
    let files = fs::read_dir(&folder).map_err(|error| failed(format!("docs: {error}")))?;
    let mut pages: Vec<String> = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"]
        .map(str::to_owned)
        .into();
    for file in files {
        let name = file
            .map_err(|error| failed(format!("docs: {error}")))?
            .file_name();
        if Path::new(&name).extension().is_some_and(|e| e == "md") {
            pages.push(format!("docs/{}", name.to_string_lossy()));
        }
    }
    Ok(pages)
}

/// The command lines of a page: in `console` blocks, behind `$ `.
fn commands(page: &str, text: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    let blocks = markdown::read(text).blocks.into_iter();
    for block in blocks.filter(|it| matches!(it.info.as_str(), "console" | "sh" | "bash")) {
        let mut lines = block.text.lines().zip(block.line..);
        while let Some((line, at)) = lines.next() {
            let Some(line) = line.strip_prefix("$ ") else {
                continue;
            };
            let mut whole = line.to_owned();
            while let Some(start) = whole.strip_suffix('\\') {
                let next = lines.next().map_or("", |(line, _)| line);
                whole = format!("{start}{}", next.trim_start_matches(['>', ' ']));
            }
            for words in split(&whole) {
                let place = format!("{page}:{at}");
                found.push(Shown { words, place });
            }
        }
    }
    found
}

/// The words of each simple command in a line of shell: as much of a parser as documents need.
/// Assignments in front are left out, and redirections end a command.
fn split(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut redirected = false;
    let mut rest = line.chars().peekable();
    let flush = |word: &mut Option<String>, commands: &mut Vec<Vec<String>>, redirected| {
        if let (Some(word), false) = (word.take(), redirected) {
            let command = commands.last_mut().expect("there is always one");
            let assignment = command.is_empty() && is_assignment(&word);
            if !assignment {
                command.push(word);
            }
        }
    };
    while let Some(c) = rest.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                word.extend(rest.by_ref().take_while(|next| *next != c));
            }
            ' ' => flush(&mut word, &mut commands, redirected),
            '#' if word.is_none() => break,
            '>' | '<' => {
                flush(&mut word, &mut commands, redirected);
                redirected = true;
            }
            '|' | '&' | ';' => {
                flush(&mut word, &mut commands, redirected);
                redirected = false;
                commands.push(Vec::new());
            }
            '$' if rest.peek() == Some(&'(') => {
                // What stands in `$( … )` is a command of its own; its output is one word.
                rest.next();
                let inner: String = rest.by_ref().take_while(|next| *next != ')').collect();
                word.get_or_insert_default().push('x');
                let at = commands.len() - 1;
                for command in split(&inner) {
                    commands.insert(at, command);
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    flush(&mut word, &mut commands, redirected);
    commands.retain(|command| !command.is_empty());
    commands
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    })
}

/// What is wrong with the words behind `cargo xtask`.
fn task(words: &[&str]) -> Option<String> {
    let read = Task::try_parse_from([&["xtask"], words].concat());
    let error = read.err().filter(clap::Error::use_stderr)?;
    Some(error.to_string())
}

/// What is wrong with the crate that `-p NAME` or `--path FOLDER` speaks of.
fn package(words: &[&str], members: &[(String, String)]) -> Option<String> {
    let named = |option| {
        let at = words.iter().position(|word| *word == option)?;
        words.get(at + 1).copied()
    };
    let name = named("-p").filter(|name| members.iter().all(|member| member.0 != *name));
    let path = named("--path").filter(|path| {
        let manifest = format!("{path}/Cargo.toml");
        members.iter().all(|member| member.1 != manifest)
    });
    let wrong = name.or(path)?;
    Some(format!("there is no crate {wrong} here"))
}

/// The crates of the workspace by name and manifest.
fn members() -> Result<Vec<(String, String)>> {
    let metadata = cargo::metadata("--no-deps")?;
    let packages = metadata.workspace_packages().into_iter();
    Ok(packages
        .map(|it| (it.name.to_string(), cargo::manifest(it)))
        .collect())
}

/// What the command has to say against these arguments. `--help` behind them keeps it from acting;
/// it is read after what stands before it.
fn understood(pipeline: &str, arguments: &[&str]) -> Result<Option<String>> {
    let output = Command::new(pipeline)
        .args(arguments)
        .arg("--help")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("{pipeline}: {error}")))?;
    if output.status.success() {
        return Ok(None);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Ok(Some(complaint.trim().to_owned()))
}

/// The `pipeline` program, as the tests have it.
fn executable() -> Result<String> {
    let line = "test --workspace --all-features --no-run --quiet --message-format=json";
    let text = cargo::output(&mut cargo::cargo(line))?;
    Message::parse_stream(text.as_bytes())
        .find_map(|message| match message {
            Ok(Message::CompilerArtifact(it)) if it.target.is_bin() && !it.profile.test => {
                it.executable.filter(|_| it.target.name == "pipeline")
            }
            _ => None,
        })
        .map(String::from)
        .ok_or_else(|| failed("cargo did not say where the `pipeline` program is"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let commands = split(line).into_iter();
        commands.map(|words| words.join("|")).collect()
    }

    #[test]
    fn a_line_of_shell_is_split_into_the_words_of_its_commands() {
        for (line, expected) in [
            ("pipeline workflow list", &["pipeline|workflow|list"][..]),
            ("KEY=… A_B='x y' pipeline list", &["pipeline|list"]),
            ("export KEY=…", &["export|KEY=…"]),
            (
                "pipeline sign -H 'A: b c' x",
                &["pipeline|sign|-H|A: b c|x"],
            ),
            ("pipeline get x > x.yaml", &["pipeline|get|x"]),
            (
                "pipeline get x -o json | jq .",
                &["pipeline|get|x|-o|json", "jq|."],
            ),
            ("pipeline get x  # looks", &["pipeline|get|x"]),
            (
                "TOKEN=$(pipeline token mint --ttl 5m) pipeline list",
                &["pipeline|token|mint|--ttl|5m", "pipeline|list"],
            ),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }

    #[test]
    fn only_console_blocks_count() {
        let text = "$ pipeline a\n```console\n$ pipeline b \\\n    --c\noutput\n```\n```text\n$ pipeline d\n```\n";
        let found = commands("a.md", text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].words, ["pipeline", "b", "--c"]);
        assert_eq!(found[0].place, "a.md:3");
    }

    #[test]
    fn a_task_that_does_not_exist_is_found() {
        assert_eq!(task(&["sim", "--seeds", "7"]), None);
        assert!(task(&["tydi"]).is_some() && task(&["sim", "--sedes", "7"]).is_some());
    }

    #[test]
    fn a_crate_that_does_not_exist_is_found() {
        let members = members().unwrap();
        let wrong = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            package(&words, &members)
        };
        assert_eq!(wrong("cargo test -p pipeline-proto"), None);
        assert_eq!(wrong("cargo install --path crates/pipeline-cli"), None);
        assert_eq!(wrong("cargo install mdbook"), None);
        assert!(wrong("cargo test -p pipeline-photo").is_some());
        assert!(wrong("cargo install --path crates/pipeline").is_some());
    }
}
