//! Permissions for the operations of this program, taken from the requests that the core builds, so
//! that a token always fits the request that it is for.

use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Endpoint, Now, Operation, TokenDescriptor, UnixTime,
    WorkflowName,
    model::Nodes,
    operation::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs,
        StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
};
use serde::Serialize;

use crate::failure::Failure;

/// An operation as it is called on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OperationName {
    /// List all workflows of the account
    List,
    /// Read a workflow with its nodes
    Get,
    /// Create the workflow
    Create,
    /// Replace its nodes
    Update,
    /// Delete it
    Delete,
    /// Start it
    Start,
    /// Stop it
    Stop,
    /// Read its status and that of its nodes
    Status,
    /// Search the logs of its nodes
    Search,
}

impl OperationName {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Status => "status",
            Self::Search => "search",
        }
    }

    /// What a token must say to permit the operation at this endpoint.
    pub(super) fn permission(
        self,
        endpoint: &Endpoint,
        name: Option<&WorkflowName>,
        expires: UnixTime,
    ) -> Result<TokenDescriptor, Failure> {
        let context = Context::builder().endpoint(endpoint.clone()).build();
        let name = || {
            name.cloned().ok_or_else(|| {
                let operation = self.as_str();
                Failure::usage(format!("`{operation}` needs the name of a workflow"))
            })
        };
        match self {
            Self::List => describe(&context, ListWorkflows::new(), expires),
            Self::Get => describe(&context, GetWorkflow::new(name()?), expires),
            Self::Create => describe(&context, CreateWorkflow::new(name()?), expires),
            // A token says nothing of the body, so any will do here and below.
            Self::Update => {
                let update = UpdateWorkflow::new(name()?, Nodes::new());
                describe(&context, update, expires)
            }
            Self::Delete => describe(&context, DeleteWorkflow::new(name()?), expires),
            Self::Start => describe(&context, StartWorkflow::new(name()?), expires),
            Self::Stop => describe(&context, StopWorkflow::new(name()?), expires),
            Self::Status => describe(&context, GetWorkflowStatus::new(name()?), expires),
            Self::Search => describe(&context, SearchLogs::new(name()?), expires),
        }
    }
}

/// Describes the request that a call of the operation would send.
fn describe<O: Operation>(
    context: &Context,
    operation: O,
    expires: UnixTime,
) -> Result<TokenDescriptor, Failure> {
    let call = Call::new(context, operation, CallOptions::new()).map_err(Failure::usage)?;
    // A token does not depend on the moment of the request.
    let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
    let (request, _) = call.start(now).send();
    let (parts, _) = request.into_parts();
    TokenDescriptor::for_request(&parts, expires).map_err(Failure::usage)
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
            operation: operation.map(OperationName::as_str),
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
    fn the_names_are_those_of_the_command_line() {
        for operation in OperationName::value_variants() {
            let value = operation.to_possible_value().unwrap();
            assert_eq!(value.get_name(), operation.as_str());
        }
    }

    #[test]
    fn a_permission_is_for_the_path_at_the_endpoint() {
        let endpoint: Endpoint = "https://gateway.example/pandora".parse().unwrap();
        let name = WorkflowName::from_static("w");
        let expires = UnixTime::from_secs(1);
        let update = OperationName::Update
            .permission(&endpoint, Some(&name), expires)
            .unwrap();
        assert_eq!(update.method, "PUT");
        assert_eq!(update.resource, "/pandora/v2/workflows/w");
        assert_eq!(update.content_type, "application/json");
        assert_eq!(update.headers, "");
        let missing = OperationName::Start.permission(&endpoint, None, expires);
        assert!(missing.unwrap_err().to_string().contains("needs the name"));
    }
}
