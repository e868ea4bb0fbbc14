//! Batch computations, which the service calls jobs.

use serde::Serialize;

use super::{
    data::{shown, spec},
    schema::ValType,
};
use crate::name::{DatasourceName, JobName, ShownName, kind};
use crate::{
    error::BuildError,
    model::json::{object, open_enum},
    operation::{
        RequestTemplate,
        read::{json, member, named, nothing},
        table::operations,
    },
};

operations! { job job_operations;
    /// Creates a job.
    CreateJob create_job(name: JobName; json spec: JobSpec) = POST "/v2/jobs/{name}" Never Page -> () = nothing;

    /// Replaces a job, as a whole.
    UpdateJob update_job(name: JobName; json spec: JobSpec) = PUT "/v2/jobs/{name}" Idempotent Page -> () = nothing;

    /// Lists the jobs of the account, or those that read from one source; not both sources at once.
    ListJobs list_jobs() {
        /// The datasource that they read from.
        src_datasource "srcDatasource": DatasourceName,
        /// The job that they read from.
        src_job "srcJob": JobName,
    } = GET "/v2/jobs" Safe Page -> Vec<JobSpec> = member("jobs");

    /// Shows one job.
    GetJob get_job(name: JobName) = GET "/v2/jobs/{name}" Safe Page
        -> JobSpec = json, then |get, job| named(&get.name, job.name.get_or_insert_default()), none on JOB_NOT_FOUND;

    /// Says whether there is such a job.
    JobExists job_exists(name: JobName) = GET "/v2/jobs/{name}/exists" Safe Sdk -> bool = member("exist");

    /// Deletes a job. E18608 while something reads from it.
    DeleteJob delete_job(name: JobName) = DELETE "/v2/jobs/{name}" Idempotent Page
        -> () = nothing, done on JOB_NOT_FOUND;

    /// Starts a job that belongs to no workflow.
    StartJob start_job(name: JobName) {
        /// Values for its parameters; those that are not named have their defaults.
        params: Vec<Argument>,
    } = POST "/v2/jobs/{name}/actions/start" Never Page, json by hand -> () = nothing;

    /// Stops a job that belongs to no workflow. No body and no content type.
    StopJob stop_job(name: JobName) = POST "/v2/jobs/{name}/actions/stop" Never Page -> () = nothing;

    /// Shows the runs of a job, which are called batches.
    ListBatches list_batches(job: JobName) {
        /// Which page, from 1.
        page "page": u32,
        /// How many on a page.
        size "size": u32,
        /// By which member they are in order; `-` in front of it for the last one first, as in `-endTime`.
        sort_by "sortBy": String,
        /// Only those of this status.
        status "status": BatchStatus,
        /// Only this run; -1 for the latest.
        run_id "runId": i64,
    } = GET "/v2/jobs/{job}/history" Safe Page -> History = json;

    /// Stops one run of a job. E18626 in a status that forbids it.
    StopBatch stop_batch(; json batch: Batch) = POST "/v2/batch/actions/stop" Never Page -> BatchChange = json;

    /// Runs one run of a job again. E18649 in a status that forbids it.
    RerunBatch rerun_batch(; json batch: Batch) = POST "/v2/batch/actions/rerun" Never Page -> BatchChange = json;
}

impl StartJob {
    /// Without parameters the body is `{}`, as the vendor's client has it.
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            params: &'a [Argument],
        }
        self.target().json(&Body {
            params: self.params.as_deref().unwrap_or_default(),
        })
    }
}

open_enum! {
    /// The status of a run.
    pub enum BatchStatus {
        /// It waits for its turn.
        Ready = "Ready",
        /// It runs, and may be stopped.
        Running = "Running",
        /// It has done its work; it may be run again.
        Successful = "Successful",
        /// It ended in an error; it may be run again.
        Failed = "Failed",
        /// It was stopped; it may be run again.
        Canceled = "Canceled",
        /// It is about to run again.
        Restarting = "Restarting",
        /// It is being stopped.
        Cancelling = "Cancelling",
    }
}

object! {
    /// The value of a job's parameter, for one run.
    pub struct Argument {
        /// The parameter.
        "name" => name: String,
        /// What it is.
        "value" => value: String,
    }
}

object! {
    /// One run of a job, to be named in a request.
    ///
    /// ```
    /// use pipeline_proto::{name::JobName, resource::job::Batch};
    ///
    /// let batch = Batch::of(&JobName::new("daily")?, 3);
    /// assert_eq!(serde_json::to_string(&batch)?, r#"{"jobName":"daily","runId":3}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct Batch {
        /// The job.
        "jobName" => job_name: ShownName<kind::Job>,
        /// Which of its runs. A number, as the vendor's client sends it; the documents say text.
        "runId" => run_id: Option<i64>,
    }
}

impl Batch {
    /// The run of a job with this number.
    pub fn of(job: &JobName, run_id: i64) -> Self {
        Self {
            job_name: job.into(),
            run_id: Some(run_id),
            ..Self::default()
        }
    }
}

shown! {
    /// What a request did to a run.
    pub struct BatchChange {
        /// Its status before.
        "preStatus" => before: BatchStatus,
        /// Its status now.
        "postStatus" => after: BatchStatus,
        /// How often it was run again.
        "rerunCount" => rerun_count: Option<i64>,
    }
}

shown! {
    /// Runs of a job: one page of them.
    pub struct History {
        /// How many there are on all pages.
        "total" => total: Option<u64>,
        /// Those of this page.
        "history" => runs: Vec<Run>,
    }
}

shown! {
    /// One run of a job.
    pub struct Run {
        /// Its number.
        "runId" => run_id: Option<i64>,
        /// The time it stands for, which never changes. Times are text, as they came.
        "batchTime" => batch_time: String,
        /// When it began.
        "startTime" => start_time: String,
        /// When it ended; now, if it runs.
        "endTime" => end_time: String,
        /// How long it took, in seconds.
        "duration" => seconds: Option<i64>,
        /// How it stands.
        "status" => status: BatchStatus,
        /// Why, if it failed.
        "message" => message: String,
    }
}

open_enum! {
    /// When a batch computation runs.
    pub enum SchedulerType {
        /// At the times of a plan.
        Crontab = "crontab",
        /// Again and again.
        Loop = "loop",
        /// When its workflow is started.
        Manual = "manual",
        /// After the computation that it reads from.
        Depend = "depend",
    }
}

/// Cores of a container times their number.
#[doc(hidden)]
pub const MAX_CORES: i64 = 100;

spec! {
    /// A batch computation.
    pub struct JobSpec {
        /// What it reads.
        "srcs" => srcs: Vec<JobSource>,
        /// What it computes.
        "computation" => computation: Option<Computation> [Required],
        /// What it runs in. One that depends on another runs in that one's.
        "container" => container: Option<JobContainer>,
        /// When it runs.
        "scheduler" => scheduler: Option<Scheduler> [Required],
        /// Variables of the SQL text.
        "params" => params: Option<Vec<JobParam>>,
        /// The workflow it belongs to.
        "workflow" => workflow: Option<ShownName<kind::Workflow>> [OnReading, OfWorkflow(Head::Name)],
        /// The fields of its result.
        "schema" => schema: Option<Vec<ResultField>> [OnReading],
        /// Its name.
        "name" => name: Option<ShownName<kind::Job>> [OnReading],
    }
}

spec! {
    /// What a batch computation reads.
    pub struct JobSource {
        /// Name of a batch data source, or of another batch computation.
        "name" => name: String [Form(Form::NAME)],
        /// Which of the two. The documents write it with capitals, the vendor's SDKs do not.
        "type" => r#type: String [OneOf(&["datasource", "job", "DataSource", "Job"])],
        /// Its name in the SQL text; another one for each source of this computation and of those before it.
        "tableName" => table_name: String [Unique, Form(Form::new(
            "^[a-zA-Z][a-zA-Z0-9_]{0,127}$",
            "1 to 128 letters, digits and '_', a letter first",
        ))],
        /// Which of the files; goes behind the prefix of the source, and may use variables like `$(date)`.
        "fileFilter" => file_filter: Option<String>,
    }
    new(name: impl Into<String>, r#type: impl Into<String>, table_name: impl Into<String>)
}

spec! {
    /// What a batch computation computes.
    pub struct Computation {
        /// The SQL text.
        "code" => code: String,
        /// The language of the code. The documents write it both ways.
        "type" => r#type: String [OneOf(&["sql", "SQL"])],
    }
    new(code: impl Into<String>, r#type: impl Into<String>)
}

spec! {
    /// What a batch computation runs in. Its cores times the count are at most 100.
    pub struct JobContainer {
        /// Cores and memory in gigabytes.
        "type" => r#type: String [OneOf(&[
            "1U2G", "1U4G", "2U4G", "4U8G", "4U16G", "8U16G", "8U32G", "16U32G", "16U64G",
        ])],
        /// How many.
        "count" => count: Option<i64> [Required, AtLeast(1)],
        /// Whether it is there.
        "status" => status: Option<String> [OnReading],
    }
    new(r#type: impl Into<String>, count: i64)
}

impl JobSpec {
    /// SQL in containers of this type, so many of them. What it reads is to be added.
    ///
    /// ```
    /// use pipeline_proto::resource::job::{JobSpec, Scheduler};
    ///
    /// let job = JobSpec::sql("select count(*) from clicks", ("1U2G", 1), Scheduler::crontab("0 0 0/1 * *"));
    /// assert_eq!(job.scheduler.unwrap().r#type.as_str(), "crontab");
    /// ```
    pub fn sql(
        code: impl Into<String>,
        container: impl Into<JobContainer>,
        scheduler: Scheduler,
    ) -> Self {
        Self {
            computation: Some(Computation::new(code, "sql")),
            container: Some(container.into()),
            scheduler: Some(scheduler),
            ..Self::default()
        }
    }

    /// SQL that runs after the computation that it reads from, and in the container of that.
    pub fn sql_after(code: impl Into<String>) -> Self {
        Self {
            computation: Some(Computation::new(code, "sql")),
            scheduler: Some(Scheduler::of(SchedulerType::Depend)),
            ..Self::default()
        }
    }
}

impl Scheduler {
    /// At the times of a cron table, such as `0 0 0/1 * *`.
    pub fn crontab(table: impl Into<String>) -> Self {
        Self {
            spec: Some(SchedulerSpec {
                crontab: Some(table.into()),
                ..SchedulerSpec::default()
            }),
            ..Self::of(SchedulerType::Crontab)
        }
    }

    /// Again and again, with a pause between two runs, such as `5m`.
    pub fn every(pause: impl Into<String>) -> Self {
        Self {
            spec: Some(SchedulerSpec {
                r#loop: Some(pause.into()),
                ..SchedulerSpec::default()
            }),
            ..Self::of(SchedulerType::Loop)
        }
    }

    /// When the workflow is started.
    pub fn manual() -> Self {
        Self::of(SchedulerType::Manual)
    }

    fn of(r#type: SchedulerType) -> Self {
        Self {
            r#type,
            ..Self::default()
        }
    }
}

impl From<(&str, i64)> for JobContainer {
    /// Takes the type and how many.
    fn from((r#type, count): (&str, i64)) -> Self {
        Self::new(r#type, count)
    }
}

impl JobContainer {
    /// The cores of one container of this type, which its name begins with.
    pub fn cores(container_type: &str) -> Option<i64> {
        container_type.split_once('U')?.0.parse().ok()
    }
}

spec! {
    /// When a batch computation runs.
    pub struct Scheduler {
        /// How the time is found.
        "type" => r#type: SchedulerType,
        /// The plan.
        "spec" => spec: Option<SchedulerSpec> [RequiredWith("type", "crontab")],
    }
}

spec! {
    /// The plan of a batch computation.
    pub struct SchedulerSpec {
        /// For `crontab`: fields of a cron table, as `0 0 0/1 * *`.
        "crontab" => crontab: Option<String> [CronTable, Form(Form::new(
            r"^ *([*?]|[*?0-9A-Z][-*?/,#0-9A-Z]*)( +([*?]|[*?0-9A-Z][-*?/,#0-9A-Z]*)){4,6} *$",
            "5 to 7 fields of a cron table, such as 0 0 0/1 * *",
        ))],
        /// For `loop`: the pause between two runs, as `5m` or `1h`; none if it is not there.
        "loop" => r#loop: Option<String> [Form(Form::new(
            "^(0|[0-9]+[mh])$",
            "a number with 'm' or 'h' behind it, such as 5m",
        ))],
    }
}

spec! {
    /// A variable of the SQL text of a batch computation.
    pub struct JobParam {
        /// Its name.
        "name" => name: String [Unique, Form(Form::new(
            "^[a-zA-Z_][a-zA-Z0-9_]{0,63}$",
            "1 to 64 letters, digits and '_', no digit first",
        ))],
        /// The value it has unless a run is given another.
        "default" => default: Option<String> [AtMostChars(64)],
        /// The value of a run.
        "value" => value: Option<String> [OnReading],
    }
}

spec! {
    /// A field of the result of a batch computation.
    pub struct ResultField {
        /// Its name.
        "key" => key: String,
        /// What it holds.
        "valtype" => valtype: ValType,
        /// Whether a record has it always.
        "required" => required: Option<bool>,
    }
}
