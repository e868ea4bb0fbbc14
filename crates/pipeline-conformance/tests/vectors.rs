//! The recorded requests of the vendor's clients, given to the emulator as they were sent: with the headers, the
//! bodies and, where they were recorded, the signatures. What they are stands in `requests.rs` of the core, which
//! holds its own requests against the same lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use pipeline_emulator::{Account, Emulator, Transition};
use pipeline_proto::{Credentials, Now, sign};
use serde_json::{Value, json};

#[path = "../../pipeline-proto/tests/vectors/recorded.rs"]
#[allow(dead_code, reason = "what leaks matters to the core's test alone")]
mod recorded;

use recorded::{KEYS, MOMENT, Vector, vectors};

/// [`MOMENT`], as it was sent.
const DATE: &str = "Sat, 28 Nov 2026 00:20:47 GMT";

const JSON: &str = "application/json";

/// What is there before a request that is about something under the first path: this is made at the second
/// one, unless that is what the request makes itself.
const WORLD: &[(&str, &str, &str)] = &[
    ("/v2/workflows/{}", "/v2/workflows/{}", r#"{"region":"nb"}"#),
    (
        "/v2/groups/{}",
        "/v2/groups/{}",
        r#"{"region":"nb","container":{"type":"1U2G","count":1}}"#,
    ),
    (
        "/v2/variables/{}",
        "/v2/variables/{}",
        r#"{"type":"time","value":"$(now)-5d","format":"yyyy"}"#,
    ),
    ("/v2/plugins/{}", "/v2/plugins/{}", "qiniu"),
    ("/v2/verify/plugins/{}", "/v2/plugins/{}", "qiniu"),
    ("/v2/repos/{}", "/v2/repos/{}", REPO),
    ("/v2/streams/{}", "/v2/repos/{}", REPO),
    ("/v2/stream/{}", "/v2/repos/{}", REPO),
    (
        "/v2/repos/{}/transforms/{}",
        "/v2/repos/{}/transforms/{}/to/sums",
        r#"{"mode":"sql","code":"select host from stream","interval":"1m","whence":"newest","container":{"type":"1U2G","count":1}}"#,
    ),
    (
        "/v2/repos/{}/exports/{}",
        "/v2/repos/{}/exports/{}",
        r#"{"type":"http","spec":{"host":"https://h.example","uri":"/u","format":"json"},"whence":"oldest"}"#,
    ),
    (
        "/v2/datasources/{}",
        "/v2/datasources/{}",
        r#"{"region":"nb","type":"kodo","spec":{"bucket":"bkt","keyPrefixes":["p1"],"fileType":"json"},"schema":[{"key":"host","valtype":"string","required":true}]}"#,
    ),
    (
        "/v2/jobs/{}",
        "/v2/jobs/{}",
        r#"{"srcs":[{"name":"ds1","type":"datasource","fileFilter":"","tableName":"tab"}],"computation":{"code":"select * from tab","type":"sql"},"container":{"type":"1U2G","count":1},"scheduler":{"type":"manual"},"params":[{"name":"p","default":"v"}]}"#,
    ),
    (
        "/v2/jobs/{}/exports/{}",
        "/v2/jobs/{}/exports/{}",
        r#"{"type":"http","spec":{"host":"https://h.example","uri":"/u"}}"#,
    ),
    ("/v2/udf/jars/{}", "/v2/udf/jars/{}", "qiniu"),
];

/// A queue with all the fields that records and exports name, and two more.
const REPO: &str = r#"{"region":"nb","schema":[
    {"key":"host","valtype":"string"},{"key":"bytes","valtype":"long"},{"key":"big","valtype":"float"},
    {"key":"f1","valtype":"string"},{"key":"f2","valtype":"float"},{"key":"f3","valtype":"float"},
    {"key":"f4","valtype":"float"},{"key":"f5","valtype":"float"},{"key":"ok","valtype":"boolean"},
    {"key":"at","valtype":"date"},{"key":"tags","valtype":"array","elemtype":"string"},
    {"key":"geo","valtype":"map","schema":[{"key":"city","valtype":"string"},{"key":"n","valtype":"long"}]},
    {"key":"city","valtype":"string"},{"key":"src","valtype":"ip"},{"key":"num","valtype":"float"},{"key":"raw","valtype":"string"},{"key":"a","valtype":"string"},
    {"key":"s","valtype":"string"},{"key":"f","valtype":"float"},{"key":"g","valtype":"float"},
    {"key":"b","valtype":"boolean"},{"key":"t","valtype":"date"},{"key":"l","valtype":"array","elemtype":"string"},
    {"key":"m","valtype":"map","schema":[{"key":"k","valtype":"string"}]}]}"#;

/// Those which the service would refuse as well, where the server of the record said yes to everything.
const REFUSED: &[(&str, &str, &str)] = &[
    // An edge to a node that is not there; then nothing that could run, and nothing that runs.
    ("update_workflow", "another record", "E18646"),
    ("start_workflow", "another record", "E18650"),
    ("stop_workflow", "another record", "E18645"),
    // Specs without what they must have, where Go leaves out what is empty.
    ("create_export", "another record", "E18305"),
    ("create_export", "another record", "E18305"),
    // A bucket has at least three letters.
    ("create_datasource", "another record", "E18614"),
    ("retrieve_schema", "another record", "E18614"),
    ("create_job_export", "another record", "E18651"),
    ("create_job_export", "another record", "E18651"),
    ("create_job_export", "another record", "E18651"),
    // The jar of the record is no archive, and that of the other one has no legal name.
    ("verify_plugin", "", "E18617"),
    ("register_udf", "", "E18632"),
    ("register_udf", "another record", "E18627"),
    ("deregister_udf", "", "E18634"),
    ("deregister_udf", "another record", "E18634"),
    ("debug_udf", "the documents", "E18634"),
];

impl Vector {
    fn request(&self) -> Request<Bytes> {
        let body = match (&self.gzip, &self.body) {
            (Some(gzip), _) => STANDARD.decode(gzip).unwrap(),
            (None, None) => Vec::new(),
            (None, Some(Value::String(text))) => text.clone().into_bytes(),
            (None, Some(json)) => json.to_string().into_bytes(),
        };
        let mut headers = self.headers.clone();
        headers.extend(
            self.content_type
                .clone()
                .map(|it| (header::CONTENT_TYPE.to_string(), it)),
        );
        let signed = self
            .signature
            .as_ref()
            .map(|it| format!("Pandora {}:{it}", KEYS[0]));
        let signed = self.token.clone().or(signed);
        request(&self.method, &self.target, &headers, signed, body)
    }

    /// What the request takes for granted, by its path and by what its body names.
    fn world(&self) -> Emulator {
        let mut emulator = Emulator::builder()
            .account(Account::new("1").key(KEYS[0], KEYS[1]))
            .any_owner()
            .transitions(Transition::Immediate)
            .build();
        let owner = self.headers.get("X-Resource-Owner").map(String::as_str);
        let path = self.target.split('?').next().unwrap();
        let own = (self.method == "POST").then_some(path);
        let mut need = |path: &str| ensure(&mut emulator, path, own, owner);
        let body = self.body.as_ref();
        let said = |name: &str| {
            body.and_then(|body| body.pointer(name))
                .and_then(Value::as_str)
        };
        // What the job of this world reads from.
        if path.starts_with("/v2/jobs") || said("/jobName").is_some() {
            need("/v2/datasources/ds1");
        }
        for (member, collection) in [
            ("/workflow", "workflows"),
            ("/group", "groups"),
            ("/jarName", "udf/jars"),
            ("/plugin/name", "plugins"),
            ("/jobName", "jobs"),
        ] {
            if let Some(name) =
                said(member).filter(|name| !["", "j"].contains(name) || member == "/jobName")
            {
                need(&format!("/v2/{collection}/{name}"));
            }
        }
        let sources = body
            .and_then(|body| body["srcs"].as_array())
            .into_iter()
            .flatten();
        for source in sources {
            need(&format!(
                "/v2/{}s/{}",
                source["type"].as_str().unwrap(),
                source["name"].as_str().unwrap()
            ));
        }
        if body.is_some_and(|body| body.to_string().contains("$(fiveDaysAgo)")) {
            need("/v2/variables/fiveDaysAgo");
        }
        need(path);
        // What a list shows.
        let lists = self
            .response
            .as_ref()
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        if let Some(item) = lists
            .filter(|_| self.method == "GET")
            .find_map(|(_, list)| list.get(0))
        {
            let name = ["name", "jarName"]
                .iter()
                .find_map(|name| item[name].as_str());
            if let Some(name) = name {
                need(&format!("{path}/{name}"));
            }
        }
        if self.operation == "sample_repo" {
            play(&mut emulator, path, owner, "host=h1\tbytes=7");
        }
        if path == "/v2/schemas" {
            // The emulator has no files, and knows the schema of those that a data source reads.
            let mut source = self.body.clone().unwrap();
            source["region"] = json!("nb");
            source["schema"] = json!([{"key": "text", "valtype": "string", "required": false}]);
            play(
                &mut emulator,
                "/v2/datasources/same",
                owner,
                &source.to_string(),
            );
        }
        let job = said("/jobName").map(|job| format!("/v2/jobs/{job}"));
        let job = job.or_else(|| Some(path.strip_suffix("/history")?.to_owned()));
        if let Some(job) = job {
            // Three runs, the last of them under way if it is to be stopped.
            for run in 1..=3 {
                play(&mut emulator, &format!("{job}/actions/start"), owner, "{}");
                if run < 3 || !path.ends_with("stop") {
                    play(&mut emulator, &format!("{job}/actions/stop"), owner, "");
                }
            }
        } else if let Some(of) = path.strip_suffix("/actions/stop") {
            play(&mut emulator, &format!("{of}/actions/start"), owner, "{}");
        }
        emulator
    }
}

/// Makes what is needed for a path, from its beginning on.
fn ensure(emulator: &mut Emulator, path: &str, own: Option<&str>, owner: Option<&str>) {
    let words: Vec<&str> = path.split('/').collect();
    for (begin, made, body) in WORLD {
        let pattern: Vec<&str> = begin.split('/').collect();
        let fits = words.len() >= pattern.len()
            && pattern
                .iter()
                .zip(&words)
                .all(|(pattern, word)| *pattern == "{}" || pattern == word);
        if !fits {
            continue;
        }
        let names = pattern
            .iter()
            .zip(&words)
            .filter(|(pattern, _)| **pattern == "{}");
        let made = names.fold((*made).to_owned(), |made, (_, name)| {
            made.replacen("{}", name, 1)
        });
        // A transform is made at a path that says where to.
        let is_own = |own: &str| {
            own == made || own.starts_with(made.trim_end_matches("sums")) && made.ends_with("/sums")
        };
        if !own.is_some_and(is_own) {
            play(emulator, &made, owner, body);
        }
    }
}

fn request(
    method: &str,
    target: &str,
    headers: &BTreeMap<String, String>,
    signed: Option<String>,
    body: Vec<u8>,
) -> Request<Bytes> {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::DATE, DATE);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if !body.is_empty() || method == "POST" {
        request = request.header(header::CONTENT_LENGTH, body.len());
    }
    let (mut parts, body) = request.body(Bytes::from(body)).unwrap().into_parts();
    let signed = signed.unwrap_or_else(|| {
        let keys = Credentials::new(KEYS[0], KEYS[1]).unwrap();
        let value = sign::authorization(&parts, &keys).unwrap();
        value.to_str().unwrap().to_owned()
    });
    parts
        .headers
        .insert(header::AUTHORIZATION, signed.parse().unwrap());
    Request::from_parts(parts, body)
}

/// A request of the test's own, to make something.
fn play(emulator: &mut Emulator, target: &str, owner: Option<&str>, body: &str) {
    let mut headers = BTreeMap::new();
    let kind = match body {
        "qiniu" => "application/java-archive",
        body if body.starts_with(['{', 's']) || body.is_empty() => JSON,
        _ => "text/plain",
    };
    headers.insert("content-type".to_owned(), kind.to_owned());
    if body == "qiniu" {
        headers.insert(
            "content-md5".to_owned(),
            "gLL29S04bTCxYd2kCqsEIQ==".to_owned(),
        );
    }
    headers.extend(owner.map(|owner| ("x-resource-owner".to_owned(), owner.to_owned())));
    let response = handle(
        emulator,
        request("POST", target, &headers, None, body.into()),
    );
    // It may be there already.
    let made = response.status() == StatusCode::OK || response.status() == StatusCode::CONFLICT;
    assert!(
        made || body.contains(r#""bucket":"b""#),
        "{target}: {response:?}"
    );
}

fn handle(emulator: &mut Emulator, request: Request<Bytes>) -> Response<Bytes> {
    emulator.handle(
        request,
        Now::new(UNIX_EPOCH + Duration::from_secs(MOMENT), Duration::ZERO),
    )
}

/// The members that a response shows, of itself and of the first item of its list; not of what was given in a
/// create.
fn members(body: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, inner) in body.as_object().into_iter().flatten() {
        found.insert(name.clone());
        if ["schema", "srcs", "params"].contains(&&**name) {
            continue;
        }
        let first = inner
            .get(0)
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        found.extend(first.map(|(inner, _)| format!("{name}/{inner}")));
    }
    found
}

#[test]
fn the_emulator_takes_each_recorded_request_and_shows_what_the_clients_read() {
    let mut refused = Vec::new();
    for vector in vectors() {
        let line = format!("{} {} ({})", vector.method, vector.target, vector.case);
        let mut emulator = vector.world();
        let response = handle(&mut emulator, vector.request());
        let shown = String::from_utf8_lossy(response.body());
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            JSON,
            "{line}: {shown}"
        );
        assert!(response.headers().contains_key("x-reqid"), "{line}");
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        if response.status() != StatusCode::OK {
            let error = body["error"].as_str().unwrap_or_default();
            let code = error.split(':').next().unwrap().to_owned();
            refused.push((vector.operation, vector.case, code));
        } else if let Some(recorded) = &vector.response {
            let shown = members(&body);
            for member in members(recorded) {
                // Nothing of this account is another's.
                let ignored = vector.ignored.contains(&member)
                    || member == "repos/perms"
                    || (vector.case == "authorised" && member != "repos")
                    // A function needs a jar that has its class.
                    || (vector.operation == "list_udfs" && member != "result");
                assert!(
                    ignored || shown.contains(&member),
                    "{line}: no {member} in {body}"
                );
            }
        }
    }
    let refused: Vec<_> = refused.iter().map(|(a, b, c)| (&**a, &**b, &**c)).collect();
    assert_eq!(refused, REFUSED);
}
