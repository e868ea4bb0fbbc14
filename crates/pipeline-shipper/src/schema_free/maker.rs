//! Makes the exports of a queue, one call after the other.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use pipeline_proto::{
    Error, ErrorCode, Now, RepoName,
    name::LogdbRepoName,
    resource::{
        export::{CreateExport, ExportSpec, ListExports, UpdateExport},
        logdb::{CreateLogdbRepo, GetLogdbRepo, UpdateLogdbRepo},
        schema::SchemaEntry,
    },
};

use crate::{
    ask::{Call, Reply},
    exports::{Action, AutoExport, ExportError, Service},
    judge::{Judgement, judge},
    settings::Settings,
};

/// What has become of an export.
#[derive(Debug, Clone)]
pub(crate) enum News {
    Made(String),
    Grown(String),
    Failed(ExportError),
}

#[derive(Debug, Clone)]
enum Task {
    List,
    ReadLogdb(usize, LogdbRepoName),
    /// Makes or changes something for this export, which has this name.
    Make(usize, String, Box<Call>),
}

impl Task {
    /// The export that it is for.
    fn of(&self) -> Option<usize> {
        match self {
            Self::List => None,
            Self::ReadLogdb(number, _) | Self::Make(number, ..) => Some(*number),
        }
    }
}

/// Those that a queue is to have.
#[derive(Debug)]
pub(crate) struct Maker {
    repo: RepoName,
    exports: Vec<AutoExport>,
    services: Vec<Service>,
    schema: Vec<SchemaEntry>,
    tasks: VecDeque<Task>,
    under_way: Option<Task>,
    /// The last failure of each that was told.
    told: BTreeMap<usize, String>,
    /// How often it began anew for this schema.
    failures: u32,
    retry_at: Option<Duration>,
}

impl Maker {
    pub(crate) fn new(repo: RepoName, exports: &[AutoExport], services: &[Service]) -> Self {
        let mut exports = exports.to_vec();
        exports.sort_by_key(AutoExport::rank);
        Self {
            repo,
            exports,
            services: services.to_vec(),
            schema: Vec::new(),
            tasks: VecDeque::new(),
            under_way: None,
            told: BTreeMap::new(),
            failures: 0,
            retry_at: None,
        }
    }

    /// The queue has this schema now.
    pub(crate) fn begin(&mut self, schema: &[SchemaEntry]) {
        self.schema = schema.to_vec();
        self.failures = 0;
        self.look();
    }

    fn look(&mut self) {
        self.retry_at = None;
        self.tasks.clear();
        if !self.exports.is_empty() {
            self.tasks.push_back(Task::List);
        }
    }

    /// Whether there are calls to make, apart from those that wait.
    pub(crate) fn is_busy(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// When it tries again what has failed.
    pub(crate) fn retry_at(&self) -> Option<Duration> {
        self.retry_at
    }

    pub(crate) fn abandon(&mut self) {
        (self.under_way, self.retry_at) = (None, None);
        self.tasks.clear();
    }

    /// The next call.
    pub(crate) fn next(&mut self, now: Duration) -> Option<Call> {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.look();
        }
        let task = self.tasks.pop_front()?;
        let call = match &task {
            Task::List => ListExports::new(self.repo.clone()).into(),
            Task::ReadLogdb(_, name) => GetLogdbRepo::new(name.clone()).into(),
            Task::Make(_, _, call) => (**call).clone(),
        };
        self.under_way = Some(task);
        Some(call)
    }

    /// Takes what came of it.
    pub(crate) fn on_reply(
        &mut self,
        result: Result<Reply, Error>,
        settings: &Settings,
        now: Now,
    ) -> Vec<News> {
        match (self.under_way.take(), result) {
            (Some(Task::List), Ok(Reply::Exports(present))) => {
                let mut news = Vec::new();
                for number in 0..self.exports.len() {
                    if let Err(error) = self.plan(number, &present, &mut news) {
                        self.tell(number, error, &mut news);
                    }
                }
                news
            }
            (Some(Task::ReadLogdb(number, name)), Ok(Reply::Logdb(present))) => {
                if let Some(grown) = self.exports[number].grown(&present, &self.schema) {
                    let call = UpdateLogdbRepo::new(name.clone(), grown);
                    self.make_first(number, &name, call.into());
                }
                Vec::new()
            }
            (Some(Task::ReadLogdb(number, name)), Err(error))
                if error.code() == Some(ErrorCode::LOGDB_REPO_NOT_FOUND) =>
            {
                let spec = self.exports[number].logdb_repo(&self.schema);
                let call = CreateLogdbRepo::new(name.clone(), spec);
                self.make_first(number, &name, call.into());
                Vec::new()
            }
            (Some(Task::Make(number, name, call)), Ok(_)) => {
                let news = match *call {
                    Call::CreateExport(_) => News::Made(name),
                    Call::UpdateExport(_) => News::Grown(name),
                    _ => return Vec::new(),
                };
                self.told.remove(&number);
                vec![news]
            }
            (Some(Task::Make(_, _, call)), Err(error)) if is_there(&error) => {
                // Somebody was faster, and may know fewer fields. A series or a repo of TSDB has none.
                if matches!(*call, Call::CreateExport(_) | Call::CreateLogdbRepo(_)) {
                    self.retry(&error, settings, now);
                }
                Vec::new()
            }
            (Some(task), Err(error)) => self.fail(&task, error, settings, now),
            _ => Vec::new(),
        }
    }

    fn make_first(&mut self, number: usize, name: &LogdbRepoName, call: Call) {
        let task = Task::Make(number, name.as_str().to_owned(), Box::new(call));
        self.tasks.push_front(task);
    }

    /// Finds out what is to be done for one of them.
    fn plan(
        &mut self,
        number: usize,
        present: &[ExportSpec],
        news: &mut Vec<News>,
    ) -> Result<(), ExportError> {
        let export = &self.exports[number];
        let plan = export.plan(&self.repo, &self.schema, present)?;
        let name = plan.name.as_str().to_owned();
        let make = |call: Call| Task::Make(number, name.clone(), Box::new(call));
        let reaches = |service| self.services.contains(&service);
        if plan.action != Action::Wait && export.kind() == "logdb" && reaches(Service::Logdb) {
            // Also if the export is as it should be: the repo may lack fields that it writes.
            let task = Task::ReadLogdb(number, export.logdb_name(&self.repo)?);
            self.tasks.push_back(task);
        }
        let (repo, export_name) = (self.repo.clone(), plan.name.clone());
        match plan.action {
            Action::Nothing | Action::Wait => {}
            Action::Create(spec) => {
                if export.kind() == "tsdb" && reaches(Service::Tsdb) {
                    let (repo, series) = export.tsdb(&self.repo)?;
                    self.tasks.extend([make(repo.into()), make(series.into())]);
                }
                let call = CreateExport::new(repo, export_name, spec);
                self.tasks.push_back(make(call.into()));
            }
            Action::Update(spec) => {
                let call = UpdateExport::new(repo, export_name, spec);
                self.tasks.push_back(make(call.into()));
            }
        }
        if !plan.differs.is_empty() {
            let text = format!("{}; it stays as it is", plan.differs.join(", "));
            self.tell(number, ExportError::new(&name, text), news);
        }
        Ok(())
    }

    fn fail(&mut self, task: &Task, error: Error, settings: &Settings, now: Now) -> Vec<News> {
        if judge(&error) == Judgement::Retry {
            self.retry(&error, settings, now);
        }
        let of = task.of();
        let name = match task {
            Task::Make(_, name, _) => name.clone(),
            Task::ReadLogdb(_, name) => name.to_string(),
            Task::List => format!("of {}", self.repo),
        };
        // What would follow rests on what has failed.
        self.tasks.retain(|task| task.of() != of);
        let mut news = Vec::new();
        let error = ExportError::call(&name, Arc::new(error));
        self.tell(of.unwrap_or(usize::MAX), error, &mut news);
        news
    }

    fn retry(&mut self, error: &Error, settings: &Settings, now: Now) {
        self.failures = self.failures.saturating_add(1);
        let asked = error.api().and_then(|api| api.retry_delay(now.wall));
        let delay = settings.back_off.delay(self.failures, settings.seed, asked);
        self.retry_at = Some(now.mono.saturating_add(delay));
    }

    /// Tells a failure, unless it is the one that was told last.
    fn tell(&mut self, number: usize, error: ExportError, news: &mut Vec<News>) {
        let text = error.to_string();
        if self.told.get(&number) != Some(&text) {
            self.told.insert(number, text);
            news.push(News::Failed(error));
        }
    }
}

/// Whether what was to be made is there already.
fn is_there(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            ErrorCode::EXPORT_EXISTS
                | ErrorCode::LOGDB_REPO_EXISTS
                | ErrorCode::TSDB_REPO_EXISTS
                | ErrorCode::TSDB_SERIES_EXISTS
        )
    )
}
