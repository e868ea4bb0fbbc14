//! What must not stand in a source.

use regex_lite::Regex;

use super::{File, Finding, line_at};

/// Longer files do not fit into a head.
const MOST_LINES: usize = 600;

/// A text that must not stand in some files.
struct Rule {
    folders: &'static [&'static str],
    /// Files of the folders that may, by the start of their path.
    except: &'static [&'static str],
    comments_too: bool,
    pattern: &'static str,
    mend: &'static str,
}

const RUST: &[&str] = &["crates/", "examples/", "xtask/"];

const RULES: &[Rule] = &[
    Rule {
        folders: &["crates/pipeline-proto/src/"],
        except: &[],
        comments_too: false,
        pattern: r"\bstd::(\{[^;]*\b)?(net|fs|env|thread|process)\b|\b(SystemTime|Instant)::now\b|\be?print(ln)?!|\bthread_local!|\bstatic mut |\bstatic \w+: [^=;]*(Cell|Lock|Mutex|Atomic|Once)",
        mend: "the core does no IO, asks for no time and keeps no state: take it as an argument",
    },
    Rule {
        folders: &[
            "crates/pipeline-graph/src/",
            "crates/pipeline-emulator/src/",
        ],
        except: &[
            "crates/pipeline-emulator/src/server.rs",
            "crates/pipeline-emulator/src/server/",
        ],
        comments_too: false,
        pattern: r"\bstd::(\{[^;]*\b)?(net|thread)\b|\b(SystemTime|Instant)::now\b",
        mend: "graph tools and emulator are functions of their input, but for the server: take it as an argument",
    },
    Rule {
        folders: RUST,
        except: &[],
        comments_too: true,
        // Brackets, so that this line is not found.
        pattern: r"//.*\b(TO[D]O|FI[X]ME|X[X]X)\b",
        mend: "finish it or take it out",
    },
    Rule {
        folders: RUST,
        except: &[],
        comments_too: false,
        pattern: r"\b(todo|unimplemented|dbg)!",
        mend: "finish it or take it out",
    },
    Rule {
        folders: RUST,
        except: &[],
        comments_too: false,
        pattern: r"\bwith_cases\(",
        mend: "the depth of a property comes from PROPTEST_CASES, for `cargo xtask props` to set",
    },
    Rule {
        folders: &[""],
        except: &[],
        comments_too: true,
        // Where homes and checkouts lie; as a part of a longer path or of a URL, it is nobody's home.
        pattern: r"(?m)(^|[^\w./\-}~:*])(file://)?(/home/|/Users/|/root/|/work/|C:\\Users\\)\w",
        mend: "write the path relative to the checkout",
    },
];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let regex = |pattern| Regex::new(pattern).expect("the pattern is a regex");
    let comment = regex(r"(?m)(^|\s)//.*$");
    let rules: Vec<_> = RULES
        .iter()
        .map(|rule| (rule, regex(rule.pattern)))
        .collect();
    let mut findings = Vec::new();
    for file in files {
        let starts = |paths: &[&str]| paths.iter().any(|path| file.path.starts_with(path));
        let rust = file.path.strip_suffix(".rs").is_some();
        let code = if rust {
            comment.replace_all(&file.text, "$1")
        } else {
            "".into()
        };
        for (rule, regex) in &rules {
            if !starts(rule.folders) || starts(rule.except) || (!rust && rule.folders != [""]) {
                continue;
            }
            let text = if rule.comments_too {
                &*file.text
            } else {
                &*code
            };
            findings.extend(regex.find_iter(text).map(|found| {
                let line = line_at(text, found.end());
                let what = found.as_str().lines().last().unwrap_or_default().trim();
                Finding::new(&file.path, line, format!("`{what}`"), rule.mend)
            }));
        }
        let lines = file.text.lines().count();
        if rust && file.path.contains("/src/") && lines > MOST_LINES {
            let what = format!("{lines} lines, at most {MOST_LINES} are allowed");
            findings.push(Finding::new(&file.path, lines, what, "split it by topic"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let (path, text) = (path.to_owned(), text.to_owned());
        let findings = check(&[File { path, text }]);
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn the_core_may_not_ask_for_anything() {
        let text = "use std::{fmt,\n net::IpAddr};\n\
                    fn f() { SystemTime::now(); }\n\
                    static A: AtomicU8 = AtomicU8::new(0);\n\
                    static B: &[u8] = &[];\n\
                    static C: LazyLock<u8> = LazyLock::new(f);\n\
                    /// let now = SystemTime::now();\n\
                    fn g() -> Box<dyn Fn() + 'static> { println!() }\n";
        assert_eq!(
            lines("crates/pipeline-proto/src/a.rs", text),
            [2, 3, 4, 6, 8]
        );
        assert_eq!(lines("crates/pipeline-emulator/src/a.rs", text), [2, 3]);
        for path in [
            "pipeline-emulator/src/server/run.rs",
            "pipeline-hyper/src/a.rs",
        ] {
            assert_eq!(lines(&format!("crates/{path}"), text), [0; 0]);
        }
    }

    #[test]
    fn what_is_left_behind_is_found() {
        let long = "\n".repeat(MOST_LINES + 1);
        let mark = ["TO", "DO"].concat();
        let cases = ["with_", "cases(9)"].concat();
        let home = ["/home", "/alice"].concat();
        for (text, found) in [
            (long.clone(), 1),
            (long[1..].to_owned(), 0),
            (format!("f(); // {mark}: later"), 1),
            (format!("f(\"{mark}\")"), 0),
            (["to", "do!()"].concat(), 1),
            (format!("ProptestConfig::{cases}"), 1),
            (format!("see {home}"), 1),
            (home.clone(), 1),
            (format!("file://{home}"), 1),
            (format!("https://example.com{home} $HOME{home} ..{home}"), 0),
        ] {
            assert_eq!(lines("crates/a/src/a.rs", &text).len(), found, "{text}");
        }
    }
}
