//! Who may import whom, what a crate may drag in, and what each manifest has to say.

use cargo_metadata::DependencyKind;

use crate::{
    Result,
    cargo::{self, Package},
};

use super::{File, Finding, line_of};

/// Which crates of the workspace a crate may import. The order goes from the core outwards.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("pipeline-proto", &[]),
    ("pipeline-graph", &["pipeline-proto"]),
    ("pipeline-trace", &["pipeline-proto"]),
    ("pipeline-tls", &["pipeline-proto"]),
    (
        "pipeline-hyper",
        &["pipeline-proto", "pipeline-tls", "pipeline-trace"],
    ),
    (
        "pipeline-blocking",
        &["pipeline-proto", "pipeline-tls", "pipeline-trace"],
    ),
    ("pipeline-emulator", &["pipeline-proto", "pipeline-graph"]),
    (
        "pipeline-cli",
        &[
            "pipeline-proto",
            "pipeline-tls",
            "pipeline-graph",
            "pipeline-hyper",
            "pipeline-blocking",
            "pipeline-emulator",
        ],
    ),
    (
        "pipeline-conformance",
        &[
            "pipeline-proto",
            "pipeline-graph",
            "pipeline-hyper",
            "pipeline-blocking",
            "pipeline-emulator",
            "pipeline-cli",
        ],
    ),
    ("pipeline-embedding-example", &["pipeline-proto"]),
    ("xtask", &["pipeline-proto", "pipeline-graph"]),
];

/// What the tree of a crate may be like: without these crates, and with at most so many.
struct Limit {
    krate: &'static str,
    never: &'static [&'static str],
    most: usize,
}

const LIMITS: &[Limit] = &[
    Limit {
        krate: "pipeline-proto",
        never: &[
            "tokio", "hyper", "ureq", "rustls", "rand", "fastrand", "log", "tracing",
        ],
        most: 35,
    },
    Limit {
        krate: "pipeline-hyper",
        never: &[],
        most: 65,
    },
    Limit {
        krate: "pipeline-blocking",
        never: &["tokio", "hyper", "futures", "futures-core", "futures-util"],
        most: 51,
    },
];

/// What no crate may have in its tree: C libraries that need more than a C compiler, and a client
/// that does what our transports do.
const NEVER: &[&str] = &[
    "openssl",
    "openssl-sys",
    "native-tls",
    "aws-lc-rs",
    "aws-lc-sys",
    "reqwest",
];

pub(super) fn check(files: &[File]) -> Result<Vec<Finding>> {
    let metadata = cargo::metadata("--no-deps")?;
    let members = metadata.workspace_packages();
    let rust_versions = cargo::rust_versions()?;
    let mut findings = Vec::new();
    for member in &members {
        let path = cargo::manifest(member);
        let manifest = files
            .iter()
            .find(|file| file.path == path)
            .map_or("", |file| &file.text);
        let mut find = |line: &str, what: String, mend: &str| {
            findings.push(Finding::new(&path, line_of(manifest, line), what, mend));
        };
        let name = member.name.as_str();
        let needed = member
            .dependencies
            .iter()
            .filter(|it| it.kind != DependencyKind::Development);
        let ours = needed.filter(|it| members.iter().any(|other| *other.name == it.name));
        for import in ours.filter(|it| !may_import(name, &it.name)) {
            let what = format!("nothing says that {name} may import {}", import.name);
            find(
                &import.name,
                what,
                "move what it needs to where both may import it",
            );
        }
        if !takes_lints(manifest) {
            let mend = "add `workspace = true` under `[lints]`";
            find(
                "[lints]",
                "does not take the lints of the workspace".to_owned(),
                mend,
            );
        }
        if !cargo::is_published(member) {
            continue;
        }
        let tree = cargo::tree(name, "normal")?;
        println!("{name}: {} crates in its tree{}", tree.len(), at_most(name));
        let why = format!("`cargo tree -p {name} -e normal`, with `-i CRATE`, says why");
        for what in limits(name, &tree) {
            find("name", what, &why);
        }
        let tree = cargo::tree(name, "normal,build")?;
        let own = member.rust_version.as_ref();
        for ((name, version), needs) in &rust_versions {
            let in_tree = tree.iter().any(|(n, v)| n == name && v == version);
            if in_tree && own.is_none_or(|own| needs > own) {
                let what = format!("{name} {version} needs Rust {needs}");
                find(
                    "rust-version",
                    what,
                    "raise rust-version in Cargo.toml, or take an older one",
                );
            }
        }
    }
    Ok(findings)
}

fn may_import(name: &str, import: &str) -> bool {
    MAY_IMPORT
        .iter()
        .any(|(krate, allowed)| *krate == name && allowed.contains(&import))
}

/// What is wrong with the tree of a crate.
fn limits(name: &str, tree: &[Package]) -> Vec<String> {
    let limit = LIMITS.iter().find(|limit| limit.krate == name);
    let never = [NEVER, limit.map_or(&[], |limit| limit.never)].concat();
    let wrong = tree
        .iter()
        .filter(|(name, _)| never.contains(&name.as_str()));
    let mut found: Vec<String> = wrong
        .map(|(krate, version)| format!("{krate} {version} is in the tree of {name}"))
        .collect();
    if let Some(limit) = limit.filter(|limit| tree.len() > limit.most) {
        let (has, most) = (tree.len(), limit.most);
        found.push(format!(
            "{has} crates in the tree, at most {most} are allowed"
        ));
    }
    found
}

fn at_most(name: &str) -> String {
    let limit = LIMITS.iter().find(|limit| limit.krate == name);
    limit.map_or_else(String::new, |limit| {
        format!(", at most {} are allowed", limit.most)
    })
}

fn takes_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(|line| line.replace(' ', ""));
    lines.any(|line| line == "[lints]") && lines.next().is_some_and(|it| it == "workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        (name.to_owned(), "1.0.0".to_owned())
    }

    #[test]
    fn every_crate_imports_only_what_stands_before_it() {
        for (at, (name, allowed)) in MAY_IMPORT.iter().enumerate() {
            for import in *allowed {
                assert!(
                    MAY_IMPORT[..at].iter().any(|(before, _)| before == import),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn an_import_in_the_wrong_direction_is_refused() {
        assert!(may_import("pipeline-graph", "pipeline-proto"));
        assert!(!may_import("pipeline-proto", "pipeline-graph"));
        assert!(!may_import("pipeline-new", "pipeline-proto"));
    }

    #[test]
    fn forbidden_crates_and_large_trees_are_found() {
        assert!(limits("pipeline-proto", &[package("http")]).is_empty());
        let bad = [package("tokio"), package("openssl-sys")];
        assert_eq!(limits("pipeline-proto", &bad).len(), 2);
        assert!(limits("pipeline-hyper", &bad[..1]).is_empty());
        let tree: Vec<Package> = (0..36).map(|n| package(&format!("crate{n}"))).collect();
        assert!(limits("pipeline-proto", &tree[1..]).is_empty());
        assert!(limits("pipeline-proto", &tree)[0].contains("36 crates in the tree, at most 35"));
    }

    #[test]
    fn the_lints_of_the_workspace_are_taken() {
        assert!(takes_lints("[package]\n\n[lints]\nworkspace = true\n"));
        assert!(!takes_lints("[dependencies]\nworkspace = true\n"));
        assert!(!takes_lints("[lints]\n[features]\nworkspace = true\n"));
    }
}
