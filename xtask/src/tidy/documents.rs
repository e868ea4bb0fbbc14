//! Links inside of the repository, translations, and the summary of the book.

use std::path::Path;

use crate::markdown;

use super::{File, Finding};

/// The pages of the book lie in this folder, and in no folder of it.
const BOOK: &str = "docs/";
const SUMMARY: &str = "docs/SUMMARY.md";

pub(super) fn check(files: &[File], root: &Path) -> Vec<Finding> {
    let exists = |path: &str| root.join(path).exists();
    let mut findings = translations(files);
    findings.extend(summary(files));
    for file in files.iter().filter(|file| is_markdown(&file.path)) {
        findings.extend(links(file, files, exists));
    }
    findings
}

fn is_markdown(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "md")
}

fn links(file: &File, files: &[File], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, target) in markdown::read(&file.text).links {
        if let Err((what, mend)) = follow(&file.path, &target, files, &exists) {
            findings.push(Finding::new(&file.path, line, what, mend));
        }
    }
    findings
}

/// Follows a link that stays inside of the repository.
fn follow(
    from: &str,
    target: &str,
    files: &[File],
    exists: impl Fn(&str) -> bool,
) -> Result<(), (String, &'static str)> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let to = resolve(from, path).ok_or_else(|| {
        let what = format!("`{target}` leads out of the repository");
        (what, "link to the public address instead")
    })?;
    if !exists(&to) {
        return Err((format!("`{target}` leads to nothing"), "correct the path"));
    }
    if anchor.is_empty() || !is_markdown(&to) {
        return Ok(());
    }
    let text = files
        .iter()
        .find(|file| file.path == to)
        .map_or("", |file| file.text.as_str());
    if markdown::read(text)
        .anchors
        .iter()
        .any(|known| known == anchor)
    {
        return Ok(());
    }
    let what = format!("`{target}`: {to} has no heading `#{anchor}`");
    Err((what, "correct the part after the #"))
}

/// A path from the root, out of a link in the file `from`. A link that starts with `/` starts at
/// the root, as GitHub has it.
fn resolve(from: &str, link: &str) -> Option<String> {
    if link.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = match link.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from.split('/').collect(),
    };
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A page in Chinese has the sections of the page that it translates, and shows the same commands.
fn translations(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chinese in files {
        let Some(stem) = chinese.path.strip_suffix(".zh-CN.md") else {
            continue;
        };
        let original = format!("{stem}.md");
        let finding = |what| Finding::new(&chinese.path, 1, what, "bring the two in step");
        let Some(english) = files.iter().find(|file| file.path == original) else {
            findings.push(finding(format!("there is no {original}")));
            continue;
        };
        let sections = |file: &File| markdown::read(&file.text).sections;
        let (has, should) = (sections(chinese), sections(english));
        if has != should {
            let what = format!("{has} sections (`##`), {should} in {original}");
            findings.push(finding(what));
        }
        let commands = |file: &File| -> Vec<String> {
            let lines = file.text.lines().filter(|line| line.starts_with("$ "));
            lines.map(str::to_owned).collect()
        };
        if commands(chinese) != commands(english) {
            findings.push(finding(format!("other commands than in {original}")));
        }
    }
    findings
}

/// The summary lists each page of the book once, and nothing else; and pages link only to such
/// Markdown as is in the book: mdBook makes any link to a `.md` one to a `.html`.
fn summary(files: &[File]) -> Vec<Finding> {
    let Some(summary) = files.iter().find(|file| file.path == SUMMARY) else {
        return vec![Finding::new(SUMMARY, 1, "is missing", "write it")];
    };
    let mut findings = Vec::new();
    let listed: Vec<(usize, String)> = markdown::read(&summary.text)
        .links
        .into_iter()
        .filter_map(|(line, target)| Some((line, resolve(SUMMARY, &target)?)))
        .collect();
    let pages = files
        .iter()
        .filter(|file| file.path.starts_with(BOOK) && is_markdown(&file.path))
        .filter(|file| file.path != SUMMARY);
    for page in pages.clone() {
        match listed.iter().filter(|(_, path)| *path == page.path).count() {
            0 => {
                let what = "the summary of the book does not list this page";
                findings.push(Finding::new(
                    &page.path,
                    1,
                    what,
                    "add it to docs/SUMMARY.md",
                ));
            }
            1 => {}
            n => {
                let what = format!("{} is listed {n} times", page.path);
                findings.push(Finding::new(SUMMARY, 1, what, "list it once"));
            }
        }
        for (line, target) in markdown::read(&page.text).links {
            let path = target.split('#').next().unwrap_or_default();
            let out = !path.contains("://")
                && is_markdown(path)
                && resolve(&page.path, path)
                    .is_some_and(|to| !to.starts_with(BOOK) || to == SUMMARY);
            if out {
                let what = format!("`{target}` is Markdown that is not in the book");
                let mend = "link to its folder, or name it without a link";
                findings.push(Finding::new(&page.path, line, what, mend));
            }
        }
    }
    for (line, path) in &listed {
        if !pages.clone().any(|page| page.path == *path) {
            let what = format!("{path} is no page of the book");
            findings.push(Finding::new(
                SUMMARY,
                *line,
                what,
                "list pages in docs only",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        let (path, text) = (path.to_owned(), text.to_owned());
        File { path, text }
    }

    #[test]
    fn links_resolve_from_the_folder_of_their_file() {
        let cases = [
            ("docs/a.md", "b.md", Some("docs/b.md")),
            ("docs/a.md", "../README.md", Some("README.md")),
            ("docs/a.md", "./img/x.svg", Some("docs/img/x.svg")),
            ("docs/a.md", "/LICENSE-MIT", Some("LICENSE-MIT")),
            ("docs/a.md", "", Some("docs/a.md")),
            ("README.md", "docs/", Some("docs")),
            ("docs/a.md", "..", Some("")),
            ("README.md", "../other", None),
        ];
        for (from, link, expected) in cases {
            assert_eq!(resolve(from, link).as_deref(), expected, "{from}: {link}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let files = [
            file(
                "README.md",
                "# Top\n[ok](docs/a.md#part-two) [self](#top)\n[web](https://x.y/#z)",
            ),
            file(
                "docs/a.md",
                "## Part two\n[gone](b.md)\n[no heading](../README.md#bottom)\n[out](../../x)",
            ),
        ];
        let exists = |path: &str| files.iter().any(|file| file.path == path);
        assert_eq!(links(&files[0], &files, exists), []);
        let findings = links(&files[1], &files, exists).into_iter();
        let findings: Vec<String> = findings.map(|finding| finding.to_string()).collect();
        assert_eq!(
            findings,
            [
                "docs/a.md:2: `b.md` leads to nothing - correct the path",
                "docs/a.md:3: `../README.md#bottom`: README.md has no heading `#bottom` - correct the part after the #",
                "docs/a.md:4: `../../x` leads out of the repository - link to the public address instead",
            ]
        );
    }

    fn whats(findings: Vec<Finding>) -> Vec<String> {
        let findings = findings.into_iter();
        findings.map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn a_translation_is_in_step() {
        let english = file("docs/a.md", "# A\n## One\n$ pipeline demo\n");
        let chinese = |text| file("docs/a.zh-CN.md", text);
        let good = chinese("# 甲\n## 一\n$ pipeline demo\n");
        assert!(whats(translations(&[english, good])).is_empty());
        let english = file("docs/a.md", "# A\n## One\n$ pipeline demo\n");
        assert_eq!(
            whats(translations(&[english, chinese("# 甲\n$ pipeline dmo\n")])),
            [
                "docs/a.zh-CN.md:1: 0 sections (`##`), 1 in docs/a.md - bring the two in step",
                "docs/a.zh-CN.md:1: other commands than in docs/a.md - bring the two in step",
            ]
        );
        assert_eq!(
            whats(translations(&[chinese("")])),
            ["docs/a.zh-CN.md:1: there is no docs/a.md - bring the two in step"]
        );
    }

    #[test]
    fn the_summary_lists_each_page_once_and_nothing_else() {
        let page = |path| file(path, "[ok](a.md) [code](../crates) [web](https://x.y/z.md)");
        let good = file(SUMMARY, "# Summary\n\n- [A](a.md)\n- [B](b.md)\n");
        let pages = [good, page("docs/a.md"), page("docs/b.md")];
        assert!(whats(summary(&pages)).is_empty());
        assert_eq!(
            whats(summary(&pages[1..])),
            ["docs/SUMMARY.md:1: is missing - write it"]
        );
        let bad = [
            file(SUMMARY, "[A](a.md)\n[again](a.md)\n[out](../README.md)\n"),
            page("docs/a.md"),
            file("docs/b.md", "\n[out](../README.md#x)\n[list](SUMMARY.md)"),
            file("README.md", ""),
        ];
        assert_eq!(
            whats(summary(&bad)),
            [
                "docs/SUMMARY.md:1: docs/a.md is listed 2 times - list it once",
                "docs/b.md:1: the summary of the book does not list this page - add it to docs/SUMMARY.md",
                "docs/b.md:2: `../README.md#x` is Markdown that is not in the book - link to its folder, or name it without a link",
                "docs/b.md:3: `SUMMARY.md` is Markdown that is not in the book - link to its folder, or name it without a link",
                "docs/SUMMARY.md:3: README.md is no page of the book - list pages in docs only",
            ]
        );
    }
}
