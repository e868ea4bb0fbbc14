//! `pipeline job …`: computations of files.

use clap::Args;
use pipeline_proto::{
    Operation as _,
    name::JobName,
    resource::job::{
        Argument, Batch, BatchChange, BatchStatus, JobSpec, ListBatches, RerunBatch, StartJob,
        StopBatch, StopJob,
    },
};
use serde_json::{Value, json};

use super::{
    Run,
    resource::{Column, How, Key, Mention, Names, Operations, Resource, Rows, Short, Verb},
    transform::CONTAINER,
};
use crate::{exit::Exit, failure::Failure, options::Global, output::plain};

pub(super) static RESOURCE: Resource = Resource {
    word: "job",
    one: "a job",
    many: "jobs",
    chinese: "离线计算任务",
    body: Some(JobSpec::description),
    operations: Operations {
        list: "list_jobs",
        get: "get_job",
        create: "create_job",
        update: "update_job",
        delete: "delete_job",
        exists: "job_exists",
        ..Resource::BASE.operations
    },
    columns: &[
        Column::new("READS", "srcs"),
        Column::new("RUNS", "scheduler"),
        Column::new("CONTAINER", "container"),
        Column::new("WORKFLOW", "workflow"),
    ],
    keys: &[Key::NAME, Key::of("workflow")],
    shorts: &[
        Short {
            flag: "from",
            member: "srcs",
            value: "NAME[=TABLE]",
            help: "The data sources that it reads, with commas between, and what SQL calls each; \
                   `job:NAME` reads the result of another job",
            read: sources,
            how: How::Set,
        },
        Short {
            flag: "sql",
            member: "computation",
            value: "SQL",
            help: "What it computes",
            read: |sql| Ok(json!({"code": sql, "type": "sql"})),
            how: How::Set,
        },
        CONTAINER,
        Short {
            flag: "run",
            member: "scheduler",
            value: "WHEN",
            help: "When it runs: manual, depend, `loop 5m`, or a cron table such as '0 0 0/1 * *'",
            read: scheduler,
            how: How::Set,
        },
        Short {
            flag: "params",
            member: "params",
            value: "NAME=DEFAULT",
            help: "Variables of the SQL, with commas between",
            read: parameters,
            how: How::Set,
        },
    ],
    verbs: &[
        Verb::own::<Start>("start", &[StartJob::NAME]),
        Verb::own::<Stop>("stop", &[StopJob::NAME, StopBatch::NAME]),
        Verb::own::<History>("history", &[ListBatches::NAME]),
        Verb::own::<Rerun>("rerun", &[RerunBatch::NAME]),
    ],
    examples: (
        "daily --from logs=t --sql 'select count(*) as n from t' --container 1U2G --run '0 0 1 * *'",
        "--run 'loop 1h'",
    ),
    ..Resource::BASE
};

fn sources(text: &str) -> Result<Value, Failure> {
    let sources = text.split(',').map(|source| {
        let (name, table) = source.split_once('=').unwrap_or((source, ""));
        let (kind, name) = name.split_once(':').unwrap_or(("datasource", name));
        let table = if table.is_empty() { name } else { table };
        let source = json!({"name": name, "type": kind, "tableName": table});
        some("--from", name).map(|_| source)
    });
    sources.collect()
}

fn scheduler(text: &str) -> Result<Value, Failure> {
    Ok(match text.split_once(' ') {
        Some(("loop", pause)) => json!({"type": "loop", "spec": {"loop": pause}}),
        Some(_) => json!({"type": "crontab", "spec": {"crontab": text}}),
        None if ["manual", "depend", "loop"].contains(&text) => json!({"type": text}),
        None => {
            let line = "--run: write manual, depend, 'loop 5m' or a cron table as '0 0 0/1 * *'";
            return Err(Failure::usage(line));
        }
    })
}

fn parameters(text: &str) -> Result<Value, Failure> {
    let parameters = text.split(',').map(|parameter| {
        let (name, default) = parameter.split_once('=').unwrap_or((parameter, ""));
        some("--params", name).map(|name| match default {
            "" => json!({"name": name}),
            default => json!({"name": name, "default": default}),
        })
    });
    parameters.collect()
}

fn some<'a>(option: &str, name: &'a str) -> Result<&'a str, Failure> {
    if name.is_empty() {
        return Err(Failure::usage(format!("{option}: a name is missing")));
    }
    Ok(name)
}

/// Start a job that belongs to no workflow
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline job start daily
  pipeline job start daily --param day=2017-06-01

It is not repeated when its response is lost: look at `pipeline job history` first.")]
struct Start {
    /// Name of the job
    name: JobName,

    /// Value of a parameter, for this run
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = argument)]
    params: Vec<Argument>,
}

fn argument(text: &str) -> Result<Argument, String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let mut argument = Argument::default();
    (argument.name, argument.value) = (name.to_owned(), value.to_owned());
    Ok(argument)
}

impl Run for Start {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let start = StartJob::new(self.name.clone()).params(self.params);
        global.remote()?.send(start)?;
        done(&self.name, "starting").report(global)
    }
}

/// Stop a job that belongs to no workflow, or one of its runs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline job stop daily
  pipeline job stop daily --run 3")]
struct Stop {
    /// Name of the job
    name: JobName,

    /// Number of the run that is stopped alone
    #[arg(long, value_name = "N")]
    run: Option<i64>,
}

impl Run for Stop {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let remote = global.remote()?;
        if let Some(run) = self.run {
            let change = remote.send(StopBatch::new(Batch::of(&self.name, run)))?;
            return changed(&self.name, run, "stopping", &change).report(global);
        }
        remote.send(StopJob::new(self.name.clone()))?;
        done(&self.name, "stopping").report(global)
    }
}

/// Show the runs of a job
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline job history daily
  pipeline job history daily --status Failed --sort -endTime")]
struct History {
    /// Name of the job
    name: JobName,

    /// Only those of this status: Running, Successful, Failed, Canceled
    #[arg(long)]
    status: Option<String>,

    /// Member by which they are in order; with `-` in front of it the last one first
    #[arg(long, value_name = "MEMBER", allow_hyphen_values = true)]
    sort: Option<String>,

    /// Which page, from 1
    #[arg(long, value_name = "N")]
    page: Option<u32>,

    /// How many on a page
    #[arg(long, value_name = "N")]
    size: Option<u32>,
}

impl Run for History {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut list = ListBatches::new(self.name.clone());
        list.status = self.status.as_deref().map(BatchStatus::from);
        (list.sort_by, list.page, list.size) = (self.sort, self.page, self.size);
        Rows::write(&global.remote()?.send(list)?.runs, global)
    }
}

/// Run one run of a job again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline job rerun daily 3")]
struct Rerun {
    /// Name of the job
    name: JobName,

    /// Number of the run, as `history` shows it
    run: i64,
}

impl Run for Rerun {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let change = global
            .remote()?
            .send(RerunBatch::new(Batch::of(&self.name, self.run)))?;
        changed(&self.name, self.run, "rerun", &change).report(global)
    }
}

fn done(name: &JobName, action: &'static str) -> Mention {
    Mention::done(&RESOURCE, &Names::of(name), action)
}

/// What became of a run.
fn changed(name: &JobName, run: i64, action: &'static str, change: &BatchChange) -> Mention {
    let (before, after) = (change.before.as_str(), change.after.as_str());
    let (was, is) = (plain(before), plain(after));
    done(name, action)
        .with("run", run)
        .with("before", before)
        .with("status", after)
        .line(format!("run {run}, {was} before, is {is}: {name}"))
}
