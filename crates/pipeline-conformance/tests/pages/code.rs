//! The Rust in the pages: compiled and run as doctests, or taken from an example that is.

use std::path::Path;

use pipeline_graph::{file::Format, lint::lint_text};

use crate::{read, root};

/// Where pages are made into doctests.
const DOCTESTED_BY: [&str; 2] = [
    "crates/pipeline-conformance/src/lib.rs",
    "crates/pipeline-emulator/src/lib.rs",
];

/// A fenced block: what stands behind the ticks, and the text.
struct Block {
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if let Some(info) = line.strip_prefix("```") {
            inside = !inside;
            if inside {
                let info = info.to_owned();
                blocks.push(Block {
                    info,
                    text: String::new(),
                });
            }
        } else if inside && let Some(block) = blocks.last_mut() {
            block.text += line;
            block.text += "\n";
        }
    }
    blocks
}

fn pages() -> Vec<String> {
    let files = std::fs::read_dir(root().join("docs")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let pages: Vec<String> = names
        .filter(|name| Path::new(name).extension().is_some_and(|e| e == "md"))
        .map(|name| format!("docs/{name}"))
        .chain(["README.md".to_owned(), "README.zh-CN.md".to_owned()])
        .collect();
    assert!(pages.len() > 5);
    pages
}

/// The sources of all examples, as one text.
fn examples() -> String {
    let mut text = String::new();
    let mut folders = vec![root().join("examples")];
    for krate in std::fs::read_dir(root().join("crates")).unwrap() {
        folders.push(krate.unwrap().path().join("examples"));
    }
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue; // a crate without examples
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs" || e == "toml") {
                text += &std::fs::read_to_string(&path)
                    .unwrap()
                    .replace("\r\n", "\n");
                text.push('\0');
            }
        }
    }
    text
}

#[test]
fn every_page_with_rust_is_made_into_doctests() {
    let lists = DOCTESTED_BY.map(read);
    for page in pages() {
        let text = read(&page);
        let doctested = blocks(&text)
            .iter()
            .any(|block| block.info.starts_with("rust") && !block.info.contains("ignore"));
        let included = lists
            .iter()
            .any(|list| list.contains(&format!("../../../{page}\"")));
        assert!(
            included || !doctested,
            "{page} is in none of {DOCTESTED_BY:?}"
        );
    }
}

/// A block that cannot stand alone is marked `ignore`, and is then a part of an example.
#[test]
fn rust_that_is_no_doctest_is_part_of_an_example() {
    let examples = examples();
    let mut found = 0;
    for page in pages() {
        for block in blocks(&read(&page)) {
            if block.info.starts_with("rust") && block.info.contains("ignore") {
                found += 1;
                assert!(
                    examples.contains(&block.text),
                    "{page} shows what is in no example:\n{}",
                    block.text
                );
            }
        }
    }
    assert!(found > 0, "the page on embedding has some");
}

/// A workflow file that a page shows is one, and has no flaw.
#[test]
fn workflow_files_are_in_order() {
    let mut found = 0;
    for page in pages() {
        for block in blocks(&read(&page)) {
            // Parts of a file, as the page on the format shows them, have tests of their own.
            if block.info == "yaml" && page != "docs/workflow-file.md" {
                found += 1;
                assert_eq!(lint_text(&block.text, Format::Yaml), [], "{page}");
            }
        }
    }
    assert!(found > 0, "the quick start has one");
}
