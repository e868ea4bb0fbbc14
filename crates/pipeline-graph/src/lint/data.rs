//! What a node's data is made of.

use pipeline_proto::model::NodeType;

use super::{Linter, Rule, Subject, shape::Spec};
use crate::{
    path::Path,
    references,
    secrets::Scope,
    tree::{Tree, Value},
};

impl Linter<'_> {
    pub(super) fn check_data(&mut self, subject: &Subject<'_>) {
        let mut path = subject.path("data");
        let known = NodeType::KNOWN.contains(&subject.node.node_type);
        let Some(data) = subject.data.as_deref() else {
            if known && subject.node.data.is_none() && !self.unread.contains(subject.id) {
                let message = format!("node {:?} has no data", subject.id);
                self.report(subject, Rule::MissingData, message, path.as_str(), None);
            }
            return;
        };
        if data.as_map().is_none() {
            let message = format!("data must be an object, not {}", data.kind());
            return self.report(
                subject,
                Rule::WrongType,
                message,
                path.as_str(),
                Some(data.at),
            );
        }
        if subject.place.is_none() {
            // In a file this was found when the file was read.
            data.repetitions(&mut path, &mut |member, path| {
                let message = format!("{:?} is there twice", member.name);
                self.report(subject, Rule::DuplicateKey, message, path.as_str(), None);
            });
        }
        if let Some(spec) = Spec::new(&subject.node.node_type, data) {
            spec.check(&mut path, &mut |tree, path, message| {
                self.report(subject, Rule::WrongType, message, path, Some(tree.at));
            });
            self.check_schemas(subject, &spec, data, &mut path);
        }
        self.check_secrets(subject, data, &mut path, Scope::default());
    }

    fn check_secrets(&mut self, subject: &Subject<'_>, tree: &Tree, path: &mut Path, scope: Scope) {
        crate::steps::count(1);
        match &tree.value {
            Value::List(list) => {
                for (index, element) in list.iter().enumerate() {
                    path.in_element(index, |path| {
                        self.check_secrets(subject, element, path, scope);
                    });
                }
            }
            Value::Map(members) => {
                for member in members {
                    path.in_member(&member.name, |path| {
                        let scope = scope.member(&member.name);
                        self.check_secrets(subject, &member.tree, path, scope);
                    });
                }
            }
            // In a file, a reference to the environment is what should be there.
            Value::Text(text) if subject.place.is_some() && references::has_variable(text) => {}
            value if scope.holds_secret(value) => {
                let message = "a secret in clear; write ${NAME} and set NAME in the environment";
                self.report(
                    subject,
                    Rule::SecretInClear,
                    message,
                    path.as_str(),
                    Some(tree.at),
                );
            }
            _ => {}
        }
    }
}
