//! `pipeline NOUN VERB …`: one grammar for every resource.
//!
//! A resource is a row: how it is called, which operations of the core it has, which columns its list shows.
//! What is the same for all of them is written once, here and below; what only one resource can do is a
//! [`Verb`] in its own file.

mod act;
pub(crate) mod apply;
mod create;
mod describe;
mod exists;
mod flags;
mod get;
mod item;
mod key;
mod list;
mod mention;
mod page;
mod selector;
mod tabled;
mod targets;
mod typed;

use std::{fmt, num::NonZeroUsize};

use clap::{ArgMatches, Args, Command};
use pipeline_graph::hide_secrets;
use pipeline_proto::{
    describe::Object,
    model::RawJson,
    operation::{NameInfo, OperationInfo},
    resource::OPERATIONS,
};
use serde_json::{Map, Value};

pub(crate) use self::typed::Resources;
pub(in crate::command) use self::{
    flags::{How, Short, as_it_is, options},
    item::{Column, Item, Rows},
    key::Names,
    mention::Mention,
    selector::Key,
    tabled::Tabled,
    targets::Targets,
};
use super::Run;
use crate::{exit::Exit, failure::Failure, options::Global, remote::Remote};

/// Every resource, in the order of the help.
static RESOURCES: &[&Resource] = &[
    &super::workflow::RESOURCE,
    &super::repo::RESOURCE,
    &super::transform::RESOURCE,
    &super::export::RESOURCE,
    &super::datasource::RESOURCE,
    &super::job::RESOURCE,
    &super::job_export::RESOURCE,
    &super::plugin::RESOURCE,
    &super::udf::JAR,
    &super::udf::FUNCTION,
    &super::variable::RESOURCE,
    &super::group::RESOURCE,
];

/// What `pipeline NOUN …` is about.
pub(crate) struct Resource {
    /// As it is typed; one that belongs to a group has that before it: `udf jar`.
    pub(crate) word: &'static str,
    /// With its article, and several of them.
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    pub(super) chinese: &'static str,
    /// That there is none, if not "none of the many".
    pub(super) none: &'static str,
    /// Another name of its group of commands, and what the help says of that, if it is not a list of them.
    pub(super) alias: Option<&'static str>,
    pub(super) about: &'static str,
    /// The resource whose specs [`pipeline_graph`] knows, if that is not the word.
    pub(super) kind: &'static str,
    /// What it consists of, where people make it of parts.
    pub(super) body: Option<fn() -> &'static Object>,
    /// What it belongs to, and has to be named with.
    pub(super) parent: Option<&'static Resource>,
    pub(super) operations: Operations,
    /// How it is read, if the core has more to say of a response than its row.
    pub(super) typed: Option<Typed>,
    /// What making one is called here, and deleting it.
    pub(super) words: (&'static str, &'static str),
    /// What makes one, for a list that is empty.
    pub(super) made_by: &'static str,
    /// What goes along with one that is deleted, with several, and in Chinese.
    pub(super) goes_along: (&'static str, &'static str, &'static str),
    /// Members of the body that an update takes; all if there are none.
    pub(super) changes: &'static [&'static str],
    /// What tables show of it beside its names.
    pub(super) columns: &'static [Column],
    /// What people read of one, with more if that is asked for.
    pub(super) page: fn(&Item, bool) -> String,
    /// Its JSON without secrets.
    pub(super) hide: fn(&RawJson) -> RawJson,
    /// What selectors can ask, and an example; the first one is its name.
    pub(super) keys: &'static [Key],
    pub(super) selector: &'static str,
    /// Options for members that people write in another way than JSON does.
    pub(super) shorts: &'static [Short],
    /// Options that are not called as their members are.
    pub(super) renamed: &'static [(&'static str, &'static str)],
    /// What only this resource can do, and what it does in its own way.
    pub(super) verbs: &'static [Verb],
    /// Names and options of a create, and options of an update, for examples.
    pub(super) examples: (&'static str, &'static str),
}

/// The operations that all nouns have, by their names in [`OPERATIONS`]; none where there is no such thing.
pub(super) struct Operations {
    pub(super) list: &'static str,
    /// What the list asks for beside the path.
    pub(super) query: &'static [(&'static str, &'static str)],
    /// Without one, it is looked up in the list.
    pub(super) get: &'static str,
    /// The member of a listed one that is its name.
    pub(super) name: &'static str,
    pub(super) create: &'static str,
    pub(super) update: &'static str,
    pub(super) delete: &'static str,
    pub(super) exists: &'static str,
}

/// Reads what the service lists, and one.
#[derive(Clone, Copy)]
pub(super) struct Typed {
    pub(super) list: fn(&Remote) -> Result<Vec<RawJson>, Failure>,
    pub(super) get: fn(&Remote, &Names) -> Result<RawJson, Failure>,
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

impl Resource {
    /// What most of them have.
    pub(super) const BASE: Self = Self {
        word: "",
        one: "",
        many: "",
        chinese: "",
        none: "",
        alias: None,
        about: "",
        kind: "",
        body: None,
        parent: None,
        operations: Operations {
            list: "",
            query: &[],
            get: "",
            name: "name",
            create: "",
            update: "",
            delete: "",
            exists: "",
        },
        typed: None,
        words: ("create", "delete"),
        made_by: "",
        goes_along: ("", "", " "),
        changes: &[],
        columns: &[],
        page: |item, _| page::page(item),
        hide: hide_secrets,
        keys: &[Key::NAME],
        selector: "name=test_*",
        shorts: &[],
        renamed: &[],
        verbs: &[],
        examples: ("", ""),
    };

    /// The resource that has an operation.
    pub(crate) fn of(operation: &str) -> Option<&'static Self> {
        let mut nouns = RESOURCES.iter().copied();
        nouns.find(|resource| {
            resource
                .verbs()
                .any(|verb| verb.operations.contains(&operation))
        })
    }

    /// What does an operation: `repo get NAME`; what has no command of its own can be sent by `api`.
    pub(super) fn line(operation: &OperationInfo) -> String {
        let resource = Self::of(operation.name);
        let words = resource.and_then(|resource| {
            let mut verbs = resource.verbs();
            let verb = verbs.find(|verb| verb.operations.contains(&operation.name))?;
            Some(format!("{} {}", resource.word, verb.name))
        });
        let names = operation.names.iter().map(|name| key::shown(name.key));
        let names: Vec<String> = names.collect();
        let Some(words) = words else {
            let target = names
                .iter()
                .zip(operation.names)
                .fold(operation.path.to_owned(), |path, (shown, name)| {
                    path.replace(&format!("{{{}}}", name.key), shown)
                });
            return format!("api {} {target}", operation.method);
        };
        [vec![words], names].concat().join(" ")
    }

    /// The resource of these words.
    pub(crate) fn typed(words: &[&str]) -> Option<&'static Self> {
        let mut nouns = RESOURCES.iter().copied();
        nouns.find(|resource| resource.word.split(' ').eq(words.iter().copied()))
    }

    /// The names that making one takes: those of its path, where it is not made by a call of its own.
    fn names_of_create(&self) -> &'static [NameInfo] {
        match self.operations.create {
            "" => key::path(self),
            name => operation(name).names,
        }
    }

    /// How each is typed.
    pub(crate) fn words() -> impl Iterator<Item = &'static str> {
        RESOURCES.iter().map(|resource| resource.word)
    }

    fn kind(&self) -> &'static str {
        if self.kind.is_empty() {
            self.word
        } else {
            self.kind
        }
    }

    /// The names of all that there are, as commands take them, each with its status if it has one.
    pub(crate) fn names(&'static self, remote: &Remote) -> Result<Vec<(String, String)>, Failure> {
        let items = list::listed(self, remote, &[], NonZeroUsize::MIN)?;
        let named = |item: &Item| (item.names.to_string(), item.text("status").to_owned());
        Ok(items.iter().map(named).collect())
    }

    /// Whose name an argument is that is called so in the help. One that exists cannot be created.
    pub(crate) fn named(&'static self, verb: &str, argument: &str) -> Option<&'static Self> {
        match argument {
            "NAME" => (verb != self.words.0 && verb != "upload").then_some(self),
            "FROM" | "JOB" => self.parent,
            "TO" => Some(&super::repo::RESOURCE).filter(|_| verb == self.words.0),
            _ => None,
        }
    }

    fn verbs(&'static self) -> impl Iterator<Item = Verb> {
        let Operations {
            list,
            get,
            create,
            update,
            delete,
            exists,
            ..
        } = &self.operations;
        // One that is looked up in the list is no operation of its own.
        let get = if get.is_empty() { list } else { get };
        let common: [(_, _, Arguments, Perform); 6] = [
            ("list", list, list::arguments, list::run),
            ("get", get, get::arguments, get::run),
            ("describe", get, describe::arguments, describe::run),
            (self.words.0, create, create::arguments, create::create),
            (
                "update",
                update,
                create::arguments_of_update,
                create::update,
            ),
            ("exists", exists, exists::arguments, exists::run),
        ];
        let common = common
            .into_iter()
            .map(|(name, operation, arguments, perform)| {
                Verb::new(name, std::slice::from_ref(operation), arguments, perform)
            });
        let delete = Verb::act(self.words.1, std::slice::from_ref(delete));
        let common = common
            .chain([delete])
            .filter(|verb| !verb.operations[0].is_empty())
            // What `get` shows of a workflow is all that hangs together with it.
            .filter(|verb| self.typed.is_none() || verb.name != "describe");
        let same = |name| self.verbs.iter().find(move |own| own.name == name);
        let common: Vec<Verb> = common
            .map(|verb| *same(verb.name).unwrap_or(&verb))
            .collect();
        let is_new = |own: &&Verb| common.iter().all(|verb| verb.name != own.name);
        let more: Vec<Verb> = self.verbs.iter().filter(is_new).copied().collect();
        common.into_iter().chain(more)
    }

    /// The last word of its command.
    fn last_word(&self) -> &'static str {
        self.word.rsplit(' ').next().unwrap_or_default()
    }

    fn command(&'static self) -> Command {
        let verbs: Vec<&str> = self.verbs().map(|verb| verb.name).collect();
        let about = match self.about {
            "" => format!("{}: {}", capital(self.many), verbs.join(", ")),
            about => about.to_owned(),
        };
        Command::new(self.last_word())
            .about(about)
            .visible_aliases(self.alias)
            .subcommand_required(true)
            .arg_required_else_help(true)
    }

    /// Examples for the help of a verb.
    fn examples(&self, lines: &[String]) -> String {
        let lines = lines
            .iter()
            .map(|line| format!("\n  pipeline {} {line}", self.word));
        format!("Examples:{}", lines.collect::<String>())
    }

    /// The names in the example of a create, up to its own.
    fn example(&self) -> String {
        let names = 1 + usize::from(self.parent.is_some());
        let words = self.examples.0.split(' ').take(names);
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Adds the verbs to the command of a resource.
pub(super) fn with_verbs(command: Command) -> Command {
    let mut all = RESOURCES.iter();
    let resource = all.find(|it| it.last_word() == command.get_name());
    // A verb may be called as a resource is: `workflow export`.
    let Some(resource) = resource.filter(|_| command.is_subcommand_required_set()) else {
        return command;
    };
    resource.verbs().fold(command, |command, verb| {
        command.subcommand((verb.arguments)(resource, &verb, Command::new(verb.name)))
    })
}

/// An operation of the table.
pub(super) fn operation(name: &str) -> &'static OperationInfo {
    let mut all = OPERATIONS.iter();
    all.find(|info| info.name == name)
        .expect("a test looks for the operations of every resource")
}

/// With a capital at its beginning.
fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// What can be done with a resource.
#[derive(Clone, Copy)]
pub(super) struct Verb {
    name: &'static str,
    operations: &'static [&'static str],
    arguments: Arguments,
    run: Perform,
}

type Arguments = fn(&'static Resource, &Verb, Command) -> Command;
type Perform = fn(&Ask<'_>) -> Result<Exit, Failure>;

/// A verb as it was typed.
pub(super) struct Ask<'a> {
    pub(super) resource: &'static Resource,
    verb: &'a Verb,
    pub(super) matches: &'a ArgMatches,
    pub(super) global: &'a Global,
}

impl Ask<'_> {
    /// Which are meant, and the service.
    fn targets(&self) -> Result<(Targets, Remote), Failure> {
        let targets = Targets::read(self.resource, self.matches)?;
        Ok((targets, self.global.remote()?))
    }

    /// See [`flags::fill`].
    pub(super) fn fill(&self, body: &mut Map<String, Value>) -> Result<bool, Failure> {
        flags::fill(self.resource, self.matches, body)
    }
}

impl Verb {
    pub(super) const fn new(
        name: &'static str,
        operations: &'static [&'static str],
        arguments: Arguments,
        run: Perform,
    ) -> Self {
        Self {
            name,
            operations,
            arguments,
            run,
        }
    }

    /// One of a resource's own, which takes these arguments and sends these operations.
    pub(super) const fn own<T: Args + Run>(
        name: &'static str,
        operations: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            operations,
            arguments: |_, _, command| T::augment_args(command),
            run: |ask| {
                let arguments = T::from_arg_matches(ask.matches).map_err(Failure::usage)?;
                arguments.run(ask.global)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operations_of_every_noun_are_those_of_the_table() {
        for resource in RESOURCES {
            for name in resource.verbs().flat_map(|verb| verb.operations) {
                let known = OPERATIONS.iter().any(|info| info.name == *name);
                assert!(known, "{}: {name}", resource.word);
            }
        }
    }

    #[test]
    fn the_command_of_every_operation_is_there() {
        let mut root = crate::command::tree();
        root.build();
        for info in OPERATIONS {
            let line = Resource::line(info);
            let below = line
                .split(' ')
                .try_fold((&root, 0), |(command, depth), word| {
                    let next = command.find_subcommand(word);
                    next.map_or(Err(depth), |next| Ok((next, depth + 1)))
                });
            let depth = below.map_or_else(|depth| depth, |(_, depth)| depth);
            let least = 1 + usize::from(!line.starts_with("api "));
            assert!(depth >= least, "{}: {line}", info.name);
        }
        let by_api = |info: &&OperationInfo| Resource::line(info).starts_with("api ");
        let by_api: Vec<_> = OPERATIONS.iter().filter(by_api).map(|it| it.name).collect();
        assert_eq!(by_api, ["push_raw"]);
    }
}
