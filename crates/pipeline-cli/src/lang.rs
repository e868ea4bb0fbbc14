//! The language that errors are explained in.

pub(crate) mod zh;

use std::sync::OnceLock;

use clap::ValueEnum;

use crate::variables::own_variable;

/// A language that errors are explained in. Commands, options and data are the same in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// English
    En,
    /// 简体中文
    Zh,
}

static CHOSEN: OnceLock<Lang> = OnceLock::new();

/// Chooses the language of this run, once.
pub(crate) fn choose(option: Option<Lang>) {
    CHOSEN.get_or_init(|| {
        option.unwrap_or_else(|| of_locale(|name| own_variable(name)?.into_string().ok()))
    });
}

/// What `--lang` says in a line that cannot be read as a whole.
pub(crate) fn typed(words: &[String]) -> Option<Lang> {
    let mut words = words.iter();
    let value = words.find_map(|word| word.strip_prefix("--lang"))?;
    let value = match value.strip_prefix('=') {
        Some(value) => value,
        None => words.next()?,
    };
    Lang::from_str(value, false).ok()
}

/// The language of this run.
pub(crate) fn chosen() -> Lang {
    CHOSEN.get().copied().unwrap_or(Lang::En)
}

/// The text of the language of this run.
pub(crate) fn pick<T>(en: T, zh: T) -> T {
    match chosen() {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

/// The language of messages by the rules of POSIX: the first of three variables that is set counts.
fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Lang {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    match locale {
        Some(locale) if locale.to_ascii_lowercase().starts_with("zh") => Lang::Zh,
        _ => Lang::En,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_counts() {
        let lang = |all: &str, messages: &str, lang: &str| {
            of_locale(|name| {
                let value = match name {
                    "LC_ALL" => all,
                    "LC_MESSAGES" => messages,
                    _ => lang,
                };
                Some(value.to_owned())
            })
        };
        assert_eq!(lang("", "", "zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(lang("", "zh_TW", "en_GB.UTF-8"), Lang::Zh);
        assert_eq!(lang("C", "zh_CN", "zh_CN"), Lang::En);
        assert_eq!(lang("", "", ""), Lang::En);
        assert_eq!(of_locale(|_| None), Lang::En);
    }
}
