//! `cargo xtask docs`: the documents that are generated from the code.

mod errors;
mod go;
mod operations;

use std::fs;

use pipeline_graph::Rule;
use serde_json::Value;

use crate::{Result, cargo};

/// Files, from the root of the checkout, and what they should contain. `commands` is what
/// `pipeline help operations` says.
fn documents(commands: &str) -> [(&'static str, String); 4] {
    [
        ("docs/errors.md", errors::document()),
        ("docs/lint-rules.md", lint_rules()),
        ("docs/operations.md", operations::document(commands)),
        ("docs/workflow-file.schema.json", schema()),
    ]
}

/// What `pipeline workflow lint` finds.
fn lint_rules() -> String {
    let row = |rule: &Rule| format!("| `{rule}` | {} | {} |\n", rule.severity(), rule.meaning());
    format!(
        "\
# Rules of lint

<!-- Generated from crates/pipeline-graph/src/finding.rs by `cargo xtask docs`. Do not edit. -->

What `pipeline workflow lint` finds in a [workflow file](workflow-file.md#checks), and in the nodes of the service. Errors
are what the service refuses or what cannot work; warnings are most likely not what was meant; hints are worth knowing.

| rule | severity | meaning |
|---|---|---|
{}",
        Rule::ALL.iter().map(row).collect::<String>()
    )
}

/// The JSON Schema that editors check workflow files with.
fn schema() -> String {
    let mut text = String::new();
    write(&mut text, &pipeline_graph::file::json_schema(), 0);
    text + "\n"
}

/// Writes JSON with what is short on one line, so that a member of a spec is a line of a diff.
fn write(out: &mut String, value: &Value, depth: usize) {
    let short = value.to_string();
    let (marks, parts): (_, Vec<(String, &Value)>) = match value {
        Value::Object(members) if short.len() + 2 * depth > 200 => {
            let named = members.iter();
            (
                ["{", "}"],
                named
                    .map(|(name, part)| (format!("{name:?}: "), part))
                    .collect(),
            )
        }
        Value::Array(list) if short.len() + 2 * depth > 200 => (
            ["[", "]"],
            list.iter().map(|part| (String::new(), part)).collect(),
        ),
        _ => return out.push_str(&short),
    };
    out.push_str(marks[0]);
    for (at, (name, part)) in parts.into_iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        out.extend([comma, "\n", &"  ".repeat(depth + 1), &name]);
        write(out, part, depth + 1);
    }
    out.extend(["\n", &"  ".repeat(depth), marks[1]]);
}

/// The document as it is. Git may have changed the line ends.
fn current(path: &str) -> String {
    let text = fs::read_to_string(cargo::root().join(path));
    text.unwrap_or_default().replace("\r\n", "\n")
}

/// Writes what is not what the code says, or fails for it.
pub(crate) fn run(check: bool) -> Result {
    let mut help = cargo::cargo("run --quiet --package pipeline-cli -- help operations");
    let commands = cargo::output(&mut help)?;
    let mut drifted = Vec::new();
    for (path, text) in documents(&commands) {
        if current(path) == text {
            println!("{path}: up to date");
        } else if check {
            drifted.push(path);
        } else {
            fs::write(cargo::root().join(path), text)
                .map_err(|error| format!("{path}: {error}"))?;
            println!("{path}: written");
        }
    }
    match drifted[..] {
        [] => Ok(()),
        _ => Err(format!(
            "{}: not what the code says; `cargo xtask docs` writes it anew",
            drifted.join(", ")
        )),
    }
}

#[test]
fn every_document_says_that_it_is_generated() {
    for (path, text) in documents("") {
        assert!(text.contains("cargo xtask docs"), "{path}");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
    }
}
