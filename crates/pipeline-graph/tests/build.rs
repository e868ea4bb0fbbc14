//! Graphs that a program puts together.

use pipeline_graph::{
    Definition, Graph, GraphBuilder,
    diff::diff,
    file::{Format, Secrets, WorkflowFile},
    lint::lint_nodes,
};
use pipeline_proto::model::NodeId;
use pipeline_proto::resource::{
    datasource::{DatasourceField, DatasourceSpec, KodoFiles},
    export::{ExportSpec, HttpTarget, LogdbTarget},
    job::{JobSpec, Scheduler},
    job_export::{JobExportSpec, KodoTarget},
    schema::Schema,
    transform::TransformSpec,
};

fn with_fields(mut source: DatasourceSpec) -> DatasourceSpec {
    let mut field = DatasourceField::default();
    (field.key, field.valtype) = ("ip".into(), "string".into());
    source.schema.push(field);
    source
}

#[test]
fn every_kind_of_node_is_joined_whatever_the_order() {
    let schema: Schema = "ip string".parse().unwrap();
    let kodo = JobExportSpec::from(KodoTarget::new("reports"));
    let nodes = Graph::builder()
        .export("index", LogdbTarget::new("clicks", schema.mapping()))
        .from("clean_clicks")
        .transform("clean", TransformSpec::sql("select ip from stream"))
        .from("clicks")
        .repo("clicks", "ip string, *at date")
        .repo("clean_clicks", schema)
        .from("clean")
        .job_export("report", kodo)
        .from("daily")
        .job("daily", JobSpec::sql_after("select * from hourly"))
        .from("hourly")
        .job(
            "hourly",
            JobSpec::sql(
                "select count(*) from archived",
                ("1U2G", 1),
                Scheduler::crontab("0 0 0/1 * *"),
            ),
        )
        .datasource(
            "archived",
            with_fields(KodoFiles::new("archive", "json").into()),
        )
        .to("hourly")
        .build()
        .unwrap();
    assert_eq!(lint_nodes(&nodes), []);
    let expected = [
        "archived-datasource",
        "clicks-repo",
        "clean-transform",
        "hourly-job",
        "clean_clicks-repo",
        "daily-job",
        "index-export",
        "report-exportBatch",
    ];
    let graph = Graph::new(&nodes).unwrap();
    assert!(graph.topological_order().map(NodeId::as_str).eq(expected));
    let sources = r#""srcs":[{"name":"archived","type":"datasource","tableName":"archived"}]"#;
    let data = nodes["hourly-job"].data.as_ref().unwrap();
    assert!(data.get().contains(sources), "{}", data.get());
    // What it makes is what a file with the same nodes describes.
    let definition = Definition::new("w", nodes);
    let text = definition.write(Format::Yaml, Secrets::Show).unwrap().text;
    let file = WorkflowFile::parse(&text, Format::Yaml).unwrap();
    let again = file.resolve(|_| None).unwrap();
    assert!(diff(&definition, &again).is_empty());
}

#[test]
fn what_is_wrong_is_told_when_the_graph_is_built() {
    let clicks = || Graph::builder().repo("clicks", "ip string");
    let http = || ExportSpec::from(HttpTarget::new("h", "/u"));
    let cases: [(GraphBuilder, &str); 8] = [
        (
            Graph::builder().from("clicks"),
            "an edge leads to \"clicks\" before there is a node",
        ),
        (
            clicks().repo("clicks", "at date"),
            "there are two nodes \"clicks-repo\"",
        ),
        (
            clicks().repo("b", "at dat"),
            "node \"b-repo\": column 4: 'dat' is not a type",
        ),
        (
            clicks().export("save", http()).from("click"),
            "names the parent \"click-repo\", which is not there",
        ),
        (
            clicks().export("save", http()).to("clicks"),
            "no export can feed a repo",
        ),
        (
            clicks().export("save", http()),
            "node \"save-export\" has no parent; it must read from a repo",
        ),
        (
            clicks()
                .export("save", HttpTarget::new("", "/u"))
                .from("clicks"),
            "node \"save-export\": \"host\" is missing",
        ),
        (
            clicks()
                .export("a-b", http())
                .from("clicks")
                .transform("t", "select 1")
                .from("clicks"),
            "'-' at position 2",
        ),
    ];
    for (builder, says) in cases {
        let error = builder.build().unwrap_err();
        assert!(error.to_string().contains(says), "{error}: {says}");
    }
}
