//! Permissions for the operations that the core knows, from its list of them.

use std::ffi::OsStr;

use clap::{
    Arg, Command,
    builder::{PossibleValue, StringValueParser, TypedValueParser},
};
use http::Uri;
use pipeline_graph::nearest;
use pipeline_proto::{
    Credentials, Endpoint, TokenDescriptor, UnixTime, operation::OperationInfo,
    resource::OPERATIONS,
};
use serde::Serialize;

use crate::failure::Failure;

/// An operation by its name: a value of the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperationName(pub(super) &'static OperationInfo);

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
        expires: UnixTime,
    ) -> Result<TokenDescriptor, Failure> {
        let Self(info) = self;
        let target = info.target(names).map_err(Failure::usage)?;
        // The path of the request, which the endpoint may begin.
        let uri: Uri = format!("{endpoint}{target}")
            .parse()
            .map_err(Failure::usage)?;
        Ok(TokenDescriptor::new(info.method, uri.path(), expires)
            .content_type(info.content_type.unwrap_or_default()))
    }
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
    use super::*;

    #[test]
    fn a_permission_is_for_the_path_at_the_endpoint() {
        let endpoint: Endpoint = "https://gateway.example/pandora".parse().unwrap();
        let update = find("update_workflow")
            .unwrap()
            .permission(&endpoint, &["w"], UnixTime::from_secs(1))
            .unwrap();
        assert_eq!(update.method, "PUT");
        assert_eq!(update.resource, "/pandora/v2/workflows/w");
        assert_eq!(update.content_type, "application/json");
        assert_eq!(update.headers, "");
    }
}
