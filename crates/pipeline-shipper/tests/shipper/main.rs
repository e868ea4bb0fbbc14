//! The shipper against a model of the service, under virtual time.

mod exports;
mod free;
mod free_props;
mod props;
mod schedule;
mod service;
mod sisters;
mod verdicts;
mod world;
