//! The requests of every resource are those that the vendor's clients send, and what the service shows is
//! read. From a record of the vendor's Go SDK; members that it leaks are left out.

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Now, Operation,
    name::*,
    resource::{
        OPERATIONS, datasource::*, export::*, group::*, job::*, job_export::*, plugin::*, push::*,
        repo::*, transform::*, udf::*, variable::*,
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// When the record was made.
const MOMENT: u64 = 1_795_825_247;

fn orders() -> RepoName {
    name("orders")
}

fn name<K: InPath>(text: &'static str) -> Name<K> {
    Name::from_static(text)
}

/// A spec, and whatever else is read from JSON.
fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

const POINT: &str = "host=h1\tbytes=7";

fn tags(key: &str, value: &str) -> Tags {
    Tags::new([(key, value)]).unwrap()
}

fn jar() -> Jar {
    Jar(Bytes::from_static(b"qiniu"))
}

/// The name of the operation, and its request: line, content type, signature and body.
fn sent<O: Operation>(operation: O) -> (&'static str, String, String, Value) {
    let keys = Credentials::new("exampleAccessKey0", "exampleSecretKey0").unwrap();
    let context = Context::builder().credentials(keys).build();
    let wall = std::time::UNIX_EPOCH + std::time::Duration::from_secs(MOMENT);
    let now = Now::new(wall, std::time::Duration::ZERO);
    let call = Call::new(&context, operation, CallOptions::new()).unwrap();
    let (request, _) = call.start(now).send();
    let line = format!(
        "{} {}",
        request.method(),
        request.uri().path_and_query().unwrap()
    );
    let signature = request.headers()["authorization"].to_str().unwrap();
    let (_, signature) = signature.rsplit_once(':').unwrap();
    let is_text = request
        .headers()
        .get("content-type")
        .is_some_and(|it| it == "text/plain");
    let body = if is_text {
        String::from_utf8_lossy(request.body()).into()
    } else {
        serde_json::from_slice(request.body()).unwrap_or_default()
    };
    (O::NAME, line, signature.to_owned(), body)
}

fn read<O: Operation>(operation: &O, body: &'static str) -> O::Output {
    operation
        .decode(&Response::new(Bytes::from_static(body.as_bytes())))
        .unwrap()
}

/// Compares requests with the record, and gives the names of their operations. No signature stands where
/// the vendor's client sends no content type and the API page has one, or where no client sends it.
macro_rules! requests {
    (@body) => { Value::Null };
    (@body $body:tt) => { json!($body) };
    ($($operation:expr => $line:literal $($signature:literal)? $(, $body:tt)?;)*) => {
        [$({
            let (name, line, signature, body) = sent($operation);
            assert_eq!(line, $line);
            $(assert_eq!(signature, $signature, "{line}");)?
            let _ = signature;
            assert_eq!(body, requests!(@body $($body)?), "{line}");
            name
        }),*]
    };
}

#[test]
fn requests_are_those_of_the_vendors_clients() {
    let fields =
        json!([{"key": "host", "valtype": "string", "required": true, "description": "sender"}]);
    let repo: RepoSpec = of(json!({"schema": fields}));
    let five: TransformSpec = of(json!({"interval": "5m"}));
    let http = json!({"host": "https://h.example", "uri": "/u", "format": "json"});
    let kodo = json!({"bucket": "bkt", "keyPrefixes": ["p1", "p2"], "fileType": "json"});
    let job = json!({
        "srcs": [{"name": "ds1", "fileFilter": "$(date)", "type": "datasource", "tableName": "tab"}],
        "computation": {"code": "select * from tab", "type": "sql"},
        "container": {"type": "1U2G", "count": 1},
        "scheduler": {"type": "loop", "spec": {"loop": "10m"}},
        "params": [{"name": "p", "default": "v"}],
    });
    let rules = vec!["r1".to_owned(), "r2".to_owned()];
    let argument: Argument = of(json!({"name": "p", "value": "w"}));
    let container = json!({"type": "1U2G", "count": 2});
    let seen = requests! {
        CreateRepo::new(orders(), repo.clone())
            => "POST /v2/repos/orders" "gFUiN5xklH6sGee1DNknFCwChwE=", {"region": "nb", "schema": fields};
        UpdateRepo::new(orders(), repo)
            => "PUT /v2/repos/orders" "ZP0kcncoihZ4myBX1F70r1xx-Ws=", {"schema": fields};
        ListRepos::new() => "GET /v2/repos" "QkSixxPSKvTyfcPkMdBTDvIG2Fk=";
        ListRepos::new().with_dag(true).source_type("authorized")
            => "GET /v2/repos?withDag=true&sourceType=authorized" "QkSixxPSKvTyfcPkMdBTDvIG2Fk=";
        GetRepo::new(orders()) => "GET /v2/repos/orders" "1HjFjoffxRw_tpL5_Jn8TEwDw3A=";
        RepoExists::new(orders()) => "GET /v2/repos/orders/exists" "rYD9Iq_BlzPHzrSWa8u_aXkba7s=";
        SampleRepo::new(orders()).count(3_u32)
            => "GET /v2/repos/orders/data?count=3" "QZ4Xl_tSEfSV7UeTgGJKloIimrw=";
        DeleteRepo::new(orders()) => "DELETE /v2/repos/orders" "PDUiSMtehN_ouVRzXvIUr4f5MgM=";

        PushPoints::new(orders(), POINT.into()) => "POST /v2/repos/orders/data" "9HnrGUBM1nMGbcpiS_mwV1cQVgI=", POINT;
        PushPoints::new(orders(), Payload::gzipped("packed")).tags(tags("k", "v w"))
            => "POST /v2/repos/orders/data?tags=az12IHc=" "9HnrGUBM1nMGbcpiS_mwV1cQVgI=", "packed";
        PushLines::new(orders(), "line 1\nline\t2".into())
            => "POST /v2/streams/orders/data" "FUOa3Igx6O4NksAsjz4pI0gFVJM=", "line 1\nline\t2";
        PushLines::new(orders(), "line 1".into()).tags(tags("k", "1")).rules(rules.clone())
            => "POST /v2/streams/orders/data?tags=az0x&rules=r1,r2" "FUOa3Igx6O4NksAsjz4pI0gFVJM=", "line 1";
        PushLines::new(orders(), "line 1".into()).rules(rules.clone())
            => "POST /v2/streams/orders/data?tags=&rules=r1,r2" "FUOa3Igx6O4NksAsjz4pI0gFVJM=", "line 1";
        PushRaw::new(orders(), "x=1".into())
            => "POST /v2/stream/orders/data" "gIbPL1hZGzzkCtUYXTr9P4dX_P0=", "x=1";
        PushRaw::new(orders(), "any bytes".into()).tags(tags("k", "v")).rules(rules)
            => "POST /v2/stream/orders/data?tags=az12&rules=r1,r2" "gIbPL1hZGzzkCtUYXTr9P4dX_P0=", "any bytes";

        CreateTransform::new(orders(), name("t1"), name("sums"), five.clone())
            => "POST /v2/repos/orders/transforms/t1/to/sums" "MtgK8gm5-LItDlxhlRF04RKgN8U=", {"interval": "5m"};
        UpdateTransform::new(orders(), name("t1"), five)
            => "PUT /v2/repos/orders/transforms/t1" "1ekHZls1ddHeyit5Fl9i_jfKnfE=", {"interval": "5m"};
        ListTransforms::new(orders()) => "GET /v2/repos/orders/transforms" "yfYhGAACGY1V8dOm8gqudXfeIrA=";
        GetTransform::new(orders(), name("t1"))
            => "GET /v2/repos/orders/transforms/t1" "Gl-yN1ehiEHQ-0bE9XdPUa04a6g=";
        TransformExists::new(orders(), name("t1"))
            => "GET /v2/repos/orders/transforms/t1/exists" "J4c8VGxSuaUig5apfijWKrZbk0A=";
        DeleteTransform::new(orders(), name("t1"))
            => "DELETE /v2/repos/orders/transforms/t1" "sxIZokHWLYXsU5yvxwBeEteoIZk=";

        CreateExport::new(orders(), name("e1"), of(json!({"type": "http", "spec": http, "whence": "newest"})))
            => "POST /v2/repos/orders/exports/e1" "TYdBzT7reUYrhvhTRi5v1qBPLoQ=",
            {"type": "http", "spec": http, "whence": "newest"};
        CreateExport::new(orders(), name("e1"), of(json!({"type": "mongo", "spec": {"later": [1]}})))
            => "POST /v2/repos/orders/exports/e1" "TYdBzT7reUYrhvhTRi5v1qBPLoQ=",
            {"type": "mongo", "spec": {"later": [1]}, "whence": "oldest"};
        UpdateExport::new(orders(), name("e1"), of(json!({"spec": http})))
            => "PUT /v2/repos/orders/exports/e1" "fzCjGeb73jCjBYIvAMObM7D33LQ=", {"spec": http};
        ListExports::new(orders()) => "GET /v2/repos/orders/exports" "KBXGFLzela8dkMBub4WJSLuRET8=";
        GetExport::new(orders(), name("e1")) => "GET /v2/repos/orders/exports/e1" "k3o9xtWTQiBoNOKp-IBCOi3r2zU=";
        ExportExists::new(orders(), name("e1"))
            => "GET /v2/repos/orders/exports/e1/exists" "ZB1GA9ypdKTeSsCRnlZInKjIm9s=";
        DeleteExport::new(orders(), name("e1"))
            => "DELETE /v2/repos/orders/exports/e1" "LQCK7dchFrSfb5jywGN4ERYD4to=";

        CreateDatasource::new(name("ds1"), of(json!({"type": "kodo", "spec": kodo, "schema": fields})))
            => "POST /v2/datasources/ds1" "TVf4ZuIY4yLijH73i2c_g34nKTM=",
            {"region": "nb", "type": "kodo", "spec": kodo, "schema": fields};
        UpdateDatasource::new(name("ds1"), of(json!({"spec": kodo, "schema": fields})))
            => "PUT /v2/datasources/ds1", {"spec": kodo, "schema": fields};
        ListDatasources::new() => "GET /v2/datasources" "Xq6Lp_2M_bzK0Yb-vSDM5F4oiMM=";
        GetDatasource::new(name("ds1")) => "GET /v2/datasources/ds1" "JxxqN_9RHYhpfY7fyNVsGvZ3Nxg=";
        DatasourceExists::new(name("ds1")) => "GET /v2/datasources/ds1/exists" "j0mL2BC8qaW-M25LcfDTWx4E8-0=";
        DeleteDatasource::new(name("ds1")) => "DELETE /v2/datasources/ds1" "Vo1MWXW6LPdTWnP2knqYW87rumo=";
        RetrieveSchema::new(of(json!({"type": "kodo", "spec": kodo})))
            => "POST /v2/schemas" "p-ZbClVK1X6jMOJZZKdR3_chXM4=", {"type": "kodo", "spec": kodo};

        CreateJob::new(name("j1"), of(job.clone())) => "POST /v2/jobs/j1" "4zJr3TOk-om3Lk1MNd-UIs96MnA=", job;
        UpdateJob::new(name("j1"), of(job.clone())) => "PUT /v2/jobs/j1", job;
        ListJobs::new() => "GET /v2/jobs" "mUikvVV3bMgUXniusRN5bpgRdxA=";
        ListJobs::new().src_datasource(name("ds1")) => "GET /v2/jobs?srcDatasource=ds1" "mUikvVV3bMgUXniusRN5bpgRdxA=";
        ListJobs::new().src_job(name("j1")) => "GET /v2/jobs?srcJob=j1" "mUikvVV3bMgUXniusRN5bpgRdxA=";
        GetJob::new(name("j1")) => "GET /v2/jobs/j1" "HKVy2ysmaWNbdPx4e6TzOuLBpdY=";
        JobExists::new(name("j1")) => "GET /v2/jobs/j1/exists" "r2TtqkB15rtHei_8ALauayidjY4=";
        StartJob::new(name("j1")) => "POST /v2/jobs/j1/actions/start" "br1V1B80BOfitSyeDm06AWijZTI=", {};
        StartJob::new(name("j1")).params(vec![argument])
            => "POST /v2/jobs/j1/actions/start" "br1V1B80BOfitSyeDm06AWijZTI=", {"params": [{"name": "p", "value": "w"}]};
        StopJob::new(name("j1")) => "POST /v2/jobs/j1/actions/stop" "e42MsB1X7tMVjIGHiXHXKaCLD24=";
        DeleteJob::new(name("j1")) => "DELETE /v2/jobs/j1" "z0uW3d2c5AxdOoI7-Jm2tm3wFsY=";
        ListBatches::new(name("j1")) => "GET /v2/jobs/j1/history" "LD55SvuTKqEqqkGiuBVoqASJMkk=";
        ListBatches::new(name("j1")).page(2_u32).status(BatchStatus::Failed).run_id(-1)
            => "GET /v2/jobs/j1/history?page=2&status=Failed&runId=-1" "LD55SvuTKqEqqkGiuBVoqASJMkk=";
        StopBatch::new(Batch::of(&name("j1"), 3))
            => "POST /v2/batch/actions/stop" "zGsgiIpvvO1-xfjmYgwDhI95aIo=", {"jobName": "j1", "runId": 3};
        RerunBatch::new(Batch::of(&name("j1"), 3))
            => "POST /v2/batch/actions/rerun" "VKFxbhne10iEfche7_vah2wFr2I=", {"jobName": "j1", "runId": 3};

        CreateJobExport::new(name("j1"), name("x1"), of(json!({"type": "http", "spec": http})))
            => "POST /v2/jobs/j1/exports/x1" "m_bNbrBbmCtfvQBYwmmcbNQ__ns=", {"type": "http", "spec": http};
        UpdateJobExport::new(name("j1"), name("x1"), of(json!({"spec": http})))
            => "PUT /v2/jobs/j1/exports/x1", {"spec": http};
        ListJobExports::new(name("j1")) => "GET /v2/jobs/j1/exports" "DMoyNXozH1TSEfAv0UKly7wqFF4=";
        GetJobExport::new(name("j1"), name("x1")) => "GET /v2/jobs/j1/exports/x1" "su95bo1wbRyrbMmCQBVDYZ3OsB4=";
        JobExportExists::new(name("j1"), name("x1"))
            => "GET /v2/jobs/j1/exports/x1/exists" "7GFOr99YjqVy0Y8qM4QOpcQB1Bg=";
        DeleteJobExport::new(name("j1"), name("x1"))
            => "DELETE /v2/jobs/j1/exports/x1" "cMuwebUvX4-sSq6-NH2yyWmyI-o=";

        UploadPlugin::new(name("com.example.P"), jar())
            => "POST /v2/plugins/com.example.P" "QvL8DiB0qv00uzFFNMFhXVB8L_I=";
        VerifyPlugin::new(name("com.example.P"))
            => "POST /v2/verify/plugins/com.example.P" "4ZysY4dvmDkmkNt5dcHSyE21CJc=";
        ListPlugins::new() => "GET /v2/plugins" "dP_B72Xs9e9idDsY2AWl3sKG1KM=";
        GetPlugin::new(name("com.example.P")) => "GET /v2/plugins/com.example.P" "96Dy8o0zSum_UUpD5dU7iLWvF4o=";
        DeletePlugin::new(name("com.example.P"))
            => "DELETE /v2/plugins/com.example.P" "ibN0XW7U1B10NhE1anZE00VX_jQ=";

        CreateGroup::new(name("g1"), of(json!({"container": container, "allocateOnStart": true})))
            => "POST /v2/groups/g1" "2xO7fZVqBFiMtreU-PqMvzCkbI4=",
            {"region": "nb", "container": container, "allocateOnStart": true};
        UpdateGroup::new(name("g1"), of(json!({"container": container})))
            => "PUT /v2/groups/g1" "saww1NGf60trej_0sm7A8FZKSLA=", {"container": container};
        StartGroup::new(name("g1")) => "POST /v2/groups/g1/actions/start" "z4J7sDiZEkkCH_JS2xROdPIFJBI=";
        StopGroup::new(name("g1")) => "POST /v2/groups/g1/actions/stop" "4IUMR6BWY8M9VjUDb9axIM4DVcU=";
        ListGroups::new() => "GET /v2/groups" "cKvih3AqM63CNZEUUOZvElQYyl4=";
        GetGroup::new(name("g1")) => "GET /v2/groups/g1" "ZCGKh2Zv1MJucGGJavBDSqphBXQ=";
        DeleteGroup::new(name("g1")) => "DELETE /v2/groups/g1" "cAZ15gmMHbPYFLFc-wWUtaep6Ig=";

        UploadUdfJar::new(name("u1"), jar()) => "POST /v2/udf/jars/u1" "5uejtUik5JAyFmrATiv_BMsBbrk=";
        DescribeUdfJar::new(name("u1"), of(json!({"description": "d"})))
            => "PUT /v2/udf/jars/u1" "VWUtZ05uMA2ym9O7SvssXaJtnK0=", {"description": "d"};
        DeleteUdfJar::new(name("u1")) => "DELETE /v2/udf/jars/u1" "FRgsP4VqNHW11JWCtwnYYASlKes=";
        ListUdfJars::new().from(1_u32).size(2_u32).sort("uploadTime:desc")
            => "GET /v2/udf/jars?from=1&size=2&sort=uploadTime:desc" "k6gsNDn2XlE_jE83zoVy7ONZAJk=";
        RegisterUdf::new(name("f1"), of(json!({"jarName": "u1", "className": "com.example.F", "funcDeclaration": "f1(x)"})))
            => "POST /v2/udf/funcs/f1" "147EYsuK6dkRgXvPp12mpDETNtA=",
            {"jarName": "u1", "className": "com.example.F", "funcDeclaration": "f1(x)"};
        DeregisterUdf::new(name("f1")) => "DELETE /v2/udf/funcs/f1" "f24w0jSqbP4arRK9Pl16LwOIxS4=";
        ListUdfs::new().jar_name("u1,u2")
            => "GET /v2/udf/funcs?jarName=u1,u2" "eT3icng5nkWuHJuBNzYEtL1wlxM=";
        ListBuiltins::new().category("date,string")
            => "GET /v2/udf/builtins?category=date,string" "HpdQenXyCNXkMIwK8mMyPjM-e6g=";
        DebugUdf::new(of(json!({"udfExpression": "select f(x) as a"})))
            => "POST /v2/udf/debug", {"udfExpression": "select f(x) as a"};

        CreateVariable::new(name("v1"), VariableSpec::time("$(now)-5h", "yyyy"))
            => "POST /v2/variables/v1", {"type": "time", "value": "$(now)-5h", "format": "yyyy"};
        UpdateVariable::new(name("v1"), VariableSpec::string("y"))
            => "PUT /v2/variables/v1", {"type": "string", "value": "y"};
        GetVariable::new(name("v1")) => "GET /v2/variables/v1" "IOIHtLWJYkBnX2iY1LLsYjHvjW0=";
        ListVariables::new() => "GET /v2/variables?type=user" "HQPt9eVFePBJe-0QrhaZ_Uyni3g=";
        ListVariables::new().owner(VariableOwner::System)
            => "GET /v2/variables?type=system" "HQPt9eVFePBJe-0QrhaZ_Uyni3g=";
        DeleteVariable::new(name("v1")) => "DELETE /v2/variables/v1" "sppxAje-ycGX9m7NBR29BvgTx7w=";
    };
    // Those of workflows have a record of their own.
    let unseen = OPERATIONS
        .iter()
        .filter(|info| info.resource != "workflow" && !seen.contains(&info.name));
    assert_eq!(unseen.map(|info| info.name).collect::<Vec<_>>(), [""; 0]);
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
