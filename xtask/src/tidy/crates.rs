//! Who may import whom, what a crate may drag in, and what each manifest has to say.

use crate::{
    Result,
    cargo::{self, Member, Package},
};

use super::{File, Finding, line_of};

const MANIFEST: &str = "Cargo.toml";

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
        most: 34,
    },
    Limit {
        krate: "pipeline-hyper",
        never: &[],
        most: 64,
    },
    Limit {
        krate: "pipeline-blocking",
        never: &["tokio", "hyper", "futures", "futures-core", "futures-util"],
        most: 50,
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
    let members = cargo::members()?;
    let rust_versions = cargo::rust_versions()?;
    let mut findings = Vec::new();
    for member in &members {
        let file = files.iter().find(|file| file.path == member.manifest);
        let manifest = file.map_or("", |file| file.text.as_str());
        findings.extend(imports(member, &members, manifest));
        findings.extend(lints(member, manifest));
        if !member.published {
            continue;
        }
        let tree = cargo::tree(&member.name, "normal")?;
        findings.extend(limits(member, &tree));
        println!(
            "{}: {} crates in its tree{}",
            member.name,
            tree.len(),
            at_most(&member.name)
        );
        let tree = cargo::tree(&member.name, "normal,build")?;
        findings.extend(rust_version(member, &tree, &rust_versions, manifest));
    }
    Ok(findings)
}

fn imports(member: &Member, members: &[Member], manifest: &str) -> Vec<Finding> {
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == member.name) else {
        let what = format!("nothing says what {} may import", member.name);
        let mend = format!("add it to MAY_IMPORT in {}", file!());
        return vec![Finding::new(
            &member.manifest,
            line_of(manifest, "name"),
            what,
            mend,
        )];
    };
    let ours = |name: &&String| members.iter().any(|member| member.name == **name);
    member
        .dependencies
        .iter()
        .filter(ours)
        .filter(|name| !allowed.contains(&name.as_str()))
        .map(|name| {
            let what = format!("{} may not import {name}", member.name);
            let mend = "move what it needs to where both may import it";
            Finding::new(&member.manifest, line_of(manifest, name), what, mend)
        })
        .collect()
}

fn limits(member: &Member, tree: &[Package]) -> Vec<Finding> {
    let limit = LIMITS.iter().find(|limit| limit.krate == member.name);
    let never = limit.map_or(&[][..], |limit| limit.never);
    let mut findings = Vec::new();
    let finding = |what, mend| Finding::new(&member.manifest, 1, what, mend);
    for (name, version) in tree {
        if never.contains(&name.as_str()) || NEVER.contains(&name.as_str()) {
            let what = format!("{name} {version} is in the tree of {}", member.name);
            let mend = format!(
                "`cargo tree -p {} -e normal -i {name}` says why",
                member.name
            );
            findings.push(finding(what, mend));
        }
    }
    if let Some(limit) = limit.filter(|limit| tree.len() > limit.most) {
        let what = format!(
            "{} crates in the tree, at most {} are allowed",
            tree.len(),
            limit.most
        );
        findings.push(finding(
            what,
            format!("`cargo tree -p {} -e normal`", member.name),
        ));
    }
    findings
}

fn at_most(name: &str) -> String {
    let limit = LIMITS.iter().find(|limit| limit.krate == name);
    limit.map_or_else(String::new, |limit| {
        format!(", at most {} are allowed", limit.most)
    })
}

fn rust_version(
    member: &Member,
    tree: &[Package],
    rust_versions: &[(Package, String)],
    manifest: &str,
) -> Vec<Finding> {
    let line = line_of(manifest, "rust-version");
    let Some(own) = member.rust_version.as_deref().and_then(read_version) else {
        let mend = "say `rust-version.workspace = true`";
        return vec![Finding::new(
            &member.manifest,
            line,
            "no rust-version",
            mend,
        )];
    };
    let needed = rust_versions
        .iter()
        .filter(|(package, _)| tree.contains(package));
    needed
        .filter(|(_, version)| read_version(version).is_some_and(|version| version > own))
        .map(|((name, version), needs)| {
            let what = format!("{name} {version} needs Rust {needs}");
            let mend = format!("raise rust-version in {MANIFEST}, or take an older {name}");
            Finding::new(&member.manifest, line, what, mend)
        })
        .collect()
}

/// Reads `1.85` and `1.85.0`.
fn read_version(text: &str) -> Option<[u32; 3]> {
    let mut version = [0; 3];
    let mut parts = text.split('.');
    for number in &mut version {
        *number = parts.next().unwrap_or("0").parse().ok()?;
    }
    parts.next().is_none().then_some(version)
}

fn lints(member: &Member, manifest: &str) -> Option<Finding> {
    let mut lines = manifest.lines().map(|line| line.replace(' ', ""));
    let section = lines.by_ref().any(|line| line == "[lints]");
    let inherits = lines
        .take_while(|line| !line.starts_with('['))
        .any(|line| line == "workspace=true");
    (!(section && inherits)).then(|| {
        let mend = "add `workspace = true` under `[lints]`";
        Finding::new(
            &member.manifest,
            1,
            "does not take the lints of the workspace",
            mend,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            manifest: format!("crates/{name}/Cargo.toml"),
            published: true,
            rust_version: Some("1.90".into()),
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
            ..Member::default()
        }
    }

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
    fn an_import_in_the_wrong_direction_is_found() {
        let members = [
            member("pipeline-proto", &["http", "pipeline-graph"]),
            member("pipeline-graph", &[]),
        ];
        let findings = imports(
            &members[0],
            &members,
            "[dependencies]\npipeline-graph.workspace = true",
        );
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().starts_with(
            "crates/pipeline-proto/Cargo.toml:2: pipeline-proto may not import pipeline-graph - "
        ));
        assert!(imports(&members[1], &members, "").is_empty());
        assert_eq!(imports(&member("pipeline-new", &[]), &members, "").len(), 1);
    }

    #[test]
    fn forbidden_crates_and_large_trees_are_found() {
        let proto = member("pipeline-proto", &[]);
        assert!(limits(&proto, &[package("http")]).is_empty());
        assert_eq!(
            limits(&proto, &[package("tokio"), package("openssl-sys")]).len(),
            2
        );
        assert!(limits(&member("pipeline-hyper", &[]), &[package("tokio")]).is_empty());
        let tree: Vec<Package> = (0..35).map(|n| package(&format!("crate{n}"))).collect();
        assert!(limits(&proto, &tree[1..]).is_empty());
        assert!(
            limits(&proto, &tree)[0]
                .what
                .contains("35 crates in the tree, at most 34")
        );
    }

    #[test]
    fn a_dependency_that_needs_a_newer_compiler_is_found() {
        let needs = |version: &str| {
            let versions = [(package("http"), version.to_owned())];
            rust_version(
                &member("pipeline-proto", &[]),
                &[package("http")],
                &versions,
                "",
            )
            .len()
        };
        assert_eq!(
            [
                needs("1.9"),
                needs("1.90.0"),
                needs("1.90.1"),
                needs("1.100")
            ],
            [0, 0, 1, 1]
        );
        let mut silent = member("pipeline-proto", &[]);
        silent.rust_version = None;
        assert_eq!(
            rust_version(&silent, &[], &[], "")[0].what,
            "no rust-version"
        );
    }

    #[test]
    fn the_lints_of_the_workspace_are_inherited() {
        let lints = |manifest| lints(&member("pipeline-proto", &[]), manifest);
        assert!(lints("[package]\n\n[lints]\nworkspace = true\n").is_none());
        assert!(lints("[dependencies]\nworkspace = true\n").is_some());
        assert!(lints("[lints]\n[features]\nworkspace = true\n").is_some());
    }
}
