//! Many clients at once: 1,000 that are idle, 200 that are busy, some that read or write as slowly as
//! they can, and 10,000 workflows.
//!
//! Every request has to be answered as it should be, and the server's memory has to stay within a
//! bound. `cargo test --release -p pipeline-emulator --test load -- --nocapture` prints the figures;
//! `LOAD_REQUESTS` is the number of requests of each busy client, and with `LOAD_STATE=1` the server
//! keeps a state file.
#![cfg(unix)]

mod support;

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use pipeline_emulator::{
    Transition,
    server::{Limits, StateFile},
};
use support::{Answer, bind, connect, open, read_answer, unsigned};
use tempfile::TempDir;

const ROLE: &str = "EMULATOR_TEST_ADDR";
const STATE: &str = "EMULATOR_TEST_STATE";
const READY: &str = "ready: ";

const IDLE: usize = 1_000;
const BUSY: usize = 200;
const SLOW: usize = 20;
const WORKFLOWS_PER_CLIENT: usize = 50;

/// What the server may need at its most, in KiB: four times what it was seen to need.
const MEMORY: u64 = 512 * 1024;

/// Not a test but the server that is measured: the test below runs it out of this very program.
#[test]
#[ignore = "it serves until it is killed; the test of the load starts it"]
fn serve_until_killed() {
    if env::var_os(ROLE).is_none() {
        return;
    }
    let mut limits = Limits::default();
    // Idle and slow clients wait for the busy ones, however long those take.
    limits.header_time = Duration::from_secs(3_600);
    limits.body_time = limits.header_time;
    limits.write_time = limits.header_time;
    let mut server = bind().limits(limits);
    if let Some(path) = env::var_os(STATE) {
        server = server.state(StateFile::open(path).unwrap());
    }
    let emulator = open().transitions(Transition::Immediate).build();
    let server = server.start_on_thread(emulator).unwrap();
    println!("{READY}{}", server.addr());
    loop {
        thread::park();
    }
}

/// Not a test but the idle clients, until their standard input ends. Each has asked before and asks
/// again after.
#[test]
#[ignore = "it waits to be told to end; the test of the load starts it"]
fn stay_idle() {
    let Ok(addr) = env::var(ROLE) else { return };
    let addr: SocketAddr = addr.parse().unwrap();
    let mut clients: Vec<_> = (0..IDLE).map(|_| connect(addr)).collect();
    let mut ask = || {
        for client in &mut clients {
            let answer = send(client, "GET", "/v2/workflows/nowhere", "");
            assert_eq!(answer.status, 404);
        }
    };
    ask();
    println!("{READY}idle");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    ask();
    println!("{READY}answered");
}

/// A part of this program as a process of its own, with as many open files as it may have.
struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(test: &str, addr: &str, state: Option<&str>) -> Self {
        let raised = r#"ulimit -n "$(ulimit -Hn)" 2>/dev/null || ulimit -n 4096; exec "$0" "$@""#;
        let mut command = Command::new("sh");
        command
            .args(["-c", raised])
            .arg(env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(ROLE, addr)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(state) = state {
            command.env(STATE, state);
        }
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// What it says when it is ready.
    fn ready(&mut self) -> String {
        let mut lines = self.output.by_ref().lines().map(Result::unwrap);
        lines
            .find_map(|line| Some(line.split_once(READY)?.1.to_owned()))
            .expect("it says so")
    }

    /// A figure about its memory, in KiB, where the system tells.
    fn memory(&self, name: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn send(stream: &mut TcpStream, method: &str, path: &str, body: &str) -> Answer {
    stream
        .write_all(unsigned(method, path, body).as_bytes())
        .unwrap();
    read_answer(&mut BufReader::new(stream)).unwrap()
}

const UPDATE: &str = r#"{"region":"nb","nodes":{
    "r-repo":{"name":"r","type":"repo","children":[{"name":"e","type":"export"}],"data":{"schema":[{"key":"ip","valtype":"string"}]}},
    "e-export":{"name":"e","type":"export","parents":[{"name":"r","type":"repo"}],"data":{"type":"kodo"}}}}"#;

/// Lets each busy client do something so often, and gives how long each of its requests took.
fn busy(
    clients: &mut [TcpStream],
    rounds: usize,
    action: impl Fn(&mut TcpStream, usize, usize) + Sync,
) -> (Duration, Vec<Duration>) {
    let begin = Instant::now();
    let times = thread::scope(|scope| {
        let clients: Vec<_> = clients
            .iter_mut()
            .enumerate()
            .map(|(client, stream)| {
                let action = &action;
                scope.spawn(move || {
                    let one = |number| {
                        let begin = Instant::now();
                        action(stream, client, number);
                        begin.elapsed()
                    };
                    (0..rounds).map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut all = Vec::new();
        for client in clients {
            all.extend(client.join().unwrap());
        }
        all
    });
    (begin.elapsed(), times)
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn report(what: &str, (elapsed, mut times): (Duration, Vec<Duration>)) {
    times.sort_unstable();
    let millis =
        |per_mille: usize| times[(times.len() - 1) * per_mille / 1_000].as_secs_f64() * 1e3;
    let per_second = times.len() as f64 / elapsed.as_secs_f64();
    println!(
        "{what}: {} requests, {per_second:.0} a second; half within {:.1} ms, 99 % within {:.1} ms, all within {:.1} ms",
        times.len(),
        millis(500),
        millis(990),
        millis(1_000)
    );
}

#[test]
fn a_server_under_load_answers_everybody_within_its_memory() {
    let requests = env::var("LOAD_REQUESTS").map_or(10, |text| text.parse().expect("a number"));
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let state = env::var_os("LOAD_STATE").and_then(|_| state.to_str());

    let mut server = Process::start("serve_until_killed", "", state);
    let addr = server.ready();
    let mut idle = Process::start("stay_idle", &addr, None);
    assert_eq!(idle.ready(), "idle");
    let addr: SocketAddr = addr.parse().unwrap();
    let with_idle = server.memory("VmRSS");

    let mut clients: Vec<_> = (0..BUSY).map(|_| connect(addr)).collect();
    let path = |client: usize, number: usize| {
        format!("/v2/workflows/w{client}_{}", number % WORKFLOWS_PER_CLIENT)
    };
    let create = |stream: &mut TcpStream, client, number| {
        let answer = send(stream, "POST", &path(client, number), r#"{"region":"nb"}"#);
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    report("create", busy(&mut clients, WORKFLOWS_PER_CLIENT, create));
    let update = |stream: &mut TcpStream, client, number| {
        let own = format!("r{client}_{}", number % WORKFLOWS_PER_CLIENT);
        let body = UPDATE.replace("r-repo", &format!("{own}-repo"));
        let body = body.replace(r#""name":"r""#, &format!(r#""name":"{own}""#));
        let answer = send(stream, "PUT", &path(client, number), &body);
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    report("update", busy(&mut clients, WORKFLOWS_PER_CLIENT, update));
    let with_workflows = server.memory("VmRSS");

    // Half of a large body, and nothing of a large response, until the others are done.
    let large = format!(r#"{{"region":"nb","pad":"{}"}}"#, "x".repeat(1 << 20));
    let large = unsigned("PUT", "/v2/workflows/w0_0", &large);
    let (first_half, second_half) = large.split_at(large.len() / 2);
    let mut writers: Vec<_> = (0..SLOW).map(|_| connect(addr)).collect();
    for writer in &mut writers {
        writer.write_all(first_half.as_bytes()).unwrap();
    }
    let mut readers: Vec<_> = (0..SLOW).map(|_| connect(addr)).collect();
    for reader in &mut readers {
        reader
            .write_all(unsigned("GET", "/v2/workflows", "").as_bytes())
            .unwrap();
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"H");
    }
    let mixed = |stream: &mut TcpStream, client, number: usize| {
        let path = path(client, number / 4);
        let (method, action) = [
            ("GET", ""),
            ("POST", "/start"),
            ("GET", "/status"),
            ("POST", "/stop"),
        ][number % 4];
        let answer = send(stream, method, &(path + action), "");
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    report(
        "get, start, status, stop",
        busy(&mut clients, requests, mixed),
    );
    let most = server.memory("VmHWM");

    for mut writer in writers {
        writer.write_all(second_half.as_bytes()).unwrap();
        assert_eq!(read_answer(&mut writer).unwrap().status, 200);
    }
    for reader in readers {
        // All but the letter that was read.
        let answer = read_answer(&mut BufReader::new((&b"H"[..]).chain(reader))).unwrap();
        let list = answer.json();
        assert_eq!(list.as_array().unwrap().len(), BUSY * WORKFLOWS_PER_CLIENT);
    }
    drop(idle.child.stdin.take());
    assert_eq!(idle.ready(), "answered");
    if let (Some(idle), Some(workflows), Some(most)) = (with_idle, with_workflows, most) {
        println!(
            "memory: {} MiB with {IDLE} idle clients, {} MiB with {BUSY} busy ones and {} workflows, {} MiB at the most, with {SLOW} slow readers and {SLOW} slow writers",
            idle / 1024,
            workflows / 1024,
            BUSY * WORKFLOWS_PER_CLIENT,
            most / 1024
        );
        assert!(most < MEMORY, "{most} KiB");
    }
}
