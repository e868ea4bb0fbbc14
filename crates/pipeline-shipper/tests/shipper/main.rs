//! The shipper against a model of the service, under virtual time.

mod props;
mod schedule;
mod verdicts;
mod world;
