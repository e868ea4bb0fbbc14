use std::path::PathBuf;

use clap::Args;
use http::Method;
use pipeline_proto::{TokenDescriptor, UnixTime};
use serde::{Deserialize, Serialize};

use super::{
    operation::{OperationName, OperationParser, Permit},
    validity::{self, Validity},
};
use crate::{
    command::signing::{self, Request},
    exit::Exit,
    failure::Failure,
    file::read,
    options::Global,
    output::{self, Show},
};

/// Make a token
#[derive(Debug, Args)]
#[command(
    override_usage = "\
pipeline token mint <OPERATION> [NAME]... [--ttl <DURATION>]
       pipeline token mint --method <METHOD> --resource <PATH> --ttl <DURATION>
       pipeline token mint --batch",
    after_help = "\
Examples:
  pipeline token mint start_workflow nginx_logs --ttl 1h
  PANDORA_TOKEN=$(pipeline token mint push_points clicks --ttl 1h) pipeline repo push clicks clicks.csv
  pipeline token mint upload_plugin com.qiniu.NginxLogParser --jar parser.jar
  PANDORA_TOKEN=$(pipeline token mint list_workflows --ttl 5m) pipeline workflow list
  pipeline token mint --method GET --resource /v2/repos/clicks --expires 4102444800

An operation has its method, path and content type as this program sends them: whoever has a token for \
push_points and nothing else can push into that queue, and do nothing else. Anything else is described by options: the resource is taken as it is written, the path of the request. Content type, \
digest and X-Qiniu-… headers must be those of the request.

With --batch, every line of stdin is a JSON object with method, resource, expires, and perhaps \
content_type, content_md5, headers, access_key and secret_key, and is answered by one line:
{\"token\":…} or {\"error\":…}. The exit code is 0 even if lines were wrong."
)]
pub(crate) struct Mint {
    /// What the token permits
    #[arg(
        value_parser = OperationParser,
        conflicts_with_all =
            ["method", "resource", "content_type", "headers", "batch"]
    )]
    operation: Option<OperationName>,

    /// Names of what it is about, in the order of the request's path
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Method of the request
    #[arg(
        short = 'X',
        long,
        required_unless_present_any = ["operation", "batch"],
        value_parser = method
    )]
    method: Option<Method>,

    /// Path of the request
    #[arg(
        short,
        long,
        value_name = "PATH",
        required_unless_present_any = ["operation", "batch"]
    )]
    resource: Option<String>,

    /// The jar of an operation that uploads one: its digest is part of the token
    #[arg(
        long,
        value_name = "JAR",
        requires = "operation",
        conflicts_with = "content_md5"
    )]
    jar: Option<PathBuf>,

    #[command(flatten)]
    validity: Validity,

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
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = signing::split_header)]
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
    pub(super) fn run(self, global: &Global) -> Result<Exit, Failure> {
        if self.batch {
            let default = global.keys()?;
            return signing::batch("token", default.as_ref(), mint);
        }
        let (expires, descriptor) = if let Some(operation) = self.operation {
            let expires = self.validity.end(Some(validity::DEFAULT))?;
            let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
            let digest = match &self.jar {
                Some(jar) => operation.digest(&names, read::bytes(jar)?)?,
                None => self.content_md5,
            };
            let descriptor = operation.permission(&global.endpoint()?, &names, &digest, expires)?;
            (expires, descriptor)
        } else {
            // The parser demands both.
            let (Some(method), Some(resource)) = (self.method, self.resource) else {
                return Err(Failure::usage("--method and --resource are needed"));
            };
            let expires = self.validity.end(None)?;
            let descriptor = TokenDescriptor::new(&method, resource, expires)
                .content_type(self.content_type)
                .content_md5(self.content_md5)
                .signed_headers(&signing::headers(&self.headers).map_err(Failure::usage)?)
                .map_err(Failure::usage)?;
            (expires, descriptor)
        };
        let permit = Permit::mint(self.operation, descriptor, &global.required_keys()?);
        if global.format().is_for_people() {
            output::raw(format!("{}\n", permit.token).as_bytes())?;
        } else {
            global.format().write(&Minted {
                permit,
                expires,
                expires_at: validity::rfc3339(expires),
            })?;
        }
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
struct Minted {
    #[serde(flatten)]
    permit: Permit,
    /// Seconds since 1970.
    expires: UnixTime,
    /// The same as RFC 3339 writes it; absent beyond its years.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl Show for Minted {
    fn names(&self) -> Vec<&str> {
        vec![&self.permit.token]
    }

    fn table(&self) -> String {
        format!("{}\n", self.permit.token)
    }
}

/// What a line of a batch has beside what all such lines have.
#[derive(Deserialize)]
struct Line {
    resource: String,
    expires: i64,
    content_type: Option<String>,
    content_md5: Option<String>,
}

fn mint(request: Request<Line>) -> Result<String, String> {
    let Line {
        resource,
        expires,
        content_type,
        content_md5,
    } = request.what;
    let descriptor = TokenDescriptor::new(&request.method, resource, UnixTime::from_secs(expires))
        .content_type(content_type.unwrap_or_default())
        .content_md5(content_md5.unwrap_or_default())
        .signed_headers(&request.headers)
        .map_err(|error| error.to_string())?;
    Ok(descriptor.mint(&request.credentials).as_str().to_owned())
}
