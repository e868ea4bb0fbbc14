//! `cargo xtask docs`: the documents that are generated from the code.

mod errors;
mod operations;

use std::{fs, io, path::Path};

use serde_json::Value;

use crate::{Result, cargo, failed};

/// A file, from the root of the checkout, and what it should contain.
type Document = (&'static str, fn() -> Result<String>);

const DOCUMENTS: &[Document] = &[
    ("docs/errors.md", errors::document),
    ("docs/operations.md", || Ok(operations::document())),
    ("docs/workflow-file.schema.json", || Ok(schema())),
];

/// The JSON Schema that editors check workflow files with.
fn schema() -> String {
    let mut text = String::new();
    write(&mut text, &pipeline_graph::file::json_schema(), 0);
    text + "\n"
}

/// Writes JSON with what is short on one line, so that a member of a spec is a line of a diff.
fn write(out: &mut String, value: &Value, depth: usize) {
    let (marks, parts): (_, Vec<(String, &Value)>) = match value {
        Value::Object(members) => (["{", "}"], {
            let named = members.iter();
            named
                .map(|(name, part)| (format!("{name:?}: "), part))
                .collect()
        }),
        Value::Array(list) => (
            ["[", "]"],
            list.iter().map(|part| (String::new(), part)).collect(),
        ),
        _ => (["", ""], Vec::new()),
    };
    let short = value.to_string();
    if parts.is_empty() || short.len() + 2 * depth <= 200 {
        return out.push_str(&short);
    }
    out.push_str(marks[0]);
    for (at, (name, part)) in parts.into_iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        out.push_str(&name);
        write(out, part, depth + 1);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push_str(marks[1]);
}

pub(crate) fn write_all() -> Result {
    for (path, document) in DOCUMENTS {
        let changed = replace(&cargo::root().join(path), &document()?)
            .map_err(|error| failed(format!("{path}: {error}")))?;
        println!("{path}: {}", if changed { "written" } else { "up to date" });
    }
    Ok(())
}

/// Fails when a file is not what would be written now.
pub(crate) fn check() -> Result {
    let mut drifted = Vec::new();
    for (path, document) in DOCUMENTS {
        if current(&cargo::root().join(path)) == Some(document()?) {
            println!("{path}: up to date");
        } else {
            drifted.push(*path);
        }
    }
    if drifted.is_empty() {
        return Ok(());
    }
    Err(failed(format!(
        "{}: not what the code says; `cargo xtask docs` writes it anew",
        drifted.join(", ")
    )))
}

/// The file's text, with the line ends that git may have changed set right.
fn current(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.replace("\r\n", "\n"))
}

/// Writes the whole file or nothing, and only when it differs.
fn replace(path: &Path, text: &str) -> io::Result<bool> {
    if current(path).as_deref() == Some(text) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&new, text)
        .and_then(|()| fs::rename(&new, path))
        .inspect_err(|_| drop(fs::remove_file(&new)))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_when_it_differs() {
        let folder = std::env::temp_dir().join(format!("xtask-docs-{}", std::process::id()));
        let path = folder.join("deep/errors.md");
        assert!(replace(&path, "one\n").unwrap());
        assert!(!replace(&path, "one\n").unwrap());
        assert!(replace(&path, "two\n").unwrap());
        assert_eq!(current(&path).as_deref(), Some("two\n"));
        let files = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(files.count(), 1, "no temporary file stays behind");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn every_document_says_that_it_is_generated() {
        for (path, document) in DOCUMENTS {
            let text = document().unwrap();
            assert!(text.contains("cargo xtask docs"), "{path}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
        }
    }
}
