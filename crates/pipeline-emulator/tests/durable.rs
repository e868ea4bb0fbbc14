//! A server that is killed with SIGKILL while it is being written to, again and again.
//!
//! No change that was answered may be lost, and one that was not must be there whole or not at all.
//! `KILL_ROUNDS=100 cargo test -p pipeline-emulator --test durable` kills it more often;
//! `KILL_SEED` repeats a run, as far as two processes can be made to repeat anything.

mod support;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread::{self, ScopedJoinHandle},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use fastrand::Rng;
use http::Request;
use pipeline_emulator::{
    Emulator, Transition,
    server::{ServerThread, StateErrorKind, StateFile},
};
use pipeline_proto::Now;
use serde_json::Value;
use support::{Clock, bind, connect, open, read_answer, unsigned};
use tempfile::TempDir;

const STATE: &str = "EMULATOR_TEST_STATE";
const READY: &str = "listening on ";
const WORKERS: u64 = 6;
const WORKFLOWS: u64 = 4;
const PATHS_PER_WORKER: u64 = WORKFLOWS + OTHERS.len() as u64;

/// What is no workflow: how its path begins, how it is made and how it is changed, with a number for `#`, and
/// where that number is seen.
struct Other {
    path: &'static str,
    create: &'static str,
    /// Method and path behind that of the resource.
    update: (&'static str, &'static str, &'static str),
    /// Where it is read, and where in that it stands: of what was changed, and of what was made.
    seen: &'static [(&'static str, &'static str)],
}

const OTHERS: &[Other] = &[
    Other {
        path: "/v2/repos/r",
        create: r#"{"region":"nb","schema":[{"key":"a","valtype":"long"},{"key":"n#","valtype":"long"}]}"#,
        update: (
            "PUT",
            "",
            r#"{"schema":[{"key":"a","valtype":"long"},{"key":"n#","valtype":"long"}]}"#,
        ),
        seen: &[("", "/schema/1/key")],
    },
    // A queue, which is changed by pushes.
    Other {
        path: "/v2/repos/q",
        create: r##"{"region":"nb","description":"#","schema":[{"key":"a","valtype":"long"}]}"##,
        update: ("POST", "/data", "a=#"),
        seen: &[("/data?count=1", "/records/0/a"), ("", "/description")],
    },
    Other {
        path: "/v2/variables/v",
        create: r##"{"type":"string","value":"#"}"##,
        update: ("PUT", "", r##"{"type":"string","value":"#"}"##),
        seen: &[("", "/value")],
    },
    Other {
        path: "/v2/datasources/d",
        create: r##"{"region":"nb","type":"kodo","spec":{"bucket":"bkt","fileType":"json","keyPrefixes":["#"]},"schema":[{"key":"a","valtype":"long"}]}"##,
        update: (
            "PUT",
            "",
            r##"{"spec":{"bucket":"bkt","fileType":"json","keyPrefixes":["#"]}}"##,
        ),
        seen: &[("", "/spec/keyPrefixes/0")],
    },
];

fn path_of(worker: u64, number: u64) -> String {
    let other = number
        .checked_sub(WORKFLOWS)
        .map(|at| &OTHERS[usize::try_from(at).unwrap()]);
    let begin = other.map_or("/v2/workflows/w", |other| other.path);
    format!("{begin}{worker}_{number}")
}

fn other(path: &str) -> Option<&'static Other> {
    OTHERS.iter().find(|other| path.starts_with(other.path))
}

/// The queue of a workflow.
fn repo_of(path: &str) -> String {
    format!("of_{}", path.rsplit('/').next().unwrap_or_default())
}

fn emulator() -> Emulator {
    open().transitions(Transition::Immediate).build()
}

fn epoch() -> Now {
    Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO)
}

/// Creates a workflow without a server.
fn create(emulator: &mut Emulator, name: &str) {
    let create = Request::post(format!("/v2/workflows/{name}"));
    let create = create.body(Bytes::from(r#"{"region":"nb"}"#)).unwrap();
    emulator.handle(create, epoch());
}

/// A server whose transitions take ten seconds, and the clock by which they do.
fn serve_slowly(state: &Path) -> (ServerThread, Clock) {
    let clock = Clock::default();
    let of_server = clock.clone();
    let server = bind()
        .clock(move || of_server.now())
        .state(open_when_free(state));
    let emulator = open().transitions(Transition::After(Duration::from_secs(10)));
    (server.start_on_thread(emulator.build()).unwrap(), clock)
}

/// Not a test but the process that is killed: the test below runs it out of this very program.
#[test]
#[ignore = "it serves until it is killed; the test of durability starts it"]
fn serve_until_killed() {
    let Some(path) = env::var_os(STATE) else {
        return;
    };
    let state = StateFile::open(path).unwrap();
    let server = bind().state(state).admin();
    let server = server.start_on_thread(emulator()).unwrap();
    println!("{READY}{}", server.addr());
    loop {
        thread::park();
    }
}

struct Process {
    child: Child,
    addr: SocketAddr,
}

impl Process {
    fn start(state: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "serve_until_killed", "--ignored", "--nocapture"])
            .env(STATE, state)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.lines().map(Result::unwrap);
        let addr = lines
            .find_map(|line| Some(line.split_once(READY)?.1.parse().unwrap()))
            .expect("the server says where it listens");
        Self { child, addr }
    }
}

impl Drop for Process {
    /// SIGKILL, where there is such a thing.
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What something should be like; none for what should not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Model {
    /// Of a workflow.
    comment: String,
    /// The number of the last update; of what is no workflow, that of the create as well.
    nodes: Option<u64>,
    status: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Create(u64),
    Update(u64),
    Start,
    Stop,
    Delete,
}

impl Change {
    /// One that succeeds.
    fn choose(path: &str, model: Option<&Model>, number: u64, random: &mut Rng) -> Self {
        match model {
            None => Self::Create(number),
            Some(_) if other(path).is_some() => match random.u64(..10) {
                0..3 => Self::Delete,
                _ => Self::Update(number),
            },
            Some(model) if model.status == "Started" => match random.u64(..10) {
                0 => Self::Delete,
                _ => Self::Stop,
            },
            Some(model) => match random.u64(..10) {
                0 => Self::Delete,
                1..6 if model.nodes.is_some() => Self::Start,
                _ => Self::Update(number),
            },
        }
    }

    fn request(self, path: &str) -> (&'static str, &'static str, String) {
        let with = |text: &str, number: u64| text.replace('#', &number.to_string());
        match (self, other(path)) {
            (Self::Create(number), Some(other)) => return ("POST", "", with(other.create, number)),
            (
                Self::Update(number),
                Some(Other {
                    update: (method, behind, body),
                    ..
                }),
            ) => {
                return (method, behind, with(body, number));
            }
            _ => {}
        }
        match self {
            Self::Create(number) => (
                "POST",
                "",
                format!(r#"{{"region":"nb","comment":"{number}"}}"#),
            ),
            // Of some size, so that the file grows now and then. No two workflows have one repo.
            Self::Update(number) => (
                "PUT",
                "",
                format!(
                    r#"{{"region":"nb","nodes":{{
                    "{r}-repo":{{"name":"{r}","type":"repo","children":[{{"name":"e","type":"export"}}],"data":{{"number":{number},"pad":"{}"}}}},
                    "e-export":{{"name":"e","type":"export","parents":[{{"name":"{r}","type":"repo"}}],"data":{{"number":{number}}}}}}}}}"#,
                    "x".repeat(usize::try_from(number % 7_000).unwrap()),
                    r = repo_of(path),
                ),
            ),
            Self::Start => ("POST", "/start", String::new()),
            Self::Stop => ("POST", "/stop", String::new()),
            Self::Delete => ("DELETE", "", String::new()),
        }
    }

    /// What it makes of what there is.
    fn apply(self, path: &str, model: Option<&Model>) -> Option<Model> {
        if let (Self::Create(number) | Self::Update(number), Some(_)) = (self, other(path)) {
            return Some(Model {
                comment: String::new(),
                nodes: Some(number),
                status: "Ready",
            });
        }
        let there = || model.cloned().expect("it was chosen for one that is there");
        Some(match self {
            Self::Create(number) => Model {
                comment: number.to_string(),
                nodes: None,
                status: "Ready",
            },
            Self::Update(number) => Model {
                nodes: Some(number),
                ..there()
            },
            Self::Start => Model {
                status: "Started",
                ..there()
            },
            Self::Stop => Model {
                status: "Stopped",
                ..there()
            },
            Self::Delete => return None,
        })
    }
}

/// What one client did until the connection broke.
struct Worker {
    models: BTreeMap<String, Model>,
    /// Asked for and not answered.
    in_flight: Option<(String, Change)>,
}

/// Changes what is its own until the server is gone.
fn work(
    addr: SocketAddr,
    worker: u64,
    mut models: BTreeMap<String, Model>,
    mut random: Rng,
    answered: &AtomicU64,
) -> Worker {
    let mut stream = connect(addr);
    loop {
        let path = path_of(worker, random.u64(..PATHS_PER_WORKER));
        let model = models.get(&path);
        let number = random.u64(..1_000_000);
        let change = Change::choose(&path, model, number, &mut random);
        let next = change.apply(&path, model);
        if !answers_with_success(&mut stream, &path, change) {
            let in_flight = Some((path, change));
            return Worker { models, in_flight };
        }
        match next {
            Some(model) => models.insert(path, model),
            None => models.remove(&path),
        };
        answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// False if the server has gone.
fn answers_with_success(stream: &mut TcpStream, path: &str, change: Change) -> bool {
    let (method, action, body) = change.request(path);
    let request = unsigned(method, &format!("{path}{action}"), &body);
    if stream.write_all(request.as_bytes()).is_err() {
        return false;
    }
    match read_answer(stream) {
        Ok(answer) => {
            assert_eq!(answer.status, 200, "{change:?} of {path}: {answer:?}");
            true
        }
        Err(_) => false,
    }
}

/// What a file has of it.
fn found(emulator: &mut Emulator, path: &str, now: Now) -> Option<Model> {
    let mut get = |path: &str| {
        let answer = emulator.handle(Request::get(path).body(Bytes::new()).unwrap(), now);
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        (answer.status() == 200).then_some(body)
    };
    let workflow = get(path)?;
    if let Some(other) = other(path) {
        let number = other.seen.iter().find_map(|(behind, pointer)| {
            let number = get(&format!("{path}{behind}"))?
                .pointer(pointer)?
                .to_string();
            let number = number.trim_matches(|next: char| !next.is_ascii_digit());
            Some(number.parse().unwrap())
        });
        return Some(Model {
            comment: String::new(),
            nodes: number,
            status: "Ready",
        });
    }
    let number = |id: &str| workflow["nodes"][id]["data"]["number"].as_u64();
    let nodes = number(&format!("{}-repo", repo_of(path)));
    assert_eq!(
        nodes,
        number("e-export"),
        "a definition is whole: {workflow}"
    );
    let statuses = ["Ready", "Started", "Stopped"];
    let status = statuses
        .into_iter()
        .find(|known| workflow["status"] == *known);
    Some(Model {
        comment: workflow["comment"].as_str().unwrap().to_owned(),
        nodes,
        status: status.unwrap_or_else(|| panic!("{workflow}")),
    })
}

/// What is in a file that nobody uses any more.
fn read(state: &Path) -> (Emulator, Now) {
    let server = bind()
        .state(StateFile::open(state).unwrap())
        .start_on_thread(emulator())
        .unwrap();
    let now = server.now();
    (server.with(|emulator| emulator.clone()), now)
}

#[test]
fn a_killed_server_has_lost_nothing_that_it_answered() {
    let variable = |name, default| {
        env::var(name).map_or(default, |text: String| text.parse().expect("a number"))
    };
    let rounds = variable("KILL_ROUNDS", 20);
    let seed = variable("KILL_SEED", 0x9e37_79b9_7f4a_7c15);
    println!("KILL_ROUNDS={rounds} KILL_SEED={seed}");
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let mut random = Rng::with_seed(seed);
    let mut models: BTreeMap<u64, BTreeMap<String, Model>> = BTreeMap::new();
    let (mut changes, mut took_effect, mut not_at_all) = (0, 0, 0);
    for round in 0..rounds {
        let process = Process::start(&state);
        let addr = process.addr;
        let answered = AtomicU64::new(0);
        // From at once to somewhere in the midst of it, to the response.
        let enough = random.u64(..400);
        let workers: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let models = models.remove(&worker).unwrap_or_default();
                    let random = Rng::with_seed(seed ^ (round * WORKERS + worker + 1));
                    let answered = &answered;
                    scope.spawn(move || work(addr, worker, models, random, answered))
                })
                .collect();
            while answered.load(Ordering::SeqCst) < enough
                && !workers.iter().any(ScopedJoinHandle::is_finished)
            {
                thread::yield_now();
            }
            drop(process);
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .collect()
        });
        changes += answered.into_inner();
        let (mut emulator, now) = read(&state);
        for (worker, done) in (0..).zip(workers) {
            let mut expected = done.models;
            for number in 0..PATHS_PER_WORKER {
                let path = path_of(worker, number);
                let before = expected.remove(&path);
                let found = found(&mut emulator, &path, now);
                let in_flight = done.in_flight.as_ref().filter(|(of, _)| *of == path);
                match in_flight.map(|(_, change)| change.apply(&path, before.as_ref())) {
                    Some(after) if found == after => took_effect += 1,
                    in_flight => {
                        not_at_all += u64::from(in_flight.is_some());
                        assert_eq!(found, before, "round {round}, {path}");
                    }
                }
                expected.extend(found.map(|model| (path, model)));
            }
            models.insert(worker, expected);
        }
    }
    println!(
        "{rounds} kills, {changes} changes answered and there; of those without a response {took_effect} took effect whole, {not_at_all} not at all"
    );
    assert!(changes > rounds, "there was work");
}

const W: &str = "/v2/workflows/w";

/// Somebody else's change is not shown before it is kept.
#[test]
fn a_killed_server_has_lost_nothing_that_it_showed() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let mut random = Rng::with_seed(11);
    let mut number = 0;
    for round in 0..8 {
        let process = Process::start(&state);
        let addr = process.addr;
        let mut stream = connect(addr);
        if round == 0 {
            assert!(answers_with_success(&mut stream, W, Change::Create(0)));
        }
        assert!(answers_with_success(&mut stream, W, Change::Update(number)));
        let shown = AtomicU64::new(number);
        let enough = number + 50 + random.u64(..100);
        thread::scope(|scope| {
            scope.spawn(|| {
                loop {
                    number += 1;
                    if !answers_with_success(&mut stream, W, Change::Update(number)) {
                        break;
                    }
                }
            });
            for _ in 0..3 {
                let mut stream = connect(addr);
                let shown = &shown;
                scope.spawn(move || {
                    while let Some(number) = shown_number(&mut stream) {
                        shown.fetch_max(number, Ordering::SeqCst);
                    }
                });
            }
            while shown.load(Ordering::SeqCst) < enough {
                thread::yield_now();
            }
            drop(process);
        });
        let (mut emulator, now) = read(&state);
        let kept = found(&mut emulator, W, now).unwrap().nodes.unwrap();
        let shown = shown.into_inner();
        assert!(shown <= kept && kept <= number, "{shown} {kept} {number}");
        number = kept;
    }
}

/// None if the server has gone.
fn shown_number(stream: &mut TcpStream) -> Option<u64> {
    let get = b"GET /v2/workflows/w HTTP/1.1\r\nHost: h\r\n\r\n";
    stream.write_all(get).ok()?;
    let workflow = read_answer(stream).ok()?.json();
    workflow["nodes"][format!("{}-repo", repo_of(W))]["data"]["number"].as_u64()
}

#[test]
fn a_restore_is_there_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let snapshot = |letter: &str| {
        let mut emulator = emulator();
        for number in 0..300 {
            create(&mut emulator, &format!("{letter}{number}"));
        }
        serde_json::to_string(&emulator.snapshot(epoch())).unwrap()
    };
    let snapshots = [snapshot("a"), snapshot("b")];
    let mut random = Rng::with_seed(7);
    for round in 0..6 {
        let process = Process::start(&state);
        let mut stream = connect(process.addr);
        let enough = random.u64(..4);
        for (answered, snapshot) in (0..).zip(snapshots.iter().cycle().skip(round)) {
            let restore = unsigned("POST", "/_emulator/restore", snapshot);
            stream.write_all(restore.as_bytes()).unwrap();
            if answered == enough {
                // The request is there; whether it is carried out is open.
                drop(process);
                break;
            }
            assert_eq!(read_answer(&mut stream).unwrap().status, 200);
        }
        let (mut emulator, now) = read(&state);
        let list = Request::get("/v2/workflows").body(Bytes::new()).unwrap();
        let list = emulator.handle(list, now);
        let list: Vec<Value> = serde_json::from_slice(list.body()).unwrap();
        let letters: Vec<_> = list
            .iter()
            .map(|w| &w["name"].as_str().unwrap()[..1])
            .collect();
        assert!(
            letters.windows(2).all(|pair| pair[0] == pair[1]),
            "{letters:?}"
        );
        assert!(letters.len() == 300 || round == 0 && enough == 0 && letters.is_empty());
    }
}

/// Creates a workflow and asks for its start.
fn start(addr: SocketAddr) {
    let mut stream = connect(addr);
    for change in [Change::Create(1), Change::Update(1), Change::Start] {
        assert!(answers_with_success(&mut stream, W, change));
    }
}

/// Opens a state file that this process has just let go of. A process that another test starts has
/// the lock as well from its fork to its exec, so a few refusals say nothing; many do.
fn open_when_free(path: &Path) -> StateFile {
    for _ in 0..100_000 {
        match StateFile::open(path) {
            Err(error) if error.kind() == StateErrorKind::InUse => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
    panic!("{} stays in use", path.display())
}

#[test]
fn a_server_that_was_stopped_goes_on_where_it_was() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let second = Duration::from_secs(1);
    let status = |addr| {
        let answer = support::send(addr, "GET", "/v2/workflows/w/status", &[], "");
        answer.json()["status"].as_str().unwrap().to_owned()
    };
    let (server, clock) = serve_slowly(&state);
    start(server.addr());
    clock.advance(7 * second);
    drop(server);
    // The clock of this one begins at zero again.
    let (server, clock) = serve_slowly(&state);
    clock.advance(2 * second);
    assert_eq!(status(server.addr()), "Starting");
    clock.advance(second);
    assert_eq!(status(server.addr()), "Started");
}

/// So that a killed server, too, has to go through little of a transition again.
#[test]
fn the_time_that_a_transition_has_left_is_kept_while_it_passes() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let (server, clock) = serve_slowly(&state);
    start(server.addr());
    let left = |millis: &str| {
        let bytes = fs::read(&state).unwrap();
        String::from_utf8_lossy(&bytes).contains(&format!(r#""in_ms":{millis}"#))
    };
    assert!(left("10000"));
    clock.advance(Duration::from_secs(7));
    while !left("3000") {
        thread::yield_now();
    }
}

#[test]
fn a_file_that_is_there_takes_the_place_of_the_emulators_workflows() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let with = |name: &str| {
        let mut emulator = emulator();
        create(&mut emulator, name);
        let server = bind().state(open_when_free(&state));
        let server = server.start_on_thread(emulator).unwrap();
        support::send(server.addr(), "GET", "/v2/workflows", &[], "").json()[0]["name"].clone()
    };
    assert_eq!(with("first"), "first");
    assert_eq!(with("second"), "first");
}
