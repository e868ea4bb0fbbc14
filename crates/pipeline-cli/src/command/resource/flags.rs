//! Options for the members of a resource, made from their descriptions in the core.

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};
use pipeline_graph::is_secret_name;
use pipeline_proto::describe::{Fact, Member, Shape};
use serde_json::{Map, Value};

use super::{Resource, key::text};
use crate::{failure::Failure, options::Global};

/// An option for a member that people write in another way than JSON does, or know by another name.
pub(in crate::command) struct Short {
    pub(in crate::command) flag: &'static str,
    pub(in crate::command) member: &'static str,
    pub(in crate::command) value: &'static str,
    pub(in crate::command) help: &'static str,
    pub(in crate::command) read: fn(&str) -> Result<Value, Failure>,
    pub(in crate::command) how: How,
}

/// What becomes of the value.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::command) enum How {
    /// It is that of the member.
    Set,
    /// The same, and this member has this value unless it is given.
    SetWith(&'static str, &'static str),
    /// Its elements go behind those that the member has: an option of updates.
    Append,
}

/// An option for a member that is written as it is.
struct Flag {
    long: String,
    /// The member, and the one that holds it, if any.
    within: Option<&'static str>,
    member: &'static Member,
    /// The types that it is a member of; none of what every resource of the kind has.
    types: Vec<&'static str>,
}

fn flags(resource: &Resource) -> Vec<Flag> {
    let mut flags: Vec<Flag> = Vec::new();
    let taken = Global::augment_args(Command::new(""));
    let mut add = |within, member: &'static Member, of: Option<&'static str>| {
        let can = can_be_typed(member.shape) && !member.is_added_on_reading();
        // Secrets stand in files, as `${NAME}`, and never on a command line, which others can read.
        if !can || is_secret_name(member.name) {
            return;
        }
        let known = flags.iter_mut();
        if let Some(flag) = known
            .into_iter()
            .find(|flag| flag.within == within && flag.member.name == member.name)
        {
            flag.types.extend(of);
            return;
        }
        let renamed = resource
            .renamed
            .iter()
            .find(|(name, _)| *name == member.name);
        let mut long = renamed.map_or_else(|| kebab(member.name), |(_, flag)| (*flag).to_owned());
        if taken
            .get_arguments()
            .any(|arg| arg.get_long() == Some(&long))
        {
            long.insert_str(0, "spec-");
        }
        flags.push(Flag {
            long,
            within,
            member,
            types: of.into_iter().collect(),
        });
    };
    for member in resource.body.map_or(&[][..], |body| body().members) {
        let by_type = member.facts.iter().find_map(|fact| match fact {
            Fact::ByType(specs) => Some(*specs),
            _ => None,
        });
        for (name, object) in by_type.unwrap_or_default() {
            for inside in object().members {
                add(Some(member.name), inside, Some(*name));
            }
        }
        if by_type.is_none()
            && resource
                .shorts
                .iter()
                .all(|short| short.member != member.name)
        {
            add(None, member, None);
        }
    }
    flags
}

fn can_be_typed(shape: Shape) -> bool {
    match shape {
        Shape::Text | Shape::Word(_) | Shape::Bool | Shape::Integer => true,
        Shape::List(of) | Shape::Map(of) => matches!(of, Shape::Text | Shape::Word(_) | Shape::Any),
        _ => false,
    }
}

fn kebab(name: &str) -> String {
    let mut word = String::new();
    for (at, c) in name.char_indices() {
        let before = name[..at].chars().next_back();
        if c.is_ascii_uppercase() && before.is_some_and(|c| !c.is_ascii_uppercase()) {
            word.push('-');
        }
        word.push(if c == '_' {
            '-'
        } else {
            c.to_ascii_lowercase()
        });
    }
    word
}

impl Flag {
    fn argument(&self) -> Arg {
        let about = self.member.about();
        let mut help = about.trim_end_matches('.').to_owned();
        let mut facts = Vec::new();
        if !self.types.is_empty() {
            facts.push(format!("for {}", self.types.join(", ")));
        }
        facts.extend(
            self.member
                .words()
                .map(|words| format!("one of {}", words.join(", "))),
        );
        facts.extend(self.member.facts.iter().filter_map(|fact| match fact {
            Fact::Default(value) => Some(format!("{value} if it is left out")),
            _ => None,
        }));
        if !facts.is_empty() {
            help = format!("{help} ({})", facts.join("; "));
        }
        let argument = Arg::new(self.long.clone())
            .long(self.long.clone())
            .help(help);
        match self.member.shape {
            Shape::Integer => argument
                .value_name("N")
                .value_parser(clap::value_parser!(i64))
                .allow_negative_numbers(true),
            Shape::Bool => argument
                .value_name("true|false")
                .value_parser(clap::value_parser!(bool))
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            Shape::List(_) => argument
                .value_name("TEXT")
                .value_delimiter(',')
                .action(ArgAction::Append),
            Shape::Map(_) => argument
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .value_parser(pair),
            _ => argument.value_name("TEXT"),
        }
    }

    fn value(&self, matches: &ArgMatches) -> Option<Value> {
        let id = self.long.as_str();
        Some(match self.member.shape {
            Shape::Integer => Value::from(*matches.get_one::<i64>(id)?),
            Shape::Bool => Value::from(*matches.get_one::<bool>(id)?),
            Shape::List(_) => matches
                .get_many::<String>(id)?
                .map(String::as_str)
                .collect(),
            Shape::Map(_) => {
                let pairs = matches.get_many::<(String, String)>(id)?;
                pairs
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect()
            }
            _ => Value::from(text(matches, id)?),
        })
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or("write NAME=VALUE, as in ip=#ip")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Adds the options.
pub(super) fn arguments(resource: &Resource, command: Command, updates: bool) -> Command {
    let shorts = resource
        .shorts
        .iter()
        .filter(|short| updates || short.how != How::Append);
    let shorts = shorts.map(|short| {
        let argument = Arg::new(short.flag)
            .long(short.flag)
            .value_name(short.value)
            .help(short.help);
        argument.allow_hyphen_values(true)
    });
    let (of_types, of_all): (Vec<Flag>, _) = flags(resource)
        .into_iter()
        .partition(|flag| !flag.types.is_empty());
    let of_all: Vec<Arg> = of_all.iter().map(Flag::argument).collect();
    let of_types = of_types
        .iter()
        .map(|flag| flag.argument().help_heading("Where"));
    command.args(shorts).args(of_all).args(of_types)
}

/// The options of what is made, for another command.
pub(in crate::command) fn options(resource: &Resource, command: Command) -> Command {
    arguments(resource, command, false)
}

/// Sets the members whose options are given. Says whether there were any.
pub(in crate::command) fn fill(
    resource: &Resource,
    matches: &ArgMatches,
    body: &mut Map<String, Value>,
) -> Result<bool, Failure> {
    let mut given = false;
    for short in resource.shorts {
        let typed = matches.try_get_one::<String>(short.flag).ok().flatten();
        let Some(text) = typed else { continue };
        given = true;
        let value = (short.read)(text)?;
        let place = body.entry(short.member).or_insert(Value::Null);
        match (short.how, place, value) {
            (How::Append, Value::Array(there), Value::Array(more)) => there.extend(more),
            (_, place, value) => *place = value,
        }
        if let How::SetWith(beside, value) = short.how {
            body.entry(beside).or_insert_with(|| value.into());
        }
    }
    for flag in flags(resource) {
        let Some(value) = flag.value(matches) else {
            continue;
        };
        given = true;
        let place = match flag.within {
            None => &mut *body,
            Some(within) => {
                let inside = body
                    .entry(within)
                    .or_insert_with(|| Value::Object(Map::new()));
                let wrong = || Failure::usage(format!("{within:?} is no object"));
                inside.as_object_mut().ok_or_else(wrong)?
            }
        };
        place.insert(flag.member.name.to_owned(), value);
    }
    Ok(given)
}

/// A text as it is.
#[allow(clippy::unnecessary_wraps, reason = "as all that a row may name")]
pub(in crate::command) fn as_it_is(text: &str) -> Result<Value, Failure> {
    Ok(Value::from(text))
}
