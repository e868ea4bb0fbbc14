//! `cargo xtask bugs`: puts deliberate bugs into a copy of the checkout, one at a time, to see
//! whether the simulation or the property tests find them.
//!
//! The bugs are patches in `crates/pipeline-conformance/bugs`; what stands above the first hunk says
//! what is wrong. The copy stays in the target folder, so that the next run has less to build.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::{Result, cargo, failed, sim};

const FOLDER: &str = "crates/pipeline-conformance/bugs";
const PAGE: &str = "docs/testing.md";

/// What stands around the table in the page.
const BEGIN: &str = "<!-- Written by `cargo xtask bugs --write`. -->\n";
const END: &str = "<!-- End of what is written. -->\n";

/// A bug that stays hidden for so many runs is one that the simulation does not see.
const SEEDS: u64 = 20_000;

struct Bug {
    name: String,
    about: String,
    patch: PathBuf,
}

/// What found a bug.
enum Finder {
    /// The first seed that shows it, and the rule that does not hold.
    Simulation {
        seed: String,
        rule: String,
    },
    Properties,
    Nobody,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The name of a patch
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Write the table into docs/testing.md
    #[arg(long, conflicts_with = "only")]
    write: bool,
}

/// The patches that no longer fit the code, with what git says. Without git, none.
pub(crate) fn stale() -> Result<Vec<(String, String)>> {
    let root = cargo::root();
    let bugs = bugs(&root.join(FOLDER)).map_err(|error| failed(format!("{FOLDER}: {error}")))?;
    let mut stale = Vec::new();
    for Bug { name, patch, .. } in bugs {
        let mut git = Command::new("git");
        git.args(["apply", "--check"]).arg(patch).current_dir(&root);
        // A checkout without its history shall not be taken for a folder of another one.
        git.env("GIT_CEILING_DIRECTORIES", root.parent().unwrap_or(&root));
        let Ok(output) = git.output() else {
            println!("{FOLDER}: not checked, git is missing");
            break;
        };
        if !output.status.success() {
            let what = String::from_utf8_lossy(&output.stderr);
            let what = what.lines().next().unwrap_or("does not apply").to_owned();
            stale.push((format!("{FOLDER}/{name}.patch"), what));
        }
    }
    Ok(stale)
}

pub(crate) fn run(Options { only, write }: &Options) -> Result {
    let root = cargo::root();
    let mut bugs =
        bugs(&root.join(FOLDER)).map_err(|error| failed(format!("{FOLDER}: {error}")))?;
    if let Some(only) = only {
        bugs.retain(|bug| bug.name == *only);
        if bugs.is_empty() {
            return Err(failed(format!("there is no bug `{only}` in {FOLDER}")));
        }
    }
    let workbench = Workbench::new(&root)?;
    workbench.restore()?;
    println!("without any bug");
    if let Finder::Simulation { seed, rule } = workbench.simulate()? {
        let what = format!("there is a bug already: seed {seed} shows that {rule} does not hold");
        return Err(failed(what));
    }
    let mut table = String::from("| bug | found by | rule |\n|---|---|---|\n");
    let mut hidden = Vec::new();
    for bug in &bugs {
        let finder = workbench.try_bug(bug)?;
        let row = row(bug, &finder);
        print!("{row}");
        table += &row;
        if matches!(finder, Finder::Nobody) {
            hidden.push(bug.name.as_str());
        }
    }
    workbench.restore()?;
    if !hidden.is_empty() {
        return Err(failed(format!("nothing finds {}", hidden.join(", "))));
    }
    println!("all {} are found", bugs.len());
    if *write { write_table(&table) } else { Ok(()) }
}

fn row(bug: &Bug, finder: &Finder) -> String {
    let Bug { name, about, .. } = bug;
    let (by, rule) = match finder {
        Finder::Simulation { seed, rule } => (format!("seed {seed}"), rule.clone()),
        Finder::Properties => ("property tests of the core".into(), String::new()),
        Finder::Nobody => ("nothing".into(), String::new()),
    };
    format!("| [`{name}`](../{FOLDER}/{name}.patch): {about} | {by} | {rule} |\n")
}

fn write_table(table: &str) -> Result {
    let path = cargo::root().join(PAGE);
    let page = fs::read_to_string(&path).map_err(|error| failed(format!("{PAGE}: {error}")))?;
    let page = with_table(&page, table)
        .ok_or_else(|| failed(format!("{PAGE} lacks the lines `{BEGIN}` and `{END}`")))?;
    fs::write(&path, page).map_err(|error| failed(format!("{PAGE}: {error}")))?;
    println!("{PAGE}: written");
    Ok(())
}

fn with_table(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

/// The patches by name.
fn bugs(folder: &Path) -> io::Result<Vec<Bug>> {
    let mut bugs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let patch = entry?.path();
        let name = patch
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned());
        let text = fs::read_to_string(&patch)?;
        bugs.push(Bug {
            name: name.unwrap_or_default(),
            about: about(&text),
            patch,
        });
    }
    bugs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(bugs)
}

/// What a patch says of itself before it begins.
fn about(patch: &str) -> String {
    let lines = patch.lines().take_while(|line| !line.starts_with("--- "));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

/// A copy of the checkout to put bugs into.
struct Workbench {
    copy: PathBuf,
    target: PathBuf,
    /// The files of the checkout as they were when this began: nobody needs to keep his hands off
    /// them in the meantime.
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Workbench {
    fn new(root: &Path) -> Result<Self> {
        let folder = root.join("target/bugs");
        Ok(Self {
            copy: folder.join("checkout"),
            target: folder.join("target"),
            files: files(root)?,
        })
    }

    /// Makes the copy what the checkout was. Files that are so already are left alone, so that they
    /// are not built again.
    fn restore(&self) -> Result {
        for (file, content) in &self.files {
            write_changed(&self.copy.join(file), content)
                .map_err(|error| failed(format!("copying {}: {error}", file.display())))?;
        }
        Ok(())
    }

    fn try_bug(&self, bug: &Bug) -> Result<Finder> {
        self.restore()?;
        let mut git = Command::new("git");
        git.arg("apply").arg(&bug.patch).current_dir(&self.copy);
        // The copy lies in the checkout; git shall take it for a folder of its own.
        git.env(
            "GIT_CEILING_DIRECTORIES",
            self.copy.parent().unwrap_or(&self.copy),
        );
        if !git.status().is_ok_and(|status| status.success()) {
            let what = format!("{}: does not apply to the code as it is now", bug.name);
            return Err(failed(what));
        }
        let finder = match self.simulate() {
            Ok(Finder::Nobody) => self.ask_properties(),
            finder => finder,
        };
        finder.map_err(|error| failed(format!("{}: {error}", bug.name)))
    }

    fn simulate(&self) -> Result<Finder> {
        let build = self.output(&mut sim::command(&self.copy, "build", SEEDS))?;
        if !build.status.success() {
            let complaints = String::from_utf8_lossy(&build.stderr);
            return Err(failed(format!("it does not build\n{complaints}")));
        }
        let mut run = sim::command(&self.copy, "run", SEEDS);
        let run = self.output(run.args(["--", "--seeds", &SEEDS.to_string()]))?;
        if run.status.success() {
            return Ok(Finder::Nobody);
        }
        let text = String::from_utf8_lossy(&run.stdout);
        let failure = read_failure(&text);
        let (seed, rule) = failure.ok_or_else(|| {
            let complaints = String::from_utf8_lossy(&run.stderr);
            failed(format!(
                "the simulation broke off ({})\n{complaints}",
                run.status
            ))
        })?;
        Ok(Finder::Simulation { seed, rule })
    }

    /// Asks the property tests of the core, when the simulation has found nothing.
    fn ask_properties(&self) -> Result<Finder> {
        let line = "test --quiet --package pipeline-proto --all-features --test props";
        let run = self.output(cargo::cargo(line).current_dir(&self.copy))?;
        Ok(if run.status.success() {
            Finder::Nobody
        } else {
            Finder::Properties
        })
    }

    /// Runs cargo on the copy. What it prints is of interest only if something is wrong.
    fn output(&self, command: &mut Command) -> Result<Output> {
        command
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(format!("`{}`: {error}", cargo::typed(command))))
    }
}

/// The files of the checkout, new ones included and ignored ones left out.
fn files(root: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let output = git
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("git, which knows the files of a checkout: {error}")))?;
    if !output.status.success() {
        return Err(failed("git cannot list the files of the checkout"));
    }
    let names = output.stdout.split(|byte| *byte == 0);
    let names = names.filter(|name| !name.is_empty());
    Ok(names
        .map(|name| PathBuf::from(&*String::from_utf8_lossy(name)))
        // What was deleted and is still known to git is not there.
        .filter_map(|name| Some((fs::read(root.join(&name)).ok()?, name)))
        .map(|(content, name)| (name, content))
        .collect())
}

fn write_changed(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|known| known == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}

/// The seed and the rule in the first line of what the simulation prints when it fails.
fn read_failure(text: &str) -> Option<(String, String)> {
    let line = text.lines().next()?.strip_prefix("seed ")?;
    let (seed, rule) = line.split_once(": it does not hold that ")?;
    Some((seed.to_owned(), rule.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_says_what_it_is_about() {
        let patch = "A start is\nsent again.\n\n--- a/x.rs\n+++ b/x.rs\n@@ -1 +1 @@\n-a\n+b\n";
        assert_eq!(about(patch), "A start is sent again");
    }

    #[test]
    fn every_bug_says_what_it_is_about_and_there_are_enough() {
        let bugs = bugs(&cargo::root().join(FOLDER)).unwrap();
        assert!(bugs.len() >= 15);
        for bug in bugs {
            assert!(
                !bug.about.is_empty() && !bug.about.contains('|'),
                "{}",
                bug.name
            );
        }
    }

    #[test]
    fn the_first_line_of_a_failure_names_seed_and_rule() {
        let text = "seed 7: it does not hold that a call keeps to its policy\nthe smallest run";
        let (seed, rule) = read_failure(text).unwrap();
        assert_eq!((&*seed, &*rule), ("7", "a call keeps to its policy"));
        assert!(read_failure("thread main panicked").is_none());
    }

    #[test]
    fn the_table_goes_between_its_marks() {
        let page = format!("a\n{BEGIN}old\n{END}b\n");
        assert_eq!(
            with_table(&page, "new\n").unwrap(),
            format!("a\n{BEGIN}\nnew\n\n{END}b\n")
        );
        assert!(with_table("a\nb\n", "new").is_none());
    }
}
