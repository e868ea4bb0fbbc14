//! What is there from the start: workflows, and resources that belong to none.

use http::HeaderMap;
use pipeline_graph::Definition;
use pipeline_proto::{ErrorCode, Now, model::Node};

use crate::{
    call::{Call, parse_name},
    id::{Id, Kind},
    refusal::Refusal,
    resource::{
        Datasource, Export, Job, JobExport, Repo, Transform, graph, node, verbs::create, workflow,
    },
    rules::Rules,
    state::Space,
};

/// A request without anything in it.
fn call<'a, 'b>(
    rules: &'a Rules,
    space: &'a mut Space<'b>,
    now: Now,
    headers: &'a HeaderMap,
) -> Call<'a, 'b> {
    Call {
        rules,
        space,
        names: &[],
        query: "",
        headers,
        body: &[],
        max_body: 0,
        now,
        pushed: Vec::new(),
    }
}

/// Adds a whole workflow, by the rules that hold for create and update.
pub(crate) fn add_workflow(
    rules: &Rules,
    space: &mut Space<'_>,
    definition: &Definition,
    now: Now,
) -> Result<(), Refusal> {
    let headers = HeaderMap::new();
    let mut call = call(rules, space, now, &headers);
    let name = parse_name(&definition.name)?;
    let (region, comment) = (definition.region.clone(), definition.comment.clone());
    let mut workflow = workflow::made(&call, &name, Some(region), comment)?;
    graph::replace(&mut call, &name, &mut workflow, &definition.nodes)?;
    space.insert(&name, workflow);
    Ok(())
}

/// Adds resources that belong to no workflow, one by one, each by the rules of its own create.
pub(crate) fn add_resources(
    rules: &Rules,
    space: &mut Space<'_>,
    definition: &Definition,
    now: Now,
) -> Result<(), Refusal> {
    let nodes = definition
        .nodes
        .values()
        .map(|node| Ok((node::id(node)?, node)));
    let mut nodes = nodes.collect::<Result<Vec<_>, Refusal>>()?;
    // Repos first: a destination that has a definition of its own is not to be made by its transform.
    nodes.sort_by_key(|(id, _)| id.kind != Kind::Repo);
    // What reads from another one has to wait for that.
    while !nodes.is_empty() {
        let (before, mut refused) = (nodes.len(), Ok(()));
        nodes.retain(|(id, node)| {
            let added = add_resource(rules, space, (id, node, &definition.region), now);
            let is_missing = added.is_err();
            refused = std::mem::replace(&mut refused, Ok(())).and(added);
            is_missing
        });
        if nodes.len() == before {
            return refused;
        }
    }
    Ok(())
}

fn add_resource(
    rules: &Rules,
    space: &mut Space<'_>,
    (id, node, region): (&Id, &Node, &str),
    now: Now,
) -> Result<(), Refusal> {
    let mut names: Vec<String> = id.path.split('/').map(str::to_owned).collect();
    names.extend(destination(node).map(str::to_owned));
    let (body, headers) = (node::body(node, region)?, HeaderMap::new());
    let mut call = Call {
        names: &names,
        body: body.as_bytes(),
        ..call(rules, space, now, &headers)
    };
    let create = match id.kind {
        Kind::Repo => create::<Repo>,
        Kind::Transform => create::<Transform>,
        Kind::Export => create::<Export>,
        Kind::Datasource => create::<Datasource>,
        Kind::Job => create::<Job>,
        Kind::JobExport => create::<JobExport>,
        kind => {
            let detail = format!("a {} is no node", kind.as_str());
            return Err(Refusal::code(ErrorCode::INVALID_WORKFLOW_GRAPH, detail));
        }
    };
    create(&mut call).map(drop)
}

/// The last name in the path of a transform's create.
fn destination(node: &Node) -> Option<&str> {
    let child = node.children.first()?;
    (node.node_type.as_str() == Kind::Transform.as_str()).then_some(&*child.name)
}

#[cfg(test)]
mod tests {
    use pipeline_graph::file::{Format, WorkflowFile};

    use crate::{Emulator, testing::Fixture};

    fn add(service: &mut Fixture, text: &str) -> Result<(), String> {
        let file = WorkflowFile::parse(text, Format::Yaml).unwrap();
        let definition = file.resolve(|_| None).unwrap();
        let account = crate::DEVELOPMENT_ACCOUNT;
        let Fixture { emulator, now } = service;
        let added = Emulator::add_resources(emulator, account, &definition, *now);
        added.map_err(|error| error.to_string())
    }

    #[test]
    fn resources_without_a_workflow_are_made_as_by_their_own_calls() {
        let mut service = Fixture::new();
        let text = "
nodes:
  raw-repo: {data: {schema: [{key: ip, valtype: string}]}}
  clean-transform: {parents: [raw-repo], children: [cleaned-repo], data: {mode: sql, code: select ip from stream}}
  cleaned-repo: {data: {schema: [{key: ip, valtype: string}, {key: n, valtype: long}]}}
  save-export: {parents: [cleaned-repo], data: {type: http, spec: {host: h, uri: /u}}}
  files-datasource: {data: {type: kodo, spec: {bucket: bkt, fileType: text}, schema: [{key: text, valtype: string}]}}
  daily-job:
    parents: [files-datasource]
    data:
      srcs: [{name: files, type: datasource, tableName: t}]
      computation: {type: sql, code: select 1}
      container: {type: 1U2G, count: 1}
      scheduler: {type: manual}
  out-exportBatch: {parents: [daily-job], data: {type: http, spec: {host: h, uri: /u}}}
";
        add(&mut service, text).unwrap();
        let repo = service.ok("GET", "/v2/repos/cleaned", "");
        assert_eq!(
            (&repo["workflow"], &repo["region"]),
            (&"".into(), &"nb".into())
        );
        assert_eq!(repo["schema"][1]["key"], "n");
        for target in [
            "/v2/repos/raw/transforms/clean",
            "/v2/repos/cleaned/exports/save",
            "/v2/jobs/daily/exports/out",
        ] {
            service.ok("GET", target, "");
        }
        assert_eq!(
            service.ok("GET", "/v2/workflows", ""),
            serde_json::json!([])
        );
        let before = service.emulator.snapshot(service.now);
        for (text, code) in [
            (
                "nodes: {a-repo: {data: {schema: [{key: a, valtype: long}]}}, raw-repo: {data: {schema: [{key: a, valtype: long}]}}}",
                "E18101",
            ),
            (
                "nodes: {a-repo: {data: {schema: [{key: a, valtype: long}]}}, b-repo: {data: {region: nb}}}",
                "E18105",
            ),
            ("nodes: {a-export: {data: {type: http}}}", "E18646"),
        ] {
            let error = add(&mut service, text).unwrap_err();
            assert!(error.starts_with(code), "{text}: {error}");
            assert_eq!(service.emulator.snapshot(service.now), before, "{text}");
        }
    }
}
