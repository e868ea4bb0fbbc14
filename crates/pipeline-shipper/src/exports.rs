//! Exports that are made and kept up with the schema of a queue: where to, and what follows from what is there.
//!
//! ```
//! use pipeline_proto::resource::{export::KodoTarget, schema::Schema};
//! use pipeline_shipper::exports::{Action, AutoExport};
//!
//! let mut kodo = KodoTarget::default();
//! kodo.bucket = "archive".to_owned();
//! let schema: Schema = "ip string, *at date".parse()?;
//! let plan = AutoExport::to(kodo).plan(&"clicks".parse()?, &schema.0, &[])?;
//! assert_eq!(plan.name.as_str(), "clicks_export2_kodo");
//! assert!(matches!(plan.action, Action::Create(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod destination;
mod error;
mod target;

use std::collections::{BTreeMap, BTreeSet};

use pipeline_proto::{
    RepoName,
    model::RawJson,
    name::{ExportName, Region},
    resource::{
        Whence,
        export::ExportSpec,
        schema::{Schema, SchemaEntry},
    },
};
use serde_json::{Map, Value};

use self::destination::Destination;
pub use self::error::ExportError;

/// A service that exports write to, with an endpoint of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Service {
    /// The service of queues and exports itself.
    Pipeline,
    /// The search engine.
    Logdb,
    /// The time series database.
    Tsdb,
}

/// An export that a queue is to have.
///
/// It writes all fields of the queue, under their own names, and gets those that are added later. One with a mapping
/// of its own writes that, as far as the queue has the fields. What an export that is there says otherwise stays as it
/// is; only mappings that it lacks are added.
#[derive(Debug, Clone)]
pub struct AutoExport {
    spec: ExportSpec,
    name: Option<ExportName>,
    retention: String,
    region: Region,
    analyzer: String,
    analyzers: BTreeMap<String, String>,
    full_text: bool,
}

/// What is to be done for an export.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// What it is called.
    pub name: ExportName,
    /// What to do.
    pub action: Action,
    /// What the export that is there says otherwise than asked for, and keeps.
    pub differs: Vec<String>,
}

/// What to do with an export.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Nothing.
    Nothing,
    /// To wait until the queue has a field that it needs.
    Wait,
    /// To make it.
    Create(ExportSpec),
    /// To change it.
    Update(ExportSpec),
}

impl AutoExport {
    /// To there. For names that are left empty, that of the queue is taken.
    pub fn to(target: impl Into<ExportSpec>) -> Self {
        Self {
            spec: target.into(),
            name: None,
            retention: "30d".to_owned(),
            region: Region::default(),
            analyzer: "standard".to_owned(),
            analyzers: BTreeMap::new(),
            full_text: false,
        }
    }

    /// Its name. By default it is made of that of the queue and the type, as the vendor's clients do.
    #[must_use]
    pub fn name(mut self, name: ExportName) -> Self {
        self.name = Some(name);
        self
    }

    /// How long a LogDB repo or a TSDB series that is made keeps records. Default: `30d`.
    #[must_use]
    pub fn retention(mut self, retention: impl Into<String>) -> Self {
        self.retention = retention.into();
        self
    }

    /// Where a repo of LogDB or TSDB is made. Default: `nb`.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// How LogDB cuts texts into what can be searched for. Default: `standard`.
    #[must_use]
    pub fn analyzer(mut self, analyzer: impl Into<String>) -> Self {
        self.analyzer = analyzer.into();
        self
    }

    /// The same for one field; a dotted path names one in a map.
    #[must_use]
    pub fn analyzer_of(mut self, field: impl Into<String>, analyzer: impl Into<String>) -> Self {
        self.analyzers.insert(field.into(), analyzer.into());
        self
    }

    /// Whether a LogDB repo that is made can be searched over all fields at once. Default: no.
    #[must_use]
    pub fn full_text(mut self, full_text: bool) -> Self {
        self.full_text = full_text;
        self
    }

    /// The type of its destination, as in `kodo`.
    pub fn kind(&self) -> &str {
        &self.spec.r#type
    }

    /// In which order they are made, as the vendor's clients do.
    pub(crate) fn rank(&self) -> usize {
        Destination::rank(self.kind())
    }

    /// What is to be done so that a queue with this schema has the export, beside those that it has.
    ///
    /// # Errors
    ///
    /// If it cannot be said where to write, or an export of its name does something else.
    pub fn plan(
        &self,
        repo: &RepoName,
        schema: &[SchemaEntry],
        exports: &[ExportSpec],
    ) -> Result<Plan, ExportError> {
        let (destination, mut wanted) = self.complete(repo)?;
        let name = self.export_name(repo, destination, &wanted)?;
        let Mapping { all, needs } = Mapping::of(destination, &wanted, schema);
        let known: BTreeSet<&str> = schema.iter().map(|entry| &*entry.key).collect();
        let mut plan = Plan {
            name,
            action: Action::Wait,
            differs: Vec::new(),
        };
        let is_mapped = destination.mapping.is_empty()
            || all
                .iter()
                .any(|(member, it)| *member != "tags" && !it.is_empty());
        if !is_mapped || needs.iter().any(|field| !known.contains(&**field)) {
            return Ok(plan);
        }
        let same = |export: &&ExportSpec| {
            export
                .name
                .as_ref()
                .is_some_and(|name| name.as_ref() == plan.name.as_str())
        };
        let Some(present) = exports.iter().find(same) else {
            wanted.extend(
                all.into_iter()
                    .map(|(member, it)| (member.to_owned(), it.into())),
            );
            let mut spec = written(&wanted)?;
            spec.whence = Some(self.spec.whence.clone().unwrap_or(Whence::Oldest));
            spec.r#type.clone_from(&self.spec.r#type);
            plan.action = Action::Create(spec);
            return Ok(plan);
        };
        let mut old = self.same_place(&plan.name, destination, present, &wanted)?;
        plan.differs = self.differences(destination, &old);
        let mut is_changed = destination.add(&mut old, &all);
        if let (Some(time), false) = (wanted.get("timestamp"), old.contains_key("timestamp")) {
            old.insert("timestamp".to_owned(), time.clone());
            is_changed = true;
        }
        plan.action = if is_changed {
            Action::Update(written(&old)?)
        } else {
            Action::Nothing
        };
        Ok(plan)
    }

    /// What its spec says, with what it leaves open.
    fn complete(&self, repo: &RepoName) -> Result<(&'static Destination, Members), ExportError> {
        let destination = Destination::of(self.kind())?;
        let mut spec = members(&self.spec)?;
        destination.complete(&mut spec, repo)?;
        Ok((destination, spec))
    }

    fn export_name(
        &self,
        repo: &RepoName,
        destination: &Destination,
        spec: &Members,
    ) -> Result<ExportName, ExportError> {
        let name = match &self.name {
            Some(name) => return Ok(name.clone()),
            None if destination.kind == "tsdb" => {
                format!("{repo}export2tsdb_{}", text(spec, "series"))
            }
            None => format!("{repo}_export2_{}", destination.kind),
        };
        ExportName::new(&*name)
            .map_err(|error| ExportError::new(&name, format!("{error}; give it another name")))
    }

    /// The spec of the export that is there, if it writes to the same place.
    fn same_place(
        &self,
        name: &ExportName,
        destination: &Destination,
        present: &ExportSpec,
        wanted: &Members,
    ) -> Result<Members, ExportError> {
        let other = |what: &str, is: &str, wanted: &str| {
            let text = format!(
                "there is one already, with {what} {is:?} and not {wanted:?}: give this one another name"
            );
            Err(ExportError::new(name.as_str(), text))
        };
        if present.r#type != self.kind() {
            return other("type", &present.r#type, self.kind());
        }
        let old = members(present)?;
        for member in destination.place {
            let (is, wanted) = (text(&old, member), text(wanted, member));
            if is != wanted {
                return other(member, is, wanted);
            }
        }
        Ok(old)
    }

    fn differences(&self, destination: &Destination, old: &Members) -> Vec<String> {
        let own = |member: &str| {
            !destination.place.contains(&member) && !destination.mapping.contains(&member)
        };
        let said = members(&self.spec).unwrap_or_default().into_iter();
        said.filter(|(member, value)| own(member) && old.get(member) != Some(value))
            // Whether it shows keys is not known.
            .filter(|(member, _)| !member.ends_with("Key"))
            .map(|(member, value)| {
                let is = old.get(&member).unwrap_or(&Value::Null);
                format!("its {member} is {is}, not {value}")
            })
            .collect()
    }
}

type Members = Map<String, Value>;

/// What an export writes, of the fields that there are.
struct Mapping {
    /// By member of the spec.
    all: Vec<(&'static str, Members)>,
    /// The fields without which it makes no sense.
    needs: Vec<String>,
}

impl Mapping {
    fn of(destination: &Destination, spec: &Members, schema: &[SchemaEntry]) -> Self {
        let known: BTreeSet<&str> = schema.iter().map(|entry| &*entry.key).collect();
        let said = |member: &str| {
            spec.get(member)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let tags = said("tags");
        let mut all = Vec::new();
        for member in destination.mapping {
            let mut mapping = said(member);
            if mapping.is_empty() && *member != "tags" {
                mapping = Schema(schema.to_vec()).mapping();
                let is_tag = |source: &Value| tags.values().any(|tag| tag == source);
                mapping.retain(|_, source| !is_tag(source));
            }
            mapping.retain(|_, source| is_there(source, &known));
            all.push((*member, mapping));
        }
        let time = source(text(spec, "timestamp"));
        let keys = spec.get("updateKey").and_then(Value::as_array);
        let keys = keys.into_iter().flatten().filter_map(Value::as_str);
        let needs = time.into_iter().chain(keys).map(str::to_owned).collect();
        Self { all, needs }
    }
}

/// Whether all fields that a mapping speaks of are there.
fn is_there(mapping: &Value, known: &BTreeSet<&str>) -> bool {
    match mapping {
        Value::Object(inner) => inner.values().all(|it| is_there(it, known)),
        Value::String(text) => source(text).is_none_or(|field| known.contains(field)),
        _ => true,
    }
}

/// The field of the queue that is meant, if one is; of one in a map, the map.
fn source(text: &str) -> Option<&str> {
    text.strip_prefix('#')?.split('.').next()
}

fn text<'a>(spec: &'a Members, member: &str) -> &'a str {
    spec.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn members(spec: &ExportSpec) -> Result<Members, ExportError> {
    let spec = spec.spec.as_ref().map(RawJson::parse::<Members>);
    let spec = spec
        .transpose()
        .map_err(|error| ExportError::new("spec", error.to_string()))?;
    Ok(spec.unwrap_or_default())
}

fn written(spec: &Members) -> Result<ExportSpec, ExportError> {
    let mut written = ExportSpec::default();
    let spec = RawJson::from_value(spec);
    written.spec = Some(spec.map_err(|error| ExportError::new("spec", error.to_string()))?);
    Ok(written)
}
