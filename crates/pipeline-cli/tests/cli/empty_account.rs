//! Pages of the book whose commands are played, and say what the page says.

use std::path::Path;

use crate::support::{Run as _, Service};

/// The words of a line, of which those with blanks stand in quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn the_pages_from_an_empty_account_say_what_the_command_says() {
    for (page, blocks) in [
        ("from-an-empty-account.md", 7),
        ("from-an-empty-account.zh-CN.md", 7),
    ] {
        play(page, &read(page), blocks);
    }
}

#[test]
fn the_quick_start_says_of_queues_what_the_command_says() {
    for (page, heading) in [
        ("quick-start.md", "\n## A queue by itself\n"),
        ("quick-start.zh-CN.md", "\n## 单独的消息队列\n"),
    ] {
        let text = read(page);
        let (_, section) = text.split_once(heading).unwrap();
        let section = section.split("\n## ").next().unwrap();
        play(page, section, 3);
    }
}

#[test]
fn the_page_on_shipping_says_what_the_command_says() {
    for (page, heading) in [
        ("shipping.md", "\n## From an empty account\n"),
        ("shipping.zh-CN.md", "\n## 从空账号开始\n"),
    ] {
        let text = read(page);
        let (_, section) = text.split_once(heading).unwrap();
        let section = section.split("\n## ").next().unwrap();
        play(page, section, 4);
    }
}

fn read(page: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    std::fs::read_to_string(docs.join(page)).unwrap()
}

/// Runs the commands of so many blocks; the text in front of records names their file.
fn play(page: &str, text: &str, count: usize) {
    let folder = tempfile::TempDir::new().unwrap();
    let service = Service::new();
    let blocks: Vec<&str> = text.split("```").collect();
    assert_eq!(blocks.len(), 2 * count + 1, "{page}");
    for pair in blocks.chunks_exact(2) {
        let (before, block) = (pair[0], pair[1]);
        let records = ["csv\n", "json\n"].map(|kind| block.strip_prefix(kind));
        if let Some(records) = records.into_iter().flatten().next() {
            let name = before
                .split('`')
                .rfind(|word| word.contains(".csv") || word.contains(".ndjson"))
                .unwrap();
            std::fs::write(folder.path().join(name), records).unwrap();
            continue;
        }
        let commands = block.strip_prefix("console\n$ pipeline ").unwrap();
        for command in commands.split("\n$ pipeline ") {
            let (line, says) = command.split_once('\n').unwrap_or((command, ""));
            let (line, file) = line.split_once(" > ").unwrap_or((line, ""));
            let words = words(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut run = service.command(&words);
            run.current_dir(folder.path());
            if !file.is_empty() {
                let ran = run.ran();
                assert_eq!(ran.code, Some(0), "{page}: {line}: {ran:?}");
                std::fs::write(folder.path().join(file), ran.stdout).unwrap();
                continue;
            }
            // Both in one, as on a terminal.
            let said = tempfile::NamedTempFile::new().unwrap();
            run.stdout(said.as_file().try_clone().unwrap());
            run.stderr(said.as_file().try_clone().unwrap());
            let code = run.status().unwrap().code();
            let said = std::fs::read_to_string(said.path()).unwrap();
            let fails = says.lines().any(|line| line.starts_with("error: "));
            assert_eq!(code, Some(i32::from(fails)), "{page}: {line}: {said}");
            if !says.is_empty() {
                assert_eq!(said.trim_end(), says.trim_end(), "{page}: {line}");
            }
        }
    }
}
