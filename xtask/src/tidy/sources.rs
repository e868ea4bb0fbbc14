//! What must not stand in a source.

use super::{
    File, Finding, line_at,
    rust_text::{self, Views, find, is_name, std_modules},
};

/// Longer files do not fit into a head.
const MOST_LINES: usize = 600;

/// A part of the workspace that may not ask for certain things.
struct Area {
    folder: &'static str,
    /// Files of the folder that may, by the start of their path.
    except: &'static [&'static str],
    modules: &'static [&'static str],
    texts: &'static [&'static str],
    statics: bool,
    /// How it is done instead.
    instead: &'static str,
}

const CLOCKS: &[&str] = &["SystemTime::now", "Instant::now"];

const AREAS: &[Area] = &[
    Area {
        folder: "crates/pipeline-proto/src/",
        except: &[],
        modules: &["net", "fs", "env", "thread", "process"],
        texts: &[
            "SystemTime::now",
            "Instant::now",
            "println!",
            "eprintln!",
            "print!",
            "eprint!",
            "dbg!",
        ],
        statics: true,
        instead: "the core does no IO and asks for no time: take it as an argument",
    },
    Area {
        folder: "crates/pipeline-graph/src/",
        except: &[],
        modules: &["net", "thread"],
        texts: CLOCKS,
        statics: false,
        instead: "the graph tools are functions of their input: take it as an argument",
    },
    Area {
        folder: "crates/pipeline-emulator/src/",
        except: &[
            "crates/pipeline-emulator/src/server.rs",
            "crates/pipeline-emulator/src/server/",
        ],
        modules: &["net", "thread"],
        texts: CLOCKS,
        statics: false,
        instead: "only the server module does IO: take it as an argument",
    },
];

/// Marks of unfinished work.
const UNFINISHED_CODE: &[&str] = &["todo!", "unimplemented!", "dbg!"];
const UNFINISHED_COMMENT: &[&str] = &["TODO", "FIXME", "XXX"];

/// Where homes and checkouts lie on somebody's machine.
const MACHINE_FOLDERS: &[&str] = &["/home/", "/Users/", "/root/", "/work/", "C:\\Users\\"];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        findings.extend(machine_paths(file));
        let rust = file.path.strip_suffix(".rs").is_some();
        let checked = ["crates/", "examples/", "xtask/"];
        if !rust || !checked.iter().any(|folder| file.path.starts_with(folder)) {
            continue;
        }
        let views = rust_text::views(&file.text);
        findings.extend(length(file));
        findings.extend(unfinished(file, &views));
        findings.extend(fixed_depth(file, &views.code));
        for area in AREAS {
            if file.path.starts_with(area.folder)
                && !area.except.iter().any(|path| file.path.starts_with(path))
            {
                findings.extend(forbidden(file, &views.code, area));
            }
        }
    }
    findings
}

fn forbidden(file: &File, code: &str, area: &Area) -> Vec<Finding> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (at, module) in std_modules(code) {
        if area.modules.contains(&module) {
            found.push((at, format!("`std::{module}`")));
        }
    }
    for text in area.texts {
        found.extend(find(code, text).map(|at| (at, format!("`{text}`"))));
    }
    if area.statics {
        let changing = changing_statics(code).into_iter();
        found.extend(changing.map(|at| (at, "a static that changes".into())));
    }
    found
        .into_iter()
        .map(|(at, what)| Finding::new(&file.path, line_at(code, at), what, area.instead))
        .collect()
}

/// Statics that are `mut`, made late, or hold a cell.
fn changing_statics(code: &str) -> Vec<usize> {
    const CELLS: &[&str] = &["Cell", "Lock", "Mutex", "Atomic", "Once"];
    let mut found: Vec<usize> = ["thread_local!", "lazy_static!"]
        .iter()
        .flat_map(|text| find(code, text))
        .collect();
    for at in find(code, "static") {
        let item = &code[at..];
        // `'static` is a lifetime, `static` in a trait bound or a closure has no type.
        if code[..at].ends_with('\'') {
            continue;
        }
        let declaration = &item[..item.find(['=', ';', '{']).unwrap_or(item.len())];
        let changes = declaration.starts_with("static mut ")
            || declaration
                .split_once(':')
                .is_some_and(|(_, kind)| CELLS.iter().any(|cell| kind.contains(cell)));
        if changes {
            found.push(at);
        }
    }
    found
}

fn length(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    (file.path.contains("/src/") && lines > MOST_LINES).then(|| {
        let what = format!("{lines} lines, at most {MOST_LINES} are allowed");
        Finding::new(&file.path, lines, what, "split it by topic")
    })
}

fn unfinished(file: &File, views: &Views) -> Vec<Finding> {
    let code = UNFINISHED_CODE.iter().map(|mark| (&views.code, mark));
    let comments = UNFINISHED_COMMENT
        .iter()
        .map(|mark| (&views.comments, mark));
    let mut findings = Vec::new();
    for (view, mark) in code.chain(comments) {
        for at in find(view, mark) {
            let what = format!("`{mark}`");
            let line = line_at(view, at);
            findings.push(Finding::new(
                &file.path,
                line,
                what,
                "finish it or take it out",
            ));
        }
    }
    findings
}

/// The depth of a property test is for `cargo xtask props` to set.
fn fixed_depth(file: &File, code: &str) -> Vec<Finding> {
    find(code, "with_cases")
        .map(|at| {
            let what = "a fixed number of cases";
            let mend = "leave it out, the number comes from PROPTEST_CASES";
            Finding::new(&file.path, line_at(code, at), what, mend)
        })
        .collect()
}

fn machine_paths(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in MACHINE_FOLDERS {
        for (at, _) in file.text.match_indices(folder) {
            // Part of a longer path, or of a URL, it is nobody's home.
            let before = file.text[..at]
                .trim_end_matches("file://")
                .chars()
                .next_back();
            let after = file.text[at + folder.len()..].chars().next();
            let absolute = before.is_none_or(|c| !is_name(c) && !"./-}~:*".contains(c));
            if absolute && after.is_some_and(is_name) {
                let what = format!("a path below {folder}");
                let line = line_at(&file.text, at);
                let mend = "write it relative to the checkout";
                findings.push(Finding::new(&file.path, line, what, mend));
            }
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

    fn whats(path: &str, text: &str) -> Vec<String> {
        let findings = check(&[file(path, text)]).into_iter();
        findings
            .map(|finding| format!("{}: {}", finding.line, finding.what))
            .collect()
    }

    #[test]
    fn the_core_may_not_ask_for_anything() {
        let text = "use std::{fmt, net::IpAddr};\n\
                    fn f() { SystemTime::now(); }\n\
                    static A: AtomicU8 = AtomicU8::new(0);\n\
                    static B: &[u8] = &[];\n\
                    static C: LazyLock<u8> = LazyLock::new(f);\n\
                    /// let now = SystemTime::now();\n\
                    const D: &'static str = \"std::env::var\";\n\
                    fn g() -> Box<dyn Fn() + 'static> { println!() }\n";
        assert_eq!(
            whats("crates/pipeline-proto/src/a.rs", text),
            [
                "1: `std::net`",
                "2: `SystemTime::now`",
                "8: `println!`",
                "3: a static that changes",
                "5: a static that changes"
            ]
        );
        assert!(whats("crates/pipeline-hyper/src/a.rs", text).is_empty());
    }

    #[test]
    fn the_server_of_the_emulator_may_ask_for_the_time() {
        let text = "fn f() { Instant::now(); }";
        assert_eq!(
            whats("crates/pipeline-emulator/src/state.rs", text).len(),
            1
        );
        assert!(whats("crates/pipeline-emulator/src/server/run.rs", text).is_empty());
        assert!(whats("crates/pipeline-emulator/src/server.rs", text).is_empty());
    }

    #[test]
    fn long_files_and_unfinished_work_are_found() {
        let long = "\n".repeat(MOST_LINES + 1);
        assert_eq!(whats("xtask/src/a.rs", &long).len(), 1);
        assert!(whats("xtask/src/a.rs", &long[1..]).is_empty());
        for mark in UNFINISHED_CODE {
            assert_eq!(
                whats("xtask/src/a.rs", &format!("fn f() {{ {mark}() }}")).len(),
                1
            );
            assert!(whats("xtask/src/a.rs", &format!("// {mark}")).is_empty());
        }
        for mark in UNFINISHED_COMMENT {
            assert_eq!(
                whats("xtask/src/a.rs", &format!("f(); // {mark}: later")).len(),
                1
            );
            assert!(whats("xtask/src/a.rs", &format!("f(\"{mark}\")")).is_empty());
        }
    }

    #[test]
    fn a_fixed_number_of_cases_is_found() {
        let text = "#![proptest_config(ProptestConfig::with_cases(9))]";
        assert_eq!(whats("crates/a/tests/props.rs", text).len(), 1);
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        for folder in MACHINE_FOLDERS {
            for around in ["see ", "\"", "", "file://"] {
                let text = format!("{around}{folder}alice");
                assert_eq!(whats("docs/a.md", &text).len(), 1, "{text}");
            }
            for around in ["https://example.com", "..", "$HOME"] {
                let text = format!("{around}{folder}alice");
                assert!(whats("docs/a.md", &text).is_empty(), "{text}");
            }
            assert!(whats("docs/a.md", &format!("`{folder}`")).is_empty());
        }
    }
}
