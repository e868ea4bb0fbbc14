//! `cargo xtask bench --ship SIZE`: lines of a log through the released `pipeline ship` to the released emulator, without
//! faults and with them, and what arrives at the other end.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    str::FromStr,
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{Result, cargo};

use super::{
    programs::{self, Cases, KEYS, Server},
    table::{Document, number},
    tools,
};

/// How much is shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    Records(u64),
    Bytes(u64),
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self> {
        let split = text.find(|c: char| !c.is_ascii_digit());
        let (number, unit) = text.split_at(split.unwrap_or(text.len()));
        let number: u64 = number.parse().map_err(|_| "begin with a number")?;
        match unit {
            "" => Ok(Self::Records(number)),
            "M" => Ok(Self::Records(number * 1_000_000)),
            "MB" => Ok(Self::Bytes(number * 1_000_000)),
            "GB" => Ok(Self::Bytes(number * 1_000_000_000)),
            _ => {
                Err("write 1GB, 500MB, 10M or 10000000, where the last two are records".to_owned())
            }
        }
    }
}

/// Every so many-th record is one that the service refuses, where there are faults.
const BAD: &str = "10000";

/// How often one of the faults happens, in turn, if the one before it has.
const FAULT: Duration = Duration::from_millis(400);

/// What goes wrong: refused for a second, lost after it took effect, refused for its size.
const FAULTS: [&str; 3] = [
    r#"{"operation":"push_points","status":503,"retry_after_s":1}"#,
    r#"{"operation":"push_points","reset":true}"#,
    r#"{"operation":"push_points","status":413}"#,
];

/// What `pipeline ship` may need at most.
const MOST_MEMORY: f64 = 64.0;

const HEAD: &str = "\
| shipped | records | MB/s | CPU s of the client | of the emulator | memory, MiB | requests | halved | accepted | dead | counted at the other end | lost |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
";

pub(super) fn run(amount: Amount, update: bool) -> Result {
    tools::look_for_them()?;
    eprintln!("building");
    programs::build("pipeline-cli", false)?;
    let cases = Cases::build()?;
    let folder = programs::folder(true)?.join("shipped");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let shipped = [false, true].map(|faults| ship(&cases, &folder, amount, faults));
    let _ = fs::remove_dir_all(&folder);
    let [plain, spoiled] = shipped;
    let all = [plain?, spoiled?];
    let lines = all.each_ref().map(|it| it.line.clone());
    print!("{HEAD}{}", lines.concat());
    if update {
        Document::read()?.with_shipped(HEAD, &lines)?;
    }
    let wrong: Vec<_> = all.into_iter().flat_map(|it| it.wrong).collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

struct Shipped {
    line: String,
    wrong: Vec<String>,
}

fn ship(cases: &Cases, folder: &Path, amount: Amount, faults: bool) -> Result<Shipped> {
    let file = folder.join("lines.ndjson");
    let bad = if faults { BAD } else { "0" };
    let (name, records) = match amount {
        Amount::Records(records) => (format!("{} records", number(to_float(records))), records),
        Amount::Bytes(bytes) => {
            let some = cases.output(&["lines", "10000", "0"], &[])?.len() as u64;
            (format!("{} MB", bytes / 1_000_000), bytes * 10_000 / some)
        }
    };
    let name = format!(
        "{name}, {}",
        if faults {
            "with faults"
        } else {
            "without faults"
        }
    );
    eprintln!("{name}: writing the lines");
    let out = File::create(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = ["lines", &records.to_string(), bad];
    cargo::run(cases.command().args(lines).stdout(out))?;

    eprintln!("{name}: shipping them");
    let pipeline = programs::pipeline()?;
    let mut emulator = Command::new(&pipeline);
    let emulator = Server::start(emulator.args(["emulator", "--admin"]).envs(KEYS))?;
    let settings = [
        ("HOME", &*folder.to_string_lossy()),
        ("PANDORA_CONFIG_FILE", "/dev/null"),
        ("PANDORA_ENDPOINT", &emulator.url),
    ];
    let schema = cases.output(&["schema"], &[])?;
    let mut create = Command::new(&pipeline);
    create.args(["repo", "create", "clicks", "--schema", schema.trim()]);
    cargo::output(create.envs(KEYS).envs(settings))?;
    let server_cpu = || cases.number(&["cpu", &emulator.id()]);
    let before = server_cpu()?;
    let client = thread::scope(|scope| {
        let mut command = cases.command();
        command.arg("one").arg(&pipeline);
        command.args(["-o", "json", "ship", "clicks"]).arg(&file);
        command
            .arg("--dead-letters")
            .arg(folder.join("dead.ndjson"));
        command.envs(KEYS).envs(settings);
        let client = scope.spawn(move || Client::run(&mut command));
        let mut next = FAULTS.iter().cycle();
        while !client.is_finished() {
            thread::sleep(FAULT);
            // One at a time: in a back-off there are fewer requests than faults that would wait for them.
            let before = ask(&emulator.url, "faults", None)?;
            let mut before = before["faults"].as_array().into_iter().flatten();
            if faults
                && before.all(|fault| fault["left"] == 0)
                && let Some(fault) = next.next()
            {
                ask(&emulator.url, "faults", Some(fault))?;
            }
        }
        client.join().map_err(|_| "the client could not be run")?
    })?;
    let server_cpu = (server_cpu()? - before) / 1e9;
    let there = ask(&emulator.url, "data", None)?;
    let there = count(&there["queues"][0]["records"]);
    let letters = fs::read_to_string(folder.join("dead.ndjson")).unwrap_or_default();
    let letters = letters.lines().count() as u64;

    let total = |what: &str| count(&client.books["total"][what]["records"]);
    let [read, accepted, dead] = ["read", "accepted", "dead"].map(total);
    let bytes = count(&client.books["total"]["read"]["bytes"]);
    let lost = (read - dead.min(read)).saturating_sub(there);
    let mut wrong = Vec::new();
    for (what, is, wanted) in [
        ("read", read, records),
        ("accepted", accepted, records - dead),
        ("dead", dead, if faults { records / 10_000 } else { 0 }),
        ("dead letters", letters, dead),
        ("lost", lost, 0),
    ] {
        if is != wanted {
            wrong.push(format!("{name}: {what}: {is}, not {wanted}"));
        }
    }
    if client.memory > MOST_MEMORY {
        let memory = number(client.memory);
        wrong.push(format!("{name}: {memory} MiB, not {MOST_MEMORY}"));
    }
    let of_books = |what: &str| number(to_float(count(&client.books[what])));
    let cells = [
        name,
        number(to_float(read)),
        format!("{:.0}", to_float(bytes) / client.wall / 1e6),
        format!("{:.1}", client.cpu),
        format!("{server_cpu:.1}"),
        format!("{:.0}", client.memory),
        of_books("requests"),
        of_books("halved"),
        number(to_float(accepted)),
        number(to_float(dead)),
        number(to_float(there)),
        number(to_float(lost)),
    ];
    let line = format!("| {} |\n", cells.join(" | "));
    eprint!("{line}");
    Ok(Shipped { line, wrong })
}

/// Below 2^53, as everything that is counted here.
#[allow(clippy::cast_precision_loss)]
fn to_float(number: u64) -> f64 {
    number as f64
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// How a run of the client ended: seconds, MiB, and what it says of the records.
struct Client {
    wall: f64,
    cpu: f64,
    memory: f64,
    books: Value,
}

impl Client {
    fn run(command: &mut Command) -> Result<Self> {
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr);
        let figures = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<f64> = figures.split_whitespace().flat_map(str::parse).collect();
        let [wall, cpu, memory, _] = figures[..] else {
            return Err(format!("pipeline ship: {said}"));
        };
        // Between what is said beside it.
        let books = said.find("{\n").map(|at| &said[at..]).unwrap_or_default();
        let mut books = serde_json::Deserializer::from_str(books).into_iter();
        let Some(Ok(books)) = books.next() else {
            return Err(format!("pipeline ship: {said}"));
        };
        Ok(Self {
            wall: wall / 1e9,
            cpu: cpu / 1e9,
            memory: memory / f64::from(1 << 20),
            books,
        })
    }
}

/// Asks the admin interface of the emulator.
fn ask(url: &str, what: &str, body: Option<&str>) -> Result<Value> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--noproxy", "*"]);
    if let Some(body) = body {
        curl.args(["--header", "Content-Type: application/json", "--data", body]);
    }
    let text = cargo::output(curl.arg(format!("{url}/_emulator/{what}")))?;
    serde_json::from_str(&text).map_err(|_| format!("the emulator said {text:?}"))
}

#[test]
fn amounts_are_bytes_or_records() {
    for (text, amount) in [
        ("1GB", Some(Amount::Bytes(1_000_000_000))),
        ("500MB", Some(Amount::Bytes(500_000_000))),
        ("10M", Some(Amount::Records(10_000_000))),
        ("7", Some(Amount::Records(7))),
        ("GB", None),
        ("1TB", None),
    ] {
        assert_eq!(text.parse::<Amount>().ok(), amount, "{text}");
    }
}
