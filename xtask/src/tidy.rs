//! `cargo xtask tidy`: the house rules that a program can check. `docs/architecture.md` has the
//! reasons.

mod crates;
mod documents;
mod layers;
mod sources;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Result, cargo};

/// A text file of the checkout.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// A rule that is broken at this line: what is wrong, and what to do.
    fn finding(&self, line: usize, what: &str, mend: &str) -> String {
        format!("{}:{line}: {what} - {mend}", self.path)
    }

    /// The number of the line, from 1, that the byte at `at` stands in.
    fn line_at(&self, at: usize) -> usize {
        1 + self
            .text
            .bytes()
            .take(at)
            .filter(|byte| *byte == b'\n')
            .count()
    }
}

pub(crate) fn check() -> Result {
    let root = cargo::root();
    let files = text_files(&root).map_err(|error| format!("reading the checkout: {error}"))?;
    let mut findings = crates::check(&files)?;
    findings.extend(sources::check(&files));
    findings.extend(documents::check(&files, |path| root.join(path).exists()));
    findings.extend(crate::bugs::stale());
    findings.extend(layers::check(&files));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        n => Err(format!("tidy: findings: {n}")),
    }
}

/// The text files below the root, build output left out.
///
/// A walk and not `git ls-files`, so that a copy without its history can be checked too.
pub(crate) fn text_files(root: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        // Cargo marks its target folders, whatever they are called.
        if root.join(&folder).join("CACHEDIR.TAG").exists() {
            continue;
        }
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let path = folder.join(&name);
            let name = name.to_string_lossy();
            // Hidden files and folders belong to git, to editors and to other tools, but for these.
            if name.starts_with('.')
                && ![".cargo", ".ci", ".github", ".gitignore"].contains(&&*name)
            {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                let path = path.to_string_lossy().replace('\\', "/");
                files.push(File { path, text });
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    let (path, text) = (path.to_owned(), text.to_owned());
    File { path, text }
}

#[test]
fn build_output_and_history_are_left_out() {
    let files = text_files(&cargo::root()).unwrap();
    let found = |start: &str| files.iter().any(|file| file.path.starts_with(start));
    assert!(found("xtask/src/tidy.rs") && found(".ci/run"));
    assert!(!found(".git/") && !found("target/"));
}
