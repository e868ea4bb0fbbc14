//! `cargo xtask tidy`: the house rules that a program can check. `docs/architecture.md` has the
//! reasons.

mod crates;
mod documents;
mod sources;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use crate::{Result, cargo, failed};

/// A rule that is broken somewhere. Prints as `path:line: what - what to do`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    what: String,
    mend: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Self {
        let (path, what, mend) = (path.to_owned(), what.into(), mend.into());
        Self {
            path,
            line,
            what,
            mend,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {} - {}",
            self.path, self.line, self.what, self.mend
        )
    }
}

/// A text file of the checkout.
struct File {
    /// From the root, with `/`.
    path: String,
    text: String,
}

pub(crate) fn check() -> Result {
    let root = cargo::root();
    let files =
        text_files(&root).map_err(|error| failed(format!("reading the checkout: {error}")))?;
    let mut findings = crates::check(&files)?;
    findings.extend(sources::check(&files));
    findings.extend(documents::check(&files, &root));
    findings.extend(crate::bugs::stale().map(|(file, what)| {
        let mend = "choose other words for the bug, or another bug";
        Finding::new(file, 1, what, mend)
    }));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(failed("tidy: one finding")),
        n => Err(failed(format!("tidy: {n} findings"))),
    }
}

/// The text files below the root, build output left out.
///
/// A walk and not `git ls-files`, so that a copy without its history can be checked too.
fn text_files(root: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        // Cargo marks its target folders, whatever they are called.
        if root.join(&folder).join("CACHEDIR.TAG").exists() {
            continue;
        }
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if !is_ours(&entry.file_name().to_string_lossy()) {
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

/// Hidden files and folders belong to git, to editors and to other tools, but for these.
fn is_ours(name: &str) -> bool {
    !name.starts_with('.') || matches!(name, ".cargo" | ".ci" | ".github" | ".gitignore")
}

/// The number of the line, from 1, that the byte at `at` stands in.
fn line_at(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The number of the first line with this text, or 1.
fn line_of(text: &str, part: &str) -> usize {
    line_at(text, text.find(part).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding::new("docs/a.md", 7, "link to nothing", "mend it");
        assert_eq!(
            finding.to_string(),
            "docs/a.md:7: link to nothing - mend it"
        );
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(line_at("a\nb\nc", 0), 1);
        assert_eq!(line_at("a\nb\nc", 2), 2);
        assert_eq!(line_of("a\nb\nc", "c"), 3);
        assert_eq!(line_of("a\nb\nc", "z"), 1);
    }

    #[test]
    fn build_output_and_history_are_left_out() {
        let files = text_files(&cargo::root()).unwrap();
        let found = |start: &str| files.iter().any(|file| file.path.starts_with(start));
        assert!(found("xtask/src/tidy.rs") && found(".ci/run"));
        assert!(!found(".git/") && !found("target/"));
    }
}
