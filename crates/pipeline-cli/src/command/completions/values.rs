//! What can stand for the values of options and arguments, beyond what clap knows of them.

use std::{
    ffi::{OsStr, OsString},
    sync::mpsc,
    thread,
    time::Duration,
};

use clap::{Arg, Command, FromArgMatches as _};
use clap_complete::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter,
    engine::ValueCompleter as _,
};
use pipeline_proto::{ErrorCode, ErrorKind, wait::Goal};

use crate::{
    command::{self, help::TOPICS, resource::Resource},
    interrupt,
    options::Global,
    output::plain,
    settings::{ConfigFile, Identity, Place, Setting, Settings, Source},
};

/// Longest time for the list of workflows. Somebody sits there with a finger on the key, and was
/// promised two seconds for everything.
const PATIENCE: Duration = Duration::from_millis(1700);

/// Adds what is offered for each argument. What its value is called decides, so that a command which
/// comes later needs nothing but the usual name.
pub(super) fn offer(mut command: Command, line: &[OsString]) -> Command {
    // What clap adds by itself, such as --help, is there only then.
    command.build();
    offer_below(command, &[], line)
}

fn offer_below(command: Command, path: &[String], line: &[OsString]) -> Command {
    let command = command.mut_args(|arg| {
        // Shown only where nothing else fits, or else every list of names would be one of options too.
        let arg = if arg.is_positional() {
            arg
        } else {
            arg.hide(true)
        };
        offer_for(arg, path, line)
    });
    command.mut_subcommands(|sub| {
        let name = sub.get_name().to_owned();
        // An alias that is not typed yet would take the place of the name.
        let typed = sub
            .get_all_aliases()
            .any(|alias| line.iter().any(|word| word == alias));
        let sub = if typed {
            sub
        } else {
            sub.alias(None).visible_alias(None)
        };
        offer_below(sub, &[path, &[name]].concat(), line)
    })
}

fn offer_for(arg: Arg, path: &[String], line: &[OsString]) -> Arg {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let line = line.to_vec();
    match (path.as_slice(), value_name(&arg).as_str()) {
        // The option that counts everywhere, whose value is called as the workflows are.
        _ if arg.get_id() == "profile" => arg.add(ArgValueCandidates::new(profiles)),
        (["config", ..], "PROFILE") => arg.add(ArgValueCandidates::new(profiles)),
        (["config", ..], "KEY") => arg.add(ArgValueCandidates::new(settings)),
        (["token", ..], "NAME") => complete(arg, move |current: &OsStr| {
            resources(Resource::typed(&["workflow"]), &line, current)
        }),
        (["workflow", ..], "FILE|NAME" | "OLD" | "NEW") => complete(arg, move |current: &OsStr| {
            let mut found = resources(Resource::typed(&["workflow"]), &line, current);
            found.extend(PathCompleter::file().complete(current));
            found
        }),
        ([noun @ .., _], "SELECTOR") => match Resource::typed(noun) {
            Some(resource) => complete(arg, move |current: &OsStr| {
                selectors(resource, &line, current)
            }),
            None => arg,
        },
        (["workflow", ..], "STATE") => arg.add(ArgValueCandidates::new(states)),
        (["explain"], "CODE") => arg.add(ArgValueCandidates::new(codes)),
        (["help"], _) => arg.add(ArgValueCandidates::new(move || subjects(&line))),
        ([noun @ .., verb], name) => {
            match Resource::typed(noun).and_then(|it| it.named(verb, name)) {
                Some(resource) => complete(arg, move |current: &OsStr| {
                    resources(Some(resource), &line, current)
                }),
                None => arg,
            }
        }
        _ => arg,
    }
}

fn complete(
    arg: Arg,
    offer: impl Fn(&OsStr) -> Vec<CompletionCandidate> + Send + Sync + 'static,
) -> Arg {
    arg.add(ArgValueCompleter::new(offer))
}

/// As it stands in the help: as it was given, or the id in capitals.
fn value_name(arg: &Arg) -> String {
    match arg.get_value_names() {
        Some([name, ..]) => name.to_string(),
        _ => arg.get_id().as_str().to_ascii_uppercase(),
    }
}

fn candidate(value: &str, about: impl Into<String>) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(about.into().into()))
}

fn states() -> Vec<CompletionCandidate> {
    let goals = [Goal::Started, Goal::Stopped, Goal::Deleted];
    let values = goals.map(|goal| CompletionCandidate::new(goal.as_str()));
    values.into()
}

/// The profiles of the configuration file; none if it cannot be read.
fn profiles() -> Vec<CompletionCandidate> {
    let file = ConfigFile::read(Place::find());
    let names = file.map(|file| file.profile_names()).unwrap_or_default();
    names.into_iter().map(CompletionCandidate::new).collect()
}

fn settings() -> Vec<CompletionCandidate> {
    let names = Setting::ALL.map(|setting| CompletionCandidate::new(setting.as_str()));
    names.into()
}

fn codes() -> Vec<CompletionCandidate> {
    let kinds = ErrorKind::ALL
        .iter()
        .map(|kind| candidate(kind.as_str(), "all codes of this kind"));
    let codes = ErrorCode::known()
        .iter()
        .map(|info| candidate(&info.code.to_string(), info.meaning));
    kinds.chain(codes).collect()
}

/// What `help` explains after the words that are there already.
fn subjects(line: &[OsString]) -> Vec<CompletionCandidate> {
    let words = line.iter().skip_while(|word| *word != "help").skip(1);
    let mut command = command::built();
    let mut deep = false;
    for word in words {
        match command.find_subcommand(word) {
            Some(found) => command = found.clone(),
            None => return Vec::new(),
        }
        deep = true;
    }
    let commands = command.get_subcommands().map(|sub| {
        let about = sub.get_about().map(ToString::to_string);
        candidate(sub.get_name(), about.unwrap_or_default())
    });
    let topics = TOPICS
        .iter()
        .filter(|_| !deep)
        .map(|topic| candidate(topic.name, topic.about));
    commands.chain(topics).collect()
}

/// What the last term of a selector can become.
fn selectors(
    resource: &'static Resource,
    line: &[OsString],
    current: &OsStr,
) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else {
        return Vec::new();
    };
    let (before, term) = current.split_at(current.rfind(',').map_or(0, |comma| comma + 1));
    let Some((key, start)) = term.split_once('=') else {
        let fitting = resource.keys.iter().map(|key| key.name);
        return fitting
            .filter(|key| key.starts_with(term))
            .map(|key| CompletionCandidate::new(format!("{before}{key}=")))
            .collect();
    };
    let name = key.trim_end_matches('!');
    let known = resource.keys.iter().find(|it| it.name == name);
    let values: Vec<String> = match known {
        Some(_) if name == "name" => resources(Some(resource), line, OsStr::new(start))
            .iter()
            .map(|it| it.get_value().to_string_lossy().into_owned())
            .collect(),
        Some(known) => (known.known)()
            .into_iter()
            .filter(|it| it.starts_with(start))
            .map(str::to_owned)
            .collect(),
        None => Vec::new(),
    };
    let whole = |value| CompletionCandidate::new(format!("{before}{key}={value}"));
    values.into_iter().map(whole).collect()
}

/// The resources whose names begin like this, with their statuses; none if anything is in the way. Of those
/// that belong to something that is in the line, their own names.
fn resources(
    resource: Option<&'static Resource>,
    line: &[OsString],
    start: &OsStr,
) -> Vec<CompletionCandidate> {
    let (Some(resource), Some(start)) = (resource, start.to_str()) else {
        return Vec::new();
    };
    // Who knows what a shell would make of the rest, and no name begins like an option or a path.
    let safe = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    if !start.chars().all(safe) || start.starts_with(['-', '.', '/']) {
        return Vec::new();
    }
    let names = ask(line, move |global| {
        let remote = global.remote();
        remote.and_then(|remote| resource.names(&remote))
    });
    let own = |name: &str| match name.split_once('/') {
        Some((parent, own)) if line.iter().any(|word| word == parent) => own.to_owned(),
        _ => name.to_owned(),
    };
    let names = names.and_then(Result::ok).unwrap_or_default();
    let names = names.iter().map(|(name, status)| (own(name), status));
    names
        .filter(|(name, _)| name.starts_with(start) && name.chars().all(safe))
        .map(|(name, status)| match status.as_str() {
            "" => CompletionCandidate::new(name),
            status => candidate(&name, plain(status)),
        })
        .collect()
}

fn ask<T: Send + 'static>(
    line: &[OsString],
    list: impl FnOnce(&Global) -> T + Send + 'static,
) -> Option<T> {
    let mut global = options(line)?;
    // Standard input is the terminal that the line is typed on.
    let files = [&global.secret_key_file, &global.token_file];
    if files.contains(&&Some("-".into())) {
        return None;
    }
    // A program that knows the credentials may ask for a password, and nobody expects that here.
    let by_program = Setting::CredentialProcess;
    let identity = Settings::read(&global).ok()?.identity().ok()?;
    if matches!(identity, Identity::Keys(_, Some(Source::Profile { key, .. })) if key == by_program)
    {
        return None;
    }
    // What the line does once it is complete is not done yet.
    global.debug_http = false;
    global.record = None;
    let patience = global.timeout.unwrap_or(PATIENCE).min(PATIENCE);
    global.timeout = Some(patience);
    global.connect_timeout = global.connect_timeout.min(patience);
    global.retries = 0;
    interrupt::quietly();
    let (sender, receiver) = mpsc::channel();
    // Not every step on the way has a time-out, so the thread is left behind if it takes too long.
    thread::Builder::new()
        .spawn(move || sender.send(list(&global)))
        .ok()?;
    receiver.recv_timeout(patience).ok()
}

/// The options that are in the line already, whatever else is wrong with it so far.
fn options(line: &[OsString]) -> Option<Global> {
    let read = |line: &[OsString]| {
        let command = command::tree().ignore_errors(true);
        let matches = command.try_get_matches_from(line).ok()?;
        Global::from_arg_matches(&matches).ok()
    };
    read(line).or_else(|| read(&["pipeline".into()]))
}
