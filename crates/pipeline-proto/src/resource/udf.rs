//! User-defined functions for batch computations, the jars that hold them, and the built-in ones.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Response};
use serde::{Deserialize, de::DeserializeOwned};

use super::data::{shown, spec};
use super::plugin::Jar;
use crate::name::{FunctionName, JarName, ShownName, kind};
use crate::{
    error::{BuildError, DecodeError},
    model::json::object,
    operation::{
        RequestTemplate, decode_json,
        read::{member, nothing},
        table::operations,
    },
};

operations! { udf udf_operations;
    /// Uploads a jar of functions, of 100 MB at most. There is no update: E18636 if it is there.
    UploadUdfJar upload_udf_jar(name: JarName; jar jar: Jar) = POST "/v2/udf/jars/{name}" Never Page -> () = nothing;

    /// Replaces the description of a jar.
    DescribeUdfJar describe_udf_jar(name: JarName; json description: JarDescription)
        = PUT "/v2/udf/jars/{name}" Idempotent Page -> () = nothing;

    /// Deletes a jar.
    DeleteUdfJar delete_udf_jar(name: JarName) = DELETE "/v2/udf/jars/{name}" Idempotent Page
        -> () = nothing, done on UDF_JAR_NOT_FOUND;

    /// Lists the jars of the account.
    ListUdfJars list_udf_jars() {
        /// The number of the first, from 1. Without it and `size`, all.
        from "from": u32,
        /// How many.
        size "size": u32,
        /// In which order: `jarName` or `uploadTime`, with `:desc` behind it for the last one first.
        sort "sort": String,
    } = GET "/v2/udf/jars" Safe Page -> Vec<UdfJar> = member("result");

    /// Registers a function of a jar. The service keeps its name in lower case.
    RegisterUdf register_udf(name: FunctionName; json spec: UdfSpec)
        = POST "/v2/udf/funcs/{name}" Never Page -> () = nothing;

    /// Deregisters a function. The content type is sent although there is no body, as the vendor's
    /// client does it.
    DeregisterUdf deregister_udf(name: FunctionName) = DELETE "/v2/udf/funcs/{name}" Idempotent Page, json by hand
        -> () = nothing, done on UDF_NOT_FOUND;

    /// Lists the functions of the account.
    ListUdfs list_udfs() {
        /// The number of the first, from 1. Without it and `size`, all.
        from "from": u32,
        /// How many.
        size "size": u32,
        /// In which order: `jarName` or `funcName`, with `:desc` behind it for the last one first.
        sort "sort": String,
        /// Only those of these jars, with commas between.
        jar_name "jarName": String,
        /// Only these, with commas between.
        func_name "funcName": String,
    } = GET "/v2/udf/funcs" Safe Page -> Vec<UdfSpec> = member("result");

    /// Lists the functions that the service brings.
    ListBuiltins list_builtins() {
        /// The number of the first, from 1. Without it and `size`, all.
        from "from": u32,
        /// How many.
        size "size": u32,
        /// In which order: `funcName`, with `:desc` behind it for the last one first.
        sort "sort": String,
        /// Only those of these categories, with commas between, as `date,string`.
        category "category": String,
    } = GET "/v2/udf/builtins" Safe Page -> Vec<Builtin> = bare_or_member;

    /// Evaluates an expression of user-defined functions: `select f(1) as a`.
    DebugUdf debug_udf(; json expression: UdfExpression) = POST "/v2/udf/debug" Safe Page
        -> Vec<BTreeMap<String, serde_json::Value>> = member("result");
}

impl DeregisterUdf {
    #[allow(clippy::unnecessary_wraps, reason = "as all that a row may name")]
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        Ok(self
            .target()
            .body(HeaderValue::from_static("application/json"), Bytes::new()))
    }
}

/// The documents show an array, the vendor's client reads the member `result` of an object.
fn bare_or_member<O, T: DeserializeOwned>(
    _: &O,
    response: &Response<Bytes>,
) -> Result<Vec<T>, DecodeError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Bare(Vec<T>),
        Member { result: Option<Vec<T>> },
    }
    Ok(match decode_json(response)? {
        Either::Bare(list) => list,
        Either::Member { result } => result.unwrap_or_default(),
    })
}

shown! {
    /// A jar of functions, as the service shows it.
    pub struct UdfJar {
        /// Its name.
        "jarName" => name: ShownName<kind::Jar>,
        /// Free text.
        "description" => description: String,
        /// When it was uploaded, as text: `2017-06-01 15:00:00`.
        "uploadTime" => upload_time: String,
    }
}

object! {
    /// What a jar is for.
    pub struct JarDescription {
        /// Free text, at most 1500 bytes.
        "description" => description: String,
    }
}

spec! {
    /// A user-defined function.
    pub struct UdfSpec {
        /// The jar that holds it.
        "jarName" => jar_name: ShownName<kind::Jar>,
        /// Full name of its class.
        "className" => class_name: String,
        /// How it is called, as `f(x)`.
        "funcDeclaration" => declaration: Option<String>,
        /// Free text.
        "description" => description: Option<String>,
        /// Its name.
        "funcName" => name: Option<ShownName<kind::Function>> [OnReading],
    }
}

shown! {
    /// A function that the service brings.
    pub struct Builtin {
        /// Its name.
        "funcName" => name: String,
        /// What kind of function it is, as `date`.
        "category" => category: String,
        /// How it is called.
        "funcDeclaration" => declaration: String,
        /// What it does.
        "description" => description: String,
    }
}

object! {
    /// An expression to be evaluated.
    pub struct UdfExpression {
        /// The expression, as `select f(1) as a`.
        "udfExpression" => expression: String,
    }
}
