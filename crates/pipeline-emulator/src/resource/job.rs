use pipeline_graph::{Finding, Rule};
use pipeline_proto::{
    ErrorCode,
    model::Status,
    resource::job::{BatchStatus, JobSpec, SchedulerType},
};
use serde_json::Value;

use super::{
    Judged, Made, Members, Resource, described, is_query,
    life::{Asked, Life, Millis, Run, kept, millis, now},
    query, refuse, text, variable,
};
use crate::{
    call::Call,
    date::to_millis,
    id::{Id, Kind},
    refusal::Refusal,
    transition::Transition,
    workflow::Workflow,
};

/// A batch computation. Nothing is computed, but its runs take their time.
pub(crate) struct Job;

/// How many runs of a job are kept.
const RUNS: u64 = 100;

/// How far up jobs are looked at that depend on each other.
const DEPTH: u32 = 32;

impl Resource for Job {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let mut job = described(JobSpec::description(), body);
        check(call, &job)?;
        let of_source = |(kind, name): (Kind, &str)| {
            let source = call.space.get(&Id::new(kind, name));
            source.map(|source| text(source, "workflow").to_owned())
        };
        let mut workflows = sources(&job).filter_map(of_source);
        let workflow = workflows.find(|it| !it.is_empty()).unwrap_or_default();
        drop(workflows);
        job.insert("workflow".to_owned(), workflow.into());
        Ok(job)
    }

    /// A replacement of all that is said of it. Its runs stay.
    fn changed(call: &mut Call<'_, '_>, body: Members, mut old: Members) -> Made {
        old.retain(|name, _| name.starts_with('.'));
        old.extend(Self::made(call, body)?);
        Ok(old)
    }

    fn shown(call: &Call<'_, '_>, name: &str, job: &Members) -> Members {
        let mut shown = job.clone();
        shown.retain(|name, _| !name.starts_with('.'));
        if let Some(Value::Object(container)) = shown.get_mut("container") {
            let status = status(call, name, job);
            container.insert("status".to_owned(), status.as_str().into());
        }
        shown
    }

    fn listed(call: &Call<'_, '_>, name: &str, job: &Members) -> Option<Members> {
        for (parameter, kind) in [("srcDatasource", Kind::Datasource), ("srcJob", Kind::Job)] {
            let asked = query::asked(call, parameter);
            if asked.is_some_and(|asked| !sources(job).any(|it| it == (kind, asked.as_str()))) {
                return None;
            }
        }
        let mut shown = Self::shown(call, name, job);
        shown.insert("name".to_owned(), name.into());
        Some(shown)
    }
}

/// What a job reads from.
pub(crate) fn sources(job: &Members) -> impl Iterator<Item = (Kind, &str)> {
    let sources = job.get("srcs").and_then(Value::as_array);
    let sources = sources.into_iter().flatten().filter_map(Value::as_object);
    sources.map(|source| {
        let is_job = text(source, "type").eq_ignore_ascii_case("job");
        let kind = if is_job { Kind::Job } else { Kind::Datasource };
        (kind, text(source, "name"))
    })
}

/// Looks at all that it reads from, directly or not: a table has its name only once.
fn check(call: &Call<'_, '_>, job: &Members) -> Result<(), Refusal> {
    let name = call.names[0].as_str();
    let mut judged = Judged::new(Kind::Job, name, job)?;
    add_sources(&mut judged, (name, job), |id| call.space.get(id))?;
    judged.check(|finding| Some(code(finding)))?;
    check_texts(call, job)
}

/// Adds what a job reads of that which is there.
pub(super) fn add_sources<'a>(
    judged: &mut Judged,
    (name, job): (&str, &'a Members),
    find: impl Fn(&Id) -> Option<&'a Members>,
) -> Result<(), Refusal> {
    let mut waiting = vec![(Id::new(Kind::Job, name).node_id(), job)];
    while let Some((reader, job)) = waiting.pop() {
        for (kind, name) in sources(job) {
            let Some(source) = find(&Id::new(kind, name)) else {
                continue;
            };
            if let (id, true) = judged.reads(&reader, kind, name, source)? {
                waiting.push((id, source));
            }
        }
    }
    Ok(())
}

pub(super) fn check_texts(call: &Call<'_, '_>, job: &Members) -> Result<(), Refusal> {
    if let Some(sql) = job.get("computation").and_then(|it| it["code"].as_str())
        && !is_query(sql)
    {
        return refuse(ErrorCode::INVALID_JOB_SQL, format!("{sql:?}"));
    }
    let params = job.get("params").and_then(Value::as_array);
    let params: Vec<&str> = params
        .into_iter()
        .flatten()
        .filter_map(|param| param["name"].as_str())
        .collect();
    let check = |texts: &Value, code| {
        let texts = texts.to_string();
        let unknown = variable::names(&texts)
            .find(|name| !params.contains(name) && variable::kind(call, name).is_none());
        match unknown {
            Some(name) => refuse(code, format!("{name:?}")),
            None => Ok(()),
        }
    };
    for (member, code) in [
        ("computation", ErrorCode::UNDEFINED_VARIABLE_IN_SQL),
        ("srcs", ErrorCode::INVALID_FILE_FILTER),
    ] {
        check(job.get(member).unwrap_or(&Value::Null), code)?;
    }
    Ok(())
}

pub(super) fn code(finding: &Finding) -> ErrorCode {
    let inside = |part: &str| finding.path.contains(part);
    match (finding.rule, finding.member().unwrap_or_default()) {
        (Rule::UnknownSource, _) | (Rule::MissingMember, "srcs") => ErrorCode::JOB_SOURCE_NOT_FOUND,
        (Rule::DuplicateName, "tableName") => ErrorCode::TABLE_NAME_REPEATED,
        (_, "code") => ErrorCode::INVALID_JOB_SQL,
        (_, "count") if inside(".container") => ErrorCode::INVALID_CONTAINER_COUNT,
        (_, "type") if inside(".container") => ErrorCode::INVALID_CONTAINER_TYPE,
        _ => ErrorCode::MALFORMED_BATCH,
    }
}

pub(super) fn scheduler(job: &Members) -> SchedulerType {
    let scheduler = job.get("scheduler").and_then(|it| it["type"].as_str());
    SchedulerType::from(scheduler.unwrap_or_default())
}

/// The workflow that a job belongs to, as it is now.
fn workflow(call: &Call<'_, '_>, job: &Members) -> Option<Workflow> {
    let mut workflow = call.space.last_seen(text(job, "workflow"))?.clone();
    workflow.settle(call.now, call.rules.manual_run);
    Some(workflow)
}

/// A job of a workflow is where that is; another one that is run by hand comes to its end.
pub(super) fn status(call: &Call<'_, '_>, name: &str, job: &Members) -> Status {
    if let Some(workflow) = workflow(call, job) {
        return workflow.status();
    }
    let status = kept::<Life>(job, ".life").status(now(call));
    let runs = || runs(call, name, job, DEPTH);
    let has_ended = |run: &Run| run.end().is_some_and(|end| end <= now(call));
    match (&status, scheduler(job)) {
        (Status::Started, SchedulerType::Manual) if runs().iter().all(has_ended) => Status::Stopped,
        _ => status,
    }
}

/// The runs of a job until now, the first one first.
pub(super) fn all_runs(call: &Call<'_, '_>, name: &str, job: &Members) -> Vec<Run> {
    runs(call, name, job, DEPTH)
}

/// Those that were asked for are kept; others follow from the times at which the job or its workflow was
/// started, and from the runs of other jobs.
fn runs(call: &Call<'_, '_>, name: &str, job: &Members, depth: u32) -> Vec<Run> {
    let (now, takes) = (now(call), millis(call.rules.manual_run));
    let mut runs: Vec<Run> = kept(job, ".runs");
    match workflow(call, job) {
        Some(workflow) => {
            for (since, until) in workflow.started() {
                let (since, until) = (to_millis(since), until.map_or(now, to_millis));
                // In place of the start of a job by itself.
                let is_once = matches!(
                    scheduler(job),
                    SchedulerType::Manual | SchedulerType::Crontab
                );
                if is_once && !runs.iter().any(|run| run.batch == since) {
                    runs.push(Run::new(next_id(&runs), at_once(since), takes));
                }
                add_runs(call, (name, job, depth), &mut runs, (since, until));
                // One that was run again later goes on.
                let cut = |run: &&mut Run| {
                    run.asked.at <= until && run.end().is_some_and(|end| end > until)
                };
                for run in runs.iter_mut().filter(|_| until < now).filter(cut) {
                    run.stopped.get_or_insert_with(|| at_once(until));
                }
            }
        }
        None => {
            if let Some(since) = kept::<Life>(job, ".life").since(now) {
                add_runs(call, (name, job, depth), &mut runs, (since, now));
            }
        }
    }
    let kept = usize::try_from(RUNS).unwrap_or_default();
    runs.drain(..runs.len().saturating_sub(kept));
    runs
}

fn at_once(at: Millis) -> Asked {
    Asked::new(Transition::Immediate, at)
}

fn next_id(runs: &[Run]) -> i64 {
    runs.last().map_or(1, |run| run.id.saturating_add(1))
}

/// The runs that a job has by itself while it is started.
fn add_runs(
    call: &Call<'_, '_>,
    (name, job, depth): (&str, &Members, u32),
    runs: &mut Vec<Run>,
    (since, until): (Millis, Millis),
) {
    let takes = millis(call.rules.manual_run);
    match scheduler(job) {
        SchedulerType::Loop => {
            let period = takes.saturating_add(pause(job)).max(1_000);
            let after = |run: &Run| Some(run.end()?.saturating_add(period - takes));
            let last = runs.last().filter(|run| run.batch >= since);
            let mut next = last.map_or(Some(since), after);
            while let Some(at) = next.filter(|at| *at <= until) {
                // Nobody sees those that are dropped.
                let skipped = ((until - at) / period).saturating_sub(RUNS);
                let id = next_id(runs).saturating_add_unsigned(skipped);
                let at = at + skipped * period;
                runs.push(Run::new(id, at_once(at), takes));
                next = at.checked_add(period);
            }
        }
        SchedulerType::Depend if depth > 0 => {
            let source = sources(job).find(|(kind, source)| *kind == Kind::Job && *source != name);
            let source =
                source.and_then(|(kind, name)| Some((name, call.space.get(&Id::new(kind, name))?)));
            let above = source.map(|(name, job)| self::runs(call, name, job, depth - 1));
            for run in above.into_iter().flatten() {
                let end = run.end().filter(|end| (since..=until).contains(end));
                if let (Some(end), BatchStatus::Successful) = (end, run.status(now(call)))
                    && !runs.iter().any(|own| own.batch == run.batch)
                {
                    let mut own = Run::new(next_id(runs), at_once(end), takes);
                    own.batch = run.batch;
                    runs.push(own);
                }
            }
        }
        _ => {}
    }
}

/// Of a loop, between two runs.
fn pause(job: &Members) -> Millis {
    let text = job
        .get("scheduler")
        .and_then(|it| it["spec"]["loop"].as_str());
    let text = text.unwrap_or_default();
    let (digits, minutes) = match text.strip_suffix('h') {
        Some(digits) => (digits, 60),
        None => (text.trim_end_matches('m'), 1),
    };
    let number: u64 = digits.parse().unwrap_or_default();
    number.saturating_mul(minutes * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_pauses_for_minutes_or_hours_whatever_else_stands_there() {
        for (text, expected) in [
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("0", 0),
            ("", 0),
            ("一小时", 0),
            ("99999999999999999999h", 0),
            ("9999999999999999999h", u64::MAX),
        ] {
            let job = serde_json::json!({"scheduler": {"type": "loop", "spec": {"loop": text}}});
            assert_eq!(pause(job.as_object().unwrap()), expected, "{text}");
        }
    }
}
