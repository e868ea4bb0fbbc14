//! Operations by their rows.

use bytes::Bytes;
use http::{Method, Response};
use pipeline_proto::{
    ApiError, BuildError, DecodeError, Idempotency,
    model::RawJson,
    operation::{Operation, OperationInfo, RequestTemplate, decode_json},
};

use super::Names;
use crate::{failure::Failure, remote::Remote};

/// An operation by its row: the request that its type makes, and a response that is kept as it came.
#[derive(Debug, Clone)]
pub(in crate::command) struct Tabled {
    info: &'static OperationInfo,
    template: RequestTemplate,
}

impl Tabled {
    pub(in crate::command) fn new(
        info: &'static OperationInfo,
        names: &[&str],
        query: &[(&str, &str)],
        body: &Bytes,
    ) -> Result<Self, BuildError> {
        let template = info.template(names, body)?;
        let template = query.iter().fold(template, |template, (name, value)| {
            template.query(name, value)
        });
        Ok(Self { info, template })
    }
}

/// Sends an operation that takes names only.
pub(super) fn send(remote: &Remote, operation: &str, names: &Names) -> Result<RawJson, Failure> {
    let tabled = Tabled::new(
        super::operation(operation),
        &names.names(),
        &[],
        &Bytes::new(),
    );
    remote.send(tabled.map_err(Failure::usage)?)
}

impl Operation for Tabled {
    /// `null` for a response that has nothing to tell.
    type Output = RawJson;

    const NAME: &'static str = "request";
    const IDEMPOTENCY: Idempotency = Idempotency::Never;

    fn name(&self) -> &'static str {
        self.info.name
    }

    fn idempotency(&self) -> Idempotency {
        self.info.idempotency
    }

    fn template(&self) -> Result<RequestTemplate, BuildError> {
        Ok(self.template.clone())
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<RawJson, DecodeError> {
        if *self.info.method == Method::GET {
            decode_json(response)
        } else {
            Ok(nothing())
        }
    }

    fn done_before(&self, error: &ApiError) -> Option<RawJson> {
        let done = self.info.done_on;
        done.filter(|_| error.code() == done).map(|_| nothing())
    }
}

fn nothing() -> RawJson {
    RawJson::from_value(&()).expect("null is JSON")
}
