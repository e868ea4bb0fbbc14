//! Running cargo, and asking it about the workspace.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use cargo_metadata::{Metadata, MetadataCommand, semver::Version};

use crate::Result;

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
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
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
        Ok(status) => Err(format!("`{}` failed ({status})", typed(command))),
        Err(error) => Err(format!("`{}`: {error}", typed(command))),
    }
}

/// Runs a command whose output is for this program. Complaints go to the reader.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => Err(format!("`{}` failed ({})", typed(command), output.status)),
        Err(error) => Err(format!("`{}`: {error}", typed(command))),
    }
}

/// What cargo knows of the workspace. `options` are those of `cargo metadata`.
pub(crate) fn metadata(options: &str) -> Result<Metadata> {
    let text = output(&mut cargo(&format!(
        "metadata --format-version=1 {options}"
    )))?;
    MetadataCommand::parse(text).map_err(|error| format!("cargo metadata: {error}"))
}

/// `publish = false` is an empty list of registries.
pub(crate) fn is_published(package: &cargo_metadata::Package) -> bool {
    package.publish.as_ref().is_none_or(|to| !to.is_empty())
}

/// A crate with its version.
pub(crate) type Package = (String, String);

/// The crates that a package needs, itself left in. `options` are further ones of `cargo tree`.
pub(crate) fn tree(package: &str, options: &str) -> Result<Vec<Package>> {
    let line = format!("tree --package {package} --prefix none --format {{p}} {options}");
    let text = output(&mut cargo(&line))?;
    // As in `syn v3.0.1 (proc-macro)`.
    let read = |line: &str| {
        let mut words = line.split_whitespace();
        Some((
            words.next()?.to_owned(),
            words.next()?.strip_prefix('v')?.to_owned(),
        ))
    };
    let mut packages: Vec<Package> = text.lines().filter_map(read).collect();
    packages.sort();
    packages.dedup();
    Ok(packages)
}

/// The oldest compiler that each crate claims to build with, for all crates that this machine
/// builds. A crate that claims nothing is left out.
pub(crate) fn rust_versions() -> Result<Vec<(Package, Version)>> {
    let about = output(&mut cargo("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    // Without the filter cargo would download what only other platforms need.
    let metadata = metadata(&format!("--filter-platform={}", host.unwrap_or_default()))?;
    let claim = |it: cargo_metadata::Package| {
        Some((
            (it.name.to_string(), it.version.to_string()),
            it.rust_version?,
        ))
    };
    Ok(metadata.packages.into_iter().filter_map(claim).collect())
}

#[test]
fn packages_are_read_from_the_tree() {
    let tree = tree("pipeline-proto", "--edges normal").unwrap();
    let serde: Vec<_> = tree.iter().filter(|(name, _)| name == "serde").collect();
    assert!(
        matches!(serde[..], [(_, version)] if version.starts_with("1.")),
        "{serde:?}"
    );
}
