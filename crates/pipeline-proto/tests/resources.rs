//! The requests of queues and transforms are those that the vendor's clients send, and what the service
//! shows is read. From a record of the vendor's Go SDK; members that it leaks are left out.

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Now, Operation,
    resource::{
        repo::{
            CreateRepo, DeleteRepo, GetRepo, ListRepos, RepoExists, RepoName, RepoSpec, SampleRepo,
            UpdateRepo,
        },
        transform::{
            CreateTransform, DeleteTransform, GetTransform, ListTransforms, TransformExists,
            TransformName, TransformSpec, UpdateTransform,
        },
    },
};
use serde_json::{Value, json};

/// When the record was made.
const MOMENT: u64 = 1_795_825_247;

fn orders() -> RepoName {
    RepoName::from_static("orders")
}

fn t1() -> TransformName {
    TransformName::from_static("t1")
}

/// The request line, the signature and the body.
fn sent<O: Operation>(operation: O) -> (String, String, Value) {
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
    let body = serde_json::from_slice(request.body()).unwrap_or_default();
    (line, signature.to_owned(), body)
}

fn read<O: Operation>(operation: &O, body: &'static str) -> O::Output {
    operation
        .decode(&Response::new(Bytes::from_static(body.as_bytes())))
        .unwrap()
}

#[test]
fn requests_are_those_of_the_vendors_clients() {
    let fields =
        json!([{"key": "host", "valtype": "string", "required": true, "description": "sender"}]);
    let spec: RepoSpec = serde_json::from_value(json!({"schema": fields})).unwrap();
    let sql: TransformSpec = serde_json::from_value(json!({"interval": "5m"})).unwrap();
    let none = Value::Null;
    for ((line, signature, body), expected_line, expected_signature, expected_body) in [
        (
            sent(CreateRepo::new(orders(), spec.clone())),
            "POST /v2/repos/orders",
            "gFUiN5xklH6sGee1DNknFCwChwE=",
            json!({"region": "nb", "schema": fields}),
        ),
        (
            sent(UpdateRepo::new(orders(), spec)),
            "PUT /v2/repos/orders",
            "ZP0kcncoihZ4myBX1F70r1xx-Ws=",
            json!({"schema": fields}),
        ),
        (
            sent(ListRepos::new()),
            "GET /v2/repos",
            "QkSixxPSKvTyfcPkMdBTDvIG2Fk=",
            none.clone(),
        ),
        (
            sent(ListRepos::new().with_dag(true).source_type("authorized")),
            "GET /v2/repos?withDag=true&sourceType=authorized",
            "QkSixxPSKvTyfcPkMdBTDvIG2Fk=",
            none.clone(),
        ),
        (
            sent(GetRepo::new(orders())),
            "GET /v2/repos/orders",
            "1HjFjoffxRw_tpL5_Jn8TEwDw3A=",
            none.clone(),
        ),
        (
            sent(RepoExists::new(orders())),
            "GET /v2/repos/orders/exists",
            "rYD9Iq_BlzPHzrSWa8u_aXkba7s=",
            none.clone(),
        ),
        (
            sent(SampleRepo::new(orders()).count(3_u32)),
            "GET /v2/repos/orders/data?count=3",
            "QZ4Xl_tSEfSV7UeTgGJKloIimrw=",
            none.clone(),
        ),
        (
            sent(DeleteRepo::new(orders())),
            "DELETE /v2/repos/orders",
            "PDUiSMtehN_ouVRzXvIUr4f5MgM=",
            none.clone(),
        ),
        (
            sent(CreateTransform::new(
                orders(),
                t1(),
                RepoName::from_static("sums"),
                sql.clone(),
            )),
            "POST /v2/repos/orders/transforms/t1/to/sums",
            "MtgK8gm5-LItDlxhlRF04RKgN8U=",
            json!({"interval": "5m"}),
        ),
        (
            sent(UpdateTransform::new(orders(), t1(), sql)),
            "PUT /v2/repos/orders/transforms/t1",
            "1ekHZls1ddHeyit5Fl9i_jfKnfE=",
            json!({"interval": "5m"}),
        ),
        (
            sent(ListTransforms::new(orders())),
            "GET /v2/repos/orders/transforms",
            "yfYhGAACGY1V8dOm8gqudXfeIrA=",
            none.clone(),
        ),
        (
            sent(GetTransform::new(orders(), t1())),
            "GET /v2/repos/orders/transforms/t1",
            "Gl-yN1ehiEHQ-0bE9XdPUa04a6g=",
            none.clone(),
        ),
        (
            sent(TransformExists::new(orders(), t1())),
            "GET /v2/repos/orders/transforms/t1/exists",
            "J4c8VGxSuaUig5apfijWKrZbk0A=",
            none.clone(),
        ),
        (
            sent(DeleteTransform::new(orders(), t1())),
            "DELETE /v2/repos/orders/transforms/t1",
            "sxIZokHWLYXsU5yvxwBeEteoIZk=",
            none.clone(),
        ),
    ] {
        assert_eq!(
            (line.as_str(), signature.as_str(), body),
            (expected_line, expected_signature, expected_body)
        );
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
