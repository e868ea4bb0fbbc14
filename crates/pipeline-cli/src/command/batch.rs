//! Many at once: JSON lines in, JSON lines out, one for one and each at once, so that another program
//! can hold a conversation.

use std::io::{self, BufRead as _, Write as _};

use pipeline_proto::Credentials;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{exit::Exit, failure::Failure, output};

/// Who signs, as far as a line says so.
pub(crate) struct Keys {
    pub(crate) access_key: Option<String>,
    pub(crate) secret_key: Option<Zeroizing<String>>,
}

impl Keys {
    /// The keys of the line, else those of the command.
    pub(crate) fn or(self, default: Option<&Credentials>) -> Result<Credentials, String> {
        match (self.access_key, self.secret_key) {
            (Some(access_key), Some(secret_key)) => {
                Credentials::new(access_key, secret_key.as_bytes()).map_err(|e| e.to_string())
            }
            (None, None) => default
                .cloned()
                .ok_or_else(|| "access_key and secret_key are missing".to_owned()),
            (None, Some(_)) => Err("access_key is missing".to_owned()),
            (Some(_), None) => Err("secret_key is missing".to_owned()),
        }
    }
}

/// Answers each line of stdin with one of stdout: `{"<member>": …}`, or `{"error": …}` for a line that
/// cannot be used. The errors are the answers of their lines, so the command as a whole succeeds.
pub(crate) fn run<T: DeserializeOwned>(
    member: &str,
    mut answer: impl FnMut(T) -> Result<String, String>,
) -> Result<Exit, Failure> {
    let mut stdin = io::stdin().lock();
    let mut stdout = io::stdout().lock();
    let mut line = Zeroizing::new(Vec::new());
    loop {
        line.clear();
        let length = stdin
            .read_until(b'\n', &mut line)
            .map_err(|error| Failure::io("standard input", &error))?;
        if length == 0 {
            return Ok(Exit::Done);
        }
        let (member, text) = match parse(&line).and_then(&mut answer) {
            Ok(text) => (member, text),
            Err(error) => ("error", error),
        };
        let object = Value::from(Map::from_iter([(member.to_owned(), text.into())]));
        match writeln!(stdout, "{object}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            Err(error) => return Err(output::unwritten(&error)),
            Ok(()) => {}
        }
    }
}

/// Reads a line. The message of the parser would repeat what is in it, which may be a secret.
fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| {
        if error.is_data() {
            let missing = error.to_string();
            let missing = missing.split(" at line ").next().unwrap_or_default();
            if missing.starts_with("missing field") {
                return missing.to_owned();
            }
            format!(
                "a member has the wrong type, before column {}",
                error.column()
            )
        } else {
            format!("not a line of JSON, at column {}", error.column())
        }
    })
}
