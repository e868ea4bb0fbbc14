mod look;
mod view;

use std::{
    sync::{Arc, mpsc::RecvTimeoutError},
    time::Duration,
};

use clap::Args;
use pipeline_proto::{WorkflowName, wait::Goal};

use super::{Targets, wait::never_seen};
use crate::{
    command::{
        Run,
        many::{Chosen, Many, listed},
    },
    duration,
    exit::Exit,
    failure::Failure,
    interrupt,
    options::Global,
    output::{self, note},
    remote::Remote,
};
use look::{Find, Looks, News};
use view::View;

/// How soon a resize and a reader that has left are noticed.
const TICK: Duration = Duration::from_millis(100);

/// Show workflows with the statuses of their nodes, as they change
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow watch nginx_logs
  pipeline workflow watch nginx_logs clicks --for started
  pipeline workflow watch --selector 'name=nginx_*'
  pipeline workflow watch nginx_logs -o json | while read -r change; do …; done

On a terminal, the picture is painted over; elsewhere, each change is a line, with -o json a JSON \
object of its own. Nodes that come and go are followed. Ends with Ctrl-C, when nobody reads what it \
writes, when no workflow is left, or with --for as `wait` does: once each has come there.

Of several, one that is not there is said, and shown once it is created. Which ones fit --selector \
and --all is found out anew each time: those that come to fit are shown as well, those that do not fit \
any more are left out. With --for it is found out once, in the beginning. --parallel is how many \
requests are made at a time; all are watched.")]
pub(crate) struct Watch {
    #[command(flatten)]
    targets: Targets,

    /// End when each is started, stopped or deleted, or cannot be, or after --timeout [default: 5m]
    #[arg(long = "for", value_name = "STATE")]
    goal: Option<Goal>,

    /// How often to look, without --for
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_timeout, default_value = "1s")]
    interval: Duration,
}

impl Run for Watch {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self {
            targets,
            goal,
            interval,
        } = self;
        let remote = Arc::new(global.remote()?);
        let Chosen {
            names, parallel, ..
        } = targets.chosen(&remote)?;
        let _waiting = goal.map(|goal| {
            interrupt::under_way(format!("waiting for {} to be {goal}", listed(&names)))
        });
        let mut view = View::new(&names, global);
        let looks = Looks {
            goal,
            interval,
            graphs: view.is_painted(),
        };
        let (of_one, are_listed) = (targets.one()?.is_some(), targets.are_listed());
        let find = move |remote: &Remote| targets.names_now(remote);
        let find = (are_listed && goal.is_none()).then(|| Box::new(find) as Find);
        let news = looks.begin(&remote, &names, parallel, find)?;
        let mut ends = Ends {
            goal,
            of_one,
            results: names.iter().map(|_| None).collect(),
            names,
        };
        while ends.results.iter().any(Option::is_none) {
            match news.recv_timeout(TICK) {
                Ok((at, news)) => ends.take(at, news, &mut view)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            view.refresh()?;
            if view.is_done() {
                return Ok(Exit::Done);
            }
        }
        if goal == Some(Goal::Deleted) && !are_listed {
            for name in view.never_seen() {
                note(never_seen(name));
            }
        }
        let Ends { names, results, .. } = ends;
        let mut results: Vec<_> = results.into_iter().flatten().collect();
        match results.pop() {
            Some(result) if of_one => result.map(|()| Exit::Done),
            Some(last) => {
                results.push(last);
                let done = goal.map_or("watched", Goal::as_str);
                Ok(Many::of(&names, results, done).tell())
            }
            None => Ok(Exit::Done),
        }
    }
}

/// What came of each workflow so far.
struct Ends {
    names: Vec<WorkflowName>,
    goal: Option<Goal>,
    of_one: bool,
    results: Vec<Option<Result<(), Failure>>>,
}

impl Ends {
    fn take(&mut self, at: usize, news: News, view: &mut View) -> Result<(), Failure> {
        if at == self.names.len()
            && let News::Came(name) = &news
        {
            self.names.push(name.clone());
            self.results.push(None);
        }
        let end = &mut self.results[at];
        match news {
            News::Came(name) => {
                *end = None;
                view.came(at, name)
            }
            News::Left => {
                end.get_or_insert(Ok(()));
                view.left(at)
            }
            News::State(state, nodes) => {
                // It may have been gone, and is there again.
                *end = None;
                view.show(at, &state, nodes)
            }
            News::Trouble(text) => view.trouble(at, text),
            News::Gone(failure) if end.is_none() => {
                let was_there = view.was_there(at);
                let failure = self.keep(at, failure);
                if !was_there && !self.of_one {
                    view.above(|| output::report(&failure))?;
                }
                self.results[at] = Some(Err(failure));
                view.gone(at)
            }
            News::Gone(_) => Ok(()),
            News::End(Ok(())) => {
                *end = Some(Ok(()));
                if self.goal == Some(Goal::Deleted) {
                    view.gone(at)?;
                }
                Ok(())
            }
            News::End(Err(failure)) => {
                let failure = self.keep(at, failure);
                // What others may fail with as well is told in one line at the end.
                if !self.of_one && failure.alike().is_none() {
                    view.above(|| output::report(&failure))?;
                }
                self.results[at] = Some(Err(failure));
                view.failed(at)
            }
        }
    }

    fn keep(&self, at: usize, failure: Failure) -> Failure {
        if self.of_one {
            failure
        } else {
            failure.about(&self.names[at])
        }
    }
}
