//! What follows from the replies to calls.

use std::{mem, sync::Arc, time::Duration};

use pipeline_proto::{
    ApiError, Error, ErrorCode, Now, WorkflowName,
    points::union,
    resource::repo::RepoSpec,
    wait::{self, Goal, Step, WaitFailure, WaitOptions, Waiter},
};

use super::{Flow, Keeper, MOST_ROUNDS, MOST_STOPS, Queue, Task, Turn, Wait};
use crate::{
    ask::Reply,
    judge::{Judgement, is_about_fields, judge},
    schema_free::without_tags,
    settings::{SchemaFree, Settings, UnknownFields},
    verdict::Reason,
};

impl Keeper {
    /// Takes what came of a call.
    pub(crate) fn on_reply(
        &mut self,
        number: u64,
        result: Result<Reply, Error>,
        settings: &Settings,
        options: &SchemaFree,
        now: Now,
    ) -> Turn {
        let task = match self.under_way.take() {
            Some((asked, task)) if asked == number => task,
            // It was abandoned in the meantime.
            other => {
                self.under_way = other;
                return Turn::Nothing;
            }
        };
        let (task, error) = match (task, result) {
            (Task::Get, Ok(Reply::Repo(repo))) => return self.on_repo(*repo, settings, now),
            (Task::Create(spec), Ok(_)) => {
                // Also if it has the schema of one that is gone: its exports went with it.
                self.exports.begin(&spec.schema);
                self.is_ours = true;
                return self.on_repo(*spec, settings, now);
            }
            (Task::GetWorkflow, Ok(_)) => {
                self.flow = Flow::There;
                return Turn::Nothing;
            }
            (Task::CreateWorkflow, Ok(_)) => {
                (self.flow, self.owed) = (Flow::There, options.workflow.clone());
                return Turn::Nothing;
            }
            (Task::Update, Ok(_)) => {
                // Somebody may have replaced it by a schema of theirs in the meantime.
                (self.queue, self.is_ours) = (Queue::Unread, true);
                self.rounds += 1;
                self.writes = self.writes.wrapping_add(1);
                return Turn::Written;
            }
            (Task::Wait(goal, due), result) => {
                if goal == Goal::Started
                    && result.is_ok()
                    && matches!(due.operation(), wait::Ask::Start(_))
                {
                    self.owed = None;
                }
                let state = result.map(|reply| match reply {
                    Reply::State(state) => Some(*state),
                    _ => None,
                });
                return self.go_on(goal, due.on_result(state, now), settings, now);
            }
            (Task::Export, result) => {
                return Turn::Exports(self.exports.on_reply(result, settings, now));
            }
            // A reply to another call tells nothing: whoever drives this has mixed them up.
            (Task::Get, Ok(_)) => return Turn::Nothing,
            (task, Err(error)) => (task, error),
        };
        self.on_error(task, error, settings, options, now)
    }

    fn on_error(
        &mut self,
        task: Task,
        error: Error,
        settings: &Settings,
        options: &SchemaFree,
        now: Now,
    ) -> Turn {
        let is_update = matches!(task, Task::Update);
        let is_create = matches!(task, Task::Create(_));
        match (task, error.code()) {
            (Task::Get, Some(ErrorCode::REPO_NOT_FOUND))
                if options.unknown_fields == UnknownFields::Add =>
            {
                (self.queue, self.seen) = (Queue::Absent, None);
                return Turn::Changed(false);
            }
            (Task::GetWorkflow, Some(ErrorCode::WORKFLOW_NOT_FOUND)) => {
                self.flow = Flow::Absent;
                return Turn::Nothing;
            }
            (Task::Create(_) | Task::Update, Some(ErrorCode::WORKFLOW_UPDATE_FORBIDDEN)) => {
                return self.stop(error, settings, options, now);
            }
            // Somebody was faster: look again.
            (Task::CreateWorkflow, Some(ErrorCode::WORKFLOW_EXISTS))
            | (Task::Create(_), Some(ErrorCode::REPO_EXISTS | ErrorCode::WORKFLOW_NOT_FOUND))
            | (Task::Update, Some(ErrorCode::REPO_NOT_FOUND | ErrorCode::INCOMPATIBLE_SCHEMA))
                if self.rounds < MOST_ROUNDS =>
            {
                (self.flow, self.queue) = (Flow::Unread, Queue::Unread);
                self.rounds += 1;
                self.pause_after_rounds(settings, now);
                return Turn::Nothing;
            }
            _ => {}
        }
        // What was to be done may have been done, whatever the response says: look first.
        self.queue = Queue::Unread;
        let error = Arc::new(error);
        if judge(&error) == Judgement::Retry {
            self.failures = self.failures.saturating_add(1);
            let asked = error.api().and_then(ApiError::asked_delay);
            let delay = self.back_off(self.failures, asked, settings, now);
            return Turn::Failed(error, delay);
        }
        let reason = if is_update || is_create && is_about_fields(&error) {
            Reason::NotAdded(error)
        } else {
            Reason::NotWelcome(error)
        };
        self.refuse(reason, settings, now)
    }

    fn on_repo(&mut self, repo: RepoSpec, settings: &Settings, now: Now) -> Turn {
        self.had = union(&repo.schema, &self.had);
        let last = self.last.replace(repo.clone());
        let is_same = last.is_some_and(|last| last.schema == repo.schema);
        let is_enough = union(&repo.schema, &self.wanted) == repo.schema;
        if !is_same {
            self.exports.begin(&repo.schema);
        }
        self.checked = without_tags(repo.schema.clone(), settings.tags.as_ref());
        self.seen_at = now.mono;
        (self.queue, self.seen, self.failures) = (Queue::There, Some(repo), 0);
        if is_enough {
            self.wanted.clear();
            (self.is_needed, self.may_make, self.rounds) = (false, false, 0);
        } else if self.rounds >= MOST_ROUNDS {
            return self.refuse(Reason::NotKept(self.rounds), settings, now);
        } else {
            self.pause_after_rounds(settings, now);
        }
        let is_ours = mem::take(&mut self.is_ours);
        if is_same {
            Turn::Same
        } else {
            Turn::Changed(is_ours)
        }
    }

    /// The workflow runs: stops it, if that is allowed.
    fn stop(&mut self, error: Error, settings: &Settings, options: &SchemaFree, now: Now) -> Turn {
        let of_repo = self.last.as_ref().and_then(|repo| repo.workflow.as_ref());
        let of_repo = of_repo.and_then(|name| WorkflowName::try_from(name).ok());
        let stops = self.stops.as_ref().map_or(0, |(_, stops)| *stops);
        let workflow = of_repo.or_else(|| options.workflow.clone());
        let (Some(workflow), true) = (workflow, options.may_stop && stops < MOST_STOPS) else {
            return self.refuse(Reason::NotAdded(Arc::new(error)), settings, now);
        };
        self.stops = Some((workflow.clone(), stops));
        // The schema may have grown until it has stopped.
        self.queue = Queue::Unread;
        let step = Waiter::ensure(workflow, Goal::Stopped, WaitOptions::default(), now);
        self.go_on(Goal::Stopped, step, settings, now)
    }

    pub(super) fn go_on(&mut self, goal: Goal, step: Step, settings: &Settings, now: Now) -> Turn {
        match step {
            Step::Send(due) => self.wait = Some((goal, Wait::Due(Box::new(due)))),
            Step::Pause(pause) => {
                let at = now.mono.saturating_add(pause.delay());
                self.wait = Some((goal, Wait::Paused(Box::new(pause), at)));
            }
            Step::Done(Ok(_)) if goal == Goal::Started => self.owed = None,
            Step::Done(Ok(_)) => {
                self.stopped();
            }
            Step::Done(Err(error)) => {
                if let WaitFailure::Failed(failed) = error.failure()
                    && judge(failed) == Judgement::Retry
                {
                    self.failures = self.failures.saturating_add(1);
                    let delay = self.back_off(self.failures, None, settings, now);
                    return Turn::Failed(Arc::new(failed.clone()), delay);
                }
                if goal == Goal::Started {
                    self.owed = None;
                    return Turn::NotStarted(error);
                }
                // Another that had stopped it as well has started it.
                if matches!(error.failure(), WaitFailure::Settled(_)) {
                    let stops = self.stopped();
                    if stops < MOST_STOPS {
                        self.back_off(stops, None, settings, now);
                        return Turn::Nothing;
                    }
                }
                self.give_up();
                return Turn::Refused(Reason::NotStopped(Arc::new(error)));
            }
        }
        Turn::Nothing
    }

    /// Counts how often it was stopped.
    fn stopped(&mut self) -> u32 {
        self.stops.as_mut().map_or(0, |(_, stops)| {
            *stops += 1;
            *stops
        })
    }

    fn refuse(&mut self, reason: Reason, settings: &Settings, now: Now) -> Turn {
        self.give_up();
        self.failures = self.failures.saturating_add(1);
        self.back_off(self.failures, None, settings, now);
        Turn::Refused(reason)
    }

    fn give_up(&mut self) {
        self.wanted.clear();
        (self.is_needed, self.may_make) = (false, false);
    }

    fn pause_after_rounds(&mut self, settings: &Settings, now: Now) {
        if self.rounds > 1 {
            self.back_off(self.rounds - 1, None, settings, now);
        }
    }

    pub(super) fn back_off(
        &mut self,
        failures: u32,
        asked: Option<Duration>,
        settings: &Settings,
        now: Now,
    ) -> Duration {
        let delay = settings.back_off.delay(failures, settings.seed, asked);
        self.not_before = now.mono.saturating_add(delay);
        delay
    }
}
