//! Which module of a crate may import which: the lists of `docs/architecture.md`, where each imports only
//! what is named after it.

use regex_lite::Regex;

use super::File;

pub(super) fn check(files: &[File]) -> Vec<String> {
    let page = files
        .iter()
        .find(|file| file.path == "docs/architecture.md");
    let list = regex(r"at the top of `([a-z-]+)`[^`]*```text\n((?:[^`\n]+\n)+)```");
    let lists = page
        .into_iter()
        .flat_map(|page| list.captures_iter(&page.text));
    let mut findings = Vec::new();
    for [krate, lines] in lists.map(|list| list.extract().1) {
        let names = lines.lines().filter_map(|line| line.split("  ").next());
        let order: Vec<&str> = names.flat_map(|names| names.split(", ")).collect();
        let folder = format!("crates/{krate}/src/");
        for file in files {
            let path = file.path.strip_prefix(&folder);
            let stem = path.and_then(|path| path.strip_suffix(".rs"));
            if let Some(stem) = stem.filter(|stem| *stem != "lib" && !stem.ends_with("/tests")) {
                let module = stem.split('/').next().unwrap_or_default();
                findings.extend(check_file(file, module, &order));
            }
        }
    }
    findings
}

fn check_file(file: &File, module: &str, order: &[&str]) -> Vec<String> {
    let place = |name: &str| order.iter().position(|listed| *listed == name);
    let Some(own) = place(module) else {
        let mend = "name it in docs/architecture.md, before all that it imports";
        return vec![file.finding(1, "a module without a place", mend)];
    };
    let mend =
        "import only what docs/architecture.md names after it, from the module that it is in";
    heads(&file.text)
        .into_iter()
        .filter(|(_, head)| *head != module && place(head).is_none_or(|place| place < own))
        .map(|(at, head)| {
            file.finding(
                file.line_at(at),
                &format!("`{module}` imports `{head}`"),
                mend,
            )
        })
        .collect()
}

/// The first names of all paths of the crate, and where they stand: `a` and `b` of `crate::{a::X, b::{c::Y}}`.
/// Tests may import what they want; the paths of a macro count where it is used.
fn heads(text: &str) -> Vec<(usize, &str)> {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let path = regex(r"(?://.*)|[^$\w]crate::(\w+|\{[^;]*)");
    let word = regex(r"\w+|[{},:]");
    let mut heads = Vec::new();
    for names in path.captures_iter(code).filter_map(|found| found.get(1)) {
        let (mut depth, mut is_first) = (0, true);
        for word in word.find_iter(names.as_str()) {
            match word.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                "," => is_first = depth == 1,
                ":" => {}
                name if std::mem::take(&mut is_first) => {
                    heads.push((names.start() + word.start(), name));
                }
                _ => {}
            }
        }
    }
    heads
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a regex")
}

#[test]
fn a_module_imports_what_is_named_after_it_and_nothing_else() {
    let page = "The modules at the top of `x`:\n\n```text\na, b    these\nc       and this\n```\n";
    let page = super::file("docs/architecture.md", page);
    let files =
        |path: &str, text: &str| [super::file(&page.path, &page.text), super::file(path, text)];
    for (path, text, found) in [
        (
            "x/src/b.rs",
            "use crate::{\n    b::D,\n    c::{E, a::F},\n};\nfn f() { crate::c::g() }",
            0,
        ),
        (
            "x/src/b/d.rs",
            "use crate::{\n    a::{self, D},\n    c::{E, b::F},\n};",
            1,
        ),
        (
            "x/src/c.rs",
            "fn f() { crate::a::f(); $crate::a::f(); crate::b::f() } // crate::a",
            2,
        ),
        ("x/src/c.rs", "use crate::D;", 1),
        (
            "x/src/c.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::a;\n}",
            0,
        ),
        ("x/src/c/tests.rs", "use crate::a;", 0),
        ("x/src/d.rs", "", 1),
        ("x/src/lib.rs", "use crate::a;", 0),
        ("y/src/c.rs", "use crate::a;", 0),
    ] {
        let files = files(&format!("crates/{path}"), text);
        assert_eq!(check(&files).len(), found, "{path}: {text}");
    }
}
