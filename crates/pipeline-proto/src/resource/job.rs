//! Batch computations, which the service calls jobs.

use super::{data::spec, schema::ValType};
use crate::model::json::open_enum;

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
        "workflow" => workflow: Option<String> [OnReading, OfWorkflow(Head::Name)],
        /// The fields of its result.
        "schema" => schema: Option<Vec<ResultField>> [OnReading],
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
}

spec! {
    /// What a batch computation computes.
    pub struct Computation {
        /// The SQL text.
        "code" => code: String,
        /// The language of the code. The documents write it both ways.
        "type" => r#type: String [OneOf(&["sql", "SQL"])],
    }
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
