//! Whether exports read fields that their source has.

use std::collections::HashSet;

use pipeline_proto::model::NodeType;

use super::{Linter, Rule, Subject, shape::Spec};
use crate::{
    graph::Adjacency,
    path::Path,
    references,
    secrets::is_mapping,
    tree::{Tree, Value},
};

/// The names of the fields that a source has.
type Fields<'a> = HashSet<&'a str>;

impl Linter<'_> {
    pub(super) fn check_fields(&mut self, subjects: &[Subject<'_>], parents: &Adjacency) {
        let fields: Vec<Option<Fields<'_>>> = subjects.iter().map(fields_of).collect();
        for (at, subject) in parents.positions().zip(subjects) {
            if !matches!(
                subject.node.node_type,
                NodeType::Export | NodeType::ExportBatch
            ) {
                continue;
            }
            // With several sources nobody knows which one is read.
            let mut sources = parents.of(at).iter().map(|source| *source as usize);
            let (Some(source), None) = (sources.next(), sources.next()) else {
                continue;
            };
            if let Some(fields) = &fields[source] {
                let source = subjects[source].id.as_str();
                self.check_mappings(subject, &Source { id: source, fields });
            }
        }
    }

    fn check_mappings(&mut self, subject: &Subject<'_>, source: &Source<'_>) {
        let Some(data) = subject.data.as_deref() else {
            return;
        };
        let Some(spec) = Spec::new(&subject.node.node_type, data) else {
            return;
        };
        spec.member("spec", &mut subject.path("data"), |target, path| {
            for member in target.as_map().unwrap_or_default() {
                if is_mapping(&member.name) || &*member.name == "timestamp" {
                    path.in_member(&member.name, |path| {
                        self.check_mapping(subject, source, &member.tree, path);
                    });
                }
            }
        });
    }

    fn check_mapping(
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
                    None if source.fields.contains(&**text) => (
                        Rule::BareField,
                        format!("{text:?} is taken as it stands; \"#{text}\" reads the field"),
                    ),
                    None => return,
                };
                self.report(subject, rule, message, path.as_str(), Some(tree.at));
            }
            _ => {}
        }
    }
}

struct Source<'a> {
    id: &'a str,
    fields: &'a Fields<'a>,
}

impl Source<'_> {
    /// Whether there is such a field. How a field of a map is named no source says; a path with
    /// points is taken for one.
    fn has(&self, field: &str) -> bool {
        let top = field.split_once('.').map_or(field, |(top, _)| top);
        self.fields.contains(field) || self.fields.contains(top)
    }

    fn list(&self) -> String {
        let mut names: Vec<&str> = self.fields.iter().copied().collect();
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

/// The fields of a repo, or of a job whose data lists them. `None` when they are not known.
fn fields_of<'a>(subject: &'a Subject<'_>) -> Option<Fields<'a>> {
    if !matches!(subject.node.node_type, NodeType::Repo | NodeType::Job) {
        return None;
    }
    let spec = Spec::new(&subject.node.node_type, subject.data.as_deref()?)?;
    let mut fields = Fields::new();
    for field in spec.get("schema")?.as_list()? {
        fields.insert(field.get("key")?.as_text()?);
    }
    // The service adds these itself.
    let options = spec.get("options");
    for option in ["withIP", "withTimestamp"] {
        let name = options
            .and_then(|options| options.get(option))
            .and_then(Tree::as_text);
        fields.extend(name.filter(|name| !name.is_empty()));
    }
    let known = !fields.is_empty() && !fields.iter().any(|field| references::has_variable(field));
    known.then_some(fields)
}
