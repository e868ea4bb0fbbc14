//! The fields of repos, datasources and of what transforms write.

use std::collections::HashSet;

use pipeline_proto::{NodeName, model::NodeType};

use super::{Linter, Rule, Subject, shape::Spec};
use crate::{path::Path, references, tree::Tree};

/// The service's own list; `ip` is known from the vendor's Go SDK only.
const VALTYPES: [&str; 9] = [
    "string",
    "long",
    "float",
    "date",
    "boolean",
    "array",
    "map",
    "jsonstring",
    "ip",
];

const ELEMTYPES: [&str; 3] = ["long", "float", "string"];

/// How many fields of type map may enclose each other.
const MAX_MAPS: usize = 5;

impl Linter<'_> {
    pub(super) fn check_schemas(
        &mut self,
        subject: &Subject<'_>,
        spec: &Spec<'_>,
        data: &Tree,
        path: &mut Path,
    ) {
        let required = matches!(
            subject.node.node_type,
            NodeType::Repo | NodeType::Datasource
        );
        let present = |tree: &&Tree| !tree.is_null();
        if required && spec.get("schema").as_ref().is_none_or(|x| !present(x)) {
            let message = format!("node {:?} does not say which fields it has", subject.id);
            self.report(
                subject,
                Rule::MissingSchema,
                message,
                path.as_str(),
                Some(data.at),
            );
        }
        for name in ["schema", "destrepo"] {
            spec.member(name, path, |tree, path| {
                let Some(fields) = tree.as_list() else { return };
                if required && fields.is_empty() {
                    let message = "a schema needs at least one field";
                    self.report(
                        subject,
                        Rule::SchemaEmpty,
                        message,
                        path.as_str(),
                        Some(tree.at),
                    );
                }
                self.check_fields_of(subject, fields, path, 0);
            });
        }
    }

    /// `maps` is how many fields of type map enclose these fields.
    fn check_fields_of(
        &mut self,
        subject: &Subject<'_>,
        fields: &[Tree],
        path: &mut Path,
        maps: usize,
    ) {
        let mut seen = HashSet::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            crate::steps::count(1);
            if field.as_map().is_none() {
                continue;
            }
            path.in_element(index, |path| {
                self.check_key(subject, field, path, &mut seen);
                self.check_valtype(subject, field, path);
                let nested = field.get("schema").and_then(Tree::as_list);
                let is_map = field.get("valtype").and_then(Tree::as_text) == Some("map");
                if is_map && maps == MAX_MAPS {
                    let message = format!("maps can be nested {MAX_MAPS} levels deep, no deeper");
                    self.report(
                        subject,
                        Rule::SchemaDepth,
                        message,
                        path.as_str(),
                        Some(field.at),
                    );
                } else if let Some(nested) = nested {
                    path.in_member("schema", |path| {
                        self.check_fields_of(subject, nested, path, maps + usize::from(is_map));
                    });
                }
            });
        }
    }

    fn check_key<'a>(
        &mut self,
        subject: &Subject<'_>,
        field: &'a Tree,
        path: &mut Path,
        seen: &mut HashSet<&'a str>,
    ) {
        let Some(tree) = field.get("key").filter(|key| !key.is_null()) else {
            let message = "the field has no key";
            return self.report(
                subject,
                Rule::SchemaKey,
                message,
                path.as_str(),
                Some(field.at),
            );
        };
        // Another type was reported as such; what the environment says is not known.
        let key = tree.as_text().filter(|key| !references::has_variable(key));
        let Some(key) = key else { return };
        let (rule, message) = if NodeName::new(key).is_err() {
            let why = "letters, digits and '_' only, no digit first, at most 128 characters";
            (
                Rule::SchemaKey,
                format!("the key {key:?} breaks the naming rules: {why}"),
            )
        } else if !seen.insert(key) {
            (
                Rule::SchemaDuplicateKey,
                format!("the schema has {key:?} twice"),
            )
        } else {
            return;
        };
        path.in_member("key", |path| {
            self.report(subject, rule, message, path.as_str(), Some(tree.at));
        });
    }

    fn check_valtype(&mut self, subject: &Subject<'_>, field: &Tree, path: &mut Path) {
        self.check_word(
            subject,
            field,
            path,
            ("valtype", Rule::SchemaValtype, &VALTYPES),
        );
        if field.get("valtype").and_then(Tree::as_text) == Some("array") {
            self.check_word(
                subject,
                field,
                path,
                ("elemtype", Rule::SchemaElemtype, &ELEMTYPES),
            );
        }
    }

    /// Checks that a member is there and one of a few words.
    fn check_word(
        &mut self,
        subject: &Subject<'_>,
        field: &Tree,
        path: &mut Path,
        (member, rule, words): (&str, Rule, &[&str]),
    ) {
        let known = match words.split_last() {
            Some((last, others)) => format!("known are {} and {last}", others.join(", ")),
            None => String::new(),
        };
        match field.get(member).map(|tree| (tree, tree.as_text())) {
            // Another type was reported as such; what the environment says is not known.
            Some((tree, None)) if !tree.is_null() => {}
            Some((_, Some(text))) if words.contains(&text) || references::has_variable(text) => {}
            Some((tree, Some(text))) if !text.is_empty() => path.in_member(member, |path| {
                let message = format!("the service knows no type {text:?}; {known}");
                self.report(subject, rule, message, path.as_str(), Some(tree.at));
            }),
            _ => {
                let message = format!("the field has no {member}; {known}");
                self.report(subject, rule, message, path.as_str(), Some(field.at));
            }
        }
    }
}
