//! What to type instead, where the parser of the command line cannot know it: the words of neighbouring
//! tools, options that have another name here, and patterns given as names.

use clap::{
    Error,
    error::{ContextKind, ContextValue},
};

use crate::failure::one_line;

/// Words of kubectl, docker, systemctl and the like, and the command that does it here.
const WORDS: &[(&[&str], &str)] = &[
    (
        &["logs", "log", "tail", "journal"],
        "pipeline workflow search NAME",
    ),
    (
        &["describe", "show", "info", "cat", "view", "inspect"],
        "pipeline workflow get NAME",
    ),
    (
        &["rm", "remove", "del", "destroy", "drop"],
        "pipeline workflow delete NAME",
    ),
    (&["ls", "ps", "ll", "workflows"], "pipeline workflow list"),
    (
        &["edit", "patch", "set", "replace"],
        "pipeline workflow export NAME --out FILE, then pipeline workflow apply FILE",
    ),
    (
        &["run", "up", "begin", "launch"],
        "pipeline workflow start NAME",
    ),
    (
        &["down", "halt", "cancel", "kill"],
        "pipeline workflow stop NAME",
    ),
    (
        &["new", "add", "init", "make"],
        "pipeline workflow create NAME",
    ),
    (&["top", "follow"], "pipeline workflow watch NAME"),
    (
        &["check", "validate", "verify"],
        "pipeline workflow lint FILE",
    ),
    (&["plan"], "pipeline workflow apply FILE --dry-run"),
    (&["draw", "plot", "dot"], "pipeline workflow graph FILE"),
    (&["login", "auth", "configure"], "pipeline config set KEY"),
    (&["whoami"], "pipeline config explain"),
];

/// Options that are known by another name.
const OPTIONS: &[(&[&str], &str)] = &[
    (
        &["--jobs", "-j", "--concurrency", "--workers"],
        "--parallel N",
    ),
    (&["--follow"], "pipeline workflow watch NAME"),
    (&["--force", "--assume-yes"], "--yes"),
    (
        &["--label", "--filter"],
        "--selector 'name=PATTERN,status=…'",
    ),
    (
        &["--tail", "--lines", "--limit"],
        "--size N, where there is one",
    ),
    (&["--since"], "--from TIME, where there is one"),
];

/// How alike two options must be for the one to be a slip of the other.
const ALIKE: f64 = 0.7;

/// The next thing to type, if it is known. Takes suggestions out of the error that are far off, and
/// passwords out of values that are shown.
fn hint(error: &mut Error) -> Option<String> {
    let text = |error: &Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if let Some(word) = text(error, ContextKind::InvalidSubcommand) {
        // Below other groups the same words mean something else.
        let usage = match error.get(ContextKind::Usage) {
            Some(ContextValue::StyledStr(usage)) => usage.to_string(),
            _ => String::new(),
        };
        if !["pipeline workflow", "pipeline ["]
            .iter()
            .any(|here| usage.contains(here))
        {
            return None;
        }
        let known = found(WORDS, &word)?;
        for kind in [ContextKind::SuggestedSubcommand, ContextKind::Usage] {
            error.remove(kind);
        }
        return Some(format!("here it is: {known}"));
    }
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    if let Some(value) = text(error, ContextKind::InvalidValue) {
        if let Some(masked) = without_password(&value) {
            error.insert(ContextKind::InvalidValue, ContextValue::String(masked));
        }
        if argument.contains("NAME") && value.contains(['*', '?']) {
            return Some(format!("a pattern is given as --selector 'name={value}'"));
        }
        return None;
    }
    let option = argument.split(['=', ' ']).next().unwrap_or_default();
    if let Some(known) = found(OPTIONS, option) {
        for kind in [
            ContextKind::SuggestedArg,
            ContextKind::Suggested,
            ContextKind::Usage,
        ] {
            error.remove(kind);
        }
        return Some(format!("here it is: {known}"));
    }
    if let Some(suggested) = text(error, ContextKind::SuggestedArg)
        && strsim::normalized_damerau_levenshtein(option, &suggested) <= ALIKE
    {
        // The usage shows the suggestion as well.
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
    }
    None
}

/// A URL without what may be a password: all before its last `@`.
fn without_password(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once("://")?;
    let (_, rest) = rest.rsplit_once('@')?;
    Some(format!("{scheme}://***@{rest}"))
}

fn found(table: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    let row = table.iter().find(|(words, _)| words.contains(&word))?;
    Some(row.1)
}

/// What is wrong with the command line, and what to type instead, on one line.
pub(crate) fn wrong(mut error: Error) -> String {
    let hint = hint(&mut error);
    let line = condensed(&error.render().to_string());
    match hint {
        Some(hint) => format!("{line}; {hint}"),
        None => line,
    }
}

/// The paragraphs of clap's message on one line.
fn condensed(message: &str) -> String {
    let paragraphs = message.trim().split("\n\n").map(|paragraph| {
        // The ways to use a command stand below one another.
        let between = if paragraph.starts_with("Usage:") {
            " or "
        } else {
            " "
        };
        let lines = paragraph.lines().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.join(" ")
        });
        lines.collect::<Vec<_>>().join(between)
    });
    let parts: Vec<String> = paragraphs
        .filter(|paragraph| !paragraph.trim_start().starts_with("For more information"))
        .map(|paragraph| {
            let lowered = paragraph
                .strip_prefix("Usage:")
                .map(|usage| format!("usage:{usage}"));
            lowered.unwrap_or(paragraph)
        })
        .collect();
    let line = parts.join("; ");
    one_line(line.strip_prefix("error: ").unwrap_or(&line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::tree;

    #[test]
    fn a_slip_leads_to_what_was_meant() {
        for (line, says, says_not) in [
            (
                "workflow logs x --follow",
                "pipeline workflow search NAME",
                "tip",
            ),
            ("workflow describe x", "pipeline workflow get NAME", "usage"),
            ("workflow rm x", "pipeline workflow delete NAME", "usage"),
            ("ls", "pipeline workflow list", "tip"),
            ("config rm x", "unrecognized", "workflow"),
            ("workflow edit x", "pipeline workflow apply", "For more"),
            ("workflow get x --yaml", "unexpected", "--all"),
            ("workflow get cl*", "--selector 'name=cl*'", "tip"),
            ("workflow start --jobs 3 x", "--parallel N", "tip"),
            (
                "workflow search x --follow",
                "pipeline workflow watch NAME",
                "--color",
            ),
            ("workflow list --selectr x", "'--selector'", "here"),
            (
                "workflow create x --selector y",
                "'--selector' found",
                "--record",
            ),
            (
                "workflow list --endpoint https://u:canary@h",
                "https://***@h",
                "canary",
            ),
            (
                "workflow list --endpoint https://u:can/ary@h/x",
                "https://***@h/x",
                "canary",
            ),
        ] {
            let words = ["pipeline"].into_iter().chain(line.split(' '));
            let error = tree().try_get_matches_from(words).unwrap_err();
            let shown = wrong(error);
            assert!(
                shown.contains(says) && !shown.contains(says_not),
                "{line}: {shown}"
            );
        }
    }

    #[test]
    fn the_message_of_a_wrong_argument_is_one_line() {
        for (arguments, expected) in [
            (
                &["pipeline", "workflow", "get", "a-b"][..],
                "invalid value 'a-b' for '[NAME]...': the workflow name contains '-' at position 2",
            ),
            (
                &["pipeline", "wrkflow"],
                "unrecognized subcommand 'wrkflow'; tip:",
            ),
            (
                &["pipeline", "workflow", "get"],
                "not provided: <NAME|--selector <SELECTOR>|--all>; usage: pipeline",
            ),
            (
                &["pipeline", "token", "mint", "-X", "GET"],
                "[--ttl <DURATION>] or pipeline token mint --method <METHOD>",
            ),
            (
                &["pipeline", "--timeout", "5"],
                "write a number with its unit",
            ),
        ] {
            let error = tree().try_get_matches_from(arguments).unwrap_err();
            let line = condensed(&error.render().to_string());
            assert!(line.contains(expected), "{line}");
            assert!(!line.contains('\n') && !line.starts_with("error"), "{line}");
        }
    }
}
