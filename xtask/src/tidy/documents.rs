//! Links inside of the repository, translations, and the summary of the book.

use super::File;
use crate::markdown;

/// The pages of the book lie in this folder, and in no folder of it.
const BOOK: &str = "docs/";
const SUMMARY: &str = "docs/SUMMARY.md";

pub(super) fn check(files: &[File], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut findings = translations(files);
    findings.extend(summary(files));
    for file in files
        .iter()
        .filter(|file| file.path.strip_suffix(".md").is_some())
    {
        for (line, target) in markdown::read(&file.text).links {
            if let Err((what, mend)) = follow(&file.path, &target, files, &exists) {
                findings.push(file.finding(line, &format!("`{target}` {what}"), mend));
            }
        }
    }
    findings
}

/// Follows a link that stays inside of the repository. What is wrong, and what to do.
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
    let Some(to) = resolve(from, path) else {
        return Err((
            "leads out of the repository".to_owned(),
            "link to the public address instead",
        ));
    };
    if !exists(&to) {
        return Err(("leads to nothing".to_owned(), "correct the path"));
    }
    let page = files
        .iter()
        .find(|file| file.path == to && to.strip_suffix(".md").is_some());
    match page {
        Some(page)
            if !anchor.is_empty()
                && !markdown::read(&page.text)
                    .anchors
                    .iter()
                    .any(|it| it == anchor) =>
        {
            Err((
                format!("leads to no heading of {to}"),
                "correct the part after the #",
            ))
        }
        _ => Ok(()),
    }
}

/// A path from the root, out of a link in the file `from`. A link that starts with `/` starts at
/// the root, as GitHub has it.
fn resolve(from: &str, link: &str) -> Option<String> {
    if link.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = if link.starts_with('/') {
        Vec::new()
    } else {
        from.split('/').collect()
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
fn translations(files: &[File]) -> Vec<String> {
    let shape = |file: &File| {
        let commands = file.text.lines().filter(|line| line.starts_with("$ "));
        (
            markdown::read(&file.text).sections,
            commands.map(str::to_owned).collect::<Vec<_>>(),
        )
    };
    let mut findings = Vec::new();
    for chinese in files {
        let Some(stem) = chinese.path.strip_suffix(".zh-CN.md") else {
            continue;
        };
        let original = format!("{stem}.md");
        let english = files.iter().find(|file| file.path == original);
        if english.map(shape) != Some(shape(chinese)) {
            let what = format!("other sections (`##`) or commands than in {original}");
            findings.push(chinese.finding(1, &what, "bring the two in step"));
        }
    }
    findings
}

/// The summary lists each page of the book once, and nothing else; and pages link only to such
/// Markdown as is in the book: mdBook makes any link to a `.md` one to a `.html`.
fn summary(files: &[File]) -> Vec<String> {
    let Some(summary) = files.iter().find(|file| file.path == SUMMARY) else {
        return vec![format!("{SUMMARY} is missing")];
    };
    let is_page = |path: &str| {
        path.starts_with(BOOK) && path.strip_suffix(".md").is_some() && path != SUMMARY
    };
    let mut findings = Vec::new();
    let links = markdown::read(&summary.text).links.into_iter();
    let listed: Vec<_> = links
        .filter_map(|(line, target)| Some((line, resolve(SUMMARY, &target)?)))
        .collect();
    for (line, path) in &listed {
        let once = listed.iter().filter(|(_, other)| other == path).count() == 1;
        if !once
            || !files
                .iter()
                .any(|file| is_page(&file.path) && file.path == *path)
        {
            findings.push(summary.finding(
                *line,
                path,
                "list each page of docs once, and nothing else",
            ));
        }
    }
    for page in files.iter().filter(|file| is_page(&file.path)) {
        if !listed.iter().any(|(_, path)| *path == page.path) {
            findings.push(page.finding(
                1,
                "the summary of the book does not list it",
                "add it to docs/SUMMARY.md",
            ));
        }
        for (line, target) in markdown::read(&page.text).links {
            let path = target.split('#').next().unwrap_or_default();
            let outside = |to: String| to.strip_suffix(".md").is_some() && !is_page(&to);
            if !path.contains("://") && resolve(&page.path, path).is_some_and(outside) {
                let what = format!("`{target}` is Markdown that is not in the book");
                findings.push(page.finding(
                    line,
                    &what,
                    "link to its folder, or name it without a link",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{super::file, *};

    #[test]
    fn links_resolve_from_the_folder_of_their_file() {
        for (from, link, expected) in [
            ("docs/a.md", "b.md", Some("docs/b.md")),
            ("docs/a.md", "../README.md", Some("README.md")),
            ("docs/a.md", "./img/x.svg", Some("docs/img/x.svg")),
            ("docs/a.md", "/LICENSE-MIT", Some("LICENSE-MIT")),
            ("docs/a.md", "", Some("docs/a.md")),
            ("README.md", "docs/", Some("docs")),
            ("docs/a.md", "..", Some("")),
            ("README.md", "../other", None),
        ] {
            assert_eq!(resolve(from, link).as_deref(), expected, "{from}: {link}");
        }
    }

    #[test]
    fn what_does_not_hold_together_is_found() {
        let summary = "[A](a.md)\n[B](b.md)\n[C](c.md)\n[C](c.zh-CN.md)\n";
        let good = [
            file(SUMMARY, summary),
            file(
                "README.md",
                "# Top\n[ok](docs/a.md#part-two) [self](#top)\n[web](https://x.y/#z)",
            ),
            file("docs/a.md", "## Part two\n[code](../crates) [b](b.md)"),
            file("docs/b.md", "# B"),
            file("docs/c.md", "# C\n## One\n$ pipeline demo\n"),
            file("docs/c.zh-CN.md", "# 丙\n## 一\n$ pipeline demo\n"),
        ];
        let findings = |files: &[File]| {
            let exists =
                |path: &str| path == "crates" || files.iter().any(|file| file.path == path);
            check(files, exists)
        };
        assert_eq!(findings(&good), [""; 0]);
        for (path, text, found) in [
            ("README.md", "[gone](c.md)", "leads to nothing"),
            (
                "README.md",
                "[no](docs/b.md#bottom)",
                "leads to no heading of docs/b.md",
            ),
            ("README.md", "[out](../x)", "leads out of the repository"),
            (
                "docs/a.md",
                "## Part two\n[out](../README.md)",
                "docs/a.md:2: `../README.md` is Markdown",
            ),
            (
                "docs/c.zh-CN.md",
                "# 丙\n$ pipeline demo\n",
                "other sections",
            ),
            (
                "docs/c.zh-CN.md",
                "# 丙\n## 一\n$ pipeline dmo\n",
                "or commands than in docs/c.md",
            ),
            ("docs/d.zh-CN.md", "", "than in docs/d.md"),
            ("docs/d.md", "", "the summary of the book does not list it"),
            (
                SUMMARY,
                &format!("{summary}[A](a.md)"),
                "docs/a.md - list each page",
            ),
            (
                SUMMARY,
                &format!("{summary}[T](../README.md)"),
                "README.md - list each page",
            ),
        ] {
            let others = good.iter().filter(|file| file.path != path);
            let mut files: Vec<_> = others.map(|it| file(&it.path, &it.text)).collect();
            files.push(file(path, text));
            let findings = findings(&files);
            assert!(
                findings.iter().any(|it| it.contains(found)),
                "{path} {text}: {findings:?}"
            );
        }
    }
}
