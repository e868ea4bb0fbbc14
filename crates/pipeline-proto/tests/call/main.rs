//! The state machine of a call, under virtual time.

#[path = "../support/mod.rs"]
mod support;

mod bodies;
mod clock;
mod fallback;
mod found;
mod limits;
mod observe;
mod requests;
mod responses;
mod retry;
mod retry_after;
mod tokens;
