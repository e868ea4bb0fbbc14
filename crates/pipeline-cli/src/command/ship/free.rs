//! Shipping without a schema: its options, and how it would go.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use clap::{Args, ValueEnum};
use pipeline_blocking::{
    Client,
    shipping::{
        Call, Event, Reply, SchemaFree, Settings, Shipper, Step, UnknownFields, exports::Service,
    },
};
use pipeline_proto::{
    Error, ErrorKind, Now, Region, RepoName, WorkflowName,
    model::{Status, Workflow, WorkflowState},
    resource::{
        export::{ExportSpec, ListExports},
        push::Tags,
        repo::{GetRepo, RepoSpec},
        schema::{ParseSchemaError, Schema},
    },
};

use super::{
    books::{Desk, Id},
    exports::{self, Planned, Wish},
    pump::SHOWN,
    report::Report,
};
use crate::{
    failure::Failure,
    options::Global,
    remote::{Remote, Subject},
    settings,
};

/// How records without a schema are shipped.
#[derive(Debug, Args)]
#[command(next_help_heading = "Without a schema")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(super) struct Free {
    /// Make the queue if it is not there, and add the fields that records have and it lacks
    #[arg(long = "schema-free", id = "schema_free")]
    is_wanted: bool,

    /// Fields that the queue is to have first of all, in the short form of a schema
    #[arg(long, value_name = "SCHEMA", requires = "schema_free", value_parser = schema)]
    schema: Option<Schema>,

    /// Workflow to make the queue in, which is made and started as well if it is not there
    #[arg(long, value_name = "NAME", requires = "schema_free")]
    workflow: Option<WorkflowName>,

    /// Region to make the queue in
    #[arg(long, value_name = "REGION", requires = "schema_free")]
    region: Option<Region>,

    /// Stop a running workflow while fields are added to its queue, and start it again
    #[arg(long, requires = "schema_free")]
    allow_stop: bool,

    /// What becomes of fields that the queue does not have
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "add",
        requires = "schema_free"
    )]
    new_fields: NewFields,

    /// Make a new field a date if all its texts are dates of RFC 3339 with a zone
    #[arg(long, requires = "schema_free")]
    dates: bool,

    /// Make new fields of whole numbers floats
    #[arg(long, requires = "schema_free")]
    floats: bool,

    /// Make values fit fields of other types even if something is lost, such as a fraction in a long
    #[arg(long, requires = "schema_free")]
    lossy: bool,

    #[arg(long = "export", value_name = "TYPE:KEY=VALUE,…", requires = "schema_free", help = exports::help().lines().next().unwrap_or_default().to_owned(), long_help = exports::help())]
    exports: Vec<Wish>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NewFields {
    /// They are added to it
    Add,
    /// Their records are dead letters
    Refuse,
    /// They are left out, and counted
    Drop,
}

fn schema(text: &str) -> Result<Schema, ParseSchemaError> {
    text.parse()
}

impl Free {
    /// Nothing if there is to be a schema.
    pub(super) fn options(
        &self,
        repo: &RepoName,
        global: &Global,
    ) -> Result<Option<SchemaFree>, Failure> {
        if !self.is_wanted {
            return Ok(None);
        }
        let mut spec = RepoSpec::default();
        spec.schema = self.schema.clone().map_or_else(Vec::new, |schema| schema.0);
        spec.region = self.region.clone().map(Into::into);
        let free = SchemaFree::new()
            .spec(spec)
            .may_stop(self.allow_stop)
            .dates(self.dates)
            .floats(self.floats)
            .truncate(self.lossy)
            .unknown_fields(match self.new_fields {
                NewFields::Add => UnknownFields::Add,
                NewFields::Refuse => UnknownFields::Refuse,
                NewFields::Drop => UnknownFields::Drop,
            });
        let mut free = match &self.workflow {
            Some(workflow) => free.workflow(workflow.clone()),
            None => free,
        };
        let keys = if self.exports.is_empty() {
            None
        } else {
            global.raw_keys()?
        };
        let access_key = keys.as_ref().map(|keys| keys.access_key.as_str());
        let mut names = Vec::new();
        for wish in &self.exports {
            let export = wish.clone().with_keys(access_key).map_err(Failure::usage)?;
            // What is wrong with it shows now, not after the first records.
            let plan = export.plan(repo, &[], &[]).map_err(Failure::usage)?;
            if names.contains(&plan.name) {
                let line = format!(
                    "two exports would be called {}: give one of them name=…",
                    plan.name
                );
                return Err(Failure::usage(line));
            }
            names.push(plan.name);
            free = free.export(export);
        }
        Ok(Some(free))
    }

    /// Clients of the services that exports write to, as far as these are known.
    pub(super) fn sisters(
        &self,
        remote: &Remote,
        global: &Global,
    ) -> Result<Vec<(Service, Client)>, Failure> {
        let mut clients = Vec::new();
        for (kind, service) in [("logdb", Service::Logdb), ("tsdb", Service::Tsdb)] {
            if self.exports.iter().any(|wish| wish.kind() == kind)
                && let Some(endpoint) = settings::sister(service, remote.endpoint())?
            {
                clients.push((
                    service,
                    global.remote_at(Some(endpoint))?.to_ship()?.0.clone(),
                ));
            }
        }
        Ok(clients)
    }
}

/// A shipper whose requests nobody sends: it says what would become of the queue and the records.
pub(super) struct Rehearsal(Mutex<Rehearsed>);

struct Rehearsed {
    shipper: Shipper<Id>,
    now: Now,
    queue: Result<RepoSpec, Error>,
    exports: Vec<ExportSpec>,
    /// Those of them that would be made, or changed.
    planned: BTreeMap<String, bool>,
    points: Vec<String>,
}

/// Looks whether the service is there, before records wait for it for ever. What it says of the queue and of who asks is
/// the shipper's.
pub(super) fn reach(repo: &RepoName, remote: &Remote) -> Result<(), Failure> {
    use ErrorKind::{NotFound, Permission, Unauthorized};
    let get = GetRepo::new(repo.clone());
    match remote.try_send(get.clone()) {
        Err(error) if !matches!(error.kind(), NotFound | Permission | Unauthorized) => {
            Err(remote.failure(&error, Subject::of(&get)))
        }
        _ => Ok(()),
    }
}

impl Rehearsal {
    /// Looks at the queue. What would be tried again for ever, such as a service that is away, ends this at once.
    pub(super) fn new(
        repo: &RepoName,
        options: SchemaFree,
        tags: Option<Tags>,
        remote: &Remote,
    ) -> Result<Self, Failure> {
        let queue = remote.try_send(GetRepo::new(repo.clone()));
        if let Err(error) = &queue
            && error.kind() != ErrorKind::NotFound
        {
            let get = GetRepo::new(repo.clone());
            return Err(remote.failure(error, Subject::of(&get)));
        }
        let exports = if queue.is_ok() {
            let list = ListExports::new(repo.clone());
            let listed = remote.try_send(list.clone());
            listed.map_err(|error| remote.failure(&error, Subject::of(&list)))?
        } else {
            Vec::new()
        };
        let settings = Settings::new().schema_free(options).observer(|event| {
            if let Event::ExportFailed { error, .. } = event {
                exports::tell_failure(error);
            }
        });
        let settings = match tags {
            Some(tags) => settings.tags(tags),
            None => settings,
        };
        Ok(Self(Mutex::new(Rehearsed {
            shipper: Shipper::new(repo.clone(), settings),
            now: remote.now(),
            queue,
            exports,
            planned: BTreeMap::new(),
            points: Vec::new(),
        })))
    }

    /// Takes records.
    pub(super) fn take<'l>(&self, lines: impl Iterator<Item = (Id, &'l [u8])>, desk: &Desk) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (mut id, line) in lines {
            let mut now = all.now;
            // It is never closed.
            while let Err(refused) = all.shipper.try_push(id, line, now) {
                id = refused.id;
                all.go_on(desk);
                now = all.now;
            }
        }
    }

    /// Lets all that was taken come to its end.
    pub(super) fn flush(&self, desk: &Desk) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.shipper.flush();
        all.go_on(desk);
    }

    /// Says what there would be.
    pub(super) fn report(&self, report: &mut Report) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let schema = all.queue.as_ref().map(|queue| Schema(queue.schema.clone()));
        report.schema = schema.ok();
        report.points = Some(std::mem::take(&mut all.points));
        let planned = all.exports.iter().filter_map(|export| {
            let is_new = all.planned.get(export.name.as_ref()?.as_ref())?;
            Some(Planned::new(export, *is_new))
        });
        report.exports = planned.collect();
        report.dropped_fields = all.shipper.books(all.now).dropped_fields;
    }
}

impl Rehearsed {
    /// Does what is due, and what would be later.
    fn go_on(&mut self, desk: &Desk) {
        loop {
            match self.shipper.poll(self.now) {
                Step::Push(push) => {
                    let text = push.operation().points;
                    let lines = String::from_utf8_lossy(text.bytes());
                    let left = SHOWN - self.points.len();
                    self.points
                        .extend(lines.lines().take(left).map(str::to_owned));
                    self.shipper.on_result(push, Ok(()), self.now);
                }
                Step::Ask(ask) => {
                    let reply = self.reply(ask.operation());
                    self.shipper.on_reply(ask, reply, self.now);
                }
                Step::Settled(mut verdicts) => {
                    verdicts.by_ref().for_each(|verdict| desk.tell(&verdict));
                    self.shipper.on_told(verdicts);
                }
                Step::Wait(Some(delay)) => self.now = self.now + delay,
                Step::Wait(None) | Step::Done => return,
            }
        }
    }

    fn reply(&mut self, call: Call) -> Result<Reply, Error> {
        Ok(match call {
            Call::GetRepo(_) => self.queue.clone()?.into(),
            Call::CreateRepo(create) => {
                self.queue = Ok(create.spec);
                Reply::Done
            }
            Call::UpdateRepo(update) => {
                self.queue = Ok(update.spec);
                Reply::Done
            }
            Call::ListExports(_) => self.exports.clone().into(),
            Call::CreateExport(create) => {
                self.planned.insert(create.name.to_string(), true);
                let mut export = create.spec;
                export.name = Some(create.name.into());
                self.exports.push(export);
                Reply::Done
            }
            Call::UpdateExport(update) => {
                let name = update.name.as_str();
                self.planned.entry(name.to_owned()).or_insert(false);
                let is_it = |export: &&mut ExportSpec| {
                    export.name.as_ref().is_some_and(|it| it.as_ref() == name)
                };
                if let Some(export) = self.exports.iter_mut().find(is_it) {
                    export.spec = update.spec.spec;
                }
                Reply::Done
            }
            Call::GetWorkflow(_) => Workflow::default().into(),
            Call::Watch(_) => {
                let mut state = WorkflowState::default();
                state.status = Status::Started;
                Some(state).into()
            }
            _ => Reply::Done,
        })
    }
}
