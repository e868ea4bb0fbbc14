//! What a test says to an emulator, beside the requests of its clients.

use std::fmt;

#[cfg(feature = "server")]
use http::request;
use pipeline_graph::Definition;
use pipeline_proto::{ErrorCode, Now};
use serde::Serialize;

use super::Emulator;
#[cfg(feature = "server")]
use crate::route::{Route, Target};
use crate::{
    clock_skew::ClockSkew,
    data::Queue,
    delivery::{Deliveries, Delivery, DeliveryReport, Fate},
    fault::{FaultReport, InjectedFault},
    refusal::Refusal,
    request_log::RecordedRequest,
    rules::Rules,
    seed,
    snapshot::Snapshot,
    state::Space,
    transition::Transition,
};

/// What was pushed into one queue since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PushedData {
    /// The account.
    pub owner: String,
    /// The queue.
    pub repo: String,
    /// How many records were taken.
    pub records: u64,
    /// How many bytes of text they were, uncompressed.
    pub bytes: u64,
}

impl Emulator {
    /// Puts a fault in the way of coming requests, behind those that are there already.
    pub fn inject(&mut self, fault: InjectedFault) {
        self.faults.inject(fault);
    }

    /// The injected faults in their order, those used up included.
    pub fn faults(&self) -> impl Iterator<Item = &FaultReport> {
        self.faults.report()
    }

    /// Removes one fault, and gives whether it was there.
    pub fn remove_fault(&mut self, id: u64) -> bool {
        self.faults.remove(id)
    }

    /// Removes all faults, and with them their report.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The latest requests, the oldest first; up to as many as the
    /// [builder](crate::EmulatorBuilder::request_log) was told to keep.
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = &RecordedRequest> {
        self.request_log.iter()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&mut self) {
        self.request_log.clear();
    }

    /// What was pushed into each queue, with its repo there or not; queues into which nothing was pushed are none.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::Request;
    /// use pipeline_emulator::{Authentication, Emulator};
    /// use pipeline_proto::Now;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
    /// let mut emulator = Emulator::builder().authentication(Authentication::Off).build();
    /// let repo = r#"{"region":"nb","schema":[{"key":"n","valtype":"long"}]}"#;
    /// emulator.handle(Request::post("/v2/repos/r").body(Bytes::from(repo))?, now);
    /// emulator.handle(Request::post("/v2/repos/r/data").body(Bytes::from("n=1\nn=2\n"))?, now);
    /// let queue = emulator.queues().next().unwrap();
    /// assert_eq!((queue.repo.as_str(), queue.records), ("r", 2));
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn queues(&self) -> impl Iterator<Item = PushedData> {
        self.state.queues().map(|(owner, repo, members)| {
            let Queue { records, bytes, .. } = Queue::of(members);
            PushedData {
                owner: owner.to_owned(),
                repo: repo.to_owned(),
                records,
                bytes,
            }
        })
    }

    /// Takes what exports have to [deliver](crate::EmulatorBuilder::deliver) since the last call. Up to 8 MiB wait;
    /// what comes on top is dropped and counted. Behind a [server](crate::server), that takes it.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        self.deliveries.take()
    }

    /// Notes what has become of a delivery: why it failed, if it did.
    pub fn delivered(&mut self, delivery: &Delivery, outcome: Result<(), String>) {
        let fate = outcome.map_or_else(Fate::Failed, |()| Fate::Delivered);
        self.deliveries
            .report(&delivery.owner, &delivery.export, fate);
    }

    /// What has become of the deliveries of each export.
    pub fn deliveries(&self) -> impl Iterator<Item = &DeliveryReport> {
        self.deliveries.reports()
    }

    /// Forgets workflows, faults and requests. Accounts, settings and the sequence of request ids
    /// stay.
    pub fn reset(&mut self) {
        self.state.clear();
        self.deliveries = Deliveries::default();
        self.clear_faults();
        self.clear_requests();
    }

    /// Adds a workflow of an account as if it had been created and given its nodes at this moment.
    ///
    /// ```
    /// use pipeline_emulator::{DEVELOPMENT_ACCOUNT, Emulator};
    /// use pipeline_graph::file::{Format, WorkflowFile};
    /// use pipeline_proto::Now;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let text = r#"{"name": "clicks", "nodes": {"raw-repo": {"data": {}}}}"#;
    /// let definition = WorkflowFile::parse(text, Format::Json)?.resolve(|_| None)?;
    /// let mut emulator = Emulator::builder().build();
    /// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
    /// emulator.add_workflow(DEVELOPMENT_ACCOUNT, &definition, now)?;
    /// assert_eq!(emulator.snapshot(now).len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such account, or the service would refuse to create the workflow or to take its
    /// nodes. Nothing has changed then.
    pub fn add_workflow(
        &mut self,
        account: &str,
        definition: &Definition,
        now: Now,
    ) -> Result<(), SeedError> {
        self.seed(account, definition, now, seed::add_workflow)
    }

    /// Adds the nodes of a definition as resources of an account that belong to no workflow, each as if it had been
    /// created by itself at this moment.
    ///
    /// # Errors
    ///
    /// If there is no such account, or the service would refuse to create one of them. Nothing has changed then.
    pub fn add_resources(
        &mut self,
        account: &str,
        definition: &Definition,
        now: Now,
    ) -> Result<(), SeedError> {
        self.seed(account, definition, now, seed::add_resources)
    }

    fn seed(
        &mut self,
        account: &str,
        definition: &Definition,
        now: Now,
        add: fn(&Rules, &mut Space<'_>, &Definition, Now) -> Result<(), Refusal>,
    ) -> Result<(), SeedError> {
        if !self.accounts.contains(account) {
            let unknown = ErrorCode::RESOURCE_OWNER_NOT_FOUND;
            return Err(SeedError(Refusal::code(unknown, format!("{account:?}"))));
        }
        let before = self.state.clone();
        add(&self.rules, &mut self.state.of(account), definition, now).map_err(|refusal| {
            self.state = before;
            SeedError(refusal)
        })
    }

    /// The workflows of all accounts at this moment. Settings, faults and requests are no part of it;
    /// a clone of the emulator has them all.
    pub fn snapshot(&mut self, now: Now) -> Snapshot {
        self.state.snapshot(now, self.rules.manual_run)
    }

    /// Puts the workflows of a snapshot in the place of all there are. Transitions under way go on
    /// from here with the time that they had left.
    pub fn restore(&mut self, snapshot: &Snapshot, now: Now) {
        self.state.restore(snapshot, now);
    }

    /// How starts from now on come to their end.
    pub fn start_transition(&self) -> Transition {
        self.rules.start
    }

    /// Sets how starts from now on come to their end.
    pub fn set_start_transition(&mut self, transition: Transition) {
        self.rules.start = transition;
    }

    /// How stops from now on come to their end.
    pub fn stop_transition(&self) -> Transition {
        self.rules.stop
    }

    /// Sets how stops from now on come to their end.
    pub fn set_stop_transition(&mut self, transition: Transition) {
        self.rules.stop = transition;
    }

    /// How far the service's clock is off.
    pub fn clock_offset(&self) -> ClockSkew {
        self.rules.clock_offset
    }

    /// Sets the service's clock.
    pub fn set_clock_offset(&mut self, offset: ClockSkew) {
        self.rules.clock_offset = offset;
    }

    /// The size of the longest request body that is accepted, in bytes.
    pub fn max_body(&self) -> usize {
        self.max_body
    }

    /// The same for a request, which may be one with a jar.
    #[cfg(feature = "server")]
    pub(crate) fn max_body_of(&self, parts: &request::Parts) -> usize {
        match Target::of(&parts.method, &parts.uri).route {
            Route::Operation(operation, _) => operation.max_body(self.max_body),
            _ => self.max_body,
        }
    }
}

/// Why something was not [added](Emulator::add_workflow): the service's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedError(Refusal);

impl SeedError {
    /// The code with which the service would refuse it.
    pub fn code(&self) -> Option<ErrorCode> {
        ErrorCode::from_message(&self.0.message)
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for SeedError {}
