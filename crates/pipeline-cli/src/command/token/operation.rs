//! Permissions for the operations that the core knows, from its list of them.

use std::{
    ffi::OsStr,
    str::FromStr,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use clap::{
    Arg, Command,
    builder::{PossibleValue, StringValueParser, TypedValueParser},
};
use http::{Uri, request::Parts};
use pipeline_graph::nearest;
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Endpoint, Error, Now, Operation, TokenDescriptor,
    UnixTime, operation::OperationInfo, resource::OPERATIONS,
};
use serde::Serialize;

use crate::{command::resource::Tabled, failure::Failure};

/// An operation by its name: a value of the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperationName(pub(super) &'static OperationInfo);

/// An operation, and what it is about, as `token mint` takes them: `push_points clicks`.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) operation: OperationName,
    /// Empty if it is about what the others are about.
    pub(super) names: Vec<String>,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let mut words = words.split_whitespace().map(ToOwned::to_owned);
        let operation = find(&words.next().unwrap_or_default())?;
        let names: Vec<String> = words.collect();
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            operation
                .0
                .target(&names)
                .map_err(|error| error.to_string())?;
        }
        Ok(Self { operation, names })
    }
}

/// Reads an operation with its names.
#[derive(Clone)]
pub(super) struct NamedParser;

impl TypedValueParser for NamedParser {
    type Value = Named;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Named, clap::Error> {
        let parser = StringValueParser::new().try_map(|words| words.parse::<Named>());
        parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        OperationParser.possible_values()
    }
}

/// Reads the name of an operation. There are too many to show them all after a slip.
#[derive(Clone)]
pub(super) struct OperationParser;

impl TypedValueParser for OperationParser {
    type Value = OperationName;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<OperationName, clap::Error> {
        StringValueParser::new()
            .try_map(|word| find(&word))
            .parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(OPERATIONS.iter().map(|info| {
            let about = info.about.lines().next().unwrap_or_default().trim();
            let about = about.split_once(". ").map_or(about, |(first, _)| first);
            PossibleValue::new(info.name).help(about.trim_end_matches('.'))
        })))
    }
}

fn find(word: &str) -> Result<OperationName, String> {
    if let Some(info) = OPERATIONS.iter().find(|info| info.name == word) {
        return Ok(OperationName(info));
    }
    let names = || OPERATIONS.iter().map(|info| info.name);
    let mut meant: Vec<&str> = names()
        .filter(|name| name.split('_').any(|part| part == word))
        .collect();
    if meant.is_empty() {
        meant.extend(nearest(word, names()));
    }
    Err(match meant[..] {
        [] => "`pipeline token mint --help` lists the operations".to_owned(),
        _ => format!("there is {}", meant.join(", ")),
    })
}

impl OperationName {
    /// What a token must say to permit the operation at this endpoint.
    pub(super) fn permission(
        self,
        endpoint: &Endpoint,
        names: &[&str],
        content_md5: &str,
        expires: UnixTime,
    ) -> Result<TokenDescriptor, Failure> {
        let Self(info) = self;
        let digest = sent_digest(info, names, &Bytes::new());
        if content_md5.is_empty() && digest.is_ok_and(|digest| !digest.is_empty()) {
            let name = info.name;
            let line = format!(
                "{name} sends the digest of its file, which the token has to say: `token mint {name} NAME \
                 --jar FILE`, or --content-md5"
            );
            return Err(Failure::usage(line));
        }
        let target = info.target(names).map_err(Failure::usage)?;
        // The path of the request, which the endpoint may begin.
        let uri: Uri = format!("{endpoint}{target}")
            .parse()
            .map_err(Failure::usage)?;
        Ok(TokenDescriptor::new(info.method, uri.path(), expires)
            .content_type(info.content_type.unwrap_or_default())
            .content_md5(content_md5))
    }

    /// The `Content-MD5` of its request with this body.
    pub(super) fn digest(self, names: &[&str], body: Vec<u8>) -> Result<String, Failure> {
        let digest = sent_digest(self.0, names, &body.into())?;
        if digest.is_empty() {
            let line = format!("--jar: {} sends no jar", self.0.name);
            return Err(Failure::usage(line));
        }
        Ok(digest)
    }
}

/// The `Content-MD5` that the operation's own request has; empty for most.
fn sent_digest(
    info: &'static OperationInfo,
    names: &[&str],
    body: &Bytes,
) -> Result<String, Failure> {
    let operation = Tabled::new(info, names, &[], body).map_err(Failure::usage)?;
    let request = sent(&Context::builder().build(), operation).map_err(Failure::usage)?;
    let digest = request.headers.get("content-md5");
    let digest = digest.and_then(|it| it.to_str().ok());
    Ok(digest.unwrap_or_default().to_owned())
}

fn sent<O: Operation>(context: &Context, operation: O) -> Result<Parts, Error> {
    let call = Call::new(context, operation, CallOptions::new())?;
    let (request, _) = call.start(Now::new(UNIX_EPOCH, Duration::ZERO)).send();
    Ok(request.into_parts().0)
}

/// A token, and the request that it is for.
#[derive(Serialize)]
pub(super) struct Permit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<&'static str>,
    pub(super) method: String,
    pub(super) path: String,
    /// Empty if the request must have none.
    pub(super) content_type: String,
    pub(super) token: String,
}

impl Permit {
    pub(super) fn mint(
        operation: Option<OperationName>,
        descriptor: TokenDescriptor,
        credentials: &Credentials,
    ) -> Self {
        Self {
            operation: operation.map(|operation| operation.0.name),
            token: descriptor.mint(credentials).as_str().to_owned(),
            method: descriptor.method,
            path: descriptor.resource,
            content_type: descriptor.content_type,
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline_proto::{
        RepoName,
        resource::push::{PushLines, PushPoints, PushRaw},
    };

    use super::*;

    /// Each token, held against the request that the client sends for the same operation.
    #[test]
    fn a_permission_is_for_the_request_of_its_operation_at_the_endpoint() {
        let endpoint: Endpoint = "https://gateway.example/pandora".parse().unwrap();
        let context = Context::builder().endpoint(endpoint.clone()).build();
        let candidates = ["a", "b.jar", "1"];
        let name = || RepoName::from_static("a");
        let mut digests = Vec::new();
        for info in OPERATIONS {
            let fits = |name: &&str, at: usize| info.names[at].check(name).is_ok();
            let names: Vec<&str> = (0..info.names.len())
                .map(|at| {
                    candidates
                        .iter()
                        .copied()
                        .find(|name| fits(name, at))
                        .unwrap_or_default()
                })
                .collect();
            let words = [&[info.name], &names[..]].concat().join(" ");
            let it: Named = words.parse().unwrap();
            let bodies = [&b"{}"[..], b"[]"].map(Bytes::from_static);
            let sent = match info.name {
                "push_points" => sent(&context, PushPoints::new(name(), b"a=1".to_vec().into())),
                "push_lines" => sent(&context, PushLines::new(name(), "a".into())),
                "push_raw" => sent(&context, PushRaw::new(name(), "a".into())),
                _ => {
                    let mut tabled = bodies
                        .iter()
                        .map(|body| Tabled::new(info, &names, &[], body));
                    sent(&context, tabled.find_map(Result::ok).expect(info.name))
                }
            };
            let digest = it
                .operation
                .digest(&names, b"{}".to_vec())
                .unwrap_or_default();
            let permission = |digest: &str| {
                it.operation
                    .permission(&endpoint, &names, digest, UnixTime::from_secs(1))
            };
            assert_eq!(permission("").is_err(), !digest.is_empty(), "{}", info.name);
            let mismatch = permission(&digest).unwrap().mismatch(&sent.unwrap());
            assert_eq!(mismatch, None, "{}", info.name);
            digests.extend((!digest.is_empty()).then_some(info.name));
        }
        assert_eq!(digests, ["upload_plugin", "upload_udf_jar"]);
    }
}
