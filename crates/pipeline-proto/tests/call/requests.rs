//! What goes out, byte for byte.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use pipeline_proto::{
    Auth, BuildError, Call, CallOptions, Context, DecodeError, ErrorKind, Idempotency, NodeName,
    Operation, Region, RequestTemplate, ResourceOwner,
    model::{Node, NodeType, Nodes},
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, PollBy,
        SearchLogs, StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
};

use super::support::{
    ACCESS_KEY, SECRET_KEY, builder, context, name, response, rows, run, signature::signed_at,
    start,
};

fn request_with<O: Operation>(
    context: &Context,
    operation: O,
    options: CallOptions,
) -> Request<Bytes> {
    Call::new(context, operation, options)
        .unwrap()
        .start(start())
        .send()
        .0
}

fn request<O: Operation>(operation: O) -> Request<Bytes> {
    request_with(&context(), operation, CallOptions::new())
}

/// Every operation with these options, and its name.
fn all(options: &CallOptions) -> Vec<(&'static str, Request<Bytes>)> {
    fn row<O: Operation>(operation: O, options: &CallOptions) -> (&'static str, Request<Bytes>) {
        (
            O::NAME,
            request_with(&context(), operation, options.clone()),
        )
    }
    vec![
        row(CreateWorkflow::new(name()), options),
        row(UpdateWorkflow::new(name(), Nodes::new()), options),
        row(ListWorkflows::new(), options),
        row(GetWorkflow::new(name()), options),
        row(GetWorkflowStatus::new(name()), options),
        row(GetWorkflowStatus::new(name()).by(PollBy::Get), options),
        row(StartWorkflow::new(name()), options),
        row(StopWorkflow::new(name()), options),
        row(DeleteWorkflow::new(name()), options),
        row(SearchLogs::new(name()), options),
    ]
}

#[test]
fn every_operation_is_said_as_documented() {
    let table = r#"
        create_workflow     | POST   | /v2/workflows/logs        | {"region":"nb"}
        update_workflow     | PUT    | /v2/workflows/logs        | {"name":"logs","region":"nb","nodes":{}}
        list_workflows      | GET    | /v2/workflows             |
        get_workflow        | GET    | /v2/workflows/logs        |
        get_workflow_status | GET    | /v2/workflows/logs/status |
        get_workflow_status | GET    | /v2/workflows/logs        |
        start_workflow      | POST   | /v2/workflows/logs/start  |
        stop_workflow       | POST   | /v2/workflows/logs/stop   |
        delete_workflow     | DELETE | /v2/workflows/logs        |
        search_logs         | POST   | /v2/workflows/logs/search | {"type":"","name":"","reponame":"","query":"*","size":10,"region":"nb","startTime":0,"endTime":0}"#;
    let all = all(&CallOptions::new());
    assert_eq!(all.len(), rows::<4>(table).count());
    for ((operation, request), row) in all.into_iter().zip(rows(table)) {
        let [expected_name, method, target, body] = row;
        assert_eq!(operation, expected_name);
        assert_eq!(request.method(), method, "{operation}");
        let uri = format!("https://pipeline.qiniu.com{target}");
        assert_eq!(*request.uri(), *uri, "{operation}");
        assert_eq!(request.body(), body, "{operation}");

        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        let has_body = !body.is_empty();
        let content_type = has_body.then_some("application/json");
        assert_eq!(header("content-type"), content_type, "{operation}");
        let length = body.len().to_string();
        let declared = (has_body || matches!(method, "POST" | "PUT")).then_some(&*length);
        assert_eq!(header("content-length"), declared, "{operation}");
        assert_eq!(
            header("date"),
            Some("Sun, 06 Nov 1994 08:49:37 GMT"),
            "{operation}"
        );
        let agent = header("user-agent").unwrap();
        assert!(agent.starts_with("pipeline-proto/"), "{operation}");
        assert_eq!(header("accept-encoding"), Some("identity"));
        let extra = [content_type, declared].iter().flatten().count();
        assert_eq!(
            request.headers().len(),
            4 + extra,
            "{operation}: and nothing else"
        );
        signed_at(&request, ACCESS_KEY, SECRET_KEY);
    }
}

#[test]
fn a_create_says_region_and_comment_in_this_order() {
    let create = CreateWorkflow::new(name())
        .comment("日志 \"<a>\"")
        .region(Region::from_static("jjh"));
    let body = request(create).into_body();
    assert_eq!(body, r#"{"region":"jjh","comment":"日志 \"<a>\""}"#);
}

#[test]
fn an_update_says_the_whole_graph_in_the_order_of_the_api_page() {
    let node = |text, node_type, data: &str| {
        Node::new(
            NodeName::from_static(text),
            node_type,
            data.parse().unwrap(),
        )
    };
    // Spaces and numbers of the data stay as they were written.
    let mut source = node("r", NodeType::Repo, r#"{ "x": 1.0 }"#);
    let mut export = node("e", NodeType::Export, "{}");
    source.children.push(export.to_ref());
    export.parents.push(source.to_ref());
    let nodes = Nodes::from([(source.id(), source), (export.id(), export)]);
    let body = request(UpdateWorkflow::new(name(), nodes)).into_body();
    let expected = concat!(
        r#"{"name":"logs","region":"nb","nodes":{"#,
        r#""e-export":{"name":"e","type":"export","data":{},"parents":[{"name":"r","type":"repo"}]},"#,
        r#""r-repo":{"name":"r","type":"repo","data":{ "x": 1.0 },"children":[{"name":"e","type":"export"}]}"#,
        r#"}}"#
    );
    assert_eq!(body, expected);
}

#[test]
fn an_update_with_an_illegal_node_name_is_not_sent() {
    let mut node = Node::new(
        NodeName::from_static("r"),
        NodeType::Repo,
        "{}".parse().unwrap(),
    );
    node.name = "a-b".into();
    let update = UpdateWorkflow::new(name(), Nodes::from([(node.id(), node)]));
    let error = Call::new(&context(), update, CallOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.attempts(), 0);
    assert!(error.to_string().contains("'-' at position 2"), "{error}");
}

#[test]
fn a_search_says_all_members_as_the_vendors_sdk_does() {
    let search = SearchLogs::new(name())
        .node_type(NodeType::Export)
        .node("e")
        .repo("r")
        .from(UNIX_EPOCH + Duration::from_millis(1))
        .until(UNIX_EPOCH + Duration::from_millis(2));
    let expected = r#"{"type":"export","name":"e","reponame":"r","query":"*","size":10,"region":"nb","startTime":1,"endTime":2}"#;
    assert_eq!(request(search).into_body(), expected);
}

#[test]
fn another_account_can_be_named_on_every_operation() {
    let owner: ResourceOwner = "1380000000".parse().unwrap();
    let without = all(&CallOptions::new());
    let with = all(&CallOptions::new().resource_owner(owner));
    for ((operation, without), (_, with)) in without.into_iter().zip(with) {
        assert_eq!(
            with.headers()["x-resource-owner"],
            "1380000000",
            "{operation}"
        );
        assert!(
            !without.headers().contains_key("x-resource-owner"),
            "{operation}"
        );
        // It is not signed.
        let signature = |request: &Request<Bytes>| request.headers()["authorization"].clone();
        assert_eq!(signature(&with), signature(&without), "{operation}");
    }
    for text in ["", "a b", "a\r\nb", "a\u{7f}", "帐号"] {
        assert!(text.parse::<ResourceOwner>().is_err(), "{text:?}");
    }
}

#[test]
fn headers_of_a_call_are_sent_and_those_of_the_vendor_are_signed() {
    let header = |name, value| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    let mut options = CallOptions::new();
    for (name, value) in [
        header("x-qiniu-zeta", "  last "),
        header("x-qiniu-alpha", "first"),
        header("accept", "application/json"),
        header("content-md5", "mZFLkyvTelC5g8XnyQrpOw=="),
    ] {
        options = options.header(name, value).unwrap();
    }
    let plain = request(GetWorkflow::new(name()));
    let request = request_with(&context(), GetWorkflow::new(name()), options);
    assert_eq!(request.headers()["accept"], "application/json");
    assert_ne!(
        request.headers()["authorization"],
        plain.headers()["authorization"]
    );
    signed_at(&request, ACCESS_KEY, SECRET_KEY);
}

#[test]
fn headers_that_a_call_sets_itself_are_refused() {
    let value = HeaderValue::from_static("x");
    for reserved in [
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "date",
        "expect",
        "host",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-resource-owner",
    ] {
        let name = HeaderName::from_static(reserved);
        let error = CallOptions::new()
            .header(name.clone(), value.clone())
            .unwrap_err();
        assert!(error.to_string().contains(reserved), "{error}");
        let template = RequestTemplate::new(Method::GET, &["v2"]).unwrap();
        assert!(template.header(name, value.clone()).is_err(), "{reserved}");
    }
}

/// An endpoint that this crate does not model, with a query and a header of its own.
#[derive(Debug)]
struct Exists;

impl Operation for Exists {
    type Output = Bytes;
    const NAME: &'static str = "exists";
    const IDEMPOTENCY: Idempotency = Idempotency::Safe;

    fn template(&self) -> Result<RequestTemplate, BuildError> {
        let name = HeaderName::from_static("x-qiniu-trace");
        RequestTemplate::new(Method::GET, &["v2", "repos", "clicks", "exists"])?
            .query("from", "a b&c")
            .header(name, HeaderValue::from_static("on"))
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<Bytes, DecodeError> {
        Ok(response.body().clone())
    }
}

#[test]
fn an_operation_of_ones_own_is_signed_and_sent_like_the_others() {
    let request = request(Exists);
    let target = request.uri().path_and_query().unwrap();
    assert_eq!(target, "/v2/repos/clicks/exists?from=a%20b%26c");
    assert_eq!(request.headers()["x-qiniu-trace"], "on");
    signed_at(&request, ACCESS_KEY, SECRET_KEY);
    let trace = run(Exists, [response(200).body("yes")]);
    assert_eq!(trace.result.unwrap(), "yes");
}

#[test]
fn a_header_that_the_operation_sets_cannot_be_set_again() {
    let name = HeaderName::from_static("x-qiniu-trace");
    let options = CallOptions::new()
        .header(name, HeaderValue::from_static("off"))
        .unwrap();
    let error = Call::new(&context(), Exists, options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("x-qiniu-trace"), "{error}");
}

#[test]
fn the_base_path_of_the_endpoint_is_sent_and_signed() {
    let endpoint = "http://127.0.0.1:8080/gate/way".parse().unwrap();
    let context = builder().endpoint(endpoint).build();
    let request = request_with(&context, GetWorkflow::new(name()), CallOptions::new());
    let expected = Uri::from_static("http://127.0.0.1:8080/gate/way/v2/workflows/logs");
    assert_eq!(request.uri(), &expected);
    signed_at(&request, ACCESS_KEY, SECRET_KEY);
}

#[test]
fn the_user_agent_is_the_contexts() {
    let context = builder()
        .user_agent(HeaderValue::from_static("mine/1"))
        .build();
    let request = request_with(&context, ListWorkflows::new(), CallOptions::new());
    assert_eq!(request.headers()["user-agent"], "mine/1");
}

#[test]
fn without_credentials_nothing_is_shown() {
    let anonymous = builder().auth(Auth::Anonymous).build();
    let request = request_with(&anonymous, ListWorkflows::new(), CallOptions::new());
    assert!(!request.headers().contains_key("authorization"));
    assert!(request.headers().contains_key("date"));
}

#[test]
fn further_attempts_differ_in_date_and_signature_only() {
    let down = || response(503).after(Duration::from_secs(1));
    let trace = run(
        UpdateWorkflow::new(name(), Nodes::new()),
        [down(), down(), response(200)],
    );
    let stripped = |request: &Request<Bytes>| {
        let mut headers = request.headers().clone();
        assert!(headers.remove("date").is_some());
        assert!(headers.remove("authorization").is_some());
        let line = (request.method().clone(), request.uri().clone());
        (line, headers, request.body().clone())
    };
    let first = stripped(&trace.sent[0].request);
    for sent in &trace.sent[1..] {
        assert_eq!(stripped(&sent.request), first);
    }
}
