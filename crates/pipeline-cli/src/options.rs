//! The options that every command takes.

use std::{ffi::OsStr, path::PathBuf, time::Duration};

use clap::{
    Args, ValueEnum,
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
        short,
        long,
        global = true,
        value_name = "FORMAT",
        value_parser = Output::parser(),
        default_value = "table",
        help_heading = EVERYWHERE
    )]
    output: Output,

    /// Do not ask before something is lost: a workflow that is deleted, nodes and edges that `apply`
    /// removes, a file that is overwritten
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub(crate) yes: bool,

    /// When to use colour; NO_COLOR and CLICOLOR_FORCE count as well
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        help_heading = EVERYWHERE
    )]
    pub(crate) color: Color,

    /// Language of error messages and meanings: en or zh [default: by the locale]
    #[arg(
        long,
        global = true,
        value_name = "LANG",
        value_enum,
        hide_possible_values = true,
        hide_short_help = true,
        help_heading = EVERYWHERE
    )]
    pub(crate) lang: Option<Lang>,

    /// Profile to use [env: PANDORA_PROFILE] [default: the one chosen by `pipeline config use`]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = format!("Where the service is [env: PANDORA_ENDPOINT] [default: {}]", Endpoint::DEFAULT)
    )]
    pub(crate) endpoint: Option<Endpoint>,

    /// Access key [env: PANDORA_ACCESS_KEY]
    #[arg(long, global = true, value_name = "KEY", hide_short_help = true)]
    pub(crate) access_key: Option<String>,

    /// File with the secret key, `-` for stdin; or set PANDORA_SECRET_KEY
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) secret_key_file: Option<PathBuf>,

    /// File with a ready-made token, `-` for stdin; or set PANDORA_TOKEN
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        hide_short_help = true,
        conflicts_with_all = ["access_key", "secret_key_file"]
    )]
    pub(crate) token_file: Option<PathBuf>,

    /// Act on another account's workflows
    #[arg(long, global = true, value_name = "ACCOUNT", hide_short_help = true)]
    pub(crate) resource_owner: Option<ResourceOwner>,

    /// Longest time for a call with its repetitions, or for a wait [default: 30s, 5m]
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        value_parser = parse_timeout
    )]
    pub(crate) timeout: Option<Duration>,

    /// Longest time for making a connection
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        value_parser = parse_timeout,
        default_value = "10s",
        hide_short_help = true
    )]
    pub(crate) connect_timeout: Duration,

    /// How often a call is repeated that failed for the moment, where that is safe
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = 2,
        hide_short_help = true
    )]
    pub(crate) retries: u32,

    /// Most that a wrong clock is made up for; 0s for nothing. If given, also over plain http to another
    /// machine, where it is not done otherwise [default: 24h]
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        value_parser = duration::parse,
        hide_short_help = true
    )]
    pub(crate) correct_clock: Option<Duration>,

    /// Largest response that is taken in, also after it was decompressed: 500KiB, 64MiB, 1GB
    #[arg(
        long,
        global = true,
        value_name = "SIZE",
        value_parser = size::parse,
        default_value = "8MiB",
        hide_short_help = true
    )]
    pub(crate) max_response_size: usize,

    /// File with further certificates to trust, of authorities or of the server itself, in PEM or DER form
    /// [env: PANDORA_CA_FILE]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_file: Option<PathBuf>,

    /// Use no proxy, whatever https_proxy, http_proxy and all_proxy say
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_proxy: bool,

    /// Show each request and its response on stderr, without bodies and credentials
    #[arg(long, global = true, hide_short_help = true, help_heading = WIRE)]
    pub(crate) debug_http: bool,

    /// File to record requests and responses in, as JSON lines: bodies as they are, no credentials
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        hide_short_help = true,
        help_heading = WIRE
    )]
    pub(crate) record: Option<PathBuf>,

    /// File to take responses from instead of the service: one that --record wrote
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        hide_short_help = true,
        help_heading = WIRE,
        conflicts_with = "record"
    )]
    pub(crate) replay: Option<PathBuf>,
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
