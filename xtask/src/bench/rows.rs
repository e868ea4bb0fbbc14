//! The measures and their goals.

use std::path::Path;

use crate::Result;

use super::{
    Goal, Measure,
    programs::{self, Cases},
    tools::{self, LARGE, Line, SMALL},
};

/// How often the timed programs take turns. Short and many, because other work on the machine makes
/// some turns dearer, and others cheaper: whoever had to wait finds more to do at once.
const TURNS: usize = 11;

pub(super) fn measure() -> Result<Vec<Measure>> {
    eprintln!("building");
    // First of all, so that nothing is measured if something cannot be built.
    for package in ["hello-hyper", "hello-blocking", "hello-clap"] {
        programs::build(package, true)?;
    }
    programs::build("pipeline-cli", false)?;
    let cases = Cases::build()?;
    let mut rows = Rows(Vec::new());
    eprintln!("requests");
    requests(&mut rows, &cases)?;
    eprintln!("answers");
    answers(&mut rows, &cases)?;
    eprintln!("points");
    points(&mut rows, &cases)?;
    let server = cases.serve("constant")?;
    eprintln!("transports");
    let call = hyper(&mut rows, &cases, &server.url)?;
    blocking(&mut rows, &cases, &server.url)?;
    logic(&mut rows, &cases, call)?;
    bodies(&mut rows, &cases, &server.url)?;
    eprintln!("under load");
    saturated(&mut rows, &cases, &server.url)?;
    emulator(&mut rows, &cases)?;
    eprintln!("growth");
    growth(&mut rows, &cases)?;
    eprintln!("builds and sizes");
    builds(&mut rows)?;
    Ok(rows.0)
}

use Goal::{AtLeast, AtMost, None as Nothing};

struct Rows(Vec<Measure>);

impl Rows {
    fn add(&mut self, name: impl Into<String>, unit: &'static str, value: f64, goal: Goal) {
        let name = name.into();
        self.0.push(Measure {
            name,
            unit,
            value,
            goal,
        });
    }
}

/// How to count what a case costs: with which cases, and at what server if it needs one.
#[derive(Clone, Copy)]
struct Counting<'a>(&'a Cases, Option<&'a str>);

impl Counting<'_> {
    fn instructions(self, case: &str) -> Result<f64> {
        self.0.each(tools::instructions, case, self.1, SMALL)
    }

    /// Adds the instructions, which it gives, and the allocations of a case.
    fn add(self, rows: &mut Rows, name: &str, case: &str, goals: [Goal; 2]) -> Result<f64> {
        let instructions = self.instructions(case)?;
        rows.add(name, "instructions", instructions, goals[0]);
        let allocations = self.0.allocations(case, self.1)?;
        rows.add(name, "allocations", allocations, goals[1]);
        Ok(instructions)
    }
}

fn requests(rows: &mut Rows, cases: &Cases) -> Result {
    let counting = Counting(cases, None);
    let mut create = 0.0;
    for (case, goals) in [
        ("get", [AtMost(7_600.0), AtMost(4.0)]),
        ("create", [AtMost(8_700.0), AtMost(5.0)]),
    ] {
        let name = format!("build and sign {case}");
        create = counting.add(rows, &name, case, goals)?;
        for other in ["naive", "floor"] {
            let (name, case) = (format!("{name}: {other}"), format!("{case}-{other}"));
            counting.add(rows, &name, &case, [Nothing; 2])?;
        }
    }
    let name = "second attempt of the create call";
    let again = counting.add(rows, name, "create-again", [Nothing, AtMost(3.0)])?;
    rows.add(name, "× the first", again / create, AtMost(0.6));
    Ok(())
}

fn answers(rows: &mut Rows, cases: &Cases) -> Result {
    let instructions = |case: &str, runs| cases.each(tools::instructions, case, None, runs);
    let list_size = cases.number(&["length", "list", "10000"])?;
    let nodes_size = cases.number(&["length", "nodes", "2000"])?;
    let name = "decode a list of 10,000 workflows";
    let ours = instructions("list:10000", LARGE)?;
    let by_hand = instructions("list-serde:10000", LARGE)?;
    rows.add(name, "instructions", ours, Nothing);
    rows.add(name, "× serde_json by hand", ours / by_hand, AtMost(1.05));
    let peak = cases.peak("list:10000", None)?;
    rows.add(name, "heap × body", peak / list_size, AtMost(1.75));
    let value = instructions("list-value:10000", LARGE)?;
    rows.add(
        format!("{name}: serde_json by hand"),
        "instructions",
        by_hand,
        Nothing,
    );
    rows.add(format!("{name}: `Value`"), "instructions", value, Nothing);
    let peak = cases.peak("list-value:10000", None)?;
    rows.add(
        format!("{name}: `Value`"),
        "heap × body",
        peak / list_size,
        Nothing,
    );

    let name = "decode a workflow of 2,000 nodes";
    let ours = instructions("nodes:2000", LARGE)?;
    rows.add(name, "instructions", ours, AtMost(35e6));
    let peak = cases.peak("nodes:2000", None)?;
    rows.add(name, "peak heap × body", peak / nodes_size, AtMost(2.1));
    let value = instructions("nodes-value:2000", LARGE)?;
    rows.add(format!("{name}: `Value`"), "instructions", value, Nothing);
    let peak = cases.peak("nodes-value:2000", None)?;
    rows.add(
        format!("{name}: `Value`"),
        "peak heap × body",
        peak / nodes_size,
        Nothing,
    );

    let counting = Counting(cases, None);
    let name = "decode a response of 217 bytes";
    counting.add(rows, name, "answer", [AtMost(7_000.0), AtMost(7.0)])?;
    let name = format!("{name}: serde_json by hand");
    counting.add(rows, &name, "answer-serde", [Nothing; 2])?;
    Ok(())
}

/// Records as points; each run writes a thousand.
fn points(rows: &mut Rows, cases: &Cases) -> Result {
    let cpu = |case: &str| cases.number(&["cpu", case, "2000"]);
    let allocations = cases.allocations("points", None)?;
    let name = "write structs as points";
    rows.add(name, "allocations", allocations, AtMost(0.0));
    for (name, unit, case, other, most) in [
        (name, "CPU × serde_json", "points", "points-serde", 0.6),
        (
            "write `Value` as points",
            "CPU × serde_json",
            "points-value",
            "points-value-serde",
            1.0,
        ),
        (
            "write JSON lines as points",
            "CPU × through `Value`",
            "points-json",
            "points-json-value",
            0.4,
        ),
    ] {
        let [ratio] = ratios(case, [other], cpu)?;
        rows.add(name, unit, ratio, AtMost(most));
    }
    Ok(())
}

/// Gives the instructions of a whole call as well.
fn hyper(rows: &mut Rows, cases: &Cases, url: &str) -> Result<f64> {
    let counting = Counting(cases, Some(url));
    let name = "GET through pipeline-hyper";
    let ours = counting.add(rows, name, "hyper", [Nothing, AtMost(24.0)])?;
    for (unit, case, most) in [
        ("× bare hyper-util", "hyper-bare", 1.35),
        ("× bare reqwest", "reqwest", 1.0),
    ] {
        let other = format!("GET through {}, unsigned", unit.trim_start_matches("× "));
        let bare = counting.add(rows, &other, case, [Nothing; 2])?;
        rows.add(name, unit, ours / bare, AtMost(most));
    }
    Ok(ours)
}

fn blocking(rows: &mut Rows, cases: &Cases, url: &str) -> Result {
    let counting = Counting(cases, Some(url));
    let name = "GET through pipeline-blocking";
    let ours = counting.add(rows, name, "blocking", [Nothing; 2])?;
    let bare = counting.add(
        rows,
        "GET through bare ureq, unsigned",
        "ureq",
        [Nothing; 2],
    )?;
    rows.add(name, "× bare ureq", ours / bare, AtMost(1.2));

    // By a name, which has to be looked up once and not again.
    let by_name = url.replace("127.0.0.1", "localhost");
    let calls = |kinds: &'static [&'static str], case: &str, url: &str| {
        let count = |line: Line<'_>| {
            let calls = tools::system_calls(line)?;
            let wanted = |name: &str| kinds.is_empty() || kinds.contains(&name);
            let wanted = calls.iter().filter(|(name, _)| wanted(name));
            Ok(wanted.map(|(_, count)| count).sum())
        };
        cases.each(count, case, Some(url), SMALL)
    };
    let threads = calls(&["clone", "clone3"], "blocking", &by_name)?;
    rows.add(name, "threads started", threads, AtMost(0.0));
    let look_ups = calls(&["socket", "openat", "open"], "blocking", &by_name)?;
    rows.add(
        name,
        "look-ups (files and sockets opened)",
        look_ups,
        AtMost(0.0),
    );
    let above = calls(&[], "blocking", &by_name)? - calls(&[], "ureq", url)?;
    rows.add(name, "system calls above bare ureq", above, AtMost(2.0));
    Ok(())
}

fn logic(rows: &mut Rows, cases: &Cases, call: f64) -> Result {
    let instructions = |case: &str| Counting(cases, None).instructions(case);
    let retry = instructions("fault")? - instructions("start-only")?;
    let offset = instructions("dated")? - instructions("refused")?;
    let wait = instructions("wait")? - instructions("look-only")?;
    for (name, value) in [
        ("decide on a retry after a fault", retry),
        ("measure the clock offset", offset),
        ("one look of a waiter", wait),
    ] {
        rows.add(name, "× a call", value / call, AtMost(0.02));
    }
    Ok(())
}

fn bodies(rows: &mut Rows, cases: &Cases, url: &str) -> Result {
    let body = cases.number(&["length", "list", "10000"])?;
    for (name, case, most) in [
        ("take in a body of 2 MB: pipeline-hyper", "hyper-body", 1.45),
        (
            "take in a body of 2 MB: pipeline-blocking",
            "blocking-body",
            1.1,
        ),
        (
            "take in and decode a list of 2 MB: pipeline-hyper",
            "hyper-list",
            3.0,
        ),
        (
            "take in and decode a list of 2 MB: pipeline-blocking",
            "blocking-list",
            2.75,
        ),
    ] {
        let peak = cases.peak(case, Some(url))?;
        rows.add(name, "peak heap × body", peak / body, AtMost(most));
    }
    Ok(())
}

fn saturated(rows: &mut Rows, cases: &Cases, url: &str) -> Result {
    let cpu = |case: &str| cases.number(&["cpu", case, "1", url]);
    let [bare, reqwest] = ratios("hyper-64", ["hyper-bare-64", "reqwest-64"], cpu)?;
    let name = "64 concurrent calls: pipeline-hyper";
    rows.add(name, "CPU × bare hyper-util", bare, AtMost(1.15));
    rows.add(name, "CPU × bare reqwest", reqwest, AtMost(1.0));
    let [bare] = ratios("blocking-4", ["ureq-4"], cpu)?;
    let name = "4 threads: pipeline-blocking";
    rows.add(name, "CPU × bare ureq", bare, AtMost(1.15));
    Ok(())
}

fn emulator(rows: &mut Rows, cases: &Cases) -> Result {
    let [bare] = ratios("hyper", ["emulator"], |server| {
        let server = cases.serve(server)?;
        cases.number(&["load", &server.url, "8000", &server.id()])
    })?;
    let name = "emulator: requests per CPU second";
    rows.add(name, "× bare hyper server", bare, AtLeast(0.6));
    Ok(())
}

/// What one program needs over what each of others needs: the middle of several turns, in each of
/// which all of them ran.
fn ratios<const N: usize>(
    case: &str,
    others: [&str; N],
    run: impl Fn(&str) -> Result<f64>,
) -> Result<[f64; N]> {
    let mut turns = [(); N].map(|()| Vec::with_capacity(TURNS));
    for _ in 0..TURNS {
        let ours = run(case)?;
        for (turns, other) in turns.iter_mut().zip(others) {
            turns.push(ours / run(other)?);
        }
    }
    Ok(turns.map(middle))
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Each tool at three sizes. One that is linear costs ten times as much for ten times the input, or
/// less as long as its fixed part counts; the worse of the two steps is given.
fn growth(rows: &mut Rows, cases: &Cases) -> Result {
    for (name, case, smallest) in [
        ("build an update", "build", 20),
        ("sign X-Qiniu headers", "sign", 10),
        ("decode a list", "list", 100),
        ("lint nodes", "lint", 20),
        ("compare nodes", "diff", 20),
    ] {
        let [first, second, third] = [1, 10, 100].map(|times| {
            let case = format!("{case}:{}", smallest * times);
            cases.each(tools::instructions, &case, None, LARGE)
        });
        let (first, second, third) = (first?, second?, third?);
        let step = (second / first).max(third / second) / 10.0;
        let name = format!("{name}: {smallest} to {}", smallest * 100);
        rows.add(
            name,
            "cost per element, × ten times smaller",
            step,
            AtMost(1.25),
        );
    }
    Ok(())
}

fn builds(rows: &mut Rows) -> Result {
    let name = "pipeline-proto";
    rows.add(name, "crates", programs::crates(name, false)?, AtMost(34.0));
    let scripts = programs::build_scripts()?;
    rows.add("build scripts of ours", "scripts", scripts, AtMost(0.0));
    rows.add(
        name,
        "cold build, × its dependencies",
        programs::cold_build()?,
        AtMost(1.3),
    );

    let programs_of_bench = programs::folder(true)?;
    for (package, most, most_bytes) in [
        ("hello-hyper", 65.0, 3.2e6),
        ("hello-blocking", 50.0, 2.9e6),
    ] {
        rows.add(
            package,
            "crates",
            programs::crates(package, true)?,
            AtMost(most),
        );
        let size = programs::size(&programs_of_bench.join(package))?;
        rows.add(package, "bytes", size, AtMost(most_bytes));
    }
    let pipeline = programs::folder(false)?.join("pipeline");
    let help = |program: &Path| tools::instructions((program, &["--help"]));
    let (ours, bare) = (
        help(&pipeline)?,
        help(&programs_of_bench.join("hello-clap"))?,
    );
    let name = "pipeline --help";
    rows.add(name, "× a bare clap program", ours / bare, AtMost(1.5));
    rows.add("pipeline", "bytes", programs::size(&pipeline)?, AtMost(8e6));
    Ok(())
}
