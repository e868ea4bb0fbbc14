//! A file about one resource that no workflow file holds. It is read and checked as the data of a node is.

use pipeline_proto::model::{NodeId, NodeType, RawJson};

use super::{FileError, Format, Variable, WorkflowFile, read, trees};
use crate::finding::{Finding, Rule, Severity};

/// A file about one resource, as it was read: references to the environment are not resolved yet.
///
/// ```
/// use pipeline_graph::file::{Format, ResourceFile, Variable};
///
/// let text = "name: clicks\nschema: [{key: ip, valtype: \"${TYPE}\"}]";
/// let file = ResourceFile::parse(text, Format::Yaml, "repo", &["name"])?;
/// assert_eq!(file.name("name"), Some("clicks"));
/// let spec = file.resolve(|_| Variable::Set("string".into()))?;
/// assert_eq!(spec.get(), r#"{"schema":[{"key":"ip","valtype":"string"}]}"#);
///
/// let error = ResourceFile::parse("schema: [{key: ip, valtype: text}]", Format::Yaml, "repo", &[])?;
/// let error = error.resolve(|_| Variable::Unset).unwrap_err();
/// assert!(error.to_string().starts_with("1:29: the service knows no type \"text\""));
/// # Ok::<(), pipeline_graph::file::FileError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ResourceFile {
    file: WorkflowFile,
    id: NodeId,
    names: Vec<(Box<str>, String)>,
}

impl ResourceFile {
    /// Reads a file about a resource of this kind. `names` are members that say which one it is, and are
    /// no part of its spec.
    ///
    /// # Errors
    ///
    /// When the text is not in this notation, or holds no object.
    pub fn parse(
        text: &str,
        format: Format,
        kind: &str,
        names: &[&str],
    ) -> Result<Self, FileError> {
        let (tree, with_zeros) = trees(text, format)?;
        let id = NodeId::of("resource", &NodeType::from(kind));
        let (file, names) = read::resource(tree, with_zeros, &id, names);
        refuse(file.findings.clone())?;
        Ok(Self { file, id, names })
    }

    /// A member that says which resource it is.
    pub fn name(&self, member: &str) -> Option<&str> {
        let mut names = self.names.iter();
        names
            .find(|(name, _)| **name == *member)
            .map(|(_, text)| text.as_str())
    }

    /// The spec, with the values of variables.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and the variables that are not set or must not be used.
    pub fn resolve(&self, environment: impl FnMut(&str) -> Variable) -> Result<RawJson, FileError> {
        let filled = self.file.fill(environment);
        // What its variables lack says more than what is wrong without them.
        let definition = filled.definition()?;
        refuse(filled.lint())?;
        let node = definition.nodes.get(&self.id);
        let data = node.and_then(|node| node.data.clone());
        data.ok_or_else(|| FileError {
            findings: vec![Finding::new(Rule::MissingData, "there is nothing in it")],
        })
    }
}

/// Errors in the resource itself: it has no neighbours, and no workflow around it.
fn refuse(mut findings: Vec<Finding>) -> Result<(), FileError> {
    let is_own = |rule| !matches!(rule, Rule::EdgeMismatch | Rule::UnknownSource);
    findings.retain(|it| {
        it.severity() == Severity::Error && it.path.starts_with("data") && is_own(it.rule)
    });
    // One that is misspelled says why another is missing.
    findings.sort_by_key(|it| it.rule != Rule::MisspelledMember);
    if findings.is_empty() {
        Ok(())
    } else {
        Err(FileError { findings })
    }
}
