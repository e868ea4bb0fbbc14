//! The two clients behind one face, so that the tour is written once.

use std::{io, time::Duration};

use pipeline_proto::{
    Credentials, Endpoint, Error, Operation, WorkflowName,
    wait::{Goal, Observation, WaitError, WaitOptions},
};

use crate::failure::Failure;

pub(super) trait Transport {
    fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Error>;

    fn wait(
        &self,
        name: &WorkflowName,
        goal: Goal,
        watch: &mut (dyn FnMut(&Observation) + Send),
    ) -> Result<Observation, WaitError>;
}

fn wait_options() -> WaitOptions {
    WaitOptions::default()
        .timeout(Duration::from_secs(30))
        .interval(Duration::from_millis(150))
}

pub(super) struct Blocking(pipeline_blocking::Client);

impl Blocking {
    pub(super) fn new(endpoint: &Endpoint, keys: &Credentials) -> Result<Self, Failure> {
        let client = pipeline_blocking::Client::builder()
            .endpoint(endpoint.clone())
            .credentials(keys.clone())
            .no_proxy()
            .build();
        client.map(Self).map_err(Failure::usage)
    }
}

impl Transport for Blocking {
    fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        self.0.send(operation)
    }

    fn wait(
        &self,
        name: &WorkflowName,
        goal: Goal,
        watch: &mut (dyn FnMut(&Observation) + Send),
    ) -> Result<Observation, WaitError> {
        let wait = self.0.wait_until(name, goal).options(wait_options());
        wait.on_look(watch).wait()
    }
}

pub(super) struct Hyper {
    client: pipeline_hyper::Client,
    runtime: tokio::runtime::Runtime,
}

impl Hyper {
    pub(super) fn new(endpoint: &Endpoint, keys: &Credentials) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error: io::Error| Failure::io("no async runtime", &error))?;
        let client = pipeline_hyper::Client::builder()
            .endpoint(endpoint.clone())
            .credentials(keys.clone())
            .no_proxy()
            .build()
            .map_err(Failure::usage)?;
        Ok(Self { client, runtime })
    }
}

impl Transport for Hyper {
    fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        self.runtime.block_on(self.client.send(operation))
    }

    fn wait(
        &self,
        name: &WorkflowName,
        goal: Goal,
        watch: &mut (dyn FnMut(&Observation) + Send),
    ) -> Result<Observation, WaitError> {
        let wait = self.client.wait_until(name, goal).options(wait_options());
        self.runtime.block_on(wait.on_look(watch).into_future())
    }
}
