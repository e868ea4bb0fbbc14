//! A node of a workflow's graph, as the resource that it is.
//!
//! No source shows what the data of a node holds, so that what it leaves out is not asked for; what it
//! has is judged as in the call that makes such a resource by itself.

use std::collections::BTreeMap;

use pipeline_proto::{
    ErrorCode,
    model::{Node, NodeRef, NodeType, Nodes, RawJson},
    resource::transform::TransformSpec,
};
use serde_json::{Value, json};

use super::{
    Judged, Members, all, datasource, described, export, group::check_group, job, job_export,
    refuse, repo, text, transform,
};
use crate::{
    call::Call,
    id::{Id, Kind},
    item::Item,
    refusal::Refusal,
};

/// What a node is called among the resources of its account.
pub(crate) fn id(node: &Node) -> Result<Id, Refusal> {
    let is_known = !matches!(node.node_type, NodeType::Other { .. });
    let kind = Kind::of(node.node_type.as_str()).filter(|_| is_known);
    let Some(kind) = kind else {
        let detail = format!("there is no type {:?} of nodes", node.node_type.as_str());
        return refuse(ErrorCode::INVALID_WORKFLOW_GRAPH, detail);
    };
    let name = node.name.as_str();
    match kind {
        Kind::Transform | Kind::Export | Kind::JobExport => {
            let parent = one(node, &node.parents, "parent")?;
            Ok(Id::new(kind, &format!("{parent}/{name}")))
        }
        _ => Ok(Id::new(kind, name)),
    }
}

fn one<'a>(node: &Node, ends: &'a [NodeRef], what: &str) -> Result<&'a str, Refusal> {
    let code = match ends {
        [end] => return Ok(&end.name),
        [_, _, ..] if what == "parent" => ErrorCode::TOO_MANY_SOURCE_REPOS,
        _ => ErrorCode::INVALID_WORKFLOW_GRAPH,
    };
    let (id, count) = (node.id(), ends.len());
    refuse(
        code,
        format!("the node {id:?} needs one {what}, and has {count}"),
    )
}

/// The members of a node as a resource of this workflow, of whose region it is.
pub(crate) fn members(
    call: &Call<'_, '_>,
    id: &Id,
    node: &Node,
    (workflow, region): (&str, &str),
) -> Result<Members, Refusal> {
    let mut data = data(node)?;
    let old = call
        .space
        .get(id)
        .filter(|old| text(old, "workflow") == workflow);
    let nothing = Members::new();
    let before = old.unwrap_or(&nothing);
    let mut members = match id.kind {
        Kind::Repo => {
            if text(&data, "region") != region && data.contains_key("region") {
                let detail = format!(
                    "{:?} is to be in {}, and the workflow is in {region:?}",
                    node.name, data["region"]
                );
                return refuse(ErrorCode::REPO_REGION_MISMATCH, detail);
            }
            if data.contains_key("schema") {
                repo::check(call.rules, &data)?;
            }
            repo::check_description(call.rules, &data)?;
            check_group(call, &data, region)?;
            repo::check_types(before, &data)?;
            let mut repo = all(&data, repo::CHANGEABLE);
            if repo["schema"].is_null() {
                repo.insert("schema".to_owned(), json!([]));
            }
            let filled_by = node.parents.first().map_or("", |parent| &parent.name);
            repo.insert("region".to_owned(), region.into());
            repo.insert("group".to_owned(), text(&data, "group").into());
            repo.insert("fromDag".to_owned(), true.into());
            repo.insert("derivedFrom".to_owned(), filled_by.into());
            if let Some(old) = old {
                repo::keep_schema(call, old, &mut repo);
            }
            repo
        }
        Kind::Transform => {
            let to = one(node, &node.children, "child")?;
            let spec = match data.remove("spec") {
                Some(Value::Object(spec)) => spec,
                _ => data,
            };
            let spec = described(TransformSpec::description(), spec);
            if ["mode", "code", "plugin"]
                .iter()
                .any(|member| spec.contains_key(*member))
            {
                transform::check_spec(call.rules, &spec)?;
                transform::check_outputs_stay(before, &spec)?;
            }
            let name = node.name.as_str();
            Members::from_iter([
                ("name".to_owned(), name.into()),
                ("to".to_owned(), to.into()),
                ("spec".to_owned(), spec.into()),
            ])
        }
        Kind::Job => {
            job::check_texts(call, &data)?;
            read_from(&mut data, &node.parents);
            data
        }
        kind => {
            if kind == Kind::Datasource {
                datasource::check_variables(call, &data)?;
                if data.contains_key("schema") {
                    datasource::check_fields_stay(before, &data)?;
                }
            }
            data.insert("name".to_owned(), node.name.as_str().into());
            data
        }
    };
    members.insert("workflow".to_owned(), workflow.into());
    // What the emulator knows of it, such as the runs of a job, stays with it.
    for (name, value) in before.iter().filter(|(name, _)| name.starts_with('.')) {
        members.entry(name).or_insert_with(|| value.clone());
    }
    Ok(members)
}

/// Judges the nodes of a graph by what they read from and write to.
pub(crate) fn check_graph(
    call: &Call<'_, '_>,
    workflow: &str,
    nodes: &Nodes,
    all: &BTreeMap<Id, Item>,
) -> Result<(), Refusal> {
    let mut judged = Judged::graph(nodes);
    // What the workflow had and the graph has not is about to go.
    let find = |id: &Id| match all.get(id) {
        Some(item) => item.members(),
        None => call
            .space
            .get(id)
            .filter(|it| text(it, "workflow") != workflow),
    };
    for (id, members) in all
        .iter()
        .filter_map(|(id, item)| Some((id, item.members()?)))
    {
        match (id.kind, id.parent()) {
            (Kind::Job, _) => job::add_sources(&mut judged, (id.name(), members), find)?,
            (Kind::Export | Kind::JobExport, Some(parent)) => {
                let kind = if id.kind == Kind::Export {
                    Kind::Repo
                } else {
                    Kind::Job
                };
                let source = find(&Id::new(kind, parent));
                export::check_target(members, source.unwrap_or(&Members::new()))?;
            }
            _ => {}
        }
    }
    judged.check(|finding| {
        let node = finding.node.as_ref().and_then(|id| nodes.get(id))?;
        let code = match node.node_type {
            NodeType::Export => export::code,
            NodeType::ExportBatch => job_export::code,
            NodeType::Datasource => datasource::code,
            NodeType::Job => job::code,
            _ => return None,
        };
        Some(code(finding))
    })
}

/// The body of the create that makes a node by itself.
pub(crate) fn body(node: &Node, region: &str) -> Result<String, Refusal> {
    let mut data = data(node)?;
    let spec = data.get("spec").and_then(Value::as_object).cloned();
    match node.node_type {
        NodeType::Repo | NodeType::Datasource => {
            data.entry("region").or_insert_with(|| region.into());
        }
        NodeType::Transform => data = spec.unwrap_or(data),
        NodeType::Job => read_from(&mut data, &node.parents),
        _ => {}
    }
    data.remove("workflow");
    Ok(Value::Object(data).to_string())
}

/// Adds the parents of a job to what it reads, where that does not name them.
fn read_from(job: &mut Members, parents: &[NodeRef]) {
    let srcs = job.entry("srcs").or_insert_with(|| json!([]));
    if !srcs.is_array() {
        *srcs = json!([]);
    }
    let srcs = srcs.as_array_mut().into_iter();
    for srcs in srcs {
        for NodeRef {
            name, node_type, ..
        } in parents
        {
            let is_this = |src: &Value| src["name"] == *name && src["type"] == node_type.as_str();
            if !srcs.iter().any(is_this) {
                srcs.push(json!({"name": name, "type": node_type}));
            }
        }
    }
}

/// The members of the data that are not `null`. A number beyond all measure is left to the text.
fn data(node: &Node) -> Result<Members, Refusal> {
    let read = |data: &RawJson| data.parse::<Option<BTreeMap<String, RawJson>>>();
    match node.data.as_ref().map_or(Ok(None), read) {
        Ok(members) => {
            let members = members.into_iter().flatten();
            let read = members.filter_map(|(name, value)| Some((name, value.parse().ok()?)));
            Ok(read.filter(|(_, value)| *value != Value::Null).collect())
        }
        Err(error) => {
            let detail = format!("the data of the node {:?}: {error}", node.id());
            refuse(ErrorCode::MALFORMED_WORKFLOW, detail)
        }
    }
}

/// What a node shows of a resource that was made by itself: what its own call would take.
pub(crate) fn shown(id: &Id, members: &Members) -> Members {
    const OWN: &[&str] = &["name", "to", "workflow", "fromDag", "derivedFrom"];
    let mut data = members.clone();
    data.retain(|name, value| {
        let is_own = OWN.contains(&name.as_str()) || name.starts_with('.');
        !is_own && !value.is_null() && *value != ""
    });
    match (id.kind, data.get_mut("spec")) {
        (Kind::Transform, Some(Value::Object(spec))) => std::mem::take(spec),
        _ => data,
    }
}
