//! How node types are told apart: by shape and by colour, so that either is enough.

use pipeline_proto::model::NodeType;

/// What a node is, as far as it is drawn differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Repo,
    Transform,
    Export,
    Datasource,
    Job,
    ExportBatch,
    Other,
}

/// Fill, line and text.
pub(super) struct Colours {
    pub(super) fill: &'static str,
    pub(super) line: &'static str,
    pub(super) text: &'static str,
}

impl Kind {
    pub(super) fn of(node_type: &NodeType) -> Self {
        match node_type {
            NodeType::Repo => Self::Repo,
            NodeType::Transform => Self::Transform,
            NodeType::Export => Self::Export,
            NodeType::Datasource => Self::Datasource,
            NodeType::Job => Self::Job,
            NodeType::ExportBatch => Self::ExportBatch,
            _ => Self::Other,
        }
    }

    /// A word for legends and class names.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Repo => "repo",
            Self::Transform => "transform",
            Self::Export => "export",
            Self::Datasource => "datasource",
            Self::Job => "job",
            Self::ExportBatch => "exportBatch",
            Self::Other => "other",
        }
    }

    /// For light surroundings.
    pub(super) const fn light(self) -> Colours {
        let (fill, line, text) = match self {
            Self::Repo => ("#e3effd", "#2f6fc4", "#1d4f91"),
            Self::Transform => ("#efe8fc", "#7a4fc9", "#583296"),
            Self::Export => ("#e0f4e6", "#2b8a4b", "#1c6635"),
            Self::Datasource => ("#fdf1d3", "#b07a0c", "#7d5607"),
            Self::Job => ("#fde6dc", "#c85a2b", "#94401c"),
            Self::ExportBatch => ("#dcf3f3", "#1c8488", "#116063"),
            Self::Other => ("#eef0f3", "#6b7480", "#4a525c"),
        };
        Colours { fill, line, text }
    }

    /// For dark surroundings.
    pub(super) const fn dark(self) -> Colours {
        let (fill, line, text) = match self {
            Self::Repo => ("#14273f", "#5b9bea", "#9cc4f5"),
            Self::Transform => ("#271d40", "#a583ec", "#c9b4f6"),
            Self::Export => ("#12301d", "#4fb873", "#95dbad"),
            Self::Datasource => ("#342808", "#dba63a", "#f0cf86"),
            Self::Job => ("#3a1d11", "#ea8355", "#f5b596"),
            Self::ExportBatch => ("#0d2f31", "#43b5b9", "#8cdcdf"),
            Self::Other => ("#23282f", "#8d97a5", "#b9c1cc"),
        };
        Colours { fill, line, text }
    }
}
