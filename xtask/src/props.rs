//! `cargo xtask props`: the property tests at depth, and no other tests.
//!
//! A property is a test with inputs `in` a strategy, in a file with a `proptest!` block. Only the test targets that
//! have a chosen one are built. Depth and seed go into the variables that proptest reads.

use std::{
    collections::BTreeSet,
    fs,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use regex_lite::Regex;

use crate::{Result, cargo};

/// What goes wrong in these goes wrong everywhere.
const FIRST: [&str; 2] = ["signing", "parsing"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Parts of the paths of properties, such as `signing`, `parsing` or `tokens::`; without any, all run
    words: Vec<String>,
    /// The same as a single word
    #[arg(long, value_name = "NAME", hide = true)]
    only: Option<String>,
    /// How many inputs each property is tried on
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    cases: u32,
    /// Where the inputs begin; drawn if it is not given
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(options: &Options) -> Result {
    let words: Vec<&str> = options
        .words
        .iter()
        .chain(&options.only)
        .map(|word| &**word)
        .collect();
    let chosen = chosen(properties()?, &words)?;
    let cases = options.cases;
    let seed = options
        .seed
        .unwrap_or_else(|| RandomState::new().hash_one(()));
    let again = format!(
        "cargo xtask props {} --cases {cases} --seed {seed}",
        words.join(" ")
    );
    let again = again.replace("  ", " ");
    println!(
        "{} properties, {cases} cases of each; the same run again: {again}",
        chosen.len()
    );
    let rejects = |least: u32| cases.saturating_mul(4).max(least).to_string();
    let begin = Instant::now();
    let is_first = |it: &&Property| FIRST.iter().any(|first| it.path.contains(first));
    let (first, rest): (Vec<_>, Vec<_>) = chosen.iter().partition(is_first);
    for part in [first, rest].iter().filter(|part| !part.is_empty()) {
        let mut command = cargo::cargo("test --quiet --all-features");
        command.args(
            part.iter()
                .flat_map(|it| &it.target)
                .collect::<BTreeSet<_>>(),
        );
        command
            .arg("--")
            .args(part.iter().map(|it| &it.name))
            .stdin(Stdio::null());
        command
            .env("PROPTEST_CASES", cases.to_string())
            .env("PROPTEST_RNG_SEED", seed.to_string());
        // The limits on inputs that a property or a strategy turns down are totals, so they grow with
        // the cases.
        command.env("PROPTEST_MAX_GLOBAL_REJECTS", rejects(1024));
        command.env("PROPTEST_MAX_LOCAL_REJECTS", rejects(65_536));
        // Properties run some seven times as fast when optimised, which at depth saves more than the
        // build costs. The checks for overflow and the assertions stay in.
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
        cargo::run(&mut command)
            .map_err(|error| format!("{error}; the same run again: {again}"))?;
    }
    println!(
        "{} properties hold, in {:.1} s",
        chosen.len(),
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Property {
    /// Its package, its file and its name: `pipeline-proto::tests::props::signing::tokens::…`
    path: String,
    name: String,
    /// What cargo is told to build.
    target: [String; 2],
}

fn chosen(all: BTreeSet<Property>, words: &[&str]) -> Result<Vec<Property>> {
    let has = |property: &Property, word: &&str| property.path.contains(word);
    if let Some(word) = words
        .iter()
        .find(|word| !all.iter().any(|it| has(it, word)))
    {
        return Err(format!("no property has `{word}` in its path"));
    }
    let wanted = |it: &Property| words.is_empty() || words.iter().any(|word| has(it, word));
    Ok(all.into_iter().filter(wanted).collect())
}

/// The properties of the workspace, as their sources name them.
fn properties() -> Result<BTreeSet<Property>> {
    let with_inputs = Regex::new(r"fn (\w+)\(\s*(mut )?[\w(), ]+ in\s").expect("it is a regex");
    let block = Regex::new(r"(?m)^\s*proptest! \{").expect("it is a regex");
    let mut found = BTreeSet::new();
    for package in cargo::metadata("--no-deps")?.workspace_packages() {
        let folder = package
            .manifest_path
            .parent()
            .map(cargo_metadata::camino::Utf8Path::as_std_path);
        for target in package
            .targets
            .iter()
            .filter(|it| it.is_lib() || it.is_test())
        {
            for file in sources(target.src_path.as_std_path()) {
                let text = fs::read_to_string(&file)
                    .map_err(|error| format!("{}: {error}", file.display()))?;
                if !block.is_match(&text) {
                    continue;
                }
                let file = folder
                    .and_then(|folder| file.strip_prefix(folder).ok())
                    .unwrap_or(&file);
                let parts = file.with_extension("");
                let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
                found.extend(with_inputs.captures_iter(&text).map(|name| Property {
                    path: format!("{}::{}::{}", package.name, parts.join("::"), &name[1]),
                    name: name[1].to_owned(),
                    target: [
                        format!("--package={}", package.name),
                        if target.is_lib() {
                            "--lib".to_owned()
                        } else {
                            format!("--test={}", target.name)
                        },
                    ],
                }));
            }
        }
    }
    Ok(found)
}

/// The files of a target: those of its folder, or itself if others live there too.
fn sources(root: &Path) -> Vec<PathBuf> {
    let whole = root.ends_with("lib.rs") || root.ends_with("main.rs");
    let mut found = vec![root.to_path_buf()];
    let mut folders: Vec<PathBuf> = root
        .parent()
        .filter(|_| whole)
        .map(Path::to_path_buf)
        .into_iter()
        .collect();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
        {
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
fn properties_are_chosen_by_parts_of_their_paths() {
    let names = |words: &[&str]| -> Vec<String> {
        let chosen = chosen(properties().unwrap(), words).unwrap().into_iter();
        chosen
            .map(|it| format!("{} {}", it.target.join(" "), it.name))
            .collect()
    };
    let proto = "--package=pipeline-proto --test=props";
    let signing = names(&FIRST);
    assert!(
        signing.iter().all(|it| it.starts_with(proto)),
        "{signing:?}"
    );
    assert!(signing.contains(&format!("{proto} what_is_signed_is_what_is_sent")));
    let all = names(&[]);
    assert!(all.len() > signing.len() && all.iter().any(|it| it.contains("--lib")));
    assert!(chosen(properties().unwrap(), &["signing", "sining"]).is_err());
}
