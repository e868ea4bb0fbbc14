//! What the fuzz targets do with their bytes. Each module has one function, `run`, which panics when
//! a promise is broken.
//!
//! The tests of `pipeline-conformance` include this file and run every seed and every input that
//! once broke a promise through the same functions, without a fuzzer.

pub mod call;
pub mod emulator;
pub mod error;
mod http_text;
pub mod points;
pub mod response;
pub mod token;
pub mod workflow_file;

/// What a target does with its bytes.
pub type Run = fn(&[u8]);

/// Every target by its name, which is also that of its folders of seeds and regressions.
pub const TARGETS: &[(&str, Run)] = &[
    ("call", call::run),
    ("emulator", emulator::run),
    ("error", error::run),
    ("points", points::run),
    ("response", response::run),
    ("token", token::run),
    ("workflow_file", workflow_file::run),
];
