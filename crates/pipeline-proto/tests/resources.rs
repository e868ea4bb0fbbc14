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

/// What is read of the response, after what is asked.
macro_rules! shows {
    ($($operation:expr, $body:literal => |$shown:ident| $found:expr, $expected:expr;)*) => {
        $(
            let $shown = read(&$operation, $body);
            assert_eq!($found, $expected, "{}", stringify!($operation));
        )*
    };
}

#[test]
fn each_member_of_a_response_is_where_it_belongs() {
    use BatchStatus::{Failed, Successful};
    shows! {
        GetRepo::new(orders()), r#"{"region":"nb","schema":[{"key":"host","valtype":"string","required":true}],"group":"g1","options":{"withIP":"ip","withTimestamp":"","unescapeLine":true},"derivedFrom":"","fromDag":true,"workflow":"wf","ruleNames":["r1"],"description":"d","createTime":"kept"}"#
            => |repo| (repo.name.as_deref(), repo.group.as_deref(), &*repo.schema[0].key, repo.extra.get("createTime").is_some()),
            (Some("orders"), Some("g1"), "host", true);
        ListRepos::new(), r#"{"next":1,"repos":[{"name":"orders","region":"nb","derivedFrom":"t1","ruleNames":null,"perms":["read"]}]}"#
            => |repos| repos[0].name.as_deref(), Some("orders");
        ListRepos::new(), r#"{"repos":null}"# => |repos| repos.len(), 0;
        RepoExists::new(orders()), r#"{"exist":true}"# => |exists| exists, true;
        SampleRepo::new(orders()), r#"{"records":[{"host":"h1","bytes":7}]}"# => |records| records[0]["bytes"], 7;
        ListTransforms::new(orders()), r#"{"transforms":[{"name":"t1","to":"sums","spec":{"mode":"sql","code":"select 1","interval":"1m"},"workflow":"wf"}]}"#
            => |all| (all[0].to.as_str(), all[0].spec.as_ref().unwrap().code.as_deref()), ("sums", Some("select 1"));
        ListExports::new(orders()), r#"{"exports":[{"name":"e1","type":"http","spec":{"host":"https://h.example","uri":"/u","format":"json"},"whence":"oldest","workflow":"wf"}]}"#
            => |exports| (exports[0].name.as_deref(), matches!(exports[0].target(), Ok(ExportTarget::Http(http)) if http.uri == "/u")),
            (Some("e1"), true);
        GetDatasource::new(name("ds1")), r#"{"region":"nb","type":"kodo","spec":{"bucket":"bkt","keyPrefixes":["p1"],"fileType":"json"},"schema":[{"key":"host","valtype":"string","required":true}],"workflow":"wf","fromDag":true}"#
            => |source| (source.name.as_deref(), source.from_dag), (Some("ds1"), Some(true));
        GetJob::new(name("j1")), r#"{"srcs":[{"name":"ds1","fileFilter":"","type":"datasource","tableName":"tab"}],"scheduler":{"type":"loop","spec":{"loop":"10m"}},"params":[{"name":"p","default":"v","value":"w"}],"workflow":"wf","schema":[{"key":"host","valtype":"string"}]}"#
            => |job| (job.name.as_deref(), &*job.schema.as_ref().unwrap()[0].key), (Some("j1"), "host");
        ListBatches::new(name("j1")), r#"{"total":1,"history":[{"runId":3,"batchTime":"2017-06-01T05:00:00Z","startTime":"2017-06-01T05:00:01Z","endTime":"2017-06-01T05:00:09Z","duration":8,"status":"Successful","message":""}]}"#
            => |history| (history.total, history.runs[0].run_id, &history.runs[0].status), (Some(1), Some(3), &Successful);
        RerunBatch::new(Batch::of(&name("j1"), 3)), r#"{"preStatus":"Failed","postStatus":"Restarting","rerunCount":2}"#
            => |change| (change.before, change.rerun_count), (Failed, Some(2));
        VerifyPlugin::new(name("com.example.P")), r#"{"outputFields":[{"name":"a","type":"long"}]}"# => |fields| fields[0].name, "a";
        GetGroup::new(name("g1")), r#"{"region":"nb","container":{"type":"1U2G","count":2,"status":"x"},"createTime":"2017-06-01T05:00:00Z"}"#
            => |group| (group.name.as_deref(), group.container.as_ref().unwrap().count), (Some("g1"), Some(2));
        ListUdfs::new(), r#"{"result":[{"jarName":"u1","funcName":"f1","className":"com.example.F","funcDeclaration":"f1(x)","description":"d"}]}"#
            => |udfs| udfs[0].name.as_deref(), Some("f1");
        // The documents show an array, the vendor's client reads an object.
        ListBuiltins::new(), r#"{"result":[{"funcName":"abs","category":"math","funcDeclaration":"abs(x)","description":"d"}]}"#
            => |builtins| builtins[0].name, "abs";
        ListBuiltins::new(), r#"[{"funcName":"abs","category":"math","funcDeclaration":"abs(x)","description":"d"}]"#
            => |builtins| builtins[0].name, "abs";
        DebugUdf::new(UdfExpression::default()), r#"{"result":[{"a":"4"}]}"# => |results| results[0]["a"], "4";
        GetVariable::new(name("v1")), r#"{"name":"v1","type":"time","value":"$(now)-5h","format":"yyyy"}"#
            => |variable| variable.format.as_deref(), Some("yyyy");
    }
    let other = ListRepos::new().decode(&Response::new(Bytes::from_static(b"{}")));
    let error = other.unwrap_err().to_string();
    assert!(error.contains("another shape"), "{error}");
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
