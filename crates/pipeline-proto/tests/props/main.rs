//! Property tests: what must hold for every input, every answer and every script of faults.
//!
//! The number of cases and the seed come from the environment, as `PROPTEST_CASES` and
//! `PROPTEST_RNG_SEED`.

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod calls;
mod graphs;
mod models;
mod names;
mod requests;
mod tokens;
mod waits;

/// Runs the same code with each kind of operation, whose types differ.
macro_rules! with_operation {
    ($any:expr, $operation:ident => $body:expr) => {
        match $any {
            pipeline_proto::strategies::AnyOperation::Create($operation) => $body,
            pipeline_proto::strategies::AnyOperation::Update($operation) => $body,
            pipeline_proto::strategies::AnyOperation::List($operation) => $body,
            pipeline_proto::strategies::AnyOperation::Get($operation) => $body,
            pipeline_proto::strategies::AnyOperation::Status($operation) => $body,
            pipeline_proto::strategies::AnyOperation::Start($operation) => $body,
            pipeline_proto::strategies::AnyOperation::Stop($operation) => $body,
            pipeline_proto::strategies::AnyOperation::Delete($operation) => $body,
            pipeline_proto::strategies::AnyOperation::Search($operation) => $body,
        }
    };
}
use with_operation;
