//! What can be asked: one generator for all tabled operations, and what their rows are made of.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Method;
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};

use super::{graph::nodes, name, node_name, region, text};
#[cfg(feature = "sister-services")]
use crate::resource::{
    logdb::{LogdbField, LogdbRepo},
    tsdb::{TsdbRepo, TsdbSeries},
};
use crate::{
    model::{NodeType, Nodes},
    name::{InPath, JobName, Name, Region, kind},
    operation::table::Generate,
    resource::{
        AnyOperation,
        datasource::DatasourceSpec,
        export::{ExportSpec, HttpTarget},
        group::GroupSpec,
        job::{Argument, Batch, BatchStatus, JobSpec},
        job_export::JobExportSpec,
        plugin::Jar,
        push::{Payload, Tags},
        repo::RepoSpec,
        schema::{ElemType, Schema, SchemaEntry, ValType},
        transform::TransformSpec,
        udf::{JarDescription, UdfExpression, UdfSpec},
        variable::{VariableOwner, VariableSpec},
        workflow::PollBy,
    },
    time::UnixTime,
    token::TokenDescriptor,
};

/// Every tabled operation, with input of any kind. Those of one type are made by `any::<GetWorkflow>()`.
///
/// ```
/// use pipeline_proto::strategies::any_operation;
/// use proptest::prelude::*;
///
/// proptest! {
///     // In a test, `#[test]` stands here.
///     fn every_path_is_of_this_version(operation in any_operation()) {
///         prop_assert!(operation.template()?.target().starts_with("/v2/"));
///     }
/// }
/// # every_path_is_of_this_version();
/// ```
pub fn any_operation() -> impl Strategy<Value = AnyOperation> {
    any::<AnyOperation>()
}

/// Schemas of legal fields, maps in maps among them.
pub fn schema() -> impl Strategy<Value = Schema> {
    let plain = (
        select(ValType::KNOWN),
        select(ElemType::KNOWN),
        any::<bool>(),
    );
    let plain = plain.prop_map(|(valtype, elemtype, required)| SchemaEntry {
        elemtype: (valtype == ValType::Array).then_some(elemtype),
        required: required.then_some(true),
        ..SchemaEntry::new("", valtype)
    });
    let map = |field| {
        fields(field).prop_map(|inner| SchemaEntry {
            schema: Some(inner),
            ..SchemaEntry::new("", ValType::Map)
        })
    };
    fields(plain.prop_recursive(4, 12, 3, map)).prop_map(Schema)
}

fn fields(field: impl Strategy<Value = SchemaEntry>) -> impl Strategy<Value = Vec<SchemaEntry>> {
    btree_map(name::<kind::Field>(), field, 1..4).prop_map(|fields| {
        let named = |(key, field)| SchemaEntry {
            key: String::from(key),
            ..field
        };
        fields.into_iter().map(named).collect()
    })
}

impl<T: Generate + Clone + std::fmt::Debug + 'static> Generate for Option<T> {
    fn generate() -> BoxedStrategy<Self> {
        option::of(T::generate()).boxed()
    }
}

impl<K: InPath> Generate for Name<K> {
    fn generate() -> BoxedStrategy<Self> {
        name().boxed()
    }
}

macro_rules! generate {
    ($($type:ty = $strategy:expr;)*) => { $(
        impl Generate for $type {
            fn generate() -> BoxedStrategy<Self> {
                $strategy.boxed()
            }
        }
    )* };
}

generate! {
    RepoSpec = schema().prop_map(|Schema(schema)| RepoSpec { schema, ..RepoSpec::default() });
    TransformSpec = text().prop_map(|code| TransformSpec {
        mode: Some("sql".to_owned()),
        code: Some(code),
        ..TransformSpec::default()
    });
    ExportSpec = (text(), text()).prop_map(|(host, uri)| HttpTarget::new(host, uri).into());
    JobExportSpec = text().prop_map(|r#type| JobExportSpec { r#type, ..JobExportSpec::default() });
    DatasourceSpec = text().prop_map(|r#type| DatasourceSpec { r#type, ..DatasourceSpec::default() });
    JobSpec = option::of(text()).prop_map(|workflow| JobSpec { workflow: workflow.map(Into::into), ..JobSpec::default() });
    GroupSpec = option::of(text()).prop_map(|region| GroupSpec { region: region.map(Into::into), ..GroupSpec::default() });
    VariableSpec = (text(), text()).prop_map(|(value, format)| VariableSpec::time(value, format));
    UdfSpec = (text(), text()).prop_map(|(jar_name, class_name)| UdfSpec {
        jar_name: jar_name.into(),
        class_name,
        ..UdfSpec::default()
    });
    UdfExpression = text().prop_map(|expression| UdfExpression { expression, ..UdfExpression::default() });
    JarDescription = text().prop_map(|description| JarDescription { description, ..JarDescription::default() });
    Jar = vec(any::<u8>(), 0..64).prop_map(Jar::from);
    Batch = (JobName::generate(), any::<i64>()).prop_map(|(job, run_id)| Batch::of(&job, run_id));
    BatchStatus = select(BatchStatus::KNOWN);
    VariableOwner = select(VariableOwner::KNOWN);
    Vec<Argument> = vec((text(), text()), 0..3).prop_map(|arguments| {
        arguments.into_iter().map(|(name, value)| Argument { name, value, ..Argument::default() }).collect()
    });
    Bytes = vec(any::<u8>(), 0..64).prop_map(Bytes::from);
    Payload = (Bytes::generate(), any::<bool>()).prop_map(|(bytes, gzip)| {
        if gzip { Payload::gzipped(bytes) } else { Payload::from(bytes) }
    });
    Tags = vec((node_name(), text()), 1..4).prop_map(|tags| {
        Tags::new(tags).expect("names are keys of tags")
    });
    Vec<String> = vec(node_name(), 0..3)
        .prop_map(|rules| rules.into_iter().map(String::from).collect());
    i64 = any::<i64>();
    bool = any::<bool>();
    Region = region();
    NodeType = select(NodeType::KNOWN);
    Nodes = nodes(0..=20);
    PollBy = select(vec![PollBy::Status, PollBy::Get]);
    String = text();
    u32 = any::<u32>();
    SystemTime = (0..4_102_444_800_u64).prop_map(|s| SystemTime::UNIX_EPOCH + Duration::from_secs(s));
}

#[cfg(feature = "sister-services")]
generate! {
    LogdbRepo = text().prop_map(|key| LogdbRepo { schema: vec![LogdbField::new(key, "string")], ..LogdbRepo::default() });
    TsdbRepo = option::of(text()).prop_map(|region| TsdbRepo { region: region.map(Into::into), ..TsdbRepo::default() });
    TsdbSeries = option::of(text()).prop_map(|retention| TsdbSeries { retention, ..TsdbSeries::default() });
}

/// What a token can permit, with text that JSON must escape.
pub fn token_descriptor() -> impl Strategy<Value = TokenDescriptor> {
    let method = select(vec![Method::GET, Method::POST, Method::PUT, Method::DELETE]);
    let resource = prop_oneof![
        "/v2/workflows/[a-zA-Z_][a-zA-Z0-9_]{0,11}(/start|/stop|/status)?",
        text(),
    ];
    let texts = (text(), text(), text());
    (method, resource, any::<i64>(), texts).prop_map(|(method, resource, expires, texts)| {
        let mut descriptor = TokenDescriptor::new(&method, resource, UnixTime::from_secs(expires));
        (
            descriptor.content_md5,
            descriptor.content_type,
            descriptor.headers,
        ) = texts;
        descriptor
    })
}
