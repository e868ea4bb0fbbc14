use std::fmt;

use pipeline_proto::{ErrorCode, model::NodeId};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::tree::Position;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing.
    Hint,
    /// Most likely not what was meant; the service takes it.
    Warning,
    /// The service refuses it, or it cannot work.
    Error,
}

impl Severity {
    /// The stable text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

macro_rules! rules {
    ($($variant:ident $id:literal $severity:ident $meaning:literal;)*) => {
        /// What a finding is about. The text forms are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $meaning] $variant,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable text form.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// How much a breach of this rule matters.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What a breach of this rule means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

rules! {
    // The file as such.
    Syntax "syntax" Error "The text is neither YAML nor JSON.";
    WrongType "wrong-type" Error "A value has a type that it cannot have here.";
    UnknownMember "unknown-member" Warning "A member has a name that means nothing here; most likely a slip of the pen.";
    UnknownTopLevel "unknown-top-level" Error "A member at the top of the file has a name that means nothing there.";
    MisspelledMember "misspelled-member" Error "A member of a node has nearly the name of one that means something, and would be without effect.";
    MissingNodes "missing-nodes" Error "The file has no `nodes`; write `nodes: {}` for a workflow without any.";
    DuplicateKey "duplicate-key" Error "An object has two members of the same name.";
    DuplicateNode "duplicate-node" Error "Two nodes have the same name and type.";
    LeadingZeros "leading-zeros" Warning "A number begins with zeros, which are lost; a text needs quotes.";
    MalformedReference "malformed-reference" Error "A `${` is not followed by the name of a variable and a `}`; write `$${` for a literal one.";
    UnsetVariable "unset-variable" Error "The file refers to a variable that the environment does not have.";
    RefusedVariable "refused-variable" Error "The file refers to a variable that must not be used in it.";

    // The workflow.
    WorkflowName "workflow-name" Error "The workflow's name breaks the naming rules.";
    MissingName "missing-name" Warning "The file does not say which workflow it describes.";
    Region "region" Error "The region cannot be the name of one.";
    MissingRegion "missing-region" Hint "The file names no region; the service's only known one, `nb`, is taken.";
    NothingStartable "nothing-startable" Warning "The workflow cannot be started: it has no transform, export or exportBatch.";

    // Nodes.
    NodeName "node-name" Error "A node's name breaks the naming rules.";
    NodeId "node-id" Error "A node's key is not `<name>-<type>`.";
    MissingType "missing-type" Error "A node has no type.";
    UnknownType "unknown-type" Error "A node's type is none of the six that are known.";
    MissingData "missing-data" Warning "A node has no data, so that nothing says what it does.";

    // Edges.
    DanglingEdge "dangling-edge" Error "An edge leads to a node that is not there.";
    OneSidedEdge "one-sided-edge" Error "An edge is stored at one of its ends only. In a file that is allowed.";
    DuplicateEdge "duplicate-edge" Error "A list of neighbours has the same one twice.";
    IllegalEdge "illegal-edge" Error "An edge joins two types that cannot be joined.";
    Cycle "cycle" Error "Edges lead back to where they started.";
    MissingParent "missing-parent" Error "A transform, export, job or exportBatch has nothing to read from.";
    MissingChild "missing-child" Error "A transform has nothing to write to.";
    Orphan "orphan" Warning "A node has no edge, though the workflow has other nodes.";
    MixedSchedules "mixed-schedules" Error "Scheduled work and manually run jobs share the workflow.";

    DestinationTaken "destination-taken" Error "Several transforms write to the same repo.";
    ExtraEdge "extra-edge" Warning "A transform has several destinations, or an export several sources; the service's calls have one.";
    UnknownSource "unknown-source" Error "A job reads from something that is not in the workflow.";
    EdgeMismatch "edge-mismatch" Warning "The data says something else of the node and its neighbours than the edges do.";

    // Members of a node's data.
    MissingMember "missing-member" Error "A member is missing that must be there.";
    MisplacedMember "misplaced-member" Warning "A member has no effect beside the others.";
    Contradiction "contradiction" Error "Two members cannot be there together.";
    UnknownValue "unknown-value" Error "A text is none of those that are known here.";
    MalformedValue "malformed-value" Error "A text does not have the form that it must have.";
    OutOfRange "out-of-range" Error "A number, a text or a list is too small or too large.";
    DoubtfulValue "doubtful-value" Warning "A value that one source refuses and others do not speak of.";
    DuplicateName "duplicate-name" Error "Two of a kind have the same name.";

    // Schemas and references to their fields.
    MissingSchema "missing-schema" Warning "A repo or datasource does not say which fields it has.";
    SchemaEmpty "schema-empty" Error "A schema has no fields.";
    SchemaKey "schema-key" Error "A field has no name, or one that breaks the naming rules.";
    SchemaDuplicateKey "schema-duplicate-key" Error "Two fields of a schema have the same name.";
    SchemaValtype "schema-valtype" Error "A field has no type, or one that the service does not know.";
    SchemaElemtype "schema-elemtype" Error "A field of type array does not say what its elements are, or says what they cannot be.";
    SchemaDepth "schema-depth" Error "Fields of type map are nested deeper than five levels.";
    UnknownField "unknown-field" Error "A mapping reads a field that the source does not have.";
    BareField "bare-field" Hint "A mapping has a constant that is the name of a field; `#` in front of it would read the field.";

    // Secrets.
    SecretInClear "secret-in-clear" Warning "A secret stands in the data; write `${NAME}` and keep the secret in the environment.";
}

impl Rule {
    /// The code with which the service refuses a breach of this rule, where a source says.
    pub const fn code(self) -> Option<ErrorCode> {
        Some(match self {
            Self::WorkflowName => ErrorCode::INVALID_WORKFLOW_NAME,
            Self::NodeName
            | Self::NodeId
            | Self::MissingType
            | Self::DanglingEdge
            | Self::OneSidedEdge
            | Self::DuplicateEdge
            | Self::IllegalEdge
            | Self::Cycle => ErrorCode::INVALID_WORKFLOW_GRAPH,
            Self::MixedSchedules => ErrorCode::SCHEDULED_AND_MANUAL_JOBS_MIXED,
            Self::DestinationTaken => ErrorCode::DESTINATION_REPO_TAKEN,
            Self::UnknownField => ErrorCode::FIELD_NOT_IN_REPO,
            _ => return None,
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Something that is wrong, or may be.
///
/// As JSON it has the members `rule`, `severity`, `message`, `node`, `path`, `line` and `column`;
/// those that are not known are `null`.
///
/// ```
/// use pipeline_graph::{Severity, file::Format, lint::lint_text};
///
/// let text = "name: clicks\nregion: nb\nnodes:\n  raw-repo:\n    parents: [gone-repo]\n";
/// let findings = lint_text(text, Format::Yaml);
/// let worst = findings.iter().max_by_key(|finding| finding.severity()).unwrap();
/// assert_eq!(worst.severity(), Severity::Error);
/// assert_eq!(worst.position.unwrap().line, 5);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// What is wrong, in one line. Never holds a secret.
    pub message: String,
    /// The node that it is about.
    pub node: Option<NodeId>,
    /// Where in the definition: a JSON path without the leading `$.`; empty for the whole.
    pub path: String,
    /// Where in the text, if there is one.
    pub position: Option<Position>,
    pub(crate) missing: Option<&'static str>,
}

impl Finding {
    pub(crate) fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            message: message.into(),
            node: None,
            path: String::new(),
            position: None,
            missing: None,
        }
    }

    pub(crate) fn at(mut self, position: Option<Position>) -> Self {
        self.position = position;
        self
    }

    pub(crate) fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    pub(crate) fn node(mut self, node: &NodeId) -> Self {
        self.node = Some(node.clone());
        self
    }

    /// How much it matters.
    pub const fn severity(&self) -> Severity {
        self.rule.severity()
    }

    /// The member that it is about: the one that is missing, else the last of the path.
    pub fn member(&self) -> Option<&str> {
        let is_member = |part: &&str| part.bytes().any(|byte| !byte.is_ascii_digit());
        let last = || self.path.rsplit(['.', '[', ']']).find(is_member);
        self.missing.or_else(last)
    }
}

impl fmt::Display for Finding {
    /// `12:5: error: the message [the-rule]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        write!(f, "{}: {} [{}]", self.severity(), self.message, self.rule)
    }
}

/// Says of how many faults only the first was shown.
pub(crate) fn and_more(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    match count {
        0 | 1 => Ok(()),
        2 => f.write_str("; and one more fault"),
        count => write!(f, "; and {} more faults", count - 1),
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Finding", 7)?;
        object.serialize_field("rule", &self.rule)?;
        object.serialize_field("severity", self.severity().as_str())?;
        object.serialize_field("message", &self.message)?;
        object.serialize_field("node", &self.node)?;
        object.serialize_field("path", &self.path)?;
        object.serialize_field("line", &self.position.map(|position| position.line))?;
        object.serialize_field("column", &self.position.map(|position| position.column))?;
        object.end()
    }
}
