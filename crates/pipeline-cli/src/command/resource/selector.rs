//! Resources chosen by what they are: `name=nginx_*,status=Started,region!=nb`.

use std::fmt;

use pipeline_graph::nearest;
use wildmatch::WildMatch;

use super::Item;

/// What a selector can ask of a resource: its name, or the text of a member.
#[derive(Debug)]
pub(in crate::command) struct Key {
    pub(in crate::command) name: &'static str,
    member: &'static str,
    /// Whether case does not count.
    any_case: bool,
    /// The values that it can have, as far as they are known; empty if it can have any.
    pub(in crate::command) known: fn() -> Vec<&'static str>,
}

impl Key {
    /// Its own name, which every selector can ask for.
    pub(in crate::command) const NAME: Self = Self::of("name");

    /// A member that is called so.
    pub(in crate::command) const fn of(member: &'static str) -> Self {
        Self::new(member, member)
    }

    pub(in crate::command) const fn new(name: &'static str, member: &'static str) -> Self {
        Self {
            name,
            member,
            any_case: false,
            known: Vec::new,
        }
    }

    pub(in crate::command) const fn in_any_case(mut self) -> Self {
        self.any_case = true;
        self
    }

    pub(in crate::command) const fn one_of(mut self, known: fn() -> Vec<&'static str>) -> Self {
        self.known = known;
        self.in_any_case()
    }

    fn value<'a>(&self, item: &'a Item) -> &'a str {
        match self.name {
            "name" => item.name(),
            _ => item.text(self.member),
        }
    }

    fn cased(&self, value: &str) -> String {
        if self.any_case {
            value.to_lowercase()
        } else {
            value.to_owned()
        }
    }
}

/// The help of the option with the rules.
pub(super) fn long_help(help: &str, keys: &[Key]) -> String {
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

/// Terms that a resource has to meet, all of them.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    text: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone)]
struct Term {
    key: &'static Key,
    /// Whether the value has to be so, and not otherwise.
    equal: bool,
    pattern: WildMatch,
}

impl Selector {
    pub(super) fn matches(&self, item: &Item) -> bool {
        self.terms.iter().all(|term| {
            let value = term.key.cased(term.key.value(item));
            term.pattern.matches(&value) == term.equal
        })
    }

    /// Reads terms that are about these; the first key is the name.
    pub(super) fn parse(text: &str, keys: &'static [Key]) -> Result<Self, String> {
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
            Ok(Term {
                key: known,
                equal,
                pattern: WildMatch::new(&known.cased(value)),
            })
        });
        Ok(Self {
            terms: terms.collect::<Result<_, String>>()?,
            text: text.to_owned(),
        })
    }
}

/// A word that no resource can have fits nothing, or everything with `!=`. A pattern may be meant for one
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

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Names, *};
    use crate::command::workflow::RESOURCE;

    fn workflow(name: &str, status: &str, region: &str) -> Item {
        let json = serde_json::json!({"name": name, "status": status, "region": region});
        let json = json.to_string().parse().unwrap();
        Item::new(&RESOURCE, Names::of(&name), &json).unwrap()
    }

    fn parsed(selector: &str) -> Result<Selector, String> {
        Selector::parse(selector, RESOURCE.keys)
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
            let selector = parsed(selector).unwrap();
            assert_eq!(selector.matches(&started), expected, "{selector}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let selector = parsed(&format!("name={}b", "*a".repeat(60))).unwrap();
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
            let error = parsed(selector).unwrap_err();
            assert!(error.contains(says), "{selector}: {error}");
        }
    }
}
