use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use clap::{Args, Subcommand};
use http::Method;
use pipeline_proto::{Credentials, Token, TokenDescriptor, UnixTime};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    batch::{self, Keys},
    header,
};
use crate::{
    app::Global,
    duration::{self, Short},
    exit::Exit,
    failure::Failure,
    input,
    output::{self, Cell, Format, Show, Table},
};

/// Make and read tokens: a permission for one kind of request until some time
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum TokenCommand {
    Mint(Mint),
    Decode(Decode),
    Verify(Verify),
}

impl TokenCommand {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        match self {
            Self::Mint(command) => command.run(global),
            Self::Decode(command) => command.run(global),
            Self::Verify(command) => command.run(global),
        }
    }
}

/// Make a token
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline token mint --method POST --resource /v2/workflows/w/start --ttl 1h
  pipeline token mint --method GET --resource /v2/workflows/w/status --expires 4102444800
  PANDORA_TOKEN=$(pipeline token mint --method GET --resource /v2/workflows --ttl 5m) \\
    pipeline workflow list

The resource is taken as it is written: the path of the request. Content type, digest and X-Qiniu-… \
headers must be those of the request; create, update and search send application/json, all \
others none.

With --batch, every line of stdin is a JSON object with method, resource, expires, and perhaps \
content_type, content_md5, headers, access_key and secret_key, and is answered by one line:
{\"token\":…} or {\"error\":…}. The exit code is 0 even if lines were wrong.")]
pub(crate) struct Mint {
    /// Method of the request
    #[arg(short = 'X', long, required_unless_present = "batch", value_parser = method)]
    method: Option<Method>,

    /// Path of the request
    #[arg(short, long, value_name = "PATH", required_unless_present = "batch")]
    resource: Option<String>,

    /// How long the token is good
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration::parse,
        required_unless_present_any = ["batch", "expires"],
        conflicts_with = "expires"
    )]
    ttl: Option<Duration>,

    /// When it ends, in seconds since 1970
    #[arg(long, value_name = "UNIX")]
    expires: Option<i64>,

    /// Content-Type of the request
    #[arg(
        long,
        value_name = "TYPE",
        default_value = "",
        hide_default_value = true
    )]
    content_type: String,

    /// Content-MD5 of the request, in base64
    #[arg(
        long,
        value_name = "DIGEST",
        default_value = "",
        hide_default_value = true
    )]
    content_md5: String,

    /// Header of the request; those that start with X-Qiniu- are bound
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header::split)]
    headers: Vec<(String, String)>,

    /// Make a token for each line of stdin
    #[arg(
        long,
        conflicts_with_all =
            ["method", "resource", "ttl", "expires", "content_type", "content_md5", "headers"]
    )]
    batch: bool,
}

fn method(text: &str) -> Result<Method, String> {
    match text.to_ascii_uppercase().as_str() {
        "GET" => Ok(Method::GET),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "DELETE" => Ok(Method::DELETE),
        _ => Err("a token is for one of GET, POST, PUT, DELETE".to_owned()),
    }
}

impl Mint {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        if self.batch {
            let default = global.keys()?;
            return batch::run("token", |line: Line| line.mint(default.as_ref()));
        }
        let expires = match (self.ttl, self.expires) {
            (Some(ttl), _) => SystemTime::now()
                .checked_add(ttl)
                .map(UnixTime::from)
                .ok_or_else(|| Failure::usage("--ttl is too long"))?,
            (None, Some(expires)) => UnixTime::from_secs(expires),
            (None, None) => return Err(Failure::usage("--ttl or --expires is needed")),
        };
        // The parser demands both.
        let (Some(method), Some(resource)) = (self.method, self.resource) else {
            return Err(Failure::usage("--method and --resource are needed"));
        };
        if expires < UnixTime::from(SystemTime::now()) {
            output::note("the token has expired already");
        }
        let token = TokenDescriptor::new(&method, resource, expires)
            .content_type(self.content_type)
            .content_md5(self.content_md5)
            .signed_headers(&header::map(&self.headers).map_err(Failure::usage)?)
            .map_err(Failure::usage)?
            .mint(&global.required_keys()?);
        if global.format() == Format::Table {
            output::raw(format!("{}\n", token.as_str()).as_bytes())?;
        } else {
            global.format().write(&Minted {
                token: token.as_str(),
                expires,
            })?;
        }
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
struct Minted<'a> {
    token: &'a str,
    expires: UnixTime,
}

impl Show for Minted<'_> {
    fn names(&self) -> Vec<&str> {
        vec![self.token]
    }

    fn table(&self) -> String {
        format!("{}\n", self.token)
    }
}

/// A line of a batch.
#[derive(Deserialize)]
struct Line {
    method: String,
    resource: String,
    expires: i64,
    content_type: Option<String>,
    content_md5: Option<String>,
    headers: Option<Vec<(String, String)>>,
    access_key: Option<String>,
    secret_key: Option<Zeroizing<String>>,
}

impl Line {
    fn mint(self, default: Option<&Credentials>) -> Result<String, String> {
        let keys = Keys {
            access_key: self.access_key,
            secret_key: self.secret_key,
        };
        let credentials = keys.or(default)?;
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| format!("{:?} is not a method of HTTP", self.method))?;
        let headers = header::map(&self.headers.unwrap_or_default())?;
        let descriptor =
            TokenDescriptor::new(&method, self.resource, UnixTime::from_secs(self.expires))
                .content_type(self.content_type.unwrap_or_default())
                .content_md5(self.content_md5.unwrap_or_default())
                .signed_headers(&headers)
                .map_err(|error| error.to_string())?;
        Ok(descriptor.mint(&credentials).as_str().to_owned())
    }
}

/// Show what a token permits, without checking its signature
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline token decode token.txt
  echo \"$TOKEN\" | pipeline token decode -
  PANDORA_TOKEN=… pipeline token decode

A token is as good as a key until it expires, so it is not taken as an argument: it comes from a \
file, from stdin, or from PANDORA_TOKEN. Without any of these, stdin is read.")]
pub(crate) struct Decode {
    /// File with the token, `-` for stdin
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Check that a token was made with our keys and has not expired
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline token verify token.txt
  echo \"$TOKEN\" | pipeline token verify -

Prints what the token permits. Ends with code 4 if it was made with other keys, was changed, or has \
expired. The token comes from a file, from stdin, or from PANDORA_TOKEN.")]
pub(crate) struct Verify {
    /// File with the token, `-` for stdin
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Decode {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let token = read(global, self.file.as_deref())?;
        let descriptor = token.decode().map_err(Failure::usage)?;
        global.format().write(&Decoded::new(&token, descriptor))?;
        Ok(Exit::Done)
    }
}

impl Verify {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let token = read(global, self.file.as_deref())?;
        let descriptor = token
            .verify(&global.required_keys()?)
            .map_err(|error| Failure::new(Exit::Refused, error))?;
        let decoded = Decoded::new(&token, descriptor);
        if decoded.expired {
            let line = format!("the token is genuine but {}", decoded.validity());
            return Err(Failure::new(Exit::Refused, line));
        }
        global.format().write(&decoded)?;
        Ok(Exit::Done)
    }
}

/// Takes the token from wherever it may be.
fn read(global: &Global, file: Option<&Path>) -> Result<Token, Failure> {
    if let Some(path) = file {
        let looks_like_one = path.to_string_lossy().matches(':').count() == 2;
        if looks_like_one && !path.exists() {
            return Err(Failure::usage(
                "a token is not taken as an argument, where others could see it: give a file, or - for stdin",
            ));
        }
        return input::read_secret(path)?.parse().map_err(Failure::usage);
    }
    match global.token()? {
        Some(token) => Ok(token),
        None => input::read_secret(Path::new("-"))?
            .parse()
            .map_err(Failure::usage),
    }
}

#[derive(Serialize)]
struct Decoded {
    access_key: String,
    method: String,
    resource: String,
    content_type: String,
    content_md5: String,
    /// The canonical headers that are bound, beginning with a newline.
    headers: String,
    /// Seconds since 1970.
    expires: UnixTime,
    expired: bool,
    /// Negative if it has expired.
    seconds_left: i64,
}

impl Decoded {
    fn new(token: &Token, descriptor: TokenDescriptor) -> Self {
        let now = SystemTime::now();
        Self {
            access_key: token.access_key().to_owned(),
            expired: descriptor.is_expired(now),
            seconds_left: descriptor
                .expires
                .as_secs()
                .saturating_sub(UnixTime::from(now).as_secs()),
            method: descriptor.method,
            resource: descriptor.resource,
            content_type: descriptor.content_type,
            content_md5: descriptor.content_md5,
            headers: descriptor.headers,
            expires: descriptor.expires,
        }
    }

    fn validity(&self) -> String {
        let distance = Short(Duration::from_secs(self.seconds_left.unsigned_abs()));
        if self.expired {
            format!("expired {distance} ago")
        } else {
            format!("good for another {distance}")
        }
    }
}

impl Show for Decoded {
    fn names(&self) -> Vec<&str> {
        vec![&self.resource]
    }

    fn table(&self) -> String {
        let mut table = Table::of_pairs();
        table.pair("Access key", Cell::from(&self.access_key));
        table.pair("Method", Cell::from(&self.method));
        table.pair("Resource", Cell::from(&self.resource));
        table.pair("Content-Type", Cell::from(&self.content_type));
        table.pair("Content-MD5", Cell::from(&self.content_md5));
        table.pair("Headers", Cell::from(self.headers.trim()));
        let expires = self
            .expires
            .to_system_time()
            .filter(|_| (0..253_402_300_800).contains(&self.expires.as_secs()))
            .map_or_else(
                || self.expires.as_secs().to_string(),
                httpdate::fmt_http_date,
            );
        table.pair(
            "Expires",
            Cell::from(format!("{expires}, {}", self.validity())),
        );
        table.render()
    }
}
