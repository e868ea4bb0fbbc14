//! Things chosen by what they are: `name=nginx_*,status=Started,region!=nb`.

use std::{fmt, str::FromStr};

use pipeline_graph::nearest;
use wildmatch::WildMatch;

use super::Noun;

/// What a selector can ask of a thing.
#[derive(Debug)]
pub(crate) struct Key<T> {
    pub(crate) name: &'static str,
    pub(crate) value: fn(&T) -> &str,
    /// Whether case does not count.
    pub(crate) any_case: bool,
    /// The values that it can have, as far as they are known; empty if it can have any.
    pub(crate) known: fn() -> Vec<&'static str>,
}

impl<T> Key<T> {
    /// One whose values are not known beforehand.
    pub(crate) const fn new(name: &'static str, value: fn(&T) -> &str) -> Self {
        Self {
            name,
            value,
            any_case: false,
            known: Vec::new,
        }
    }

    pub(crate) const fn in_any_case(mut self) -> Self {
        self.any_case = true;
        self
    }

    pub(crate) const fn one_of(mut self, known: fn() -> Vec<&'static str>) -> Self {
        self.known = known;
        self.in_any_case()
    }
}

/// Help for the option.
pub(crate) fn help(many: &str, example: &str) -> String {
    format!("All {many} that fit, such as {example}")
}

/// The same with the rules.
pub(crate) fn long_help<T>(help: &str, keys: &[Key<T>]) -> String {
    let any_case = keys.iter().filter(|key| key.any_case);
    let any_case: Vec<&str> = any_case.map(|key| key.name).collect();
    let (last, before) = match any_case.split_last() {
        None => return format!("{help}\n\n{RULES}"),
        Some((last, [])) => (format!("{last} is"), String::new()),
        Some((last, before)) => (format!("{last} are"), format!("{} and ", before.join(", "))),
    };
    format!("{help}\n\n{RULES} {before}{last} compared without regard to case.")
}

const RULES: &str =
    "All terms have to be met. In a value, * stands for any characters and ? for one.";

/// Terms that a thing has to meet, all of them.
#[derive(Debug, Clone)]
pub(crate) struct Selector<T: 'static> {
    text: String,
    terms: Vec<Term<T>>,
}

#[derive(Debug, Clone)]
struct Term<T: 'static> {
    key: &'static Key<T>,
    /// Whether the value has to be so, and not otherwise.
    equal: bool,
    pattern: WildMatch,
}

impl<T> Selector<T> {
    pub(crate) fn matches(&self, thing: &T) -> bool {
        self.terms.iter().all(|term| {
            let value = (term.key.value)(thing);
            let value = if term.key.any_case {
                value.to_lowercase()
            } else {
                value.to_owned()
            };
            term.pattern.matches(&value) == term.equal
        })
    }

    /// Reads terms that are about these; the first key is the name.
    pub(crate) fn parse(text: &str, keys: &'static [Key<T>]) -> Result<Self, String> {
        let names = || keys.iter().map(|key| key.name);
        let terms = text.split(',').map(|term| {
            let (key, value) = term.split_once('=').ok_or_else(|| {
                let others: Vec<String> = names().skip(1).map(|key| format!("{key}=…")).collect();
                let others = match others.split_last() {
                    None => String::new(),
                    Some((last, [])) => format!(" or {last}"),
                    Some((last, before)) => format!(", {} or {last}", before.join(", ")),
                };
                let first = keys[0].name;
                format!("{term:?} is no term of a selector: write {first}=PATTERN{others}")
            })?;
            let (key, equal) = key
                .strip_suffix('!')
                .map_or((key, true), |key| (key, false));
            let (key, value) = (key.trim(), value.trim());
            let known = keys.iter().find(|known| known.name == key);
            let known = known.ok_or_else(|| {
                let keys: Vec<&str> = names().collect();
                format!("a selector knows no key {key:?}, only {}", keys.join(", "))
            })?;
            if value.is_empty() || value.contains('=') {
                return Err(format!(
                    "{value:?} is no value for {key}: write {key}=VALUE or {key}!=VALUE"
                ));
            }
            check(known.name, value, &(known.known)())?;
            let value = if known.any_case {
                value.to_lowercase()
            } else {
                value.to_owned()
            };
            Ok(Term {
                key: known,
                equal,
                pattern: WildMatch::new(&value),
            })
        });
        Ok(Self {
            terms: terms.collect::<Result<_, String>>()?,
            text: text.to_owned(),
        })
    }
}

impl<N: Noun> FromStr for Selector<N> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, N::KEYS)
    }
}

/// A word that no thing can have fits nothing, or everything with `!=`. A pattern may be meant for one
/// that came later.
fn check(key: &str, value: &str, known: &[&str]) -> Result<(), String> {
    let is_known = known.iter().any(|it| it.eq_ignore_ascii_case(value));
    if known.is_empty() || value.contains(['*', '?']) || is_known {
        return Ok(());
    }
    let near = nearest(value, known.iter().copied());
    let near = near.map_or_else(String::new, |near| format!(" did you mean {near}?"));
    Err(format!(
        "there is no {key} {value:?};{near} known are {}",
        known.join(", ")
    ))
}

impl<T> fmt::Display for Selector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use pipeline_proto::model::Workflow;

    use super::*;

    fn workflow(name: &str, status: &str, region: &str) -> Workflow {
        let mut workflow = Workflow::default();
        workflow.name = name.into();
        workflow.status = status.into();
        workflow.region = region.into();
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
            ("name=n*x*_*s", true),
            ("name=nginx_log", false),
            ("name=nginx_logs?", false),
        ] {
            let selector: Selector<Workflow> = selector.parse().unwrap();
            assert_eq!(selector.matches(&started), expected, "{selector}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let selector: Selector<Workflow> = format!("name={}b", "*a".repeat(60)).parse().unwrap();
        assert!(!selector.matches(&workflow(&"a".repeat(1000), "", "")));
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
            let error = selector.parse::<Selector<Workflow>>().unwrap_err();
            assert!(error.contains(says), "{selector}: {error}");
        }
    }
}
