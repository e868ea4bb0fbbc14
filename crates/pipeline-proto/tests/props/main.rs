//! Property tests: what must hold for every input, every response and every script of faults.
//!
//! The number of cases and the seed come from the environment, as `PROPTEST_CASES` and
//! `PROPTEST_RNG_SEED`.

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod graphs;
mod waits;

/// What is read: names, models, responses.
mod parsing {
    mod models;
    mod names;
    mod responses;
}

/// What is signed and sent, and what is permitted to others.
mod signing {
    mod requests;
    mod tokens;
}
