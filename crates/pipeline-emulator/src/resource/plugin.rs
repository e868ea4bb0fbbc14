use pipeline_proto::ErrorCode;
use serde_json::{Value, json};

use super::{Made, Members, Resource, jar, refuse, verbs::members};
use crate::{
    call::{Call, Outcome, json},
    date::rfc3339,
};

/// A jar with a parser for transforms. What is in it matters only when it is verified.
pub(crate) struct Plugin;

impl Resource for Plugin {
    fn made(call: &mut Call<'_, '_>, _: Members) -> Made {
        let created = rfc3339(call.rules.clock_offset.apply(call.now.wall));
        let has_class = jar::classes(call.body).contains_key(&call.names[0]);
        Ok(Members::from_iter([
            ("name".to_owned(), call.names[0].as_str().into()),
            ("createTime".to_owned(), created.into()),
            (".hasClass".to_owned(), has_class.into()),
        ]))
    }
}

/// The name of a plugin is that of its class. What that gives out only Java could tell.
pub(crate) fn verify_plugin(call: &mut Call<'_, '_>) -> Outcome {
    let plugin = members::<Plugin>(call)?;
    if plugin.get(".hasClass") != Some(&Value::Bool(true)) {
        let detail = format!("there is no class {:?} in the jar", call.names[0]);
        return refuse(ErrorCode::INVALID_PLUGIN, detail);
    }
    json(&json!({ "outputFields": [] }))
}
