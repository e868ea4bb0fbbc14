//! Who may import whom, what a crate may drag in, and what each manifest has to say.

use cargo_metadata::DependencyKind;

use super::File;
use crate::{Result, cargo};

/// Which crates of the workspace a crate may import, without the `pipeline-` in front. The order goes
/// from the core outwards.
const MAY_IMPORT: &[(&str, &str)] = &[
    ("proto", ""),
    ("graph", "proto"),
    ("trace", "proto"),
    ("transport", "proto"),
    ("shipper", "proto"),
    ("hyper", "proto transport trace shipper"),
    ("blocking", "proto transport trace shipper"),
    ("emulator", "proto graph"),
    (
        "cli",
        "proto transport graph shipper hyper blocking emulator",
    ),
    ("simulation", "proto shipper emulator"),
    ("conformance", "proto shipper hyper blocking"),
    ("embedding-example", "proto"),
    ("xtask", "proto graph"),
];

/// What must not be in the tree of a crate, and how many crates may be.
const LIMITS: &[(&str, &str, usize)] = &[
    (
        "pipeline-proto",
        "tokio hyper ureq rustls rand fastrand log tracing",
        36,
    ),
    (
        "pipeline-shipper",
        "tokio hyper rustls rand fastrand log tracing",
        37,
    ),
    ("pipeline-hyper", "", 65),
    (
        "pipeline-blocking",
        "tokio hyper futures futures-core futures-util",
        51,
    ),
];

/// What no crate may have in its tree: C libraries that need more than a C compiler, and a client
/// that does what our transports do.
const NEVER: &str = "openssl openssl-sys native-tls aws-lc-rs aws-lc-sys reqwest";

pub(super) fn check(files: &[File]) -> Result<Vec<String>> {
    let metadata = cargo::metadata("--no-deps")?;
    let members = metadata.workspace_packages();
    let rust_versions = cargo::rust_versions()?;
    let mut findings = Vec::new();
    for member in &members {
        let path = member.manifest_path.strip_prefix(&metadata.workspace_root);
        let path = path.map_or(String::new(), |path| path.as_str().replace('\\', "/"));
        let Some(manifest) = files.iter().find(|file| file.path == path) else {
            return Err(format!("{} is not in the checkout", member.manifest_path));
        };
        let mut find = |at: &str, what: &str, mend: &str| {
            let line = manifest.line_at(manifest.text.find(at).unwrap_or(0));
            findings.push(manifest.finding(line, what, mend));
        };
        let name = member.name.as_str();
        for import in &member.dependencies {
            let ours = members.iter().any(|other| *other.name == import.name);
            if ours && import.kind != DependencyKind::Development && !may_import(name, &import.name)
            {
                let what = format!("nothing says that {name} may import {}", import.name);
                find(
                    &import.name,
                    &what,
                    "move what it needs to where both may import it",
                );
            }
        }
        if !manifest
            .text
            .replace(' ', "")
            .contains("[lints]\nworkspace=true\n")
        {
            let what = "does not take the lints of the workspace";
            find("[lints]", what, "add `workspace = true` under `[lints]`");
        }
        if !cargo::is_published(member) {
            continue;
        }
        let tree = cargo::tree(name, "--edges normal")?;
        println!("{name}: {} crates in its tree", tree.len());
        for what in limits(name, &tree) {
            find(
                "name",
                &what,
                &format!("`cargo tree -p {name} -e normal`, with `-i CRATE`, says why"),
            );
        }
        let tree = cargo::tree(name, "--edges normal,build")?;
        let own = member.rust_version.as_ref();
        for (package, needs) in &rust_versions {
            if tree.contains(package) && own.is_none_or(|own| needs > own) {
                let what = format!("{} {} needs Rust {needs}", package.0, package.1);
                find(
                    "rust-version",
                    &what,
                    "raise rust-version, or take an older one",
                );
            }
        }
    }
    Ok(findings)
}

fn may_import(name: &str, import: &str) -> bool {
    let short = |name| str::strip_prefix(name, "pipeline-").unwrap_or(name);
    let row = MAY_IMPORT.iter().find(|(krate, _)| *krate == short(name));
    row.is_some_and(|(_, allowed)| allowed.split(' ').any(|it| it == short(import)))
}

/// What is wrong with the tree of a crate.
fn limits(name: &str, tree: &[cargo::Package]) -> Vec<String> {
    let limit = LIMITS.iter().find(|(krate, ..)| *krate == name);
    let (never, most) = limit.map_or(("", usize::MAX), |(_, never, most)| (*never, *most));
    let never: Vec<&str> = NEVER.split(' ').chain(never.split(' ')).collect();
    let wrong = tree
        .iter()
        .filter(|(krate, _)| never.contains(&krate.as_str()));
    let wrong = wrong.map(|(krate, version)| format!("{krate} {version} is in the tree of {name}"));
    let large = format!(
        "{} crates in the tree, at most {most} are allowed",
        tree.len()
    );
    wrong.chain((tree.len() > most).then_some(large)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_imports_only_what_stands_before_it() {
        for (at, (name, allowed)) in MAY_IMPORT.iter().enumerate() {
            for import in allowed.split_whitespace() {
                assert!(
                    MAY_IMPORT[..at].iter().any(|(before, _)| *before == import),
                    "{name}"
                );
            }
        }
        assert!(may_import("pipeline-graph", "pipeline-proto"));
        assert!(!may_import("pipeline-proto", "pipeline-graph"));
        assert!(!may_import("pipeline-new", "pipeline-proto"));
    }

    #[test]
    fn forbidden_crates_and_large_trees_are_found() {
        let tree = |names: &[&str]| -> Vec<cargo::Package> {
            names
                .iter()
                .map(|name| ((*name).to_owned(), "1.0.0".to_owned()))
                .collect()
        };
        assert!(limits("pipeline-proto", &tree(&["http"])).is_empty());
        assert_eq!(
            limits("pipeline-proto", &tree(&["tokio", "openssl-sys"])).len(),
            2
        );
        assert!(limits("pipeline-hyper", &tree(&["tokio"])).is_empty());
        assert!(limits("pipeline-proto", &tree(&["a"; 36])).is_empty());
        assert_eq!(limits("pipeline-proto", &tree(&["a"; 37])).len(), 1);
    }
}
