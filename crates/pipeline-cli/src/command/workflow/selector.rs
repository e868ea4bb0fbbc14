//! Workflows chosen by what they are: `name=nginx_*,status=Started,region!=nb`.

use std::{fmt, str::FromStr};

use pipeline_proto::model::{Status, Workflow};

/// Help for the option.
pub(super) const HELP: &str =
    "All workflows that fit, such as name=nginx_*,status=Started,region!=nb";

/// The same with the rules.
pub(super) const LONG_HELP: &str = "\
All workflows that fit, such as name=nginx_*,status=Started,region!=nb

All terms have to be met. In a value, * stands for any characters and ? for one. status and region are \
compared without regard to case.";

/// Terms that a workflow has to meet, all of them.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    text: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone)]
struct Term {
    key: Key,
    /// Whether the value has to be so, and not otherwise.
    equal: bool,
    pattern: Vec<char>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Name,
    Status,
    Region,
}

impl Key {
    const ALL: [Self; 3] = [Self::Name, Self::Status, Self::Region];

    fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Status => "status",
            Self::Region => "region",
        }
    }
}

/// What a term can be about.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    Key::ALL.into_iter().map(Key::as_str)
}

impl Selector {
    pub(super) fn matches(&self, workflow: &Workflow) -> bool {
        self.terms.iter().all(|term| {
            let value = match term.key {
                Key::Name => workflow.name.clone(),
                Key::Status => workflow.status.as_str().to_lowercase(),
                Key::Region => workflow.region.to_lowercase(),
            };
            fits(&term.pattern, &value) == term.equal
        })
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let terms = text.split(',').map(|term| {
            let (key, value) = term.split_once('=').ok_or_else(|| {
                format!(
                    "{term:?} is no term of a selector: write name=PATTERN, status=… or region=…"
                )
            })?;
            let (key, equal) = key
                .strip_suffix('!')
                .map_or((key, true), |key| (key, false));
            let (key, value) = (key.trim(), value.trim());
            let known = Key::ALL.into_iter().find(|known| known.as_str() == key);
            let known = known.ok_or_else(|| {
                let keys: Vec<&str> = keys().collect();
                format!("a selector knows no key {key:?}, only {}", keys.join(", "))
            })?;
            if value.is_empty() || value.contains('=') {
                return Err(format!(
                    "{value:?} is no value for {key}: write {key}=VALUE or {key}!=VALUE"
                ));
            }
            if known == Key::Status {
                check_status(value)?;
            }
            let value = match known {
                Key::Name => value.to_owned(),
                Key::Status | Key::Region => value.to_lowercase(),
            };
            Ok(Term {
                key: known,
                equal,
                pattern: value.chars().collect(),
            })
        });
        Ok(Self {
            terms: terms.collect::<Result<_, String>>()?,
            text: text.to_owned(),
        })
    }
}

/// A word that is no status fits nothing, or everything with `!=`. A pattern may be meant for one that
/// came later.
fn check_status(value: &str) -> Result<(), String> {
    let known = || Status::KNOWN.iter().map(Status::as_str);
    if value.contains(['*', '?']) || known().any(|it| it.eq_ignore_ascii_case(value)) {
        return Ok(());
    }
    let likeness = |word: &str| strsim::jaro_winkler(&word.to_lowercase(), &value.to_lowercase());
    let near = known().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let near = near.filter(|near| likeness(near) > 0.8);
    let near = near.map_or_else(String::new, |near| format!(" did you mean {near}?"));
    let known: Vec<&str> = known().collect();
    Err(format!(
        "there is no status {value:?};{near} known are {}",
        known.join(", ")
    ))
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a text fits a pattern, in which `*` stands for any characters and `?` for one.
fn fits(pattern: &[char], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut in_text) = (0, 0);
    // Where the last star stands, and up to where it reaches. Only the last one ever has to give
    // way, so the time stays within the product of both lengths.
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => {
                let Some((after, reach)) = star else {
                    return false;
                };
                star = Some((after, reach + 1));
                (at, in_text) = (after + 1, reach + 1);
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("nginx_*", "nginx_logs", true),
            ("nginx_*", "nginx_", true),
            ("nginx_*", "my_nginx_logs", false),
            ("*logs", "nginx_logs_logs", true),
            ("a*b*c", "a_b_b_c", true),
            ("a*b*c", "a_c_b", false),
            ("?", "工", true),
            ("?", "", false),
            ("a?", "a", false),
            ("*", "", true),
            ("a**", "a", true),
            ("a", "ab", false),
            ("Logs", "logs", false),
        ] {
            let pattern: Vec<char> = pattern.chars().collect();
            assert_eq!(fits(&pattern, text), expected, "{pattern:?} {text}");
        }
        // Would take years if every star were tried everywhere.
        let pattern: Vec<char> = "*a".repeat(60).chars().chain(['b']).collect();
        assert!(!fits(&pattern, &"a".repeat(1000)));
    }

    fn workflow(name: &str, status: &str, region: &str) -> Workflow {
        let mut workflow = Workflow::default();
        workflow.name = name.to_owned();
        workflow.status = status.into();
        workflow.region = region.to_owned();
        workflow
    }

    #[test]
    fn every_term_has_to_be_met() {
        let started = workflow("nginx_logs", "Started", "nb");
        for (selector, expected) in [
            ("name=nginx_*", true),
            ("name=nginx_*,status=started,region=NB", true),
            (" name = nginx_* , status != Stop* ", true),
            ("name=nginx_*,name!=*_logs", false),
            ("status!=STARTED", false),
            ("name=Nginx_*", false),
            ("region=n?", true),
        ] {
            let selector: Selector = selector.parse().unwrap();
            assert_eq!(selector.matches(&started), expected, "{selector}");
        }
    }

    #[test]
    fn what_is_no_selector_is_said() {
        for (selector, says) in [
            ("", "write name=PATTERN"),
            ("nginx_*", "write name=PATTERN"),
            ("name=a,", "write name=PATTERN"),
            ("nmae=a", "no key \"nmae\", only name, status, region"),
            ("status=Startd", "did you mean Started? known are"),
            ("status!=xyz", "no status \"xyz\"; known are"),
            ("name=", "write name=VALUE"),
            ("status==Started", "write status=VALUE"),
        ] {
            let error = selector.parse::<Selector>().unwrap_err();
            assert!(error.contains(says), "{selector}: {error}");
        }
    }
}
