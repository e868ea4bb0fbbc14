//! The resources that are made one by one: repos, and the transforms and exports that hang on them.

use std::collections::BTreeMap;

use http::Method;
use pipeline_proto::operation::OperationInfo;
use serde_json::{Map, Value, json};

use super::{Answer, Model, Outcome, REGIONS, Request, is_name, members};

/// What is known of a kind beforehand.
#[derive(Debug)]
pub(super) struct Kind {
    resource: &'static str,
    /// How many names say which one it is; those before the last say where it belongs.
    names: usize,
    illegal: u32,
    exists: u32,
    pub(super) missing: u32,
}

#[rustfmt::skip]
const KINDS: [Kind; 3] = [
    Kind { resource: "repo", names: 1, illegal: 18103, exists: 18101, missing: 18102 },
    Kind { resource: "transform", names: 2, illegal: 18207, exists: 18201, missing: 18202 },
    Kind { resource: "export", names: 2, illegal: 18305, exists: 18301, missing: 18302 },
];

impl Kind {
    pub(super) fn of(operation: &OperationInfo) -> Option<&'static Self> {
        KINDS
            .iter()
            .find(|kind| kind.resource == operation.resource)
    }
}

/// Its kind, and the names that say which one it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path(&'static str, Vec<&'static str>);

impl Path {
    fn repo(name: &'static str) -> Self {
        Self("repo", vec![name])
    }

    /// The read that shows it.
    pub(super) fn look(&self) -> Request {
        Request::new(&format!("get_{}", self.0), &self.1, Value::Null)
    }
}

/// What a create and the updates after it have said of it.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    shown: Map<String, Value>,
    /// The repo that a transform fills.
    to: Option<&'static str>,
    /// The transform with which a repo came, and goes.
    with: Option<&'static str>,
}

impl Model {
    pub(super) fn resource(&mut self, account: &'static str, request: &Request) -> Outcome {
        let Request {
            operation,
            names,
            body,
            ..
        } = request;
        let refused = |code| Err(Answer::of_code(code));
        let Some(kind) = Kind::of(operation) else {
            unreachable!("{} is an operation of something else", operation.name);
        };
        for (at, name) in names.iter().take(kind.names).enumerate() {
            let is_parent = at + 1 < kind.names;
            if !is_name(name) {
                return refused(if is_parent {
                    KINDS[0].illegal
                } else {
                    kind.illegal
                });
            }
            if is_parent && !self.has(account, &Path::repo(name)) {
                return refused(KINDS[0].missing);
            }
        }
        let path = Path(
            kind.resource,
            names.iter().take(kind.names).copied().collect(),
        );
        let key = (account, path.clone());
        let verb = operation.path.rsplit('/').next().unwrap_or_default();
        match (operation.method, self.resources.get(&key).cloned()) {
            (&Method::GET, found) if verb == "exists" => Ok(json!({ "exist": found.is_some() })),
            (&Method::GET, _) if names.len() < kind.names => {
                let listed = self.resources.iter().filter(|((owner, it), _)| {
                    *owner == account && it.0 == kind.resource && it.1.starts_with(names)
                });
                let listed: Vec<_> = listed.map(|((_, path), it)| it.listed(path)).collect();
                Ok(json!({ format!("{}s", kind.resource): listed }))
            }
            (&Method::POST, Some(_)) => refused(kind.exists),
            (&Method::POST, None) => {
                let made = self.made(account, kind, names, body)?;
                self.resources.insert(key, made);
                Ok(json!({}))
            }
            (_, None) => refused(kind.missing),
            (&Method::GET, Some(found)) => Ok(Value::Object(found.shown)),
            (&Method::PUT, Some(mut found)) => {
                found.change(kind, members(body))?;
                self.resources.insert(key, found);
                Ok(json!({}))
            }
            (_, Some(found)) => {
                self.delete(account, kind, names, &found)?;
                self.resources.remove(&key);
                Ok(json!({}))
            }
        }
    }

    fn has(&self, account: &'static str, path: &Path) -> bool {
        self.resources.contains_key(&(account, path.clone()))
    }

    /// Those of an account.
    fn of(&self, account: &'static str) -> impl Iterator<Item = (&Path, &Resource)> {
        let all = self
            .resources
            .iter()
            .filter(move |((owner, _), _)| *owner == account);
        all.map(|((_, path), resource)| (path, resource))
    }

    fn made(
        &mut self,
        account: &'static str,
        kind: &Kind,
        names: &[&'static str],
        body: &Value,
    ) -> Result<Resource, Answer> {
        let refused = |code| Err(Answer::of_code(code));
        let mut made = Resource {
            shown: members(body),
            to: None,
            with: None,
        };
        match kind.resource {
            "repo" if !REGIONS.iter().any(|region| body["region"] == **region) => {
                return refused(18212);
            }
            "repo" if body["schema"].as_array().is_none_or(Vec::is_empty) => return refused(18105),
            "transform" => {
                let [source, name, to] = names else {
                    unreachable!("a transform has a destination");
                };
                if !is_name(to) {
                    return refused(18103);
                }
                if source == to {
                    return refused(18204);
                }
                if body["code"].as_str().is_none_or(str::is_empty) {
                    return refused(18207);
                }
                if self.of(account).any(|(_, other)| other.to == Some(to)) {
                    return refused(18205);
                }
                made.shown = members(&json!({ "name": name, "to": to, "spec": body }));
                made.to = Some(to);
                // The destination is made if it is not there, with the fields of the source.
                if !self.has(account, &Path::repo(to)) {
                    let mut repo = self.resources[&(account, Path::repo(source))].clone();
                    repo.with = Some(name);
                    self.resources.insert((account, Path::repo(to)), repo);
                }
            }
            _ => {}
        }
        Ok(made)
    }

    /// Whether it may be deleted, and what goes with it.
    fn delete(
        &mut self,
        account: &'static str,
        kind: &Kind,
        names: &[&'static str],
        found: &Resource,
    ) -> Result<(), Answer> {
        let refused = |code| Err(Answer::of_code(code));
        let hangs_on = |repo| {
            self.of(account)
                .any(|(path, _)| path.1.len() > 1 && path.1[0] == repo)
        };
        match (kind.resource, found.to) {
            ("repo", _)
                if self
                    .of(account)
                    .any(|(_, other)| other.to == Some(names[0])) =>
            {
                refused(18206)
            }
            ("repo", _) if hangs_on(names[0]) => refused(18112),
            ("transform", Some(to)) => {
                // The destination goes with it, unless it was there before.
                let destination = (account, Path::repo(to));
                let with = self.resources.get(&destination).and_then(|repo| repo.with);
                if with == Some(names[1]) {
                    if hangs_on(to) {
                        return refused(18112);
                    }
                    self.resources.remove(&destination);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Resource {
    /// What a list shows of it at the least.
    fn listed(&self, path: &Path) -> Value {
        let name = path.1.last().copied().unwrap_or_default();
        let mut shown = self.shown.clone();
        // Not of a repo.
        shown.remove("schema");
        shown.insert("name".to_owned(), name.into());
        Value::Object(shown)
    }

    fn change(&mut self, kind: &Kind, mut body: Map<String, Value>) -> Result<(), Answer> {
        match kind.resource {
            "repo" => {
                let fields = body
                    .get("schema")
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default();
                if fields.is_empty() {
                    return Err(Answer::of_code(18105));
                }
                let types = |fields: &[Value]| -> BTreeMap<String, Value> {
                    fields
                        .iter()
                        .map(|field| (field["key"].to_string(), field["valtype"].clone()))
                        .collect()
                };
                let old = self.shown.get("schema").and_then(Value::as_array).cloned();
                let (old, new) = (types(&old.unwrap_or_default()), types(&fields));
                if new
                    .iter()
                    .any(|(key, valtype)| old.get(key).is_some_and(|was| was != valtype))
                {
                    return Err(Answer::of_code(18128));
                }
                self.shown.insert("schema".to_owned(), fields.into());
            }
            "transform" if body.is_empty() => return Err(Answer::of_code(18207)),
            "transform" => {
                let mut spec = members(&self.shown["spec"]);
                spec.append(&mut body);
                self.shown.insert("spec".to_owned(), spec.into());
            }
            _ => {
                let spec = body.remove("spec").ok_or_else(|| Answer::of_code(18305))?;
                self.shown.insert("spec".to_owned(), spec);
            }
        }
        Ok(())
    }
}
