//! Permissions for the operations that the core knows, from its list of them.

use std::sync::LazyLock;

use clap::builder::PossibleValue;
use http::Uri;
use pipeline_proto::{
    Credentials, Endpoint, TokenDescriptor, UnixTime, operation::OperationInfo,
    resource::OPERATIONS,
};
use serde::Serialize;

use crate::failure::Failure;

/// An operation by its name: a value of the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperationName(pub(super) &'static OperationInfo);

impl clap::ValueEnum for OperationName {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<OperationName>> =
            LazyLock::new(|| OPERATIONS.iter().map(OperationName).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let about = self.0.about.lines().next().unwrap_or_default().trim();
        let about = about.split_once(". ").map_or(about, |(first, _)| first);
        Some(PossibleValue::new(self.0.name).help(about.trim_end_matches('.')))
    }
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
        let operation =
            |name| OperationName(OPERATIONS.iter().find(|info| info.name == name).unwrap());
        let update = operation("update_workflow")
            .permission(&endpoint, &["w"], UnixTime::from_secs(1))
            .unwrap();
        assert_eq!(update.method, "PUT");
        assert_eq!(update.resource, "/pandora/v2/workflows/w");
        assert_eq!(update.content_type, "application/json");
        assert_eq!(update.headers, "");
    }
}
