//! What the resources take and show beyond what `requests.rs` holds for all of them alike: bodies that are no
//! JSON, and which member of a response is which.

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, DecodeError, Now, Operation,
    name::*,
    resource::{
        datasource::*, export::*, group::*, job::*, job_export::*, plugin::*, push::*, repo::*,
        transform::*, udf::*, variable::*, workflow::*,
    },
};

fn orders() -> RepoName {
    name("orders")
}

fn name<K: InPath>(text: &'static str) -> Name<K> {
    Name::from_static(text)
}

const POINT: &str = "host=h1\tbytes=7";

fn tags(key: &str, value: &str) -> Tags {
    Tags::new([(key, value)]).unwrap()
}

fn jar() -> Jar {
    Jar(Bytes::from_static(b"qiniu"))
}

fn read<O: Operation>(operation: &O, body: &'static str) -> O::Output {
    operation
        .decode(&Response::new(Bytes::from_static(body.as_bytes())))
        .unwrap()
}

#[test]
fn a_jar_is_sent_with_its_sum() {
    let template = UploadPlugin::new(name("com.example.P"), jar())
        .template()
        .unwrap();
    let context = Context::builder()
        .credentials(Credentials::new("a", "s").unwrap())
        .build();
    let call = Call::new(
        &context,
        UploadUdfJar::new(name("u1"), jar()),
        CallOptions::new(),
    )
    .unwrap();
    let now = Now::new(std::time::UNIX_EPOCH, std::time::Duration::ZERO);
    let (request, _) = call.start(now).send();
    assert_eq!(request.headers()["content-md5"], "gLL29S04bTCxYd2kCqsEIQ==");
    assert_eq!(
        request.headers()["content-type"],
        "application/java-archive"
    );
    assert_eq!(request.body(), &Bytes::from_static(b"qiniu"));
    assert!(
        format!("{template:?}").contains("[5 bytes]"),
        "{template:?}"
    );
}

#[test]
fn what_is_compressed_says_so_and_is_signed_alike() {
    let context = Context::builder().build();
    for (payload, coding) in [
        (Payload::from(POINT), None),
        (Payload::gzipped("packed"), Some("gzip")),
    ] {
        let push = PushPoints::new(orders(), payload);
        let call = Call::new(&context, push, CallOptions::new()).unwrap();
        let (request, _) = call
            .start(Now::new(std::time::UNIX_EPOCH, std::time::Duration::ZERO))
            .send();
        let found = request.headers().get("content-encoding");
        assert_eq!(found.map(|it| it.to_str().unwrap()), coding);
        assert_eq!(request.headers()["content-type"], "text/plain");
    }
}

#[test]
fn raw_text_is_refused_with_status_200() {
    let push = PushRaw::new(orders(), "x=1".into());
    read(&push, r#"{"code":200,"message":""}"#);
    read(&push, r#"{"code":200}"#);
    for (body, told) in [
        (
            r#"{"code":400,"message":"E18111: no such field"}"#,
            "E18111: no such field",
        ),
        (r#"{"code":99999,"message":"hm"}"#, "the code 99999: hm"),
        (r#"{"message":"success"}"#, "another shape"),
        ("null", "another shape"),
        ("", "no body"),
    ] {
        let response = Response::new(Bytes::from_static(body.as_bytes()));
        let error = push.decode(&response).unwrap_err().to_string();
        assert!(error.contains(told), "{body}: {error}");
    }
}

#[test]
fn tags_and_rules_that_would_be_read_otherwise_are_refused() {
    assert_eq!(
        tags("a", "b c>?").to_string(),
        "YT1iIGM-Pw==",
        "as the vendor's client has it"
    );
    assert_eq!(tags("a", "\t\n").to_string(), "YT1cdFxu");
    for key in ["", "a=", "a\t", "\n"] {
        Tags::new([(key, "v")]).unwrap_err();
    }
    Tags::new([("", ""); 0]).unwrap_err();
    for rule in ["", "a,b"] {
        PushLines::new(orders(), Bytes::new())
            .rules(vec![rule.to_owned()])
            .template()
            .unwrap_err();
    }
}

#[test]
fn responses_are_read_whole() {
    let repo = read(
        &GetRepo::new(orders()),
        r#"{"region":"nb","schema":[{"key":"host","valtype":"string","required":true}],"group":"g1","options":{"withIP":"ip","withTimestamp":"","unescapeLine":true},"derivedFrom":"","fromDag":true,"workflow":"wf","ruleNames":["r1"],"description":"d","createTime":"kept"}"#,
    );
    assert_eq!(
        (repo.name.as_deref(), repo.group.as_deref()),
        (Some("orders"), Some("g1"))
    );
    assert_eq!(repo.schema[0].key, "host");
    assert!(repo.extra.get("createTime").is_some());

    let repos = read(
        &ListRepos::new(),
        r#"{"next":1,"repos":[{"name":"orders","region":"nb","derivedFrom":"t1","ruleNames":null,"perms":["read"]}]}"#,
    );
    assert_eq!(repos[0].name.as_deref(), Some("orders"));
    assert!(read(&ListRepos::new(), r#"{"repos":null}"#).is_empty());
    assert!(read(&RepoExists::new(orders()), r#"{"exist":true}"#));
    assert_eq!(
        read(
            &SampleRepo::new(orders()),
            r#"{"records":[{"host":"h1","bytes":7}]}"#
        )[0]["bytes"],
        7
    );
    let other = ListRepos::new()
        .decode(&Response::new(Bytes::from_static(b"{}")))
        .unwrap_err();
    assert!(other.to_string().contains("another shape"), "{other}");

    let transforms = read(
        &ListTransforms::new(orders()),
        r#"{"transforms":[{"name":"t1","to":"sums","spec":{"mode":"sql","code":"select 1","interval":"1m"},"workflow":"wf"}]}"#,
    );
    let spec = transforms[0].spec.as_ref().unwrap();
    assert_eq!(
        (transforms[0].to.as_str(), spec.code.as_deref()),
        ("sums", Some("select 1"))
    );
}

#[test]
fn what_shows_another_name_answers_another_request() {
    let other = r#"{"name":"other","status":"Ready"}"#;
    let read = |name: &str, result: Result<(), DecodeError>, shown: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("another request"), "{name}: {error}");
        assert!(error.contains(shown), "{name}: {error}");
    };
    macro_rules! refused {
        ($($operation:expr;)*) => {
            $(
                let operation = $operation;
                let result = operation.decode(&Response::new(Bytes::from_static(other.as_bytes())));
                read(stringify!($operation), result.map(drop), "\"other\"");
                // Services have been seen to write names in lower case.
                let asked = other.replace("other", &"asked_for".to_uppercase());
                operation.decode(&Response::new(asked.into())).unwrap();
            )*
        };
    }
    refused! {
        GetWorkflow::new(name("asked_for"));
        GetWorkflowStatus::new(name("asked_for"));
        GetRepo::new(name("asked_for"));
        GetTransform::new(orders(), name("asked_for"));
        GetExport::new(orders(), name("asked_for"));
        GetDatasource::new(name("asked_for"));
        GetJob::new(name("asked_for"));
        GetJobExport::new(name("j1"), name("asked_for"));
        GetPlugin::new(name("asked_for"));
        GetGroup::new(name("asked_for"));
        GetVariable::new(name("asked_for"));
    }
}

#[test]
fn what_is_shown_of_the_others_is_read() {
    let exports = read(
        &ListExports::new(orders()),
        r#"{"exports":[{"name":"e1","type":"http","spec":{"host":"https://h.example","uri":"/u","format":"json"},"whence":"oldest","workflow":"wf"}]}"#,
    );
    let ExportTarget::Http(http) = exports[0].target().unwrap() else {
        panic!("{exports:?}")
    };
    assert_eq!(
        (http.uri.as_str(), exports[0].name.as_deref()),
        ("/u", Some("e1"))
    );

    let datasource = read(
        &GetDatasource::new(name("ds1")),
        r#"{"region":"nb","type":"kodo","spec":{"bucket":"bkt","keyPrefixes":["p1"],"fileType":"json"},"schema":[{"key":"host","valtype":"string","required":true}],"workflow":"wf","fromDag":true}"#,
    );
    assert_eq!(
        (datasource.name.as_deref(), datasource.from_dag),
        (Some("ds1"), Some(true))
    );

    let job = read(
        &GetJob::new(name("j1")),
        r#"{"srcs":[{"name":"ds1","fileFilter":"","type":"datasource","tableName":"tab"}],"scheduler":{"type":"loop","spec":{"loop":"10m"}},"params":[{"name":"p","default":"v","value":"w"}],"workflow":"wf","schema":[{"key":"host","valtype":"string"}]}"#,
    );
    assert_eq!(job.name.as_deref(), Some("j1"));
    assert_eq!(job.schema.unwrap()[0].key, "host");
    let history = read(
        &ListBatches::new(name("j1")),
        r#"{"total":1,"history":[{"runId":3,"batchTime":"2017-06-01T05:00:00Z","startTime":"2017-06-01T05:00:01Z","endTime":"2017-06-01T05:00:09Z","duration":8,"status":"Successful","message":""}]}"#,
    );
    assert_eq!((history.total, history.runs[0].run_id), (Some(1), Some(3)));
    assert_eq!(history.runs[0].status, BatchStatus::Successful);
    let change = read(
        &RerunBatch::new(Batch::of(&name("j1"), 3)),
        r#"{"preStatus":"Failed","postStatus":"Restarting","rerunCount":2}"#,
    );
    assert_eq!(
        (change.before, change.rerun_count),
        (BatchStatus::Failed, Some(2))
    );

    let fields = read(
        &VerifyPlugin::new(name("com.example.P")),
        r#"{"outputFields":[{"name":"a","type":"long"}]}"#,
    );
    assert_eq!(fields[0].name, "a");
    let group = read(
        &GetGroup::new(name("g1")),
        r#"{"region":"nb","container":{"type":"1U2G","count":2,"status":"x"},"createTime":"2017-06-01T05:00:00Z"}"#,
    );
    assert_eq!(
        (group.name.as_deref(), group.container.unwrap().count),
        (Some("g1"), Some(2))
    );
    let udfs = read(
        &ListUdfs::new(),
        r#"{"result":[{"jarName":"u1","funcName":"f1","className":"com.example.F","funcDeclaration":"f1(x)","description":"d"}]}"#,
    );
    assert_eq!(udfs[0].name.as_deref(), Some("f1"));
    // The documents show an array, the vendor's client reads an object.
    for builtins in [
        r#"{"result":[{"funcName":"abs","category":"math","funcDeclaration":"abs(x)","description":"d"}]}"#,
        r#"[{"funcName":"abs","category":"math","funcDeclaration":"abs(x)","description":"d"}]"#,
    ] {
        assert_eq!(read(&ListBuiltins::new(), builtins)[0].name, "abs");
    }
    let results = read(
        &DebugUdf::new(UdfExpression::default()),
        r#"{"result":[{"a":"4"}]}"#,
    );
    assert_eq!(results[0]["a"], "4");
    let variable = read(
        &GetVariable::new(name("v1")),
        r#"{"name":"v1","type":"time","value":"$(now)-5h","format":"yyyy"}"#,
    );
    assert_eq!(variable.format.as_deref(), Some("yyyy"));
}
