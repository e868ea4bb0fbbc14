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
    /// It fits the selector by now, and is looked at from now on.
    Came(WorkflowName),
    /// It does not fit any more, and was looked at for the last time.
    Left,
    /// With the graph, if it is drawn.
    State(WorkflowState, Arc<Nodes>),
    /// There is none of this name.
    Gone(Failure),
    /// The look failed; the next one may not.
    Trouble(String),
    /// It is not looked at any more.
    End(Result<(), Failure>),
}

/// Finds out what is to be looked at by now.
pub(super) type Find = Box<dyn Fn(&Remote) -> Result<Vec<WorkflowName>, Failure> + Send>;

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
        find: Option<Find>,
    ) -> Result<Receiver<(usize, News)>, Failure> {
        let (sender, news) = mpsc::channel();
        let mut finder = find.map(|find| Finder {
            find,
            looks: self,
            due: remote.now().mono.saturating_add(self.interval),
            known: Vec::new(),
        });
        let lookers = names.iter().enumerate().map(|(at, name)| {
            let looker = Looker::new(self, remote, at, name.clone());
            if let Some(finder) = &mut finder {
                finder.known.push((name.clone(), Arc::clone(&looker.part)));
            }
            Task::Look(Box::new(looker))
        });
        let mut tasks: Vec<Task> = lookers.collect();
        tasks.extend(finder.map(Task::Find));
        let waiting = Arc::new(Mutex::new(tasks));
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

/// What is to be done again and again.
enum Task {
    Look(Box<Looker>),
    Find(Finder),
}

/// Whether a workflow is to be looked at. Who finds that out and who looks may do so at the same time.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    #[default]
    Stays,
    /// The next look is the last one.
    Leaves,
    Left,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Task {
    /// When it is due; of several at the same time, in which order.
    fn due(&self) -> (Duration, usize) {
        match self {
            Self::Look(looker) => (looker.due, looker.at),
            Self::Find(finder) => (finder.due, usize::MAX),
        }
    }
}

/// Takes what is due first, does it, and puts it back. What one does not find here, others have taken.
fn work(remote: &Remote, waiting: &Mutex<Vec<Task>>, news: &Sender<(usize, News)>) {
    while let Some(task) = first(locked(waiting)) {
        remote.pause(task.due().0.saturating_sub(remote.now().mono));
        match task {
            Task::Look(mut looker) => {
                let Some(pause) = looker.look(remote, news) else {
                    continue;
                };
                {
                    let mut part = locked(&looker.part);
                    if *part == Part::Leaves {
                        *part = Part::Left;
                        // Sent before anybody can find that it has come again.
                        let _ = news.send((looker.at, News::Left));
                        continue;
                    }
                }
                looker.due = remote.now().mono.saturating_add(pause);
                locked(waiting).push(Task::Look(looker));
            }
            Task::Find(mut finder) => {
                let Some(came) = finder.look_around(remote, news) else {
                    continue;
                };
                finder.due = remote.now().mono.saturating_add(finder.looks.interval);
                let mut waiting = locked(waiting);
                waiting.extend(came.into_iter().map(|it| Task::Look(Box::new(it))));
                waiting.push(Task::Find(finder));
            }
        }
    }
}

fn first(mut waiting: MutexGuard<'_, Vec<Task>>) -> Option<Task> {
    let due = waiting.iter().enumerate();
    let (first, _) = due.min_by_key(|(_, task)| task.due())?;
    Some(waiting.swap_remove(first))
}

/// Who finds out which workflows are to be looked at.
struct Finder {
    find: Find,
    looks: Looks,
    due: Duration,
    /// All that were ever looked at, by position.
    known: Vec<(WorkflowName, Arc<Mutex<Part>>)>,
}

impl Finder {
    /// Who looks at those that have come; none if nobody listens any more.
    fn look_around(
        &mut self,
        remote: &Remote,
        news: &Sender<(usize, News)>,
    ) -> Option<Vec<Looker>> {
        // The next time may be better; those that are known say themselves what is wrong.
        let Ok(names) = (self.find)(remote) else {
            return Some(Vec::new());
        };
        for (name, part) in &self.known {
            let mut part = locked(part);
            *part = match (*part, names.contains(name)) {
                (Part::Stays, false) => Part::Leaves,
                (Part::Leaves, true) => Part::Stays,
                (part, _) => part,
            };
        }
        let mut came = Vec::new();
        for name in names {
            let known = self.known.iter().position(|(known, _)| *known == name);
            if known.is_some_and(|at| *locked(&self.known[at].1) != Part::Left) {
                continue;
            }
            let at = known.unwrap_or(self.known.len());
            news.send((at, News::Came(name.clone()))).ok()?;
            let looker = Looker::new(self.looks, remote, at, name.clone());
            match self.known.get_mut(at) {
                Some((_, part)) => *part = Arc::clone(&looker.part),
                None => self.known.push((name, Arc::clone(&looker.part))),
            }
            came.push(looker);
        }
        Some(came)
    }
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
    part: Arc<Mutex<Part>>,
}

impl Looker {
    fn new(looks: Looks, remote: &Remote, at: usize, name: WorkflowName) -> Self {
        Self {
            at,
            looks,
            due: Duration::ZERO,
            wait: looks.goal.map(|goal| remote.begin_wait(&name, goal)),
            graph: Arc::default(),
            drawn: None,
            part: Arc::default(),
            name,
        }
    }

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
        remote.failure(error, Some((&self.name).into()))
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
