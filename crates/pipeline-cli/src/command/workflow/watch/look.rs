//! Looking at many workflows side by side, with so many requests at a time.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use pipeline_proto::{
    Error, ErrorCode, ErrorKind, WorkflowName,
    model::{NodeId, Nodes, WorkflowState},
    resource::workflow::{GetWorkflow, GetWorkflowStatus},
    wait::{Goal, Observation, Step},
};

use crate::{
    failure::Failure,
    remote::{By, Remote},
};

/// What a look showed.
pub(super) enum News {
    /// With the graph, if it is drawn.
    State(WorkflowState, Arc<Nodes>),
    /// There is none of this name.
    Gone(Failure),
    /// The look failed; the next one may not.
    Trouble(String),
    /// It is not looked at any more.
    End(Result<(), Failure>),
}

/// How to look.
#[derive(Clone, Copy)]
pub(super) struct Looks {
    pub(super) goal: Option<Goal>,
    pub(super) interval: Duration,
    /// Whether the graphs are needed.
    pub(super) graphs: bool,
}

impl Looks {
    /// Begins to look. What is seen comes with the position of the name.
    ///
    /// The threads are left to themselves, so that a request that hangs does not hold up the end of the
    /// command.
    pub(super) fn begin(
        self,
        remote: &Arc<Remote>,
        names: &[WorkflowName],
        parallel: NonZeroUsize,
    ) -> Result<Receiver<(usize, News)>, Failure> {
        let (sender, news) = mpsc::channel();
        let lookers = names.iter().enumerate().map(|(at, name)| Looker {
            at,
            name: name.clone(),
            looks: self,
            due: Duration::ZERO,
            wait: self.goal.map(|goal| remote.begin_wait(name, goal)),
            graph: Arc::default(),
            drawn: None,
        });
        let waiting = Arc::new(Mutex::new(lookers.collect::<Vec<_>>()));
        for number in 0..parallel.get().min(names.len()) {
            let (remote, waiting, sender) =
                (Arc::clone(remote), Arc::clone(&waiting), sender.clone());
            let worker = thread::Builder::new().spawn(move || work(&remote, &waiting, &sender));
            // Without a further thread, the others do its share.
            if let (0, Err(error)) = (number, worker) {
                return Err(Failure::io("cannot begin to look", &error));
            }
        }
        Ok(news)
    }
}

/// Takes what is due first, looks, and puts it back. What one does not find here, others have taken.
fn work(remote: &Remote, waiting: &Mutex<Vec<Looker>>, news: &Sender<(usize, News)>) {
    while let Some(mut looker) = first(locked(waiting)) {
        remote.pause(looker.due.saturating_sub(remote.now().mono));
        let Some(pause) = looker.look(remote, news) else {
            continue;
        };
        looker.due = remote.now().mono.saturating_add(pause);
        locked(waiting).push(looker);
    }
}

fn locked(waiting: &Mutex<Vec<Looker>>) -> MutexGuard<'_, Vec<Looker>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn first(mut waiting: MutexGuard<'_, Vec<Looker>>) -> Option<Looker> {
    let due = waiting.iter().enumerate();
    let (first, _) = due.min_by_key(|(_, looker)| (looker.due, looker.at))?;
    Some(waiting.swap_remove(first))
}

/// Who looks at one workflow.
struct Looker {
    at: usize,
    name: WorkflowName,
    looks: Looks,
    due: Duration,
    /// Where the wait has got to, with a goal.
    wait: Option<Step>,
    graph: Arc<Nodes>,
    /// The nodes that the status had when the graph was read.
    drawn: Option<BTreeSet<NodeId>>,
}

impl Looker {
    /// Looks once. The pause before the next look, if there is to be one.
    fn look(&mut self, remote: &Remote, news: &Sender<(usize, News)>) -> Option<Duration> {
        let (seen, pause) = match self.wait.take().map(|step| remote.look(step)) {
            None => (Some(self.free(remote)), self.looks.interval),
            Some(Step::Pause(pause)) => {
                let seen = self.seen(remote, pause.observation());
                let delay = pause.delay();
                self.wait = Some(pause.resume());
                (seen, delay)
            }
            Some(Step::Done(result)) => {
                let end =
                    result.map_err(|error| remote.wait_failure(&error, By::Looking, &self.name));
                if let Ok(Some(state)) = end.as_ref().map(|seen| seen.state.clone()) {
                    news.send((self.at, self.state(remote, state))).ok()?;
                }
                (Some(News::End(end.map(|_| ()))), Duration::ZERO)
            }
            // What is to be sent was sent.
            Some(Step::Send(_)) => return None,
        };
        let goes_on = !matches!(seen, Some(News::End(_)));
        if let Some(seen) = seen {
            news.send((self.at, seen)).ok()?;
        }
        goes_on.then_some(pause)
    }

    /// A look that nothing is waited for with.
    fn free(&mut self, remote: &Remote) -> News {
        match remote.try_send(GetWorkflowStatus::new(self.name.clone())) {
            Ok(state) => self.state(remote, state),
            Err(error) => {
                let passes = error.is_retryable() && error.kind() != ErrorKind::NotFound;
                let failure = self.failure(remote, &error);
                match error.code() {
                    Some(ErrorCode::WORKFLOW_NOT_FOUND) => News::Gone(failure),
                    _ if passes => News::Trouble(failure.to_string()),
                    _ => News::End(Err(failure)),
                }
            }
        }
    }

    fn seen(&mut self, remote: &Remote, observation: &Observation) -> Option<News> {
        if let Some(state) = &observation.state {
            return Some(self.state(remote, state.clone()));
        }
        let failure = self.failure(remote, observation.error.as_ref()?);
        Some(News::Trouble(failure.to_string()))
    }

    fn failure(&self, remote: &Remote, error: &Error) -> Failure {
        remote.failure(error, Some(self.name.clone()))
    }

    /// With the graph, which is read when the nodes are others.
    fn state(&mut self, remote: &Remote, state: WorkflowState) -> News {
        let nodes = state.nodes.iter();
        let nodes = nodes.map(|node| NodeId::of(&node.name, &node.node_type));
        let nodes: BTreeSet<NodeId> = nodes.collect();
        if self.looks.graphs && self.drawn.as_ref() != Some(&nodes) {
            // If that fails, the next look reads it; what the status lists is shown meanwhile.
            if let Ok(workflow) = remote.try_send(GetWorkflow::new(self.name.clone())) {
                self.graph = Arc::new(workflow.nodes.unwrap_or_default());
                self.drawn = Some(nodes);
            }
        }
        News::State(state, Arc::clone(&self.graph))
    }
}
