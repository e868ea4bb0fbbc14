//! What an account has: workflows, and the definitions of all else.

use std::sync::Arc;

use pipeline_proto::model::Node;
use serde_json::{Map, Value};

use crate::workflow::Workflow;

/// The members of a resource, as it is shown.
pub(crate) type Members = Map<String, Value>;

/// Something that an account has. Workflows live; of all else the definition is kept.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Workflow(Workflow),
    Other(Members),
    /// It came with the graph of its workflow, and is shown there as it came, without its edges, until
    /// it is changed by itself.
    Node(Members, Node),
}

impl Item {
    pub(crate) fn workflow(&self) -> Option<&Workflow> {
        match self {
            Self::Workflow(workflow) => Some(workflow),
            Self::Other(_) | Self::Node(..) => None,
        }
    }

    pub(crate) fn members(&self) -> Option<&Members> {
        match self {
            Self::Workflow(_) => None,
            Self::Other(members) | Self::Node(members, _) => Some(members),
        }
    }

    /// Of an item that is no longer shared.
    pub(crate) fn workflow_mut(item: &mut Arc<Self>) -> Option<&mut Workflow> {
        match Arc::make_mut(item) {
            Self::Workflow(workflow) => Some(workflow),
            Self::Other(_) | Self::Node(..) => None,
        }
    }
}
