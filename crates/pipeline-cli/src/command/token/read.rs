use std::path::{Path, PathBuf};

use clap::Args;
use pipeline_proto::{Token, TokenDescriptor, UnixTime};
use serde::Serialize;

use super::validity;
use crate::{
    exit::Exit,
    failure::Failure,
    file::read,
    lang,
    options::Global,
    output::{Cell, Show, Table, note},
};

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
    pub(super) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let token = read(global, self.file.as_deref())?;
        let descriptor = token.decode().map_err(Failure::usage)?;
        global.format().write(&Decoded::new(&token, descriptor))?;
        Ok(Exit::Done)
    }
}

impl Verify {
    pub(super) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let token = read(global, self.file.as_deref())?;
        let descriptor = token
            .verify(&global.required_keys()?)
            .map_err(|error| Failure::new(Exit::Refused, error))?;
        let decoded = Decoded::new(&token, descriptor);
        if decoded.expired {
            let line = format!(
                "the token is genuine but {}",
                validity::distance(decoded.expires)
            );
            return Err(Failure::new(Exit::Refused, line));
        }
        global.format().write(&decoded)?;
        note(format_args!(
            "verified: the token was made with the keys in use, and {}",
            validity::distance(decoded.expires)
        ));
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
        return from(path);
    }
    match global.token()? {
        Some(token) => Ok(token),
        None => from(Path::new("-")),
    }
}

fn from(path: &Path) -> Result<Token, Failure> {
    let secret = read::secret(path).map_err(|failure| {
        failure.and(lang::pick(
            "a token is wanted: give the name of a file with it, write it to standard input, or set PANDORA_TOKEN",
            "需要一个令牌：请给出存放令牌的文件名，或写到标准输入，或设置 PANDORA_TOKEN",
        ))
    })?;
    secret.parse().map_err(Failure::usage)
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
    /// The same as RFC 3339 writes it; absent beyond its years.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    expired: bool,
    /// Negative if it has expired.
    seconds_left: i64,
}

impl Decoded {
    fn new(token: &Token, descriptor: TokenDescriptor) -> Self {
        let seconds_left = validity::seconds_left(descriptor.expires);
        Self {
            access_key: token.access_key().to_owned(),
            expires_at: validity::rfc3339(descriptor.expires),
            expired: seconds_left < 0,
            seconds_left,
            method: descriptor.method,
            resource: descriptor.resource,
            content_type: descriptor.content_type,
            content_md5: descriptor.content_md5,
            headers: descriptor.headers,
            expires: descriptor.expires,
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
        table.pair("Expires", Cell::from(validity::described(self.expires)));
        table.render()
    }
}
