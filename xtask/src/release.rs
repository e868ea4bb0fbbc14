//! `cargo xtask release --dry-run`: whether the crates could be published as they are.
//!
//! Nothing is ever published from here. What has to be typed for it is printed.

mod changelog;
mod plan;

use std::process::{Command, Stdio};

use crate::{
    Args, Result,
    cargo::{self, Member},
    failed,
};

/// What a check found: a fact for the reader, or what stands in the way.
type Finding = std::result::Result<String, String>;

pub(crate) fn run(mut args: Args) -> Result {
    let dry = args.flag("--dry-run");
    args.finish()?;
    let members = cargo::members()?;
    let members: Vec<Member> = members.into_iter().filter(|it| it.published).collect();
    let order = plan::order(&members).map_err(failed)?;
    let version = plan::version(&members).map_err(failed)?;
    if !dry {
        println!("Publishing is done by hand, after `cargo xtask release --dry-run` has passed.\n");
        print!("{}", plan::commands(&order, &version));
        return Ok(());
    }
    let mut in_the_way = 0;
    for (name, check) in CHECKS {
        match check(&order, &version) {
            Ok(fact) => println!("{name}: {fact}"),
            Err(what) => {
                in_the_way += 1;
                println!("{name}: FAILED: {what}");
            }
        }
    }
    match in_the_way {
        0 => {
            println!("\nReady. By hand:\n");
            print!("{}", plan::commands(&order, &version));
            Ok(())
        }
        1 => Err(failed("release: one check failed")),
        n => Err(failed(format!("release: {n} checks failed"))),
    }
}

/// A name, and what looks at the crates, which come in the order of publishing, and their version.
type Check = (&'static str, fn(&[&Member], &str) -> Finding);

/// The longest last.
const CHECKS: &[Check] = &[
    ("versions", |order, version| plan::versions(order, version)),
    ("changelog", changelog),
    ("order", |order, _| Ok(plan::names(order).join(", "))),
    ("work tree", work_tree),
    ("semver", semver),
    ("packages", packages),
];

fn changelog(_: &[&Member], version: &str) -> Finding {
    let text = std::fs::read_to_string(cargo::root().join("CHANGELOG.md"))
        .map_err(|error| format!("CHANGELOG.md: {error}"))?;
    changelog::check(&text, version)
}

fn work_tree(_: &[&Member], _: &str) -> Finding {
    let changed = git("status --porcelain")?;
    match changed.lines().count() {
        0 => Ok("clean".to_owned()),
        1 => Err(format!("not committed: {}", changed.trim())),
        n => Err(format!("{n} files are not committed")),
    }
}

/// Compares the libraries with those of the last release.
fn semver(order: &[&Member], _: &str) -> Finding {
    let tags = git("tag --list v[0-9]* --merged HEAD --sort=-version:refname")?;
    let Some(tag) = tags.lines().next() else {
        return Ok("no release has a tag yet, so there is nothing to compare with".to_owned());
    };
    let found = cargo::cargo("semver-checks --version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        return Err(format!(
            "cannot compare with {tag}: cargo-semver-checks is missing: `cargo install cargo-semver-checks --locked`"
        ));
    }
    let mut command = cargo::cargo("semver-checks");
    command.args(["--baseline-rev", tag]);
    for library in order.iter().filter(|member| member.library) {
        command.args(["--package", &library.name]);
    }
    succeeds(&mut command)?;
    Ok(format!("fits what changed since {tag}"))
}

/// Packs each crate and builds it from its package. One run of cargo for all, because only then do
/// they find one another without a registry.
fn packages(order: &[&Member], _: &str) -> Finding {
    // Whether the work tree is clean is a check of its own.
    let mut command = cargo::cargo("package --allow-dirty");
    for member in order {
        command.args(["--package", &member.name]);
    }
    succeeds(&mut command)?;
    Ok(format!(
        "all {} build from what would be published",
        order.len()
    ))
}

fn succeeds(command: &mut Command) -> std::result::Result<(), String> {
    cargo::run(command.stdin(Stdio::null())).map_err(|error| error.to_string())
}

fn git(line: &str) -> std::result::Result<String, String> {
    let output = Command::new("git")
        .args(line.split_whitespace())
        .current_dir(cargo::root())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("`git {line}`: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "`git {line}` failed: is this a checkout with its history?"
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
