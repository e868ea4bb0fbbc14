use std::path::Path;

use bytes::Bytes;
use clap::Args;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use pipeline_proto::{
    BuildError, DecodeError, Idempotency,
    operation::{Operation, OperationInfo, RequestTemplate},
    resource::OPERATIONS,
};

use crate::{
    command::signing::split_header, exit::Exit, failure::Failure, file::read, options::Global,
    output,
};

/// Send any request, signed, and print the body of the response
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline api GET /v2/repos
  pipeline api GET '/v2/variables?type=system' | jq -r '.variables[].name'
  pipeline api POST /v2/repos/clicks -d '{\"region\":\"nb\",\"schema\":[{\"key\":\"ip\",\"valtype\":\"string\"}]}'
  pipeline api PUT /v2/repos/clicks -d @clicks.json

The body of a success is written to stdout as it came, whatever -o says. Anything else is an error, with its \
exit code. A request that the service may have acted on is sent again only if it is known, or reads; so are \
PUT and DELETE.")]
pub(crate) struct Api {
    /// Method of the request
    #[arg(value_parser = method)]
    method: Method,

    /// Path of the request at the endpoint, with its query
    path: String,

    /// Body; @FILE is that of a file, @- what is on stdin
    #[arg(short, long, value_name = "TEXT|@FILE")]
    data: Option<String>,

    /// Header; a body is application/json unless Content-Type is given, or known of the request
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = split_header)]
    headers: Vec<(String, String)>,
}

fn method(text: &str) -> Result<Method, String> {
    let upper = text.to_ascii_uppercase();
    Method::from_bytes(upper.as_bytes()).map_err(|_| "not a method of HTTP".to_owned())
}

impl Api {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let known = OPERATIONS.iter().find(|info| is(info, &self.method, path));
        let body = self
            .data
            .as_deref()
            .map(|data| match data.strip_prefix('@') {
                Some(file) => read::bytes(Path::new(file)),
                None => Ok(data.as_bytes().to_vec()),
            });
        let body = body.transpose()?;
        let template = self.template(path, query, body, known);
        let template = template.map_err(Failure::usage)?;
        let request = Request {
            method: self.method,
            known,
            template,
        };
        output::raw(&global.remote()?.send(request)?)?;
        Ok(Exit::Done)
    }

    fn template(
        &self,
        path: &str,
        query: &str,
        body: Option<Vec<u8>>,
        known: Option<&OperationInfo>,
    ) -> Result<RequestTemplate, BuildError> {
        let Some(segments) = path.strip_prefix('/') else {
            return Err(BuildError::custom(format!(
                "{path:?}: a path begins with /, as in /v2/repos"
            )));
        };
        let segments: Vec<&str> = segments.split('/').collect();
        let mut template = RequestTemplate::new(self.method.clone(), &segments)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            template = template.query(&plain(name), &plain(value));
        }
        let mut content_type = known
            .and_then(|info| info.content_type)
            .map(HeaderValue::from_static);
        if body.is_some() {
            content_type.get_or_insert(HeaderValue::from_static("application/json"));
        }
        for (name, value) in &self.headers {
            let wrong =
                |error: &dyn std::fmt::Display| BuildError::custom(format!("{name:?}: {error}"));
            let value = HeaderValue::from_str(value).map_err(|error| wrong(&error))?;
            let name: HeaderName = name.parse().map_err(|error| wrong(&error))?;
            if name == CONTENT_TYPE {
                content_type = Some(value);
            } else {
                template = template.header(name, value)?;
            }
        }
        Ok(match content_type {
            Some(content_type) => template.body(content_type, body.unwrap_or_default()),
            None => template,
        })
    }
}

/// Whether it is the request of this row.
fn is(info: &OperationInfo, method: &Method, path: &str) -> bool {
    let (row, path) = (info.path.split('/'), path.split('/'));
    info.method == method
        && row.clone().count() == path.clone().count()
        && row
            .zip(path)
            .all(|(row, piece)| row.starts_with('{') || row == piece)
}

struct Request {
    method: Method,
    known: Option<&'static OperationInfo>,
    template: RequestTemplate,
}

impl Operation for Request {
    type Output = Bytes;

    const NAME: &'static str = "request";
    const IDEMPOTENCY: Idempotency = Idempotency::Never;

    fn name(&self) -> &'static str {
        self.known.map_or(Self::NAME, |info| info.name)
    }

    /// What HTTP says of the method, unless it is known better.
    fn idempotency(&self) -> Idempotency {
        let by_method = match self.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" => Idempotency::Safe,
            "PUT" | "DELETE" => Idempotency::Idempotent,
            _ => Idempotency::Never,
        };
        self.known.map_or(by_method, |info| info.idempotency)
    }

    fn template(&self) -> Result<RequestTemplate, BuildError> {
        Ok(self.template.clone())
    }

    fn is_success(&self, status: StatusCode) -> bool {
        status.is_success()
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<Bytes, DecodeError> {
        Ok(response.body().clone())
    }
}
