//! Jobs that are started and stopped, and their runs, which are called batches.

use pipeline_proto::{
    ErrorCode,
    model::Status,
    resource::job::{BatchStatus, SchedulerType},
};
use serde_json::{Value, json};

use super::{
    Job, Members, Row,
    job::{all_runs, scheduler, status},
    life::{Asked, Life, Run, keep, millis, now},
    query, refuse, text,
    verbs::{members, sent},
};
use crate::{
    call::{Call, Outcome, json, no_data},
    date::{from_millis, rfc3339},
    id::Id,
    refusal::Refusal,
};

/// The job of the path, which belongs to no workflow: those are started and stopped with it.
fn own_job(call: &Call<'_, '_>) -> Result<Members, Refusal> {
    let job = members::<Job>(call)?;
    let workflow = text(&job, "workflow");
    if !workflow.is_empty() {
        return refuse(
            ErrorCode::CANNOT_START_OR_STOP_BATCH_JOB,
            format!("it belongs to the workflow {workflow:?}; start or stop that"),
        );
    }
    Ok(job)
}

pub(crate) fn start_job(call: &mut Call<'_, '_>) -> Outcome {
    let mut job = own_job(call)?;
    let name = call.names[0].clone();
    let arguments = match call.body {
        [] => Members::new(),
        _ => sent::<Job>(call)?,
    };
    set_arguments(&mut job, &arguments)?;
    let status = status(call, &name, &job);
    if !status.is_idle() {
        return refuse(ErrorCode::CANNOT_START_JOB, format!("it is {status}"));
    }
    let mut runs = all_runs(call, &name, &job);
    let asked = Asked::new(call.rules.start, now(call));
    if matches!(
        scheduler(&job),
        SchedulerType::Manual | SchedulerType::Crontab
    ) {
        let id = runs.last().map_or(1, |run| run.id.saturating_add(1));
        runs.push(Run::new(id, asked.clone(), millis(call.rules.manual_run)));
    }
    put(call, &name, job, Some(&Life::Start(asked)), &runs);
    Ok(no_data())
}

pub(crate) fn stop_job(call: &mut Call<'_, '_>) -> Outcome {
    let job = own_job(call)?;
    let name = call.names[0].clone();
    let status = status(call, &name, &job);
    if status != Status::Started {
        return refuse(ErrorCode::CANNOT_STOP_JOB, format!("it is {status}"));
    }
    let (now, mut runs) = (now(call), all_runs(call, &name, &job));
    let asked = Asked::new(call.rules.stop, now);
    for run in runs
        .iter_mut()
        .filter(|run| run.status(now) == BatchStatus::Running)
    {
        run.stopped = Some(asked.clone());
    }
    put(call, &name, job, Some(&Life::Stop(asked)), &runs);
    Ok(no_data())
}

fn put(call: &mut Call<'_, '_>, name: &str, mut job: Members, life: Option<&Life>, runs: &[Run]) {
    if let Some(life) = life {
        keep(&mut job, ".life", life);
    }
    keep(&mut job, ".runs", &runs);
    call.space.amend(Id::new(Job::KIND, name), job);
}

/// Gives parameters the values that they have from this start on.
fn set_arguments(job: &mut Members, body: &Members) -> Result<(), Refusal> {
    let arguments = body.get("params").and_then(Value::as_array);
    for argument in arguments.into_iter().flatten() {
        let params = job.get_mut("params").and_then(Value::as_array_mut);
        let params = params.into_iter().flatten();
        let mut params = params.filter_map(Value::as_object_mut);
        let Some(param) = params.find(|param| param.get("name") == argument.get("name")) else {
            let detail = format!("it has no parameter {}", argument["name"]);
            return refuse(ErrorCode::JOB_ARGUMENT_COUNT_MISMATCH, detail);
        };
        param.insert("value".to_owned(), argument["value"].clone());
    }
    Ok(())
}

/// The latest run comes first, unless the query has another order.
pub(crate) fn history(call: &mut Call<'_, '_>) -> Outcome {
    let job = members::<Job>(call)?;
    let mut runs = all_runs(call, &call.names[0], &job);
    match query::number(call, "runId")? {
        Some(-1) => drop(runs.drain(..runs.len().saturating_sub(1))),
        Some(id) => runs.retain(|run| run.id == id),
        None => {}
    }
    let shown = runs.iter().map(|run| shown(call, run));
    let mut shown: Vec<_> = shown
        .filter(|run| query::is_among(call, "status", text(run, "status")))
        .collect();
    let column = query::asked(call, "sortBy").unwrap_or_else(|| "-runId".to_owned());
    let ascending = column.strip_prefix('-');
    query::sort(
        &mut shown,
        ascending.unwrap_or(&column),
        ascending.is_some(),
    )?;
    let (page, size) = (query::number(call, "page")?, query::number(call, "size")?);
    let total = shown.len();
    let before = page
        .unwrap_or(1)
        .saturating_sub(1)
        .saturating_mul(size.unwrap_or_default());
    let part = query::part(shown, Some(before.saturating_add(1)), size);
    json(&json!({ "total": total, "history": part }))
}

fn shown(call: &Call<'_, '_>, run: &Run) -> Members {
    let now = now(call);
    let time = |at| rfc3339(call.rules.clock_offset.apply(from_millis(at)));
    let status = run.status(now);
    let begin = run.asked.end().filter(|begin| *begin <= now);
    // Of a run that goes on, the end is now.
    let end = begin.map(|begin| run.end().map_or(now, |end| end.min(now)).max(begin));
    let seconds = begin
        .zip(end)
        .map_or(0, |(begin, end)| (end - begin) / 1_000);
    let message = match status {
        BatchStatus::Failed => "starts are set to fall back",
        _ => "",
    };
    let members = json!({
        "runId": run.id,
        "batchTime": time(run.batch),
        "startTime": begin.map(time).unwrap_or_default(),
        "endTime": end.map(time).unwrap_or_default(),
        "duration": seconds,
        "status": status.as_str(),
        "message": message,
    });
    members.as_object().cloned().unwrap_or_default()
}

pub(crate) fn stop_batch(call: &mut Call<'_, '_>) -> Outcome {
    let asked = Asked::new(call.rules.stop, now(call));
    change(call, |run, before| match before {
        BatchStatus::Running => {
            run.stopped = Some(asked);
            Ok(())
        }
        before => refuse(
            ErrorCode::BATCH_STATE_FORBIDS_STOP,
            format!("it is {before}"),
        ),
    })
}

pub(crate) fn rerun_batch(call: &mut Call<'_, '_>) -> Outcome {
    use BatchStatus::{Canceled, Failed, Successful};
    let asked = Asked::new(call.rules.start, now(call));
    change(call, |run, before| match before {
        Successful | Failed | Canceled => {
            (run.asked, run.stopped) = (asked, None);
            run.reruns = run.reruns.saturating_add(1);
            Ok(())
        }
        before => refuse(
            ErrorCode::BATCH_STATE_FORBIDS_RERUN,
            format!("it is {before}"),
        ),
    })
}

/// Does something with the run that the body names.
fn change(
    call: &mut Call<'_, '_>,
    change: impl FnOnce(&mut Run, BatchStatus) -> Result<(), Refusal>,
) -> Outcome {
    let body = sent::<Job>(call)?;
    let name = text(&body, "jobName").to_owned();
    let job = call.space.get(&Id::new(Job::KIND, &name)).cloned();
    let job = job.ok_or_else(|| Refusal::code(Job::NOT_FOUND, format!("{name:?}")))?;
    // The documents say text, the vendor's client sends a number.
    let id = body.get("runId");
    let id = id.and_then(|id| id.as_i64().or_else(|| id.as_str()?.parse().ok()));
    let (now, mut runs) = (now(call), all_runs(call, &name, &job));
    let run = runs.iter_mut().find(|run| Some(run.id) == id);
    let Some(run) = run else {
        let detail = format!(
            "the job {name:?} has no run {}",
            body.get("runId").unwrap_or(&Value::Null)
        );
        return refuse(ErrorCode::JOB_RUN_NOT_FOUND, detail);
    };
    let before = run.status(now);
    change(run, before.clone())?;
    let mut outcome =
        json!({ "preStatus": before.as_str(), "postStatus": run.status(now).as_str() });
    if run.reruns > 0 {
        outcome["rerunCount"] = run.reruns.into();
    }
    put(call, &name, job, None, &runs);
    json(&outcome)
}
