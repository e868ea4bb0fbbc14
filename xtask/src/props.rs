//! `cargo xtask props`: the property tests at depth, and no other tests.
//!
//! A property is a test with parameters, in a file with a `proptest!` block. Only the test targets that
//! have one are built. Depth and seed go into the variables that proptest reads.

use std::{
    collections::BTreeSet,
    fs,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use regex_lite::Regex;

use crate::{Result, cargo, failed};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Parts of the paths of properties, such as `tokens::`; without any, all run
    words: Vec<String>,
    /// The same as a single word
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// How many inputs each property is tried on
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    cases: u32,
    /// Where the inputs begin; drawn if it is not given
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(options: &Options) -> Result {
    let words: Vec<&String> = options.words.iter().chain(&options.only).collect();
    let properties = Properties::find()?;
    let chosen = properties.paths(&words)?;
    let cases = options.cases;
    let seed = options
        .seed
        .unwrap_or_else(|| RandomState::new().hash_one(()));
    let again = words.iter().fold(
        format!("cargo xtask props --cases {cases} --seed {seed}"),
        |line, word| format!("{line} {word}"),
    );
    println!(
        "{} properties, {cases} cases of each; the same run again: {again}",
        chosen.len()
    );
    let rejects = |least: u32| cases.saturating_mul(4).max(least).to_string();
    let begin = Instant::now();
    let mut command = properties.command();
    command
        .args(["--", "--exact"])
        .args(&chosen)
        .env("PROPTEST_CASES", cases.to_string())
        .env("PROPTEST_RNG_SEED", seed.to_string())
        // The limits on inputs that a property or a strategy turns down are totals, so they grow with
        // the cases.
        .env("PROPTEST_MAX_GLOBAL_REJECTS", rejects(1024))
        .env("PROPTEST_MAX_LOCAL_REJECTS", rejects(65_536));
    command.stdin(std::process::Stdio::null());
    cargo::run(&mut command)
        .map_err(|error| failed(format!("{error}; the same run again: {again}")))?;
    println!(
        "{} properties hold, in {:.1} s",
        chosen.len(),
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The properties of the workspace, as their sources name them.
struct Properties {
    names: BTreeSet<String>,
    /// What cargo is told to build: `--package P --lib --test T …`
    targets: BTreeSet<String>,
}

impl Properties {
    fn find() -> Result<Self> {
        // Helpers of the tests have parameters too; they are in no list of tests.
        let with_parameters = Regex::new(r"fn (\w+)\(\s*[^)\s]").expect("it is a regex");
        let block = Regex::new(r"(?m)^\s*proptest! \{").expect("it is a regex");
        let (mut names, mut targets) = (BTreeSet::new(), BTreeSet::new());
        for package in cargo::metadata("--no-deps")?.workspace_packages() {
            for target in &package.targets {
                if !(target.is_lib() || target.is_test()) {
                    continue;
                }
                let mut found = BTreeSet::new();
                for file in sources(target.src_path.as_std_path()) {
                    let text = fs::read_to_string(&file)
                        .map_err(|error| failed(format!("{}: {error}", file.display())))?;
                    if block.is_match(&text) {
                        let names = with_parameters.captures_iter(&text);
                        found.extend(names.map(|name| name[1].to_owned()));
                    }
                }
                if !found.is_empty() {
                    targets.insert(format!("--package={}", package.name));
                    targets.insert(if target.is_lib() {
                        "--lib".to_owned()
                    } else {
                        format!("--test={}", target.name)
                    });
                }
                names.extend(found);
            }
        }
        Ok(Self { names, targets })
    }

    fn command(&self) -> Command {
        let mut command = cargo::cargo("test --quiet --all-features");
        command.args(&self.targets);
        // Properties run some seven times as fast when optimised, which at the usual depth saves more
        // than the build costs. The checks for overflow and the assertions stay in.
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
        command
    }

    /// The full paths of those with one of the words in it.
    fn paths(&self, words: &[&String]) -> Result<BTreeSet<String>> {
        let list = cargo::output(self.command().args(["--", "--list"]))?;
        let tests = list.lines().filter_map(|line| line.strip_suffix(": test"));
        let paths: BTreeSet<String> = tests
            .filter(|path| {
                self.names
                    .contains(path.rsplit("::").next().unwrap_or(path))
            })
            .map(str::to_owned)
            .collect();
        if let Some(word) = words
            .iter()
            .find(|word| !paths.iter().any(|path| path.contains(**word)))
        {
            return Err(failed(format!("no property has `{word}` in its path")));
        }
        let wanted =
            |path: &String| words.is_empty() || words.iter().any(|word| path.contains(*word));
        Ok(paths.into_iter().filter(wanted).collect())
    }
}

/// The files of a target: those of its folder, or itself if others live there too.
fn sources(root: &Path) -> Vec<PathBuf> {
    let alone = !root.ends_with("lib.rs") && !root.ends_with("main.rs");
    let mut found = vec![root.to_path_buf()];
    let mut folders = if alone {
        Vec::new()
    } else {
        Vec::from_iter(root.parent().map(Path::to_path_buf))
    };
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") && path != root {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn properties_are_found_in_libraries_and_in_test_targets() {
    let found = Properties::find().unwrap();
    for target in [
        "--package=pipeline-proto",
        "--lib",
        "--test=props",
        "--test=model",
    ] {
        assert!(found.targets.contains(target), "{target}");
    }
    assert!(
        found
            .names
            .contains("cycles_are_found_where_petgraph_finds_them")
    );
}
