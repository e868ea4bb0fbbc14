//! The shipper against a model of the service, under virtual time.

mod free;
mod props;
mod schedule;
mod service;
mod verdicts;
mod world;
