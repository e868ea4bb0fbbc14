//! Readers of responses, which a row of a table names after its output.

use bytes::Bytes;
use http::Response;
use serde::de::DeserializeOwned;

use super::{decode_json, decode_nothing};
use crate::error::DecodeError;

/// Applies a reader. A function, so that the compiler shows a reader of a wrong type where the row
/// names it.
pub(crate) fn read<O, T>(
    operation: &O,
    response: &Response<Bytes>,
    reader: impl FnOnce(&O, &Response<Bytes>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    reader(operation, response)
}

/// Completes an output from its operation. A function, so that a closure in a row needs no types.
pub(crate) fn complete<O, T>(operation: &O, mut output: T, f: impl FnOnce(&O, &mut T)) -> T {
    f(operation, &mut output);
    output
}

/// A JSON body is the output.
pub(crate) fn json<O, T: DeserializeOwned>(
    _: &O,
    response: &Response<Bytes>,
) -> Result<T, DecodeError> {
    decode_json(response)
}

/// Nothing is expected.
pub(crate) fn nothing<O>(_: &O, response: &Response<Bytes>) -> Result<(), DecodeError> {
    decode_nothing(response)
}
