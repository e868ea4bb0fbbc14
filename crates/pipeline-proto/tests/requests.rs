//! What the vendor's clients send and read, one recorded exchange a line of `vectors/requests.jsonl`: each
//! request is made by the operation's own type, and each response is read by it.
//!
//! A line has the operation, the request as it was sent, its signature where it was recorded, and what came back
//! where a client reads that. `leaks` are members of the body that say again what the path says, or nothing;
//! `ignored` are members of the response that neither the vendor's client nor this crate has a name for.

use std::{
    any::type_name,
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use bytes::Bytes;
use http::{Request, Response, header};
use percent_encoding::percent_decode_str;
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Now, Operation, Token,
    operation::OperationInfo,
    resource::{
        OPERATIONS,
        datasource::DatasourceSpec,
        export::ExportSpec,
        job_export::JobExportSpec,
        push::{Payload, Tags},
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[path = "vectors/recorded.rs"]
mod recorded;

use recorded::{KEYS, MOMENT, Vector, vectors};

/// Operations that a client of the vendor's sends without a content type, although the documents have one.
const WITHOUT_TYPE: [&str; 4] = [
    "create_variable",
    "push_points",
    "search_logs",
    "update_variable",
];

/// Those of the service, and those of the services beside it.
fn operations() -> impl Iterator<Item = &'static OperationInfo> {
    #[cfg(not(feature = "sister-services"))]
    let sisters: [&[OperationInfo]; 0] = [];
    #[cfg(feature = "sister-services")]
    let sisters = pipeline_proto::resource::SISTER_OPERATIONS;
    OPERATIONS.iter().chain(sisters.into_iter().flatten())
}

fn all_vectors() -> Vec<Vector> {
    #[allow(unused_mut, reason = "without the feature there are no others")]
    let mut all = vectors();
    #[cfg(feature = "sister-services")]
    all.extend(recorded::of(include_str!("vectors/sisters.jsonl")));
    all
}

impl Vector {
    /// The names in the path.
    fn names(&self) -> Vec<&str> {
        let info = operations().find(|info| info.name == self.operation);
        let (path, _) = self.query();
        let pieces = info.unwrap().path.split('/').zip(path.split('/'));
        pieces
            .filter(|(piece, _)| piece.starts_with('{'))
            .map(|(_, name)| name)
            .collect()
    }

    /// The path, and the query as it is understood.
    fn query(&self) -> (&str, BTreeMap<String, String>) {
        split(&self.target)
    }

    /// What may be set beside what the operation needs: from the query, or else from the body.
    fn setting<T: Setting>(&self, name: &str, wire: &str) -> Option<T> {
        let wire = match (name, wire) {
            ("owner" | "node_type", _) => "type",
            ("node", _) => "name",
            ("repo", _) => "reponame",
            ("from", "") => "startTime",
            ("until", _) => "endTime",
            (name, "") => name,
            (_, wire) => wire,
        };
        let queried = self.query().1.remove(wire).filter(|text| !text.is_empty());
        let said = self.body.as_ref().and_then(|body| body.get(wire)).cloned();
        queried
            .map(Value::from)
            .or(said)
            .map(|value| T::read(&value))
    }

    /// The body without leaks; an absent one is an empty object.
    fn own_body(&self) -> Value {
        let mut body = self.body.clone().unwrap_or_else(|| json!({}));
        for leak in &self.leaks {
            let leaked = body.as_object_mut().unwrap().remove(leak);
            assert!(leaked.is_some(), "{self}: there is no {leak}");
        }
        without_nothing(&mut body);
        body
    }

    /// The body as it was sent, if it is no JSON.
    fn bytes(&self) -> Bytes {
        match &self.gzip {
            Some(gzip) => STANDARD.decode(gzip).unwrap().into(),
            None => self
                .body
                .as_ref()
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
                .into(),
        }
    }

    /// The body as a type of ours, which knows each of its members: another kind of value in the place of any of
    /// them is refused.
    fn read<T: Known>(&self, body: &Value) -> T {
        let typed = |body: &Value| serde_json::from_value(body.clone()).and_then(T::known);
        // Without a type beside it, nothing is known of what a destination is made of.
        let open = body.get("spec").is_some() && body.get("type").is_none();
        for (place, odd) in with_one_odd_value(body, "") {
            let any = ["/data/", "/doc/"].iter().any(|free| place.contains(free));
            let free = any || (open && place.starts_with("/spec"));
            let what = type_name::<T>();
            assert!(
                free || typed(&odd).is_err(),
                "{self}: {what} does not know {place}"
            );
        }
        typed(body).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    fn check<O: Operation>(&self, operation: &O, request: &Request<Bytes>) {
        assert_eq!(request.method().as_str(), self.method.as_str(), "{self}");
        let target = request.uri().path_and_query().unwrap().as_str();
        assert_eq!(split(target), self.query(), "{self}");
        let header = |name: header::HeaderName| {
            let value = request.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        for name in ["content-encoding", "content-md5", "x-resource-owner"] {
            let recorded = self
                .headers
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(name));
            let name = header::HeaderName::from_static(name);
            assert_eq!(
                header(name),
                recorded.map(|(_, value)| value.clone()),
                "{self}"
            );
        }
        let content_type = header(header::CONTENT_TYPE);
        if content_type == self.content_type {
            let sent = header(header::AUTHORIZATION).unwrap();
            let signed = self.signature.as_ref();
            let signed = signed.map(|signature| format!("Pandora {}:{signature}", KEYS[0]));
            if let Some(expected) = self.token.clone().or(signed) {
                assert_eq!(sent, expected, "{self}");
            }
        } else {
            let lacks = self.content_type.is_none();
            assert!(
                lacks && WITHOUT_TYPE.contains(&O::NAME),
                "{self}: {content_type:?}"
            );
        }
        if content_type.as_deref() == Some("application/json") || request.body().is_empty() {
            let text = if request.body().is_empty() {
                b"{}"
            } else {
                &request.body()[..]
            };
            let mut ours = serde_json::from_slice(text).unwrap();
            without_nothing(&mut ours);
            if self.case == "report" {
                // The vendor's client says it with every other type.
                assert_eq!(
                    ours.as_object_mut().unwrap().remove("whence"),
                    Some(json!("oldest"))
                );
            }
            assert_eq!(ours, self.own_body(), "{self}");
        } else {
            assert_eq!(request.body(), &self.bytes(), "{self}");
        }
        if let Some(response) = &self.response {
            self.check_response(operation, response);
        }
    }

    fn check_response<O: Operation>(&self, operation: &O, response: &Value) {
        let read = |response: &Value| operation.decode(&Response::new(response.to_string().into()));
        // Of raw text alone, a failure comes with a status of success.
        let fails = response.get("code").is_some_and(|code| code != 200);
        assert_eq!(
            read(response).err().is_some(),
            fails,
            "{self}: {:?}",
            read(response).err()
        );
        for (place, odd) in with_one_odd_value(response, "") {
            let member = place.rsplit('/').next().unwrap();
            let free = self.ignored.iter().any(|ignored| ignored == member)
                || place.contains("/spec/")
                || ["sample_repo", "debug_udf"].contains(&O::NAME)
                || place == "/message";
            assert!(free || read(&odd).is_err(), "{self}: nobody reads {place}");
        }
    }
}

impl std::fmt::Display for Vector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} ({}): {} {}",
            self.operation, self.case, self.method, self.target
        )
    }
}

/// Path and query, whose parameters may come in any order; one without a value says nothing.
fn split(target: &str) -> (&str, BTreeMap<String, String>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let plain = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = pairs.map(|(name, value)| (plain(name), plain(value)));
    (path, pairs.filter(|(_, value)| !value.is_empty()).collect())
}

/// Leaves out what says nothing: `null`, and members without anything in them.
fn without_nothing(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(without_nothing);
            members.retain(|_, member| {
                ![json!(null), json!({}), json!([]), json!("")].contains(member)
            });
        }
        Value::Array(items) => items.iter_mut().for_each(without_nothing),
        _ => {}
    }
}

/// The places of all values that have nothing in them but themselves, each with the whole in which there is a
/// value of another kind. One that is `null` may be of any kind.
fn with_one_odd_value(value: &Value, place: &str) -> Vec<(String, Value)> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, it)| (name.clone(), it))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, it)| (at.to_string(), it))
            .collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, inner) in below {
        for (place, odd) in with_one_odd_value(inner, &format!("{place}/{name}")) {
            let mut whole = value.clone();
            *whole.pointer_mut(&format!("/{name}")).unwrap() = odd;
            found.push((place, whole));
        }
    }
    if found.is_empty() && !place.is_empty() && !value.is_null() {
        let odd = if value.is_array() || value.is_object() {
            json!(1)
        } else {
            json!({"odd": []})
        };
        found.push((place.to_owned(), odd));
    }
    found
}

/// What a body is read as.
trait Known: DeserializeOwned + Debug {
    /// Reads what is inside of it, too.
    fn known(self) -> Result<Self, serde_json::Error> {
        Ok(self)
    }
}

macro_rules! known {
    (targets: $($target:ident)*; plain: $($plain:ty)*) => {
        $(impl Known for $target {
            fn known(mut self) -> Result<Self, serde_json::Error> {
                let Self { spec, .. } = self.target()?.into();
                self.spec = spec;
                Ok(self)
            }
        })*
        $(impl Known for $plain {})*
    };
}

known! {
    targets: DatasourceSpec ExportSpec JobExportSpec;
    plain: pipeline_proto::model::Nodes pipeline_proto::resource::repo::RepoSpec
        pipeline_proto::resource::transform::TransformSpec pipeline_proto::resource::job::JobSpec
        pipeline_proto::resource::job::Batch pipeline_proto::resource::group::GroupSpec
        pipeline_proto::resource::udf::UdfSpec pipeline_proto::resource::udf::UdfExpression
        pipeline_proto::resource::udf::JarDescription pipeline_proto::resource::variable::VariableSpec
}

#[cfg(feature = "sister-services")]
known! {
    targets: ;
    plain: pipeline_proto::resource::logdb::LogdbRepo pipeline_proto::resource::tsdb::TsdbRepo
        pipeline_proto::resource::tsdb::TsdbSeries
}

/// What may be set on an operation.
trait Setting {
    fn read(value: &Value) -> Self;
}

macro_rules! settings {
    ($($type:ty)*; $($number:ty)*) => {
        $(impl Setting for $type {
            fn read(value: &Value) -> Self {
                serde_json::from_value(value.clone()).unwrap()
            }
        })*
        $(impl Setting for $number {
            fn read(value: &Value) -> Self {
                value.as_str().unwrap_or(&value.to_string()).parse().unwrap()
            }
        })*
    };
}

settings! {
    String pipeline_proto::Region pipeline_proto::name::JobName pipeline_proto::name::DatasourceName
    pipeline_proto::model::NodeType pipeline_proto::resource::job::BatchStatus
    pipeline_proto::resource::variable::VariableOwner Vec<pipeline_proto::resource::job::Argument>;
    bool u32 i64
}

impl Setting for Vec<String> {
    fn read(value: &Value) -> Self {
        value
            .as_str()
            .unwrap()
            .split(',')
            .map(str::to_owned)
            .collect()
    }
}

impl Setting for Tags {
    fn read(value: &Value) -> Self {
        let plain = String::from_utf8(URL_SAFE.decode(value.as_str().unwrap()).unwrap()).unwrap();
        Self::new(plain.split('\t').map(|tag| tag.split_once('=').unwrap())).unwrap()
    }
}

impl Setting for SystemTime {
    fn read(value: &Value) -> Self {
        UNIX_EPOCH + Duration::from_millis(value.as_u64().unwrap())
    }
}

impl Setting for pipeline_proto::resource::workflow::PollBy {
    fn read(value: &Value) -> Self {
        panic!("it is never said on the wire: {value}")
    }
}

/// Makes of each row a branch that reads the operation from a vector.
macro_rules! table {
    ($resource:ident; $(
        $(#[doc = $about:literal])+
        $Op:ident $method:ident($($key:ident: $Key:ty),* $(; $kind:ident $body:ident: $Body:ty)?)
            $({$($(#[doc = $hint:literal])+ $set:ident $($wire:literal)?: $Set:ty),* $(,)?})?
            = $VERB:ident $path:literal $idempotency:ident $source:ident $(, $hand:ident by hand)?
            -> $Out:ty = $read:expr $(, then $then:expr)? $(, done on $done:ident)? $(, none on $none:ident)? $(, or $other:expr)?;
    )*) => {
        mod $resource {
            #[allow(unused_imports, clippy::wildcard_imports)]
            use super::*;
            #[allow(unused_imports, clippy::wildcard_imports)]
            use pipeline_proto::{model::*, name::*, resource::{plugin::Jar, $resource::*}};

            pub(super) fn check(vector: &Vector) {
                match &*vector.operation {
                    $(stringify!($method) => {
                        #[allow(unused_mut, unused_variables, reason = "not every row has a path with names")]
                        let mut names = vector.names().into_iter();
                        let operation = $Op::new(
                            $(<$Key>::new(names.next().unwrap()).unwrap(),)*
                            $(table!(@body $kind $body vector $Body))?
                        );
                        $($(
                            let operation = match vector.setting::<$Set>(stringify!($set), concat!("", $($wire)?)) {
                                Some(value) => operation.$set(value),
                                None => operation,
                            };
                        )*)?
                        vector.check(&operation, &sent(operation.clone(), vector));
                    })*
                    _ => {}
                }
            }
        }
    };
    (@body json nodes $vector:ident $Body:ty) => {
        $vector.read::<$Body>($vector.own_body().get("nodes").unwrap_or(&json!({})))
    };
    (@body json $body:ident $vector:ident $Body:ty) => { $vector.read::<$Body>(&$vector.own_body()) };
    (@body points $body:ident $vector:ident $Body:ty) => {
        if $vector.gzip.is_some() { Payload::gzipped($vector.bytes()) } else { $vector.bytes().into() }
    };
    (@body text $body:ident $vector:ident $Body:ty) => { $vector.bytes() };
    (@body jar $body:ident $vector:ident $Body:ty) => { Jar($vector.bytes()) };
}

pipeline_proto::for_each_table!(table);
#[cfg(feature = "sister-services")]
pipeline_proto::logdb_operations!(table);
#[cfg(feature = "sister-services")]
pipeline_proto::tsdb_operations!(table);

/// The request, at the moment of the record.
fn sent<O: Operation>(operation: O, vector: &Vector) -> Request<Bytes> {
    let keys = Credentials::new(KEYS[0], KEYS[1]).unwrap();
    let context = Context::builder().credentials(keys).build();
    let mut options = CallOptions::new();
    if let Some(owner) = vector.headers.get("X-Resource-Owner") {
        options = options.resource_owner(owner.parse().unwrap());
    }
    if let Some(token) = &vector.token {
        options = options.auth(token.parse::<Token>().unwrap());
    }
    let now = Now::new(UNIX_EPOCH + Duration::from_secs(MOMENT), Duration::ZERO);
    let call = Call::new(&context, operation, options).unwrap();
    call.start(now).send().0
}

#[test]
fn each_recorded_request_is_made_and_each_response_read() {
    for vector in all_vectors() {
        for check in [
            workflow::check,
            repo::check,
            push::check,
            transform::check,
            export::check,
            datasource::check,
            job::check,
            job_export::check,
            plugin::check,
            group::check,
            udf::check,
            variable::check,
            #[cfg(feature = "sister-services")]
            logdb::check,
            #[cfg(feature = "sister-services")]
            tsdb::check,
        ] {
            check(&vector);
        }
    }
}

#[test]
fn every_operation_has_a_vector() {
    let seen: BTreeSet<String> = all_vectors().into_iter().map(|it| it.operation).collect();
    let all: BTreeSet<String> = operations().map(|it| it.name.to_owned()).collect();
    assert_eq!(seen, all);
}
