//! The options that every command takes.

use std::{ffi::OsStr, path::PathBuf, time::Duration};

use clap::{
    Arg, Args, Command, ValueEnum,
    builder::{EnumValueParser, PossibleValue, TypedValueParser},
    error::ErrorKind,
};
use pipeline_proto::{Endpoint, ResourceOwner};

use crate::{
    duration::{self, parse_timeout},
    lang::Lang,
    output::{Form, Format},
    size,
};

/// Options that every command takes, before or after its name.
#[derive(Debug, Args)]
#[command(next_help_heading = CONNECTION)]
pub(crate) struct Global {
    /// How data is written to stdout
    #[arg(
        short, long, value_name = "FORMAT",
        value_parser = Output::parser(), default_value = "table",
        help_heading = EVERYWHERE
    )]
    output: Output,

    /// Do not ask before something is lost: a workflow that is deleted, nodes and edges that `apply`
    /// removes, a file that is overwritten
    #[arg(short, long, help_heading = EVERYWHERE)]
    pub(crate) yes: bool,

    /// When to use colour; NO_COLOR and CLICOLOR_FORCE count as well
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, help_heading = EVERYWHERE)]
    pub(crate) color: Color,

    /// Language of error messages and meanings: en or zh [default: by the locale]
    #[arg(
        long, value_name = "LANG", value_enum, hide_possible_values = true,
        help_heading = EVERYWHERE
    )]
    pub(crate) lang: Option<Lang>,

    /// Profile to use [env: PANDORA_PROFILE] [default: the one chosen by `pipeline config use`]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    #[arg(
        long,
        value_name = "URL",
        help = format!("Where the service is [env: PANDORA_ENDPOINT] [default: {}]", Endpoint::DEFAULT)
    )]
    pub(crate) endpoint: Option<Endpoint>,

    /// Access key [env: PANDORA_ACCESS_KEY]
    #[arg(long, value_name = "KEY")]
    pub(crate) access_key: Option<String>,

    /// File with the secret key, `-` for stdin; or set PANDORA_SECRET_KEY
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_key_file: Option<PathBuf>,

    /// File with a ready-made token, `-` for stdin; or set PANDORA_TOKEN
    #[arg(long, value_name = "FILE", conflicts_with_all = ["access_key", "secret_key_file"])]
    pub(crate) token_file: Option<PathBuf>,

    /// Act on another account's workflows
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) resource_owner: Option<ResourceOwner>,

    /// Longest time for a call with its repetitions, or for a wait [default: 30s, 5m]
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout)]
    pub(crate) timeout: Option<Duration>,

    /// Longest time for making a connection
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout, default_value = "10s")]
    pub(crate) connect_timeout: Duration,

    /// How often a call is repeated that failed for the moment, where that is safe
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) retries: u32,

    /// Most that a wrong clock is made up for; 0s for nothing. If given, also over plain http to another
    /// machine, where it is not done otherwise [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) correct_clock: Option<Duration>,

    /// Largest response that is taken in, also after it was decompressed: 500KiB, 64MiB, 1GB
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value = "8MiB")]
    pub(crate) max_response_size: usize,

    /// File with further certificates to trust, of authorities or of the server itself, in PEM or DER form
    /// [env: PANDORA_CA_FILE]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Use no proxy, whatever https_proxy, http_proxy and all_proxy say
    #[arg(long)]
    pub(crate) no_proxy: bool,

    /// Show each request and its response on stderr, without bodies and credentials
    #[arg(long, help_heading = WIRE)]
    pub(crate) debug_http: bool,

    /// File to record requests and responses in, as JSON lines: bodies as they are, no credentials
    #[arg(long, value_name = "FILE", help_heading = WIRE)]
    pub(crate) record: Option<PathBuf>,

    /// File to take responses from instead of the service: one that --record wrote
    #[arg(long, value_name = "FILE", help_heading = WIRE, conflicts_with = "record")]
    pub(crate) replay: Option<PathBuf>,
}

/// The options that `-h` shows; `--help` shows all.
const IN_SHORT_HELP: [&str; 6] = ["output", "yes", "color", "profile", "endpoint", "timeout"];

/// The one that some commands have in a form of their own. As it is global from the top on, what was typed for either
/// counts.
pub(crate) const REPLACED: &str = "output";

/// As they stand at the top.
pub(crate) fn in_short(command: Command) -> Command {
    command.mut_args(|arg| {
        let hide = !IN_SHORT_HELP.contains(&arg.get_id().as_str());
        let is_replaced = arg.get_id() == REPLACED;
        arg.global(is_replaced).hide_short_help(hide)
    })
}

/// Lets them be given after the name of a command, too. By itself clap would copy them into all commands before it
/// knows which one is meant, as it would those of a group into all that it has.
pub(crate) fn everywhere(command: Command) -> Command {
    let all = in_short(Global::augment_args(Command::default()));
    let is_new = |arg: &&Arg| {
        command
            .get_arguments()
            .all(|own| own.get_id() != arg.get_id())
    };
    let new: Vec<Arg> = all.get_arguments().filter(is_new).cloned().collect();
    let is_group = command.has_subcommands();
    command.args(new.into_iter().map(|arg| {
        let is_global = !is_group || arg.is_global_set();
        arg.global(is_global)
    }))
}

impl Global {
    /// Whether an option says anything about keys.
    pub(crate) fn gives_keys(&self) -> bool {
        self.access_key.is_some() || self.secret_key_file.is_some()
    }

    pub(crate) fn format(&self) -> Format {
        match self.output {
            Output::Format(format) => format,
            Output::Picture(_) => Format::Table,
        }
    }
}

/// What `-o` says: the form of the data, which is a picture for one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Format(Format),
    Picture(Form),
}

impl Output {
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        EnumValueParser::<Format>::new().map(Self::Format)
    }

    /// For the command that draws.
    pub(crate) fn picture_parser() -> impl TypedValueParser<Value = Self> {
        FormParser
    }
}

/// Knows what `-o` meant there once.
#[derive(Clone)]
struct FormParser;

impl TypedValueParser for FormParser {
    type Value = Output;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Output, clap::Error> {
        let form = EnumValueParser::<Form>::new().parse_ref(command, arg, value);
        form.map(Output::Picture).map_err(|_| {
            let value = value.display();
            let forms = self.possible_values().into_iter().flatten();
            let forms: Vec<String> = forms.map(|form| form.get_name().to_owned()).collect();
            let line = format!(
                "-o {value}: a picture is {}; to write a file, give --out {value}",
                forms.join(", ")
            );
            clap::Error::raw(ErrorKind::InvalidValue, line)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let forms = Form::value_variants().iter();
        Some(Box::new(forms.filter_map(ValueEnum::to_possible_value)))
    }
}

pub(crate) const EVERYWHERE: &str = "Everywhere";
const CONNECTION: &str = "Connection";
const WIRE: &str = "Seeing the wire";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}
