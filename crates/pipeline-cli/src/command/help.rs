//! `pipeline help`: the help of commands, and topics that belong to no single one.

use clap::Args;
use pipeline_graph::nearest;
use pipeline_proto::resource::OPERATIONS;

use super::{built, resource::Resource, tree};
use crate::{
    exit::{self, Exit},
    failure::Failure,
    output, settings,
};

/// Show the help of a command, or of a topic
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline help
  pipeline help workflow start
  pipeline help exit-codes

Without a word, lists commands and topics.")]
pub(crate) struct Help {
    /// Command with its sub-command, or topic
    #[arg(value_name = "COMMAND|TOPIC")]
    words: Vec<String>,
}

/// Something that several commands have in common.
pub(crate) struct Topic {
    pub(crate) name: &'static str,
    /// One line.
    pub(crate) about: &'static str,
    /// A title with a colon, and lines of at most 100 columns; the last one has no end. What is
    /// indented keeps its lines in the manual page, too.
    pub(crate) text: fn() -> String,
}

/// All topics, in the order in which they are listed.
pub(crate) const TOPICS: &[Topic] = &[
    Topic {
        name: "environment",
        about: "Variables that the command reads",
        text: || ENVIRONMENT.into(),
    },
    Topic {
        name: "exit-codes",
        about: "What the exit code says",
        text: exit::table,
    },
    Topic {
        name: "operations",
        about: "What the service can be asked, and which command asks it",
        text: operations,
    },
    Topic {
        name: "settings",
        about: "What counts: options, profiles, variables, defaults",
        text: || settings::PRECEDENCE.into(),
    },
    Topic {
        name: "tokens",
        about: "How a device starts a workflow without a key",
        text: || TOKENS.into(),
    },
];

const ENVIRONMENT: &str = "\
Environment:
  PANDORA_ACCESS_KEY, PANDORA_SECRET_KEY
          the keys that requests are signed with
  PANDORA_TOKEN
          a ready-made token instead; it comes before the keys
  PANDORA_ENDPOINT
          where the service is
  PANDORA_LOGDB_ENDPOINT, PANDORA_TSDB_ENDPOINT
          where LogDB and TSDB are, for `pipeline ship --export`; known beside the vendor's service
  PANDORA_EXPORT_SECRET_KEY
          the secret key of another account, for `pipeline ship --export kodo:exportAccessKey=…`
  PANDORA_CA_FILE
          further certificates to trust
  PANDORA_PROFILE
          the profile to use
  PANDORA_CONFIG_FILE
          the file with the profiles, instead of pipeline/config.toml in the configuration folder
  PANDORA_ALLOW_OPEN_FILES
          if set, files with secrets may be readable by others, as on a mount with fixed modes
  LC_ALL, LC_MESSAGES, LANG
          with zh…, errors are explained in Chinese
  https_proxy, http_proxy, all_proxy, no_proxy
          the way there, read as curl reads them, in capitals as well but for http_proxy; for this
          machine itself no proxy is used, and `pipeline config explain` shows which one counts
  NO_COLOR, CLICOLOR_FORCE
          colour
  COMPLETE
          set by shells that complete a line, see `pipeline help completions`

An option comes before its variable, a variable before the chosen profile; `pipeline config explain`
shows what counts. An empty variable counts as not set.";

const TOKENS: &str = "\
Tokens:

A token is a permission for one kind of request until some time: one method, one path, one content
type. It is made offline from the keys and takes their place, so a device that has it needs no key
and can do nothing else. It cannot be called back before it ends; keep its time short.

On a machine with the keys, a token for a single operation, or all that a device needs:
  pipeline token mint start_workflow nginx_logs --ttl 1h
  pipeline token bundle nginx_logs --ttl 1h > device.json

For a device that pushes into a queue and does nothing else:
  pipeline token mint push_points clicks --ttl 12h

On the device, by this command or by anything that can send a request:
  PANDORA_TOKEN=… pipeline workflow start nginx_logs
  PANDORA_TOKEN=… pipeline repo push clicks clicks.csv
  curl -X POST -H \"Authorization: $TOKEN\" -H 'Content-Length: 0' \\
    https://…/v2/workflows/nginx_logs/start

`start --wait` and `stop --wait` also look at the workflow, with another kind of request than the
one that starts it, so a single token is not enough for them.

What a token permits and how long it is still good:
  pipeline token decode token.txt";

/// Each operation of the core with its command, a line each.
fn operations() -> String {
    let rows = OPERATIONS
        .iter()
        .map(|info| format!("\n  {:20}  pipeline {}", info.name, Resource::line(info)));
    format!(
        "Operations:\n\nBy their names in both clients, which `pipeline token mint` takes as well:{}",
        rows.collect::<String>()
    )
}

impl Help {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let text = match words.as_slice() {
            [] => tree().render_help().ansi().to_string(),
            words => match topic(words) {
                Some(topic) => format!("{}\n", (topic.text)()),
                None => of_command(words)?,
            },
        };
        output::text(&text)?;
        Ok(Exit::Done)
    }
}

fn topic(words: &[&str]) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| words == [topic.name])
}

fn of_command(words: &[&str]) -> Result<String, Failure> {
    let root = built();
    let mut command = &root;
    let mut path = String::from("pipeline");
    for &word in words {
        let Some(next) = command.find_subcommand(word) else {
            return Err(unknown(word, &path, command));
        };
        path.push(' ');
        path.push_str(next.get_name());
        command = next;
    }
    Ok(command.clone().render_long_help().ansi().to_string())
}

fn unknown(word: &str, path: &str, command: &clap::Command) -> Failure {
    let at_the_top = path == "pipeline";
    let topics = TOPICS.iter().map(|topic| topic.name);
    let names = command
        .get_subcommands()
        .flat_map(clap::Command::get_name_and_visible_aliases)
        .chain(topics.filter(|_| at_the_top));
    let what = if at_the_top {
        format!("there is no command or topic {word:?}")
    } else {
        format!("`{path}` has no command {word:?}")
    };
    Failure::usage(match nearest(word, names) {
        Some(name) => format!("{what}; did you mean `{name}`?"),
        None if at_the_top => format!("{what}; `pipeline help` lists them"),
        None => {
            let help = path.replacen("pipeline", "pipeline help", 1);
            format!("{what}; `{help}` lists all")
        }
    })
}

/// The list of topics, as it stands below the help of the whole command.
pub(crate) fn list() -> String {
    let width = TOPICS.iter().map(|topic| topic.name.len()).max();
    let width = width.unwrap_or_default();
    let lines = TOPICS
        .iter()
        .map(|Topic { name, about, .. }| format!("  {name:width$}  {about}\n"));
    format!(
        "Topics, shown by `pipeline help TOPIC`:\n{}",
        lines.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_in_shape() {
        for Topic { name, about, text } in TOPICS {
            let text = text();
            assert!(!about.contains('\n') && !about.ends_with('.'), "{name}");
            assert!(!text.ends_with('\n') && text.contains(":\n"), "{name}");
            let wide = text.lines().find(|line| line.chars().count() > 100);
            assert_eq!(wide, None, "{name}");
            // A command of this name would hide the topic, or the topic the command.
            let command = tree();
            assert!(command.find_subcommand(name).is_none(), "{name}");
        }
    }
}
