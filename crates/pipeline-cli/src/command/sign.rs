mod curl;
mod url;

use std::time::SystemTime;

use clap::{Args, ValueEnum};
use http::{HeaderMap, HeaderValue, Method, header::DATE, request::Parts};
use pipeline_proto::{Credentials, sign};
use serde::{Deserialize, Serialize};

use crate::{
    command::signing::{self, Request},
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{self, Show, note},
};
use url::Url;

/// Sign a request: print its Authorization header, the text that is signed, or a curl command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline sign --method GET --url /v2/workflows
  pipeline sign --method POST --url /v2/workflows/w/start --curl
  pipeline sign --method GET --url /v2/workflows -H 'Date: Sun, 06 Nov 1994 08:49:37 GMT' \\
    --show string-to-sign | od -c
  pipeline sign --batch < requests.jsonl

The decoded path is signed, as the service sees it; a URL without a path has the path /. Query and \
fragment are not signed. Of headers, Content-MD5, Content-Type, Date and X-Qiniu-… are.

With --batch, every line of stdin is a JSON object with method, url, and perhaps headers (an array of \
pairs), access_key and secret_key, and is answered by one line: {\"authorization\":…} or {\"error\":…}. \
A line without a Date header is signed with an empty date. The exit code is 0 even if lines were wrong.")]
pub(crate) struct Sign {
    /// Method of the request
    #[arg(short = 'X', long, required_unless_present = "batch", value_parser = method)]
    method: Option<Method>,

    /// URL of the request, or its path at the endpoint
    #[arg(short, long, required_unless_present = "batch")]
    url: Option<String>,

    /// Header of the request; without Date, the present one is added
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = signing::split_header)]
    headers: Vec<(String, String)>,

    /// Body for the curl command; it is not signed
    #[arg(short, long, value_name = "TEXT", requires = "curl")]
    data: Option<String>,

    /// What to print
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    show: What,

    /// Print a command for curl that sends the request
    #[arg(long, conflicts_with = "show")]
    curl: bool,

    /// Sign the requests that stand on stdin, one JSON object a line
    #[arg(long, conflicts_with_all = ["method", "url", "headers", "data", "show", "curl"])]
    batch: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum What {
    /// The value of the Authorization header
    #[default]
    Authorization,
    /// The text that is signed, byte for byte
    StringToSign,
}

fn method(text: &str) -> Result<Method, String> {
    let upper = text.to_ascii_uppercase();
    Method::from_bytes(upper.as_bytes()).map_err(|_| "not a method of HTTP".to_owned())
}

impl Sign {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        if self.batch {
            let default = global.keys()?;
            return signing::batch("authorization", default.as_ref(), sign);
        }
        // The parser demands both.
        let (Some(method), Some(url)) = (self.method, self.url) else {
            return Err(Failure::usage("--method and --url are needed"));
        };
        let url = if url.starts_with('/') {
            format!("{}{url}", global.endpoint()?)
        } else {
            url
        };
        let url = Url::parse(&url).map_err(Failure::usage)?;
        let mut headers = signing::headers(&self.headers).map_err(Failure::usage)?;
        if !headers.contains_key(DATE) {
            let date = httpdate::fmt_http_date(SystemTime::now());
            if !self.curl {
                note(format_args!(
                    "signed with a header that has to be sent as well: Date: {date}"
                ));
            }
            let value = HeaderValue::try_from(date).map_err(Failure::usage)?;
            headers.insert(DATE, value);
        }
        let parts = parts(method, &url, headers);
        if self.show == What::StringToSign {
            let text = sign::string_to_sign(&parts).map_err(Failure::usage)?;
            output::raw(&text)?;
            return Ok(Exit::Done);
        }
        let authorization =
            authorization(&parts, &global.required_keys()?).map_err(Failure::usage)?;
        if self.curl {
            let command = curl::command(&parts, &url, &authorization, self.data.as_deref());
            output::raw(command.as_bytes())?;
        } else if global.format().is_for_people() {
            output::raw(format!("{authorization}\n").as_bytes())?;
        } else {
            global.format().write(&Signed { authorization })?;
        }
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
struct Signed {
    authorization: String,
}

impl Show for Signed {
    fn names(&self) -> Vec<&str> {
        vec![&self.authorization]
    }

    fn table(&self) -> String {
        format!("{}\n", self.authorization)
    }
}

/// What a line of a batch has beside what all such lines have.
#[derive(Deserialize)]
struct Line {
    url: String,
}

fn sign(request: Request<Line>) -> Result<String, String> {
    let url = Url::parse(&request.what.url)?;
    let parts = parts(request.method, &url, request.headers);
    authorization(&parts, &request.credentials)
}

fn parts(method: Method, url: &Url, headers: HeaderMap) -> Parts {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = method;
    parts.uri = url.target.clone();
    parts.headers = headers;
    parts
}

fn authorization(parts: &Parts, credentials: &Credentials) -> Result<String, String> {
    let value = sign::authorization(parts, credentials).map_err(|error| error.to_string())?;
    value
        .to_str()
        .map(str::to_owned)
        .map_err(|error| error.to_string())
}
