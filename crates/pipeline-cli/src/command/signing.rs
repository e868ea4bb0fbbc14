//! What `sign` and `token mint` have in common: headers of the command line, and requests that come as
//! lines of JSON.

use std::io::{self, BufRead as _, Write as _};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use pipeline_proto::Credentials;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{exit::Exit, failure::Failure, output};

/// A line of a batch.
#[derive(Deserialize)]
struct Line<T> {
    method: String,
    headers: Option<Vec<(String, String)>>,
    access_key: Option<String>,
    secret_key: Option<Zeroizing<String>>,
    /// What is to be signed.
    #[serde(flatten)]
    what: T,
}

/// What is to be signed, with which keys.
pub(crate) struct Request<T> {
    pub(crate) credentials: Credentials,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) what: T,
}

impl<T> Line<T> {
    /// With the keys of the line, else those of the command.
    fn read(self, default: Option<&Credentials>) -> Result<Request<T>, String> {
        let credentials = match (self.access_key, self.secret_key) {
            (Some(access_key), Some(secret_key)) => {
                Credentials::new(access_key, secret_key.as_bytes()).map_err(|e| e.to_string())?
            }
            (None, None) => default
                .cloned()
                .ok_or("access_key and secret_key are missing")?,
            (None, Some(_)) => return Err("access_key is missing".to_owned()),
            (Some(_), None) => return Err("secret_key is missing".to_owned()),
        };
        Ok(Request {
            credentials,
            method: Method::from_bytes(self.method.as_bytes())
                .map_err(|_| format!("{:?} is not a method of HTTP", self.method))?,
            headers: headers(&self.headers.unwrap_or_default())?,
            what: self.what,
        })
    }
}

/// Writes a line for each line of stdin, at once, so that another program can hold a conversation:
/// `{"<member>": …}`, or `{"error": …}` for a line that cannot be used. Such errors are data, so the
/// command as a whole succeeds.
pub(crate) fn batch<T: DeserializeOwned>(
    member: &str,
    default: Option<&Credentials>,
    sign: impl Fn(Request<T>) -> Result<String, String>,
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
        let (member, text) = match parse(&line).and_then(|line: Line<T>| sign(line.read(default)?))
        {
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

/// Adds a header. Of a repeated one the first value counts, so it is kept as well as the others.
fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let parsed: HeaderName = name
        .parse()
        .map_err(|_| format!("{name:?} cannot be the name of a header"))?;
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| format!("the value of header {parsed} has control characters"))?;
    headers
        .try_append(parsed, value)
        .map_err(|_| "there are too many headers".to_owned())?;
    Ok(())
}

/// Splits `Name: value`.
pub(crate) fn split_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as 'Name: value'")?;
    Ok((
        name.trim().to_owned(),
        value.trim_matches([' ', '\t']).to_owned(),
    ))
}

pub(crate) fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        append(&mut map, name, value)?;
    }
    Ok(map)
}
