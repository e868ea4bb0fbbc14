//! Property tests: what must hold for every input, every response and every script of faults.
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
