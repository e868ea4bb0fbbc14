//! Running cargo, and asking it about the workspace.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use cargo_metadata::{Metadata, MetadataCommand, semver::Version};

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

/// What cargo knows of the workspace. `options` are those of `cargo metadata`.
pub(crate) fn metadata(options: &str) -> Result<Metadata> {
    read_metadata(&output(&mut cargo(&format!(
        "metadata --format-version=1 {options}"
    )))?)
}

pub(crate) fn read_metadata(text: &str) -> Result<Metadata> {
    MetadataCommand::parse(text).map_err(|error| failed(format!("cargo metadata: {error}")))
}

/// `publish = false` is an empty list of registries.
pub(crate) fn is_published(package: &cargo_metadata::Package) -> bool {
    package.publish.as_ref().is_none_or(|to| !to.is_empty())
}

/// The path of its manifest from the root, with `/`.
pub(crate) fn manifest(package: &cargo_metadata::Package) -> String {
    let path = package.manifest_path.as_std_path();
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
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
pub(crate) fn rust_versions() -> Result<Vec<(Package, Version)>> {
    let about = output(&mut cargo("-vV"))?;
    let host = about
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or_else(|| failed("`cargo -vV` does not name the host"))?;
    // Without the filter cargo would download what only other platforms need.
    let packages = metadata(&format!("--filter-platform={host}"))?
        .packages
        .into_iter();
    Ok(packages
        .filter_map(|it| {
            Some((
                (it.name.to_string(), it.version.to_string()),
                it.rust_version?,
            ))
        })
        .collect())
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
}
