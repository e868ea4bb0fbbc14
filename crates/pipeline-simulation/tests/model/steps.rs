//! What can happen, and how often it is drawn.

use std::{fmt, time::Duration};

use pipeline_emulator::Transition;
use pipeline_simulation::model::{self, Graph, REGIONS, Request, Subject};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

/// Accounts, which are called like their access keys.
pub(crate) const ACCOUNTS: [&str; 2] = ["alice", "bob"];

/// One thing that happens. `Debug` says it in a line, because that is what a failure prints.
#[derive(Clone)]
pub(crate) enum Step {
    Ask(Ask),
    /// Time passes on all clocks.
    Pass(Duration),
    /// Somebody sets the clock of the machine, by so many seconds.
    SetWall(i64),
    /// The service's clock is so many seconds ahead of the callers'.
    SetOffset(i64),
    /// How starts end from now on.
    Starts(Transition),
    /// How stops end from now on.
    Stops(Transition),
    /// All workflows are forgotten.
    Forget,
    /// A snapshot is taken, in the place of the one before.
    Keep,
    /// What the snapshot holds, if there is one, takes the place of what there is.
    Restore,
    /// The same in another process, on the machine's clock so much later.
    RestoreElsewhere(Duration),
}

/// A request.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) caller: &'static str,
    /// What `X-Resource-Owner` says.
    pub(crate) owner: Option<&'static str>,
    pub(crate) request: Request,
    /// What is wrong with it beside what it asks for: all of it at once.
    pub(crate) flaws: Vec<Flaw>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A method that no path has.
    Method,
    /// A body in chunks, without a length.
    Chunked,
    /// A length that is not the body's.
    Length,
    /// A body beyond the limit.
    TooLarge,
    /// No signature.
    Unsigned,
    /// A signature with the keys of somebody who has no account.
    Stranger,
    /// A signature with the access key of the caller, and another secret key.
    Forged,
    /// A `Content-MD5` that is not the body's.
    Digest,
    /// No body where there should be one.
    Empty,
    /// A body that is no JSON.
    Broken,
    /// A body that is JSON, but no object.
    Shape(&'static str),
    /// A name in the body that is not the one in the path.
    OtherName,
    /// A comment longer than is allowed.
    LongComment,
}

impl Ask {
    pub(crate) fn new(caller: &'static str, request: Request) -> Self {
        Self {
            caller,
            owner: None,
            request,
            flaws: Vec::new(),
        }
    }

    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request {
            operation,
            names,
            body,
            ..
        } = &self.request;
        write!(
            f,
            "{} asks: {} of {names:?} with {body}",
            self.caller, operation.name
        )?;
        if let Some(owner) = self.owner {
            write!(f, ", for {owner:?}")?;
        }
        if !self.flaws.is_empty() {
            write!(f, ", with {:?}", self.flaws)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(ask) => write!(f, "{ask:?}"),
            Self::Pass(time) => write!(f, "{time:?} pass"),
            Self::SetWall(seconds) => write!(f, "the clocks are set by {seconds} s"),
            Self::SetOffset(seconds) => write!(f, "the service's clock is {seconds} s ahead"),
            Self::Starts(how) => write!(f, "starts are {how:?}"),
            Self::Stops(how) => write!(f, "stops are {how:?}"),
            Self::Forget => write!(f, "everything is forgotten"),
            Self::Keep => write!(f, "a snapshot is taken"),
            Self::Restore => write!(f, "the snapshot is restored"),
            Self::RestoreElsewhere(away) => {
                write!(f, "the snapshot is restored elsewhere, {away:?} later")
            }
        }
    }
}

/// What happens one after the other.
pub(crate) fn history() -> impl Strategy<Value = Vec<Step>> {
    about(|subject| {
        let anything = prop_oneof![
            60 => step(subject),
            2 => duration().prop_map(Step::RestoreElsewhere),
            1 => Just(Step::Forget),
        ];
        let history = (beginning(subject), vec(anything, 0..30));
        history.prop_map(|(beginning, steps)| [beginning, steps].concat())
    })
}

/// Mostly about one thing, or nothing would ever come of it.
pub(crate) fn about<S: Strategy<Value: Clone> + 'static>(
    history: impl Fn(Subject) -> S,
) -> impl Strategy<Value = S::Value> {
    let [workflows, queues, jobs] = Subject::ALL.map(history);
    prop_oneof![2 => workflows, 1 => queues, 1 => jobs]
}

/// Nothing, a workflow that could run, or one that was started; queues or jobs with what hangs on them.
pub(crate) fn beginning(subject: Subject) -> BoxedStrategy<Vec<Step>> {
    let ask = |request| Step::Ask(Ask::new(ACCOUNTS[0], request));
    let runnable = runnable().prop_map(move |graph| {
        let create = Request::new("create_workflow", &["alpha"], json!({"region": REGIONS[0]}));
        let update = Request::update("alpha", Some(REGIONS[0]), Some((graph, 0)));
        vec![ask(create), ask(update)]
    });
    let related = |operation, names: &[&'static str], number| {
        let body = model::body(operation, names, number, REGIONS[0]);
        ask(Request::new(operation, names, body))
    };
    let repos = vec![
        related("create_repo", &["clicks"], 2),
        related("create_transform", &["clicks", "first", "clean"], 1),
        related("create_export", &["clean", "first"], 1),
        related("push_points", &["clicks"], 5),
    ];
    let jobs = vec![
        related("create_datasource", &["archive"], 1),
        related("create_job", &["count"], 1),
        related("create_job_export", &["count", "first"], 1),
        related("start_job", &["count"], 1),
    ];
    let started = (runnable.clone(), how()).prop_map(move |(mut steps, how): (Vec<Step>, _)| {
        steps.extend([
            Step::Starts(how),
            ask(Request::new("start_workflow", &["alpha"], Value::Null)),
        ]);
        steps
    });
    let related = match subject {
        Subject::Workflows => return prop_oneof![Just(Vec::new()), runnable, started].boxed(),
        Subject::Queues => repos,
        Subject::Jobs => jobs,
    };
    prop_oneof![Just(Vec::new()), Just(related)].boxed()
}

/// Anything that can happen within one process.
pub(crate) fn step(subject: Subject) -> BoxedStrategy<Step> {
    prop_oneof![
        20 => ask(subject).prop_map(Step::Ask),
        5 => duration().prop_map(Step::Pass),
        1 => (-600..=600_i64).prop_map(Step::SetWall),
        1 => offset().prop_map(Step::SetOffset),
        2 => how().prop_map(Step::Starts),
        2 => how().prop_map(Step::Stops),
        2 => Just(Step::Keep),
        1 => Just(Step::Restore),
    ]
    .boxed()
}

/// Mostly within what the service allows, some of it to the second.
fn offset() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => Just(0),
        2 => select(&[60, -60, 900, -900][..]),
        1 => select(&[901, -901][..]),
    ]
}

/// Short times, so that it is often about the moment at which something ends.
fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![select(&[0, 1, 99, 100, 101, 500, 1_000][..]), 0..2_000_u64]
        .prop_map(Duration::from_millis)
}

fn how() -> impl Strategy<Value = Transition> {
    prop_oneof![
        2 => Just(Transition::Immediate),
        3 => select(&[0, 100, 500][..]).prop_map(|millis| Transition::After(Duration::from_millis(millis))),
        2 => (0..4_u32).prop_map(Transition::AfterReads),
        1 => Just(Transition::Stuck),
        2 => select(&[0, 100, 500][..])
            .prop_map(|millis| Transition::FallsBack(Duration::from_millis(millis))),
    ]
}

/// Mostly of the same account.
fn ask(subject: Subject) -> impl Strategy<Value = Ask> {
    let caller = prop_oneof![6 => Just(ACCOUNTS[0]), 1 => Just(ACCOUNTS[1])];
    let owner = prop_oneof![
        30 => Just(None),
        4 => select(&ACCOUNTS[..]).prop_map(Some),
        1 => Just(Some("")),
        1 => Just(Some("nobody")),
    ];
    let related = prop_oneof![related(Subject::Queues), related(Subject::Jobs)];
    let own = match subject {
        Subject::Workflows => of_workflow().boxed(),
        _ => self::related(subject).boxed(),
    };
    let request = prop_oneof![8 => own, 1 => of_workflow(), 1 => related];
    let request_with_flaws = request.prop_flat_map(|request| {
        let flaw = flaw(request.operation.resource == "workflow");
        let flaws = prop_oneof![
            14 => Just(Vec::new()),
            2 => vec(flaw.clone(), 1),
            1 => vec(flaw, 2),
        ];
        (Just(request), flaws)
    });
    (caller, owner, request_with_flaws).prop_map(|(caller, owner, (request, flaws))| Ask {
        caller,
        owner,
        request,
        flaws,
    })
}

fn of_workflow() -> impl Strategy<Value = Request> {
    let region = prop_oneof![
        20 => Just(Some(REGIONS[0])),
        2 => Just(Some(REGIONS[1])),
        1 => Just(Some("moon")),
        1 => Just(None),
    ];
    let name = prop_oneof![
        30 => Just("alpha"),
        6 => Just("beta"),
        1 => Just("no-name"),
        1 => Just(""),
    ];
    let operation = prop_oneof![
        5 => Just("create_workflow"),
        8 => Just("update_workflow"),
        1 => Just("list_workflows"),
        4 => Just("get_workflow"),
        4 => Just("get_workflow_status"),
        8 => Just("start_workflow"),
        8 => Just("stop_workflow"),
        1 => Just("delete_workflow"),
        1 => Just("search_logs"),
    ];
    let size = select(&[None, Some(0), Some(3), Some(1_000)][..]);
    (operation, name, region, graph(), size, any::<u8>()).prop_map(
        |(operation, name, region, graph, size, comment)| {
            let body = match operation {
                "update_workflow" => return Request::update(name, region, graph),
                "list_workflows" => return Request::new(operation, &[], Value::Null),
                "create_workflow" => json!({"region": region, "comment": comment.to_string()}),
                "search_logs" => json!({ "size": size }),
                "start_workflow" | "stop_workflow" => json!({ "name": name }),
                _ => Value::Null,
            };
            Request::new(operation, &[name], body)
        },
    )
}

/// Any operation of the table about queues or jobs that the model knows.
fn related(subject: Subject) -> impl Strategy<Value = Request> {
    let region = prop_oneof![8 => Just(REGIONS[0]), 1 => Just("moon")];
    let request = select(model::operations_about(subject)).prop_flat_map(|operation| {
        let name = |names| prop_oneof![18 => select(names), 1 => Just("no-name")];
        let names: Vec<_> = model::names(operation).map(name).collect();
        (Just(operation), names)
    });
    (request, region, any::<u32>()).prop_map(|((operation, names), region, number)| {
        // Now and then there is nothing in it; what an export lacks first then is not known.
        let export = matches!(operation.name, "create_export" | "create_job_export");
        let body = match number % 5 {
            0 if !export => json!({}),
            _ => model::body(operation.name, &names, number.into(), region),
        };
        Request::new(operation.name, &names, body)
    })
}

fn runnable() -> impl Strategy<Value = Graph> + Clone {
    select(&[Graph::Export, Graph::Transform, Graph::Manual][..])
}

fn graph() -> impl Strategy<Value = Option<(Graph, u32)>> {
    let shape = prop_oneof![
        5 => runnable(),
        2 => select(&[Graph::Empty, Graph::Queue, Graph::Dangling, Graph::Cycle, Graph::Mixed][..]),
    ];
    prop_oneof![
        1 => Just(None),
        9 => (shape, any::<u32>()).prop_map(Some),
    ]
}

/// Those of the body are told in words of workflows.
fn flaw(of_workflow: bool) -> BoxedStrategy<Flaw> {
    let shapes = ["[]", r#"["alpha","nb","x"]"#, "null", "7", r#""alpha""#];
    let around = select(vec![
        Flaw::Method,
        Flaw::Chunked,
        Flaw::Length,
        Flaw::TooLarge,
        Flaw::Unsigned,
        Flaw::Stranger,
        Flaw::Forged,
        Flaw::Digest,
    ]);
    if !of_workflow {
        return around.boxed();
    }
    prop_oneof![
        6 => around,
        4 => select(vec![Flaw::Empty, Flaw::Broken, Flaw::OtherName, Flaw::LongComment]),
        2 => select(shapes.to_vec()).prop_map(Flaw::Shape),
    ]
    .boxed()
}
