//! What to type instead, where the parser of the command line cannot know it: the words of neighbouring
//! tools, options that have another name here, commands of another group, patterns given as names.

mod words;

use clap::{
    Arg, ArgMatches, Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};
use pipeline_graph::nearest;
use shell_words::quote;

use self::words::{NO_LIST_OF_TOKENS, OPTIONS, WORDS, meant};
use crate::{
    command::{built, tree},
    failure::one_line,
    lang::pick,
};

/// The next thing to type, if it is known. Takes suggestions out of the error that are far off, and
/// secrets out of values that are shown.
fn hint(error: &mut Error, line: &[String]) -> Option<String> {
    let typed = Typed::read(line);
    if let Some(word) = text(error, ContextKind::InvalidSubcommand) {
        let hint = typed.instead_of_command(&word)?;
        remove(
            error,
            &[ContextKind::SuggestedSubcommand, ContextKind::Usage],
        );
        return Some(hint);
    }
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let option = argument.split(['=', ' ']).next().unwrap_or_default();
    if let Some(value) = text(error, ContextKind::InvalidValue) {
        if value.is_empty() && error.kind() == ErrorKind::InvalidValue {
            return typed.example_of(option);
        }
        if let Some(masked) = masked(option, &value) {
            error.insert(ContextKind::InvalidValue, ContextValue::String(masked));
        }
        return typed.instead_of_pattern(&argument, &value);
    }
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    // No value begins like an option: what it suggests is `-- --wait`.
    remove(error, &[ContextKind::Suggested]);
    if let Some(hint) = typed.instead_of_option(option) {
        remove(error, &[ContextKind::SuggestedArg, ContextKind::Usage]);
        return Some(hint);
    }
    if let Some(suggested) = text(error, ContextKind::SuggestedArg)
        && !are_alike(option, &suggested)
    {
        // The usage shows the suggestion as well.
        remove(error, &[ContextKind::SuggestedArg, ContextKind::Usage]);
    }
    None
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn remove(error: &mut Error, kinds: &[ContextKind]) {
    for kind in kinds {
        error.remove(*kind);
    }
}

fn are_alike(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|word| word.trim_start_matches('-'));
    nearest(one, [other]).is_some()
}

fn here(known: &str) -> String {
    pick(
        format!("here it is: {known}"),
        format!("这里的写法是：{known}"),
    )
}

/// The command that a line names, as far as it is one.
struct Typed<'a> {
    /// The names that lead to it, without that of the program.
    path: Vec<String>,
    command: Command,
    line: &'a [String],
}

impl<'a> Typed<'a> {
    fn read(line: &'a [String]) -> Self {
        let matches = tree().ignore_errors(true).try_get_matches_from(line).ok();
        let (mut path, mut command) = (Vec::new(), built());
        let mut below = matches.as_ref().and_then(ArgMatches::subcommand);
        while let Some((name, matches)) = below {
            let found = command.find_subcommand(name).cloned();
            command = found.unwrap_or(command);
            path.push(name.to_owned());
            below = matches.subcommand();
        }
        Self {
            path,
            command,
            line,
        }
    }

    fn is(&self, path: &[&str]) -> bool {
        self.path == path
    }

    fn instead_of_command(&self, word: &str) -> Option<String> {
        let known = |group: &str| {
            let fits = format!("pipeline {group} ");
            let mut rows = meant(WORDS, word);
            rows.find(|known| known.starts_with(&fits)).map(here)
        };
        match self.path.first().map(String::as_str) {
            None => {
                let exact = |name: &str| name == word;
                self.moved("workflow", word, exact)
                    .or_else(|| ["workflow", "config"].into_iter().find_map(known))
                    .or_else(|| self.moved("config", word, exact))
                    .or_else(|| self.moved("token", word, exact))
                    .or_else(|| self.moved("workflow", word, |name| are_alike(name, word)))
            }
            Some("token") if NO_LIST_OF_TOKENS.contains(&word) => Some(
                pick(
                    "tokens are kept nowhere, each is valid until it expires: pipeline token mint makes one, \
                     pipeline token decode FILE reads one",
                    "令牌不会保存在任何地方，到期前一直有效：用 pipeline token mint 签发，用 pipeline token \
                     decode FILE 查看",
                )
                .to_owned(),
            ),
            Some(group) => known(group),
        }
    }

    /// The command in another group, with what was typed after its name.
    fn moved(&self, group: &str, word: &str, is: impl Fn(&str) -> bool) -> Option<String> {
        let root = built();
        let mut commands = root.find_subcommand(group)?.get_subcommands();
        let command = commands.find(|it| it.get_name() != "help" && is(it.get_name()))?;
        let behind = self.line.iter().skip_while(|it| *it != word).skip(1);
        let arguments = arguments(command, behind);
        let name = command.get_name();
        Some(here(&format!("pipeline {group} {name}{arguments}")))
    }

    fn instead_of_option(&self, option: &str) -> Option<String> {
        let always = match option {
            "--wait" | "-w" => self.is(&["workflow", "restart"]) || self.is(&["workflow", "wait"]),
            "--follow" | "-f" => self.is(&["workflow", "watch"]),
            _ => false,
        };
        if always {
            return Some(pick(
                format!("it does so in any case: leave {option} out"),
                format!("它总会这样做：去掉 {option} 即可"),
            ));
        }
        let takes = |name: &str| {
            let positional = self.command.get_positionals();
            positional
                .flat_map(|arg| arg.get_value_names().unwrap_or_default())
                .any(|value| value.split('|').any(|it| it == name))
        };
        if ["-f", "--file", "--filename"].contains(&option) && takes("FILE") {
            return Some(pick(
                format!("a file is given without {option}"),
                format!("文件直接写出，不加 {option}"),
            ));
        }
        if let Some(known) = meant(OPTIONS, option).find(|known| self.has(known)) {
            return Some(here(known));
        }
        let about_workflow = self.path.first().is_some_and(|group| group == "workflow");
        let follows = ["-f", "--follow", "--watch", "-w"].contains(&option);
        (follows && about_workflow && takes("NAME")).then(|| here("pipeline workflow watch NAME"))
    }

    /// Whether the option does something here: `--yes` does where the help speaks of it, though it can be
    /// given everywhere.
    fn has(&self, written: &str) -> bool {
        let spoken_of = |help: String| help.contains("--yes");
        let arguments = || self.command.get_arguments();
        match option(&self.command, written) {
            Some(yes) if yes.get_long() == Some("yes") => {
                let others = arguments().filter(|arg| arg.get_id() != yes.get_id());
                let mut helps = others.filter_map(|arg| arg.get_help().map(ToString::to_string));
                helps.any(spoken_of)
                    || (self.command.get_after_help().map(ToString::to_string))
                        .is_some_and(spoken_of)
            }
            found => found.is_some(),
        }
    }

    fn instead_of_pattern(&self, argument: &str, value: &str) -> Option<String> {
        let is_name = argument.contains("NAME") && !argument.starts_with('-');
        if !is_name || !value.contains(['*', '?', '[']) || self.is(&["workflow", "create"]) {
            return None;
        }
        // A selector knows no sets of characters: any character is the nearest.
        let mut pattern = String::new();
        let mut rest = value;
        while let Some((before, set)) = rest.split_once('[') {
            pattern.push_str(before);
            pattern.push('?');
            rest = set.split_once(']').map_or("", |(_, after)| after);
        }
        pattern.push_str(rest);
        let selector = format!("--selector {}", quote(&format!("name={pattern}")));
        Some(if self.has("--selector") {
            pick(
                format!("a pattern is given as {selector}"),
                format!("通配符写成 {selector}"),
            )
        } else {
            pick(
                format!(
                    "it takes no pattern; which fit is said by: pipeline workflow list {selector}"
                ),
                format!("这里不支持通配符；查看匹配的工作流：pipeline workflow list {selector}"),
            )
        })
    }

    /// A line of the examples that has the option.
    fn example_of(&self, option: &str) -> Option<String> {
        let examples = self.command.get_after_help()?.to_string();
        let with = format!(" {option} ");
        let example = examples.lines().map(str::trim);
        let example = example
            .filter(|line| line.starts_with("pipeline "))
            .find(|line| line.contains(&with))?;
        Some(pick(
            format!("for example: {example}"),
            format!("例如：{example}"),
        ))
    }
}

fn option<'a>(command: &'a Command, written: &str) -> Option<&'a Arg> {
    let name = written.split(['=', ' ']).next().unwrap_or_default();
    command.get_arguments().find(|arg| {
        let short = name.strip_prefix('-').and_then(|it| it.chars().next());
        match name.strip_prefix("--") {
            Some(long) => arg.get_long() == Some(long),
            None => short.is_some() && arg.get_short() == short,
        }
    })
}

/// What can be typed again after the name of this command: up to an option that it does not have, of whose
/// value nothing is known.
fn arguments<'a>(command: &Command, words: impl Iterator<Item = &'a String>) -> String {
    let mut line = String::new();
    for word in words {
        if word.starts_with('-') && option(command, word).is_none() {
            line.push_str(" …");
            break;
        }
        line.push(' ');
        line.push_str(&quote(&masked("", word).unwrap_or_else(|| word.clone())));
    }
    line
}

/// A URL without what may be a secret: all before its last `@`, the query and the fragment. Of an endpoint
/// that does not even begin like one nothing but a host is shown: it may be a key in the wrong place.
fn masked(option: &str, value: &str) -> Option<String> {
    let Some((scheme, rest)) = value.split_once("://") else {
        let host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-:/".contains(c);
        let is_host = value.contains(['.', ':']) && value.chars().all(host);
        return (option == "--endpoint" && !is_host).then(|| "***".to_owned());
    };
    let (user, rest) = match rest.rsplit_once('@') {
        // Nobody knows what belongs to which.
        Some((before, _)) if before.contains(['?', '#']) => ("***", ""),
        Some((_, rest)) => ("***@", rest),
        None => ("", rest),
    };
    let (rest, query) = match rest.find(['?', '#']) {
        Some(at) => (&rest[..at], "?***"),
        None => (rest, ""),
    };
    let masked = format!("{scheme}://{user}{rest}{query}");
    (masked != value).then_some(masked)
}

/// What is wrong with the command line, and what to type instead, on one line.
pub(crate) fn wrong(mut error: Error, words: &[String]) -> String {
    let hint = hint(&mut error, words);
    let line = condensed(&error.render().to_string());
    match hint {
        Some(hint) => format!("{line}{}{}", pick("; ", "；"), one_line(&hint)),
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

    fn words(line: &str) -> Vec<String> {
        let words = ["pipeline"].into_iter().chain(line.split(' '));
        words.map(str::to_owned).collect()
    }

    fn shown(line: &str) -> String {
        let words = words(line);
        wrong(tree().try_get_matches_from(&words).unwrap_err(), &words)
    }

    #[test]
    fn a_slip_leads_to_what_was_meant() {
        for row in "
            workflow logs x --follow => pipeline workflow search NAME ! tip
            workflow describe x => pipeline workflow get NAME ! usage
            workflow rm x => pipeline workflow delete NAME ! usage
            workflow edit x => pipeline workflow apply ! For more
            workflow get x --yaml => unexpected ! --all
            workflow list --selectr x => '--selector' ! here
            workflow create x --selector y => '--selector' found ! --record
            ls => pipeline workflow list ! tip
            get x -o json => pipeline workflow get x -o json ! usage
            start x --wait --later t0p => pipeline workflow start x --wait … ! t0p
            list => pipeline workflow list ! config
            strat x => pipeline workflow start x ! usage
            --lang en delete a b => pipeline workflow delete a b ! usage
            get a;b => pipeline workflow get 'a;b' ! usage
            set endpoint https://u:t0p@h => pipeline workflow export ! t0p
            use work => pipeline config use work ! workflow
            mint --ttl 1h => pipeline token mint --ttl 1h ! usage
            watch https://u:t0p@h => ***@h ! t0p
            config view => pipeline config list ! usage
            config show => pipeline config list ! usage
            config ls => pipeline config list ! usage
            config rm x => pipeline config unset KEY ! workflow
            config edit => pipeline config set KEY ! workflow
            token ls => kept nowhere ! usage
            workflow get cl* => --selector 'name=cl*' ! list
            workflow get cl[ab] => as --selector 'name=cl?' ! list
            workflow search cl* => pipeline workflow list --selector 'name=cl*' ! given
            workflow graph cl* => pipeline workflow list --selector 'name=cl*' ! given
            workflow create cl* => invalid value ! selector
            workflow start --jobs 3 x => --parallel N ! tip
            workflow get --jobs 3 x => --parallel N ! tip
            emulator --jobs 3 => '--jobs' found ! parallel
            workflow create x --label y => '--label' found ! selector
            workflow list --label y => --selector ! tip
            workflow list --since 1h => '--since' found ! --from
            workflow lint x --since 1h => '--since' found ! --from
            workflow search x --since 1h => --from TIME ! tip
            workflow search x --to 1h => --until TIME ! tip
            workflow get x --limit 3 => '--limit' found ! --size
            workflow search x --limit 3 => --size N ! tip
            workflow delete x --force => --yes ! tip
            config set endpoint x --force => '--force' found ! --yes
            explain E1 --force => '--force' found ! --yes
            workflow search x --follow => pipeline workflow watch NAME ! --color
            workflow search x -f => pipeline workflow watch NAME ! tip
            workflow watch x --follow => leave --follow out ! watch NAME
            workflow restart x --wait => leave --wait out ! tip
            workflow lint -f x => given without -f ! tip
            workflow restart --selector => name=nginx_*,status=Started' ! usage
            workflow list --endpoint https://u:t0p@h => https://***@h ! t0p
            workflow list --endpoint https://u:t0/p@h/x => https://***@h/x ! t0
            workflow list --endpoint https://h/x?token=t0p => https://h/x?*** ! t0p
            workflow list --endpoint https://h?x=@t0p => https://*** ! t0p
            workflow list --endpoint AK:t0pSecret => '***' ! t0p
            workflow list --endpoint pipeline.qiniu.com => 'pipeline.qiniu.com' ! ***
        "
        .lines()
        .map(str::trim)
        .filter(|row| !row.is_empty())
        {
            let (line, expected) = row.split_once(" => ").unwrap();
            let (says, says_not) = expected.split_once(" ! ").unwrap();
            let shown = shown(line);
            assert!(
                shown.contains(says) && !shown.contains(says_not),
                "{line}: {shown}"
            );
        }
    }

    #[test]
    fn what_hints_name_is_there() {
        let rows = WORDS.lines().filter_map(|row| row.split_once(" => "));
        for line in rows.flat_map(|(_, known)| known.split(" && ")) {
            let wrong = tree().try_get_matches_from(line.split(' ')).err();
            let kind = wrong.map(|error| error.kind());
            let unknown = [ErrorKind::InvalidSubcommand, ErrorKind::UnknownArgument];
            assert!(kind.is_none_or(|kind| !unknown.contains(&kind)), "{line}");
        }
        let root = built();
        let lists = root.find_subcommand("workflow").unwrap().get_subcommands();
        let commands: Vec<&Command> = lists.chain([&root]).collect();
        for (_, known) in OPTIONS.lines().filter_map(|row| row.split_once(" => ")) {
            let is_known = commands.iter().any(|it| option(it, known).is_some());
            assert!(is_known, "{known}");
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
