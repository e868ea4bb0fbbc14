//! The rows of the table: what is measured, and what it should be.

use crate::Result;

use super::{
    figures::{Bench, Group},
    programs,
    table::ROUNDED,
};

/// What a value should be.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// It stands there to compare others with.
    None,
}

use Goal::{AtLeast, AtMost, None as Nothing};

/// How far two measurements of the same may differ.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// What is counted, or a ratio of counts.
    Count,
    /// CPU time over that of something that took turns with it; heap that depends on how much of a body arrives at once.
    Ratio,
    /// The same of times on the wall, and of what happens rarely.
    Wall,
    /// What belongs to this machine, hangs on few calls, or takes long: not compared with what was recorded on another day.
    Shown,
}

impl Kind {
    pub(super) fn noise(self) -> Option<f64> {
        match self {
            Self::Count => Some(0.03),
            Self::Ratio => Some(0.12),
            Self::Wall => Some(0.4),
            Self::Shown => None,
        }
    }
}

#[derive(Clone)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) kind: Kind,
    pub(super) goal: Goal,
    pub(super) measure: fn(&Bench) -> Result<f64>,
}

impl Row {
    pub(super) fn is_worse(&self, value: f64, recorded: f64, noise: f64) -> bool {
        // What is counted above something else can be below it. What is recorded was rounded, which matters where it
        // is small.
        let noise = recorded.abs() * noise + ROUNDED;
        match self.goal {
            AtLeast(_) => value < recorded - noise,
            AtMost(_) | Nothing => value > recorded + noise,
        }
    }
}

/// One name with several rows: unit, kind, goal, and how it is measured.
macro_rules! rows {
    ($($name:literal {
        $($unit:literal $kind:ident $goal:expr => |$bench:ident| $measure:expr;)+
    })+) => {
        vec![$($(Row {
            name: $name,
            unit: $unit,
            kind: Kind::$kind,
            goal: $goal,
            measure: |$bench| $measure,
        },)+)+]
    };
}

const SIGN: Group = Group {
    turns: 150,
    cases: &[
        "get",
        "get-floor",
        "get-naive",
        "get-again",
        "create",
        "create-floor",
        "create-naive",
    ],
};
const ANSWER: Group = Group {
    turns: 60,
    cases: &["answer", "answer-serde"],
};
const LIST: Group = Group {
    turns: 40,
    cases: &[
        "list:10000",
        "list-borrowed:10000",
        "list-serde:10000",
        "list-value:10000",
    ],
};
const HYPER: Group = Group {
    turns: 100,
    cases: &["hyper", "hyper-bare", "reqwest-signed"],
};
const HYPER_64: Group = Group {
    turns: 80,
    cases: &["hyper-64", "hyper-bare-64", "reqwest-signed-64"],
};
const BLOCKING: Group = Group {
    turns: 100,
    cases: &["blocking", "ureq"],
};
const BLOCKING_4: Group = Group {
    turns: 80,
    cases: &["blocking-4", "ureq-4"],
};
const POINTS: Group = Group {
    turns: 100,
    cases: &[
        "points",
        "points-serde",
        "points-value",
        "points-value-serde",
        "points-json",
        "points-json-value",
    ],
};
const PUSH_1: Group = Group {
    turns: 40,
    cases: &[
        "push:1",
        "push-encode",
        "push-gzip:1",
        "push-sign:1",
        "push-send:1",
    ],
};
const PUSH_3: Group = Group {
    turns: 40,
    cases: &[
        "push:3",
        "push-encode",
        "push-gzip:3",
        "push-sign:3",
        "push-send:3",
    ],
};
const EMULATOR: Group = Group {
    turns: 4,
    cases: &["emulator:1000", "emulator:10000", "emulator:100000"],
};
const SHIPPER: Group = Group {
    turns: 10,
    cases: &["shipper:10000", "shipper:100000", "shipper:1000000"],
};

/// How often a call costs what a part of it does.
fn of_a_call(bench: &Bench, with: &str, without: &str) -> Result<f64> {
    let part = bench.instructions(with)? - bench.instructions(without)?;
    Ok(part / bench.instructions("hyper")?)
}

/// The largest heap during a run, over the size of the input.
fn heap_of_list(bench: &Bench, case: &str) -> Result<f64> {
    Ok(bench.heap(case)?.0 / bench.number(&["length", "list", "10000"])?)
}

fn heap_of_nodes(bench: &Bench, case: &str) -> Result<f64> {
    Ok(bench.heap(case)?.0 / bench.number(&["length", "nodes", "2000"])?)
}

/// One of three percentiles, over that of the bare transport.
fn latency(bench: &Bench, transport: &str, at: usize) -> Result<f64> {
    let race = bench.latency(transport)?;
    Ok(race.at("ours", at)? / race.at("bare", at)?)
}

fn bare_latency(bench: &Bench, transport: &str) -> Result<f64> {
    Ok(bench.latency(transport)?.at("bare", 0)? / 1e3)
}

/// How much of a push is spent on a part of it.
fn share(bench: &Bench, group: &Group, part: usize) -> Result<f64> {
    bench.race(group)?.over(group.cases[part], group.cases[0])
}

fn packed(bench: &Bench, level: &str) -> Result<f64> {
    Ok(bench.number(&["length", "push", "0"])? / bench.number(&["length", "push-gzip", level])?)
}

fn crates(package: &str, bench: bool) -> Result<f64> {
    programs::crates(package, bench)
}

fn bytes(package: &str) -> Result<f64> {
    programs::size(&programs::folder(true)?.join(package))
}

pub(super) fn all() -> Vec<Row> {
    rows! {
        "build and sign get" {
            "CPU ns" Shown Nothing => |b| b.race(&SIGN)?.time("get");
            "CPU × floor" Ratio AtMost(1.4) => |b| b.race(&SIGN)?.over("get", "get-floor");
            "CPU × naive" Ratio AtMost(0.6) => |b| b.race(&SIGN)?.over("get", "get-naive");
            "instructions" Count Nothing => |b| b.instructions("get");
            "allocations" Count Nothing => |b| b.allocations("get");
        }
        "build and sign create" {
            "CPU ns" Shown Nothing => |b| b.race(&SIGN)?.time("create");
            "CPU × floor" Ratio AtMost(1.4) => |b| b.race(&SIGN)?.over("create", "create-floor");
            "CPU × naive" Ratio AtMost(0.6) => |b| b.race(&SIGN)?.over("create", "create-naive");
            "instructions" Count Nothing => |b| b.instructions("create");
            "allocations" Count Nothing => |b| b.allocations("create");
        }
        "second attempt of get, with the decision on it" {
            "CPU × build and sign get" Ratio AtMost(0.9) => |b| b.race(&SIGN)?.over("get-again", "get");
            "instructions" Count Nothing => |b| b.instructions("get-again");
            "allocations" Count Nothing => |b| b.allocations("get-again");
        }
        "decode a list of 10,000 workflows" {
            "CPU ms" Shown Nothing => |b| Ok(b.race(&LIST)?.time("list:10000")? / 1e6);
            "CPU × serde_json by hand" Ratio AtMost(1.0) => |b| b.race(&LIST)?.over("list:10000", "list-serde:10000");
            "borrowed, CPU × serde_json by hand" Ratio AtMost(0.65) => |b| b.race(&LIST)?.over("list-borrowed:10000", "list-serde:10000");
            "CPU × `Value`" Ratio Nothing => |b| b.race(&LIST)?.over("list:10000", "list-value:10000");
            "instructions" Count Nothing => |b| b.instructions_large("list:10000");
            "peak heap × body" Count AtMost(1.75) => |b| heap_of_list(b, "list:10000");
        }
        "decode a workflow of 2,000 nodes" {
            "instructions" Count AtMost(35e6) => |b| b.instructions_large("nodes:2000");
            "× `Value`" Count Nothing => |b| Ok(b.instructions_large("nodes:2000")? / b.instructions_large("nodes-value:2000")?);
            "peak heap × body" Count AtMost(2.1) => |b| heap_of_nodes(b, "nodes:2000");
        }
        "decode a response of 217 bytes" {
            "CPU ns" Shown Nothing => |b| b.race(&ANSWER)?.time("answer");
            "CPU × serde_json by hand" Ratio Nothing => |b| b.race(&ANSWER)?.over("answer", "answer-serde");
            "instructions" Count AtMost(7_000.0) => |b| b.instructions("answer");
            "allocations" Count Nothing => |b| b.allocations("answer");
        }
        "GET through pipeline-hyper" {
            "CPU µs" Shown Nothing => |b| Ok(b.race(&HYPER)?.time("hyper")? / 1e3);
            "CPU × bare hyper-util" Ratio AtMost(1.1) => |b| b.race(&HYPER)?.over("hyper", "hyper-bare");
            "CPU × reqwest, signed and decoded by hand" Ratio AtMost(0.7) => |b| b.race(&HYPER)?.over("hyper", "reqwest-signed");
            "instructions" Count Nothing => |b| b.instructions("hyper");
            "instructions × bare hyper-util" Count AtMost(1.25) => |b| Ok(b.instructions("hyper")? / b.instructions("hyper-bare")?);
            "instructions × reqwest, signed and decoded by hand" Count Nothing => |b| Ok(b.instructions("hyper")? / b.instructions("reqwest-signed")?);
            "allocations" Count Nothing => |b| b.allocations("hyper");
        }
        "64 concurrent GETs through pipeline-hyper" {
            "CPU µs each" Shown Nothing => |b| Ok(b.race(&HYPER_64)?.time("hyper-64")? / 1e3 / 1280.0);
            "CPU × bare hyper-util" Ratio AtMost(1.0) => |b| b.race(&HYPER_64)?.over("hyper-64", "hyper-bare-64");
            "CPU × reqwest, signed and decoded by hand" Ratio AtMost(0.7) => |b| b.race(&HYPER_64)?.over("hyper-64", "reqwest-signed-64");
        }
        "GET through pipeline-blocking" {
            "CPU µs" Shown Nothing => |b| Ok(b.race(&BLOCKING)?.time("blocking")? / 1e3);
            "CPU × bare ureq" Ratio AtMost(1.08) => |b| b.race(&BLOCKING)?.over("blocking", "ureq");
            "instructions" Count Nothing => |b| b.instructions("blocking");
            "instructions × bare ureq" Count Nothing => |b| Ok(b.instructions("blocking")? / b.instructions("ureq")?);
            "allocations" Count Nothing => |b| b.allocations("blocking");
            "threads started" Count AtMost(0.0) => |b| b.system_calls("blocking", true, &["clone", "clone3"]);
            "look-ups (files and sockets opened)" Count AtMost(0.0) => |b| b.system_calls("blocking", true, &["socket", "openat", "open"]);
            "system calls above bare ureq" Count AtMost(2.0) => |b| Ok(b.system_calls("blocking", true, &[])? - b.system_calls("ureq", false, &[])?);
        }
        "GETs of 4 threads through pipeline-blocking" {
            "CPU × bare ureq" Ratio AtMost(1.08) => |b| b.race(&BLOCKING_4)?.over("blocking-4", "ureq-4");
        }
        "1,000 calls a second through pipeline-hyper" {
            "bare p50, µs" Shown Nothing => |b| bare_latency(b, "hyper");
            "p50 × bare hyper-util" Wall AtMost(1.05) => |b| latency(b, "hyper", 0);
            "p99 × bare hyper-util" Wall AtMost(1.1) => |b| latency(b, "hyper", 1);
            "p99.9 × bare hyper-util" Shown AtMost(1.2) => |b| latency(b, "hyper", 2);
        }
        "1,000 calls a second through pipeline-blocking" {
            "bare p50, µs" Shown Nothing => |b| bare_latency(b, "blocking");
            "p50 × bare ureq" Wall AtMost(1.05) => |b| latency(b, "blocking", 0);
            "p99 × bare ureq" Wall AtMost(1.1) => |b| latency(b, "blocking", 1);
            "p99.9 × bare ureq" Shown AtMost(1.2) => |b| latency(b, "blocking", 2);
        }
        "a connection that waits in pipeline-hyper" {
            "bytes of heap" Count Nothing => |b| Ok(b.heap("hyper-held:64")?.1 / 64.0);
            "× reqwest" Count AtMost(0.8) => |b| Ok(b.heap("hyper-held:64")?.1 / b.heap("reqwest-held:64")?.1);
        }
        "a call of 1,000 in flight through pipeline-hyper" {
            "bytes of heap" Count Nothing => |b| Ok(b.heap("hyper-held:1000")?.0 / 1000.0);
            "× reqwest" Count AtMost(0.8) => |b| Ok(b.heap("hyper-held:1000")?.0 / b.heap("reqwest-held:1000")?.0);
        }
        "pipeline-hyper after 1,000 calls at once" {
            "bytes of heap" Count Nothing => |b| Ok(b.heap("hyper-held:1000")?.1);
            "× reqwest" Count AtMost(0.8) => |b| Ok(b.heap("hyper-held:1000")?.1 / b.heap("reqwest-held:1000")?.1);
        }
        "decide on a retry after a fault" {
            "instructions × a call" Count AtMost(0.02) => |b| of_a_call(b, "fault", "start-only");
        }
        "measure the clock offset" {
            "instructions × a call" Count AtMost(0.03) => |b| of_a_call(b, "dated", "refused");
        }
        "one look of a waiter" {
            "instructions × a call" Count AtMost(0.02) => |b| of_a_call(b, "wait", "look-only");
        }
        "take in a body of 2 MB" {
            "peak heap × body, pipeline-hyper" Ratio AtMost(1.45) => |b| heap_of_list(b, "hyper-body");
            "peak heap × body, pipeline-blocking" Count AtMost(1.1) => |b| heap_of_list(b, "blocking-body");
        }
        "take in and decode a list of 2 MB" {
            "peak heap × body, pipeline-hyper" Ratio AtMost(3.0) => |b| heap_of_list(b, "hyper-list");
            "peak heap × body, pipeline-blocking" Count AtMost(2.75) => |b| heap_of_list(b, "blocking-list");
        }
        "emulator" {
            "CPU µs a request" Shown Nothing => |b| Ok(b.servers()?.time("emulator")? / 1e3);
            "requests a CPU second × bare hyper server" Ratio AtLeast(0.7) => |b| b.servers()?.over("hyper", "emulator");
        }
        "`pipeline workflow list`" {
            "ms" Shown Nothing => |b| Ok(b.listing()?.time("pipeline")? / 1e6);
            "× curl" Wall AtMost(0.45) => |b| b.listing()?.over("pipeline", "curl");
            "× Python" Wall Nothing => |b| b.listing()?.over("pipeline", "python");
        }
        "`pipeline --help`" {
            "instructions" Count Nothing => |b| b.help(&programs::pipeline()?);
            "× a bare clap program" Count Nothing => |b| Ok(b.help(&programs::pipeline()?)? / b.help(&programs::folder(true)?.join("hello-clap"))?);
        }
        "write structs as points" {
            "MB/s" Shown Nothing => |b| b.race(&POINTS)?.rate("points");
            "CPU × serde_json" Ratio AtMost(0.6) => |b| b.race(&POINTS)?.over("points", "points-serde");
            "allocations" Count AtMost(0.0) => |b| b.allocations("points");
        }
        "write `Value` as points" {
            "MB/s" Shown Nothing => |b| b.race(&POINTS)?.rate("points-value");
            "speed × serde_json" Ratio AtLeast(1.0) => |b| b.race(&POINTS)?.over("points-value-serde", "points-value");
        }
        "write JSON lines as points" {
            "MB/s" Shown Nothing => |b| b.race(&POINTS)?.rate("points-json");
            "speed × through `Value`" Ratio AtLeast(2.5) => |b| b.race(&POINTS)?.over("points-json-value", "points-json");
        }
        "push 2 MB with gzip at level 1" {
            "MB/s" Shown Nothing => |b| b.race(&PUSH_1)?.rate("push:1");
            "size before × after" Count Nothing => |b| packed(b, "1");
            "gzip alone, MB/s" Shown Nothing => |b| b.race(&PUSH_1)?.rate("push-gzip:1");
            "share of encoding" Ratio AtMost(0.2) => |b| share(b, &PUSH_1, 1);
            "share of gzip" Shown Nothing => |b| share(b, &PUSH_1, 2);
            "share of signing" Shown Nothing => |b| share(b, &PUSH_1, 3);
            "share of sending, with signing" Shown Nothing => |b| share(b, &PUSH_1, 4);
        }
        "push 2 MB with gzip at level 3" {
            "MB/s" Shown Nothing => |b| b.race(&PUSH_3)?.rate("push:3");
            "size before × after" Count Nothing => |b| packed(b, "3");
            "gzip alone, MB/s" Shown Nothing => |b| b.race(&PUSH_3)?.rate("push-gzip:3");
            "share of encoding" Ratio AtMost(0.2) => |b| share(b, &PUSH_3, 1);
            "share of gzip" Shown Nothing => |b| share(b, &PUSH_3, 2);
        }
        "build an update: 20 to 2,000 nodes" {
            "growth" Count AtMost(1.25) => |b| b.growth("build", 20);
        }
        "sign X-Qiniu headers: 10 to 1,000" {
            "growth" Count AtMost(1.25) => |b| b.growth("sign", 10);
        }
        "decode a list: 100 to 10,000" {
            "growth" Count AtMost(1.25) => |b| b.growth("list", 100);
        }
        "lint nodes: 20 to 2,000" {
            "growth" Count AtMost(1.25) => |b| b.growth("lint", 20);
        }
        "compare nodes: 20 to 2,000" {
            "growth" Count AtMost(1.25) => |b| b.growth("diff", 20);
        }
        "create, get and list in the emulator: 1,000 to 100,000" {
            "growth" Ratio AtMost(1.25) => |b| b.growth_in_time(&EMULATOR);
        }
        "ship records: 10,000 to 1,000,000" {
            "growth" Ratio AtMost(1.25) => |b| b.growth_in_time(&SHIPPER);
        }
        "pipeline-proto" {
            "crates" Count AtMost(34.0) => |_b| crates("pipeline-proto", false);
            "cold build, CPU × its dependencies" Shown AtMost(1.3) => |_b| programs::cold_build_of_core();
        }
        "build scripts of ours" {
            "scripts" Count AtMost(0.0) => |_b| programs::build_scripts();
        }
        "pipeline-hyper" {
            "crates" Count AtMost(65.0) => |_b| crates("hello-hyper", true);
            "bytes of a small program" Count AtMost(3.2e6) => |_b| bytes("hello-hyper");
            "cold build, CPU s" Shown Nothing => |b| b.cold_build("pipeline-hyper", 0);
        }
        "pipeline-blocking" {
            "crates" Count AtMost(50.0) => |_b| crates("hello-blocking", true);
            "bytes of a small program" Count AtMost(2.9e6) => |_b| bytes("hello-blocking");
            "cold build, CPU s" Shown Nothing => |b| b.cold_build("pipeline-blocking", 0);
        }
        "pipeline" {
            "bytes" Count AtMost(9.1e6) => |_b| programs::size(&programs::pipeline()?);
            "cold build, CPU s" Shown Nothing => |b| b.cold_build("pipeline-cli", 0);
            "cold build, s" Shown AtMost(60.0) => |b| b.cold_build("pipeline-cli", 1);
        }
    }
}

#[test]
fn what_is_worse_is_found_on_the_side_of_the_goal() {
    let row = |goal| Row {
        name: "a",
        unit: "×",
        kind: Kind::Count,
        goal,
        measure: |_| Ok(0.0),
    };
    for (goal, value, worse) in [
        (AtMost(1.0), 1.02, false),
        (AtMost(1.0), 1.04, true),
        (AtMost(1.0), 0.5, false),
        (AtLeast(1.0), 0.98, false),
        (AtLeast(1.0), 0.96, true),
        (Nothing, 1.04, true),
    ] {
        assert_eq!(row(goal).is_worse(value, 1.0, 0.03), worse, "{value}");
    }
    assert!(row(AtMost(0.0)).is_worse(1.0, 0.0, 0.03));
    assert!(!row(AtMost(0.0)).is_worse(0.0, 0.0, 0.03));
    assert!(!row(AtMost(2.0)).is_worse(-2.0, -2.0, 0.03));
    assert!(row(AtMost(2.0)).is_worse(-1.0, -2.0, 0.03));
    assert!(!row(AtMost(0.02)).is_worse(0.0125, 0.012, 0.03));
    assert!(row(AtMost(0.02)).is_worse(0.0135, 0.012, 0.03));
}

#[test]
fn no_two_rows_are_called_the_same() {
    let rows = all();
    let mut names: Vec<_> = rows.iter().map(|row| (row.name, row.unit)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows.len());
}
