//! What must not stand in a source.

use regex_lite::Regex;

use super::File;

/// Longer files do not fit into a head.
const MOST_LINES: usize = 600;

/// Where Rust stands.
const RUST: &[&str] = &["crates/", "examples/", "xtask/"];

/// A text that must not stand in some files, where comments do not count.
struct Rule {
    folders: &'static [&'static str],
    /// Files of the folders that may, by the start of their path.
    except: &'static [&'static str],
    pattern: &'static str,
    mend: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        folders: &["crates/pipeline-proto/src/", "crates/pipeline-shipper/src/"],
        // A buffer on the disk is nothing but IO; the shipper does not know of it.
        except: &[
            "crates/pipeline-shipper/src/buffer.rs",
            "crates/pipeline-shipper/src/buffer/",
        ],
        pattern: r"\bstd::(\{[^;]*\b)?(net|fs|env|thread|process)\b|\b(SystemTime|Instant)::now\b|\be?print(ln)?!|\bthread_local!|\bstatic mut |\bstatic \w+: [^=;]*(Cell|Lock|Mutex|Atomic|Once)",
        mend: "the core and the shipper do no IO, ask for no time and keep no state: take it as an argument",
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
        pattern: r"\bstd::(\{[^;]*\b)?(net|thread)\b|\b(SystemTime|Instant)::now\b",
        mend: "graph tools and emulator are functions of their input, but for the server: take it as an argument",
    },
    Rule {
        folders: RUST,
        except: &[],
        pattern: r"\b(todo|unimplemented|dbg)!",
        mend: "finish it or take it out",
    },
    Rule {
        folders: RUST,
        except: &[],
        pattern: r"\bwith_cases\(",
        mend: "the depth of a property comes from PROPTEST_CASES, for `cargo xtask props` to set",
    },
];

/// The same for texts in which comments count too: where they stand, what, and what to do.
const MARKS: &[(&[&str], &str, &str)] = &[
    // Brackets, so that this line is not found.
    (
        RUST,
        r"//.*\b(TO[D]O|FI[X]ME|X[X]X)\b",
        "finish it or take it out",
    ),
    // Where homes and checkouts lie; as a part of a longer path or of a URL, it is nobody's home.
    (
        &[""],
        r"(?m)(^|[^\w./\-}~:*])(file://)?(/home/|/Users/|/root/|/work/|C:\\Users\\)\w",
        "write the path relative to the checkout",
    ),
];

pub(super) fn check(files: &[File]) -> Vec<String> {
    let regex = |pattern| Regex::new(pattern).expect("the pattern is a regex");
    let comment = regex(r"(?m)(^|\s)//.*$");
    let of_code = RULES
        .iter()
        .map(|it| (it.folders, it.except, regex(it.pattern), it.mend, true));
    let no_exception: &[&str] = &[];
    let marks = MARKS
        .iter()
        .map(|(folders, text, mend)| (*folders, no_exception, regex(text), *mend, false));
    let rules: Vec<_> = of_code.chain(marks).collect();
    let mut findings = Vec::new();
    for file in files {
        let starts = |paths: &[&str]| paths.iter().any(|path| file.path.starts_with(path));
        let rust = file.path.strip_suffix(".rs").is_some();
        let code = if rust {
            comment.replace_all(&file.text, "$1")
        } else {
            "".into()
        };
        for (folders, except, regex, mend, code_only) in &rules {
            if !starts(folders) || starts(except) || (!rust && *folders != [""]) {
                continue;
            }
            let text = if *code_only { &*code } else { &*file.text };
            findings.extend(regex.find_iter(text).map(|found| {
                let line = 1 + text[..found.end()].matches('\n').count();
                let what = found.as_str().lines().last().unwrap_or_default().trim();
                file.finding(line, &format!("`{what}`"), mend)
            }));
        }
        let lines = file.text.lines().count();
        if rust && file.path.contains("/src/") && lines > MOST_LINES {
            let what = format!("{lines} lines, at most {MOST_LINES} are allowed");
            findings.push(file.finding(lines, &what, "split it by topic"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let findings = check(&[super::super::file(path, text)]).into_iter();
        findings
            .map(|finding| finding.split(':').nth(1).unwrap().parse().unwrap())
            .collect()
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
        for (path, found) in [
            ("pipeline-proto/src/a.rs", &[2, 3, 4, 6, 8][..]),
            ("pipeline-emulator/src/a.rs", &[2, 3]),
            ("pipeline-emulator/src/server/run.rs", &[]),
            ("pipeline-hyper/src/a.rs", &[]),
        ] {
            assert_eq!(lines(&format!("crates/{path}"), text), found, "{path}");
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
