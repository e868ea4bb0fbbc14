//! The exports of the queue, and the services that they write to.

use std::collections::BTreeMap;

use pipeline_proto::resource::schema::SchemaEntry;
use pipeline_shipper::{Call, Reply, exports::Service};
use serde_json::{Map, Value, json};

use crate::service::{Refusal, decode, refuse};

#[derive(Debug, Default)]
pub(crate) struct Sisters {
    /// By name, as they are shown.
    pub(crate) exports: BTreeMap<String, Value>,
    pub(crate) logdb: BTreeMap<String, Value>,
    /// Repos, and series behind a slash.
    pub(crate) tsdb: BTreeMap<String, Value>,
}

impl Sisters {
    pub(crate) fn call(&mut self, call: &Call, schema: &[SchemaEntry]) -> Result<Reply, Refusal> {
        match call {
            Call::ListExports(_) => {
                let exports: Vec<_> = self.exports.values().collect();
                Ok(decode(call, &json!({"exports": exports}).to_string()))
            }
            Call::CreateExport(create) => {
                let mut export = json!(create.spec);
                export["name"] = json!(create.name.as_str());
                self.check(&export, schema)?;
                make(&mut self.exports, create.name.as_str(), export, "E18301")
            }
            Call::UpdateExport(update) => {
                let Some(mut export) = self.exports.get(update.name.as_str()).cloned() else {
                    return refuse(404, "E18302: no such export");
                };
                let Value::Object(change) = json!(update.spec) else {
                    panic!("{update:?}")
                };
                assert_eq!(change.keys().collect::<Vec<_>>(), ["spec"]);
                export["spec"] = change["spec"].clone();
                self.check(&export, schema)?;
                self.exports.insert(update.name.to_string(), export);
                Ok(Reply::Done)
            }
            Call::GetLogdbRepo(get) => match self.logdb.get(get.name.as_str()) {
                Some(repo) => Ok(decode(call, &repo.to_string())),
                None => refuse(404, "E8111: no such repo"),
            },
            Call::CreateLogdbRepo(create) => make(
                &mut self.logdb,
                create.name.as_str(),
                json!(create.spec),
                "E8112",
            ),
            Call::UpdateLogdbRepo(update) => {
                let repo = self
                    .logdb
                    .get_mut(update.name.as_str())
                    .expect("it was read");
                let Value::Object(change) = json!(update.spec) else {
                    panic!("{update:?}")
                };
                repo.as_object_mut().unwrap().extend(change);
                Ok(Reply::Done)
            }
            Call::CreateTsdbRepo(create) => make(
                &mut self.tsdb,
                create.name.as_str(),
                json!(create.spec),
                "E6102",
            ),
            Call::CreateTsdbSeries(create) => {
                let name = format!("{}/{}", create.repo, create.name);
                assert!(self.tsdb.contains_key(create.repo.as_str()));
                make(&mut self.tsdb, &name, json!(create.spec), "E6302")
            }
            other => panic!("{other:?}"),
        }
    }

    /// What an export writes, and where to, has to be there.
    fn check(&self, export: &Value, schema: &[SchemaEntry]) -> Result<(), Refusal> {
        let spec = export["spec"].as_object().unwrap();
        let place = spec
            .get("destRepoName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let fields = |mapping: &&str| spec.get(*mapping).and_then(Value::as_object);
        let sources = ["doc", "fields", "tags"]
            .iter()
            .filter_map(fields)
            .flat_map(Map::values);
        let is_known = |source: &Value| {
            let field = source.as_str().unwrap().trim_start_matches('#');
            schema.iter().any(|entry| entry.key == field)
        };
        if sources.into_iter().any(|source| !is_known(source)) {
            return refuse(400, "E18312: no such field");
        }
        match export["type"].as_str().unwrap() {
            "logdb" if !self.logdb.contains_key(place) => refuse(404, "E18122: no such repo"),
            "tsdb" if !self.tsdb.contains_key(place) => refuse(404, "E18326: no such repo"),
            _ => Ok(()),
        }
    }

    /// The fields that an export maps under this member.
    pub(crate) fn mapped(&self, export: &str, member: &str) -> String {
        let mapping = self.exports[export]["spec"][member].as_object().unwrap();
        let pairs = mapping
            .iter()
            .map(|(target, source)| format!("{target}={}", source.as_str().unwrap()));
        pairs.collect::<Vec<_>>().join(" ")
    }
}

fn make(
    there: &mut BTreeMap<String, Value>,
    name: &str,
    it: Value,
    code: &str,
) -> Result<Reply, Refusal> {
    if there.contains_key(name) {
        return refuse(409, &format!("{code}: it is there"));
    }
    there.insert(name.to_owned(), it);
    Ok(Reply::Done)
}

/// Both, for settings.
pub(crate) const SERVICES: [Service; 2] = [Service::Logdb, Service::Tsdb];
