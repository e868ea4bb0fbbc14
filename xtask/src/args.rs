use std::str::FromStr;

use crate::{Error, Result};

/// The words after the name of a task. Taken out one by one; what is left is a mistake.
pub(crate) struct Args {
    usage: &'static str,
    words: Vec<String>,
}

impl Args {
    pub(crate) fn new(usage: &'static str, words: Vec<String>) -> Self {
        Self { usage, words }
    }

    /// Whether the flag is there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// The value of `--name VALUE` or `--name=VALUE`.
    pub(crate) fn value<T: FromStr>(&mut self, name: &str, what: &str) -> Result<Option<T>> {
        let joined = |word: &str| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_owned());
        let Some(at) = self
            .words
            .iter()
            .position(|word| word == name || joined(word).is_some())
        else {
            return Ok(None);
        };
        let word = self.words.remove(at);
        let text = match joined(&word) {
            Some(text) => text,
            None if at < self.words.len() => self.words.remove(at),
            None => return Err(self.error(&format!("`{name}` lacks its value, {what}"))),
        };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(self.error(&format!("`{name}` takes {what}, not `{text}`"))),
        }
    }

    /// All words, for a task that passes them on.
    pub(crate) fn rest(self) -> Vec<String> {
        self.words
    }

    /// Refuses what no task asked for.
    pub(crate) fn finish(self) -> Result {
        match self.words.first() {
            Some(word) => Err(self.error(&format!("`{word}` is not understood here"))),
            None => Ok(()),
        }
    }

    fn error(&self, what: &str) -> Error {
        Error::Usage(format!("{what}; usage: cargo xtask {}", self.usage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        let words = line.split_whitespace().map(str::to_owned).collect();
        Args::new("props [--cases N] [--seed S]", words)
    }

    fn value(line: &str) -> Result<Option<u32>> {
        args(line).value("--cases", "a number")
    }

    #[test]
    fn a_value_follows_its_name_or_an_equals_sign() {
        assert_eq!(value("--seed 7 --cases 5").unwrap(), Some(5));
        assert_eq!(value("--cases=5 --seed 7").unwrap(), Some(5));
        assert_eq!(value("--seed 7").unwrap(), None);
    }

    #[test]
    fn a_missing_or_unusable_value_is_named() {
        let message = |line| value(line).unwrap_err().to_string();
        assert!(message("--cases").contains("`--cases` lacks its value, a number"));
        assert!(message("--cases many").contains("`--cases` takes a number, not `many`"));
        assert!(message("--cases -1").contains("usage: cargo xtask props"));
    }

    #[test]
    fn leftovers_are_refused() {
        let mut args = args("--check --chek");
        assert!(args.flag("--check"));
        assert!(!args.flag("--check"));
        let error = args.finish().unwrap_err().to_string();
        assert!(error.contains("`--chek` is not understood here"));
    }
}
