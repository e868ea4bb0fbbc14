//! Whether exports read fields that their source has.

use std::collections::HashMap;

use pipeline_proto::model::NodeType;

use super::{Linter, Rule, Subject};
use crate::{
    path::Path,
    references,
    tree::{Tree, Value},
};

/// A repo or job whose fields are known.
pub(super) struct Source<'a> {
    id: &'a str,
    /// With their types.
    pub(super) fields: HashMap<&'a str, Option<&'a str>>,
}

impl<'a> Source<'a> {
    /// `None` when the fields are not known.
    pub(super) fn new(subject: &'a Subject<'_>) -> Option<Self> {
        if !matches!(subject.node.node_type, NodeType::Repo | NodeType::Job) {
            return None;
        }
        let spec = subject.spec()?;
        let mut fields = HashMap::new();
        for field in spec.get("schema")?.as_list()? {
            let valtype = field.get("valtype").and_then(Tree::as_text);
            fields.insert(field.get("key")?.as_text()?, valtype);
        }
        // The service adds these itself.
        let options = spec.get("options");
        for option in ["withIP", "withTimestamp"] {
            let name = options.and_then(|options| options.get(option));
            let name = name.and_then(Tree::as_text);
            let name = name.filter(|name| !name.is_empty());
            fields.extend(name.map(|name| (name, None)));
        }
        let known =
            !fields.is_empty() && !fields.keys().any(|field| references::has_variable(field));
        known.then_some(Self {
            id: subject.id.as_str(),
            fields,
        })
    }

    /// Whether there is such a field. How a field of a map is named no source says; a path with
    /// points is taken for one.
    fn has(&self, field: &str) -> bool {
        let top = field.split_once('.').map_or(field, |(top, _)| top);
        self.fields.contains_key(field) || self.fields.contains_key(top)
    }

    pub(super) fn list(&self) -> String {
        let mut names: Vec<&str> = self.fields.keys().copied().collect();
        names.sort_unstable();
        let more = names.len().saturating_sub(8);
        names.truncate(8);
        let names = names.join(", ");
        match more {
            0 => format!("it has {names}"),
            more => format!("it has {names} and {more} more"),
        }
    }
}

impl Linter<'_> {
    /// Names that stand by themselves.
    pub(super) fn check_names_of_fields(
        &mut self,
        subject: &Subject<'_>,
        source: Option<&Source<'_>>,
        beside: Option<&Tree>,
        tree: &Tree,
        path: &mut Path,
    ) {
        let beside = beside.and_then(Tree::as_map).unwrap_or_default();
        for (index, element) in tree.as_list().unwrap_or_default().iter().enumerate() {
            let name = element.as_text().unwrap_or_default();
            if name.is_empty() || references::has_variable(name) {
                continue;
            }
            let top = name.split_once('.').map_or(name, |(top, _)| top);
            let is_beside = || {
                let mut names = beside.iter().map(|member| &*member.name);
                names.any(|it| it == name || it == top || references::has_variable(it))
            };
            let message = match (name.strip_prefix('#'), source) {
                (Some(plain), _) => format!("fields are named without '#' here; write {plain:?}"),
                (None, Some(source)) if !source.has(name) && !is_beside() => {
                    format!("{} has no field {name:?}; {}", source.id, source.list())
                }
                _ => continue,
            };
            let at = Some(element.at);
            path.in_element(index, |path| {
                self.report(subject, Rule::UnknownField, message, path.as_str(), at);
            });
        }
    }

    pub(super) fn check_mapping(
        &mut self,
        subject: &Subject<'_>,
        source: &Source<'_>,
        tree: &Tree,
        path: &mut Path,
    ) {
        match &tree.value {
            Value::Map(members) => {
                for member in members {
                    path.in_member(&member.name, |path| {
                        self.check_mapping(subject, source, &member.tree, path);
                    });
                }
            }
            Value::Text(text) if references::has_variable(text) => {}
            Value::Text(text) => {
                let (rule, message) = match text.strip_prefix('#') {
                    Some(field) if source.has(field) => return,
                    Some(_) => (
                        Rule::UnknownField,
                        format!("{} has no field {text:?}; {}", source.id, source.list()),
                    ),
                    None if source.fields.contains_key(&**text) => (
                        Rule::BareField,
                        format!("{text:?} is taken as it stands; \"#{text}\" reads the field"),
                    ),
                    None => return,
                };
                let at = Some(tree.at);
                self.report(subject, rule, message, path.as_str(), at);
            }
            _ => {}
        }
    }
}
