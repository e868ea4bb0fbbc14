//! `cargo xtask mermaid`: the Mermaid texts of the graph tools, read by Mermaid itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Result, cargo, failed};

/// Mermaid needs a document to be loaded, even to parse only.
const SCRIPT: &str = "\
import { JSDOM } from 'jsdom';
import { readFileSync } from 'node:fs';
const { window } = new JSDOM('<!doctype html><body></body>');
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import('mermaid');
for (const file of process.argv.slice(2)) {
  try {
    const { diagramType } = await mermaid.parse(readFileSync(file, 'utf8'));
    console.log(`${file}: ${diagramType}`);
  } catch (error) {
    console.error(`${file}: ${error.message}`);
    process.exitCode = 1;
  }
}
";

pub(crate) fn run() -> Result {
    let folder = cargo::root().join("target/mermaid");
    let io = |error| failed(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(io)?;
    fs::write(folder.join("package.json"), "{\"private\":true}\n").map_err(io)?;
    fs::write(folder.join("parse.mjs"), SCRIPT).map_err(io)?;
    tool(
        &folder,
        "npm",
        &[
            "install",
            "--no-audit",
            "--no-fund",
            "mermaid@11",
            "jsdom@26",
        ],
    )?;
    let texts = texts(&cargo::root().join("crates/pipeline-graph/tests/draw"))?;
    let mut words = vec!["parse.mjs"];
    words.extend(texts.iter().filter_map(|text| text.to_str()));
    tool(&folder, "node", &words)
}

/// Every expected Mermaid text of the tests.
fn texts(folder: &Path) -> Result<Vec<PathBuf>> {
    let files =
        fs::read_dir(folder).map_err(|error| failed(format!("{}: {error}", folder.display())))?;
    let mut texts: Vec<_> = files
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "mmd"))
        .collect();
    texts.sort();
    if texts.is_empty() {
        return Err(failed(format!(
            "{}: there is no .mmd file",
            folder.display()
        )));
    }
    Ok(texts)
}

fn tool(folder: &Path, name: &str, words: &[&str]) -> Result {
    let status = Command::new(name)
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| {
            failed(format!(
                "`{name}` cannot be run ({error}): install Node.js 20 or later, with npm"
            ))
        })?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(format!("`{name}` failed ({status})")))
    }
}
