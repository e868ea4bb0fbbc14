//! Running cargo, and asking it about the workspace.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{Result, failed};

/// The root of the checkout, whatever folder the task was started from.
pub(crate) fn root() -> PathBuf {
    // Set anew by each `cargo run`, so that a checkout that was moved is still found.
    let own =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let own = PathBuf::from(own);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// The cargo that runs this task, to be run again at the root. `line` is what would be typed.
pub(crate) fn cargo(line: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(line.split_whitespace()).current_dir(root());
    // What cargo tells this program about itself would look like a changed environment to the
    // build scripts of dependencies, and have them built again each time one goes from
    // `cargo test` to `cargo xtask test`.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&*name);
        }
    }
    // A relative one is meant relative to where the task was started.
    if let Some(Ok(target)) = env::var_os("CARGO_TARGET_DIR").map(std::path::absolute) {
        command.env("CARGO_TARGET_DIR", target);
    }
    command
}

/// How the command would be typed.
pub(crate) fn typed(command: &Command) -> String {
    let words = command.get_args().map(|word| word.to_string_lossy());
    format!("cargo {}", words.collect::<Vec<_>>().join(" "))
}

/// Runs a command whose output is for the reader.
pub(crate) fn run(command: &mut Command) -> Result {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(format!("`{}` failed ({status})", typed(command)))),
        Err(error) => Err(failed(format!("`{}`: {error}", typed(command)))),
    }
}

/// Runs a command whose output is for this program. Complaints go to the reader.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("`{}`: {error}", typed(command))))?;
    if !output.status.success() {
        let what = typed(command);
        return Err(failed(format!("`{what}` failed ({})", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| failed(format!("`{}` printed something not UTF-8", typed(command))))
}

/// A crate of the workspace.
#[cfg_attr(test, derive(Default))]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The path of its manifest from the root, with `/`.
    pub(crate) manifest: String,
    pub(crate) published: bool,
    /// Whether other crates can use it.
    pub(crate) library: bool,
    /// Whether it has default features that can be switched off.
    pub(crate) has_defaults: bool,
    pub(crate) rust_version: Option<String>,
    /// What it needs to be built, development dependencies left out.
    pub(crate) dependencies: Vec<String>,
    /// Everything that it asks a registry for, with the wanted version: development dependencies too,
    /// but not those that are a path and nothing else.
    pub(crate) requirements: Vec<(String, String)>,
}

/// The crates of the workspace, by name.
pub(crate) fn members() -> Result<Vec<Member>> {
    let text = output(&mut cargo("metadata --format-version=1 --no-deps"))?;
    let mut members = read_members(&text, &root())
        .ok_or_else(|| failed("`cargo metadata` printed something unexpected"))?;
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

fn read_members(metadata: &str, root: &Path) -> Option<Vec<Member>> {
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    let member = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let manifest = manifest.strip_prefix(root).unwrap_or(manifest);
        let dependencies = package["dependencies"].as_array()?.iter();
        let requirement = |dependency: &Value| {
            let version = dependency["req"]
                .as_str()
                .filter(|version| *version != "*")?;
            Some((dependency["name"].as_str()?.to_owned(), version.to_owned()))
        };
        let mut targets = package["targets"].as_array()?.iter();
        Some(Member {
            name: package["name"].as_str()?.to_owned(),
            version: package["version"].as_str()?.to_owned(),
            manifest: manifest.to_str()?.replace('\\', "/"),
            // `publish = false` is an empty list of registries here.
            published: package["publish"]
                .as_array()
                .is_none_or(|to| !to.is_empty()),
            library: targets.any(|target| target["kind"][0] == "lib"),
            requirements: dependencies.clone().filter_map(requirement).collect(),
            has_defaults: package["features"]["default"]
                .as_array()
                .is_some_and(|features| !features.is_empty()),
            rust_version: package["rust_version"].as_str().map(str::to_owned),
            dependencies: dependencies
                .filter(|dependency| dependency["kind"] != "dev")
                .filter_map(|dependency| dependency["name"].as_str())
                .map(str::to_owned)
                .collect(),
        })
    };
    metadata["packages"]
        .as_array()?
        .iter()
        .map(member)
        .collect()
}

/// A crate with its version.
pub(crate) type Package = (String, String);

/// The crates in the tree of a crate, itself included, as built on this machine with its default
/// features. `edges` is what `cargo tree --edges` takes.
pub(crate) fn tree(package: &str, edges: &str) -> Result<Vec<Package>> {
    let line = format!("tree --package {package} --edges {edges} --prefix none --format {{p}}");
    let text = output(&mut cargo(&line))?;
    let mut packages: Vec<Package> = text.lines().filter_map(read_package).collect();
    packages.sort();
    packages.dedup();
    Ok(packages)
}

/// Reads `syn v3.0.1 (proc-macro)`.
fn read_package(line: &str) -> Option<Package> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let version = words.next()?.strip_prefix('v')?;
    Some((name.to_owned(), version.to_owned()))
}

/// The oldest compiler that each crate claims to build with, for all crates that this machine
/// builds. A crate that claims nothing is left out.
pub(crate) fn rust_versions() -> Result<Vec<(Package, String)>> {
    let about = output(&mut cargo("-vV"))?;
    let host = about
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or_else(|| failed("`cargo -vV` does not name the host"))?;
    // Without the filter cargo would download what only other platforms need.
    let line = format!("metadata --format-version=1 --filter-platform={host}");
    let text = output(&mut cargo(&line))?;
    read_rust_versions(&text).ok_or_else(|| failed("`cargo metadata` printed something unexpected"))
}

fn read_rust_versions(metadata: &str) -> Option<Vec<(Package, String)>> {
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    let packages = metadata["packages"].as_array()?.iter();
    Some(
        packages
            .filter_map(|package| {
                let name = package["name"].as_str()?.to_owned();
                let version = package["version"].as_str()?.to_owned();
                Some((
                    (name, version),
                    package["rust_version"].as_str()?.to_owned(),
                ))
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    fn members_are_read_from_the_metadata() {
        let metadata = r#"{"packages": [{
            "name": "pipeline-proto", "version": "0.1.0", "manifest_path": "/w/crates/pipeline-proto/Cargo.toml",
            "publish": null, "rust_version": "1.90", "features": {"default": [], "proptest": []},
            "targets": [{"kind": ["lib"]}, {"kind": ["test"]}],
            "dependencies": [{"name": "http", "kind": null, "req": "^1.5"},
                             {"name": "cc", "kind": "build", "req": "*"},
                             {"name": "proptest", "kind": "dev", "req": "^1.12"}]
        }, {
            "name": "xtask", "version": "0.0.0", "targets": [{"kind": ["bin"]}], "manifest_path": "/w/xtask/Cargo.toml", "publish": [],
            "rust_version": null, "features": {"default": ["server"]}, "dependencies": []
        }]}"#;
        let members = read_members(metadata, Path::new("/w")).unwrap();
        assert_eq!(members[0].manifest, "crates/pipeline-proto/Cargo.toml");
        assert_eq!(members[0].dependencies, ["http", "cc"]);
        assert_eq!(members[0].rust_version.as_deref(), Some("1.90"));
        assert!(members[0].published && members[0].library && !members[0].has_defaults);
        assert!(!members[1].published && !members[1].library && members[1].has_defaults);
        let wanted = [("http", "^1.5"), ("proptest", "^1.12")];
        let wanted = wanted.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(
            (&*members[0].version, &members[0].requirements[..]),
            ("0.1.0", &wanted[..])
        );
        assert!(read_members(r#"{"packages": [{}]}"#, Path::new("/w")).is_none());
    }

    #[test]
    fn packages_are_read_from_lines_of_the_tree() {
        let package = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(read_package("bytes v1.12.2"), package("bytes", "1.12.2"));
        assert_eq!(
            read_package("syn v3.0.1 (proc-macro) (*)"),
            package("syn", "3.0.1")
        );
        assert_eq!(read_package(""), None);
        assert_eq!(read_package("[build-dependencies]"), None);
    }

    #[test]
    fn rust_versions_are_read_where_they_are_claimed() {
        let metadata = r#"{"packages": [
            {"name": "ring", "version": "0.17.1", "rust_version": "1.66.0"},
            {"name": "old", "version": "0.1.0", "rust_version": null}
        ]}"#;
        let ring = ("ring".to_owned(), "0.17.1".to_owned());
        assert_eq!(
            read_rust_versions(metadata).unwrap(),
            [(ring, "1.66.0".to_owned())]
        );
    }
}
