//! What can happen, and how often it is drawn.

use std::{fmt, time::Duration};

use pipeline_emulator::Transition;
use proptest::{collection::vec, prelude::*, sample::select};

use crate::graphs::Graph;

/// Accounts, which are called like their access keys.
pub(crate) const ACCOUNTS: [&str; 2] = ["alice", "bob"];

pub(crate) const REGIONS: [&str; 2] = ["nb", "jjh"];

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
    Starts(How),
    /// How stops end from now on.
    Stops(How),
    /// All workflows are forgotten.
    Forget,
    /// A snapshot is taken, in the place of the one before.
    Keep,
    /// What the snapshot holds, if there is one, takes the place of what there is.
    Restore,
    /// The same in another process, on the machine's clock so much later.
    RestoreElsewhere(Duration),
}

/// How a start or stop ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    Immediate,
    After(Duration),
    AfterReads(u32),
    Stuck,
    FallsBack(Duration),
}

impl From<How> for Transition {
    fn from(how: How) -> Self {
        match how {
            How::Immediate => Self::Immediate,
            How::After(time) => Self::After(time),
            How::AfterReads(reads) => Self::AfterReads(reads),
            How::Stuck => Self::Stuck,
            How::FallsBack(time) => Self::FallsBack(time),
        }
    }
}

/// A request.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) caller: &'static str,
    /// What `X-Resource-Owner` says.
    pub(crate) owner: Option<&'static str>,
    /// The name in the path; of no meaning for list.
    pub(crate) name: &'static str,
    pub(crate) what: What,
    /// What is wrong with it beside what it asks for: all of it at once.
    pub(crate) flaws: Vec<Flaw>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Create {
        region: Option<&'static str>,
        comment: u8,
    },
    Update {
        region: Option<&'static str>,
        /// With the version that stands in its data.
        graph: Option<(Graph, u8)>,
    },
    List,
    Get,
    Status,
    Start,
    Stop,
    Delete,
    Search {
        size: Option<usize>,
    },
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
    pub(crate) fn new(caller: &'static str, name: &'static str, what: What) -> Self {
        Self {
            caller,
            owner: None,
            name,
            what,
            flaws: Vec::new(),
        }
    }

    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} asks: {:?}", self.caller, self.what)?;
        if self.what != What::List {
            write!(f, " of {:?}", self.name)?;
        }
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
    let anything = prop_oneof![
        60 => step(),
        2 => duration().prop_map(Step::RestoreElsewhere),
        1 => Just(Step::Forget),
    ];
    (beginning(), vec(anything, 0..30)).prop_map(|(beginning, steps)| [beginning, steps].concat())
}

/// Nothing, a workflow that could run, or one that was started.
pub(crate) fn beginning() -> impl Strategy<Value = Vec<Step>> {
    let ask = |what| Step::Ask(Ask::new(ACCOUNTS[0], "alpha", what));
    let region = Some(REGIONS[0]);
    let runnable = runnable().prop_map(move |graph| {
        let graph = Some((graph, 0));
        vec![
            ask(What::Create { region, comment: 0 }),
            ask(What::Update { region, graph }),
        ]
    });
    let started = (runnable.clone(), how()).prop_map(move |(mut steps, how)| {
        steps.extend([Step::Starts(how), ask(What::Start)]);
        steps
    });
    prop_oneof![Just(Vec::new()), runnable, started]
}

/// Anything that can happen within one process.
pub(crate) fn step() -> BoxedStrategy<Step> {
    prop_oneof![
        20 => ask().prop_map(Step::Ask),
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

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        2 => Just(How::Immediate),
        3 => select(&[0, 100, 500][..]).prop_map(|millis| How::After(Duration::from_millis(millis))),
        2 => (0..4_u32).prop_map(How::AfterReads),
        1 => Just(How::Stuck),
        2 => select(&[0, 100, 500][..])
            .prop_map(|millis| How::FallsBack(Duration::from_millis(millis))),
    ]
}

/// Mostly a request about the same workflow of the same account, or nothing would ever come of it.
fn ask() -> impl Strategy<Value = Ask> {
    let caller = prop_oneof![6 => Just(ACCOUNTS[0]), 1 => Just(ACCOUNTS[1])];
    let owner = prop_oneof![
        30 => Just(None),
        4 => select(&ACCOUNTS[..]).prop_map(Some),
        1 => Just(Some("")),
        1 => Just(Some("nobody")),
    ];
    let name = prop_oneof![
        30 => Just("alpha"),
        6 => Just("beta"),
        1 => Just("no-name"),
        1 => Just(""),
    ];
    let flaws = prop_oneof![
        14 => Just(Vec::new()),
        2 => vec(flaw(), 1),
        1 => vec(flaw(), 2),
    ];
    (caller, owner, name, what(), flaws).prop_map(|(caller, owner, name, what, flaws)| Ask {
        caller,
        owner,
        name,
        what,
        flaws,
    })
}

fn what() -> impl Strategy<Value = What> {
    let region = || {
        prop_oneof![
            20 => Just(Some(REGIONS[0])),
            2 => Just(Some(REGIONS[1])),
            1 => Just(Some("moon")),
            1 => Just(None),
        ]
    };
    prop_oneof![
        5 => (region(), any::<u8>()).prop_map(|(region, comment)| What::Create { region, comment }),
        8 => (region(), graph()).prop_map(|(region, graph)| What::Update { region, graph }),
        1 => Just(What::List),
        4 => Just(What::Get),
        4 => Just(What::Status),
        8 => Just(What::Start),
        8 => Just(What::Stop),
        1 => Just(What::Delete),
        1 => select(&[None, Some(0), Some(3), Some(1_000)][..]).prop_map(|size| What::Search { size }),
    ]
}

fn runnable() -> impl Strategy<Value = Graph> + Clone {
    select(&[Graph::Export, Graph::Transform, Graph::Manual][..])
}

fn graph() -> impl Strategy<Value = Option<(Graph, u8)>> {
    let shape = prop_oneof![
        5 => runnable(),
        2 => select(&[Graph::Empty, Graph::Queue, Graph::Dangling, Graph::Cycle, Graph::Mixed][..]),
    ];
    prop_oneof![
        1 => Just(None),
        9 => (shape, any::<u8>()).prop_map(Some),
    ]
}

fn flaw() -> impl Strategy<Value = Flaw> {
    let shapes = ["[]", r#"["alpha","nb","x"]"#, "null", "7", r#""alpha""#];
    prop_oneof![
        6 => select(vec![
            Flaw::Method,
            Flaw::Chunked,
            Flaw::Length,
            Flaw::TooLarge,
            Flaw::Unsigned,
            Flaw::Stranger,
            Flaw::Forged,
            Flaw::Digest,
        ]),
        4 => select(vec![Flaw::Empty, Flaw::Broken, Flaw::OtherName, Flaw::LongComment]),
        2 => select(shapes.to_vec()).prop_map(Flaw::Shape),
    ]
}
