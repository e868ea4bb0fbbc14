//! `pipeline ship --buffer` and `pipeline buffer`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::Range,
    process::Stdio,
    thread,
    time::Duration,
};

use http::StatusCode;
use pipeline_emulator::{Emulator, InjectedFault};
use serde_json::Value;

use super::bed::{Bed, balanced};
use crate::support::Run as _;

impl Bed {
    pub(super) fn buffer(&self, line: &str) -> crate::support::Ran {
        let mut command = self.service.command(line);
        command.current_dir(self.path(""));
        command.ran()
    }

    pub(super) fn queue(&self) -> Value {
        let ran = self.buffer("buffer ls spool -o json");
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        document["items"][0].clone()
    }

    /// What was confirmed since the last time, request by request.
    fn take_confirmed(&self) -> Vec<String> {
        self.service.server.with(|emulator| {
            let pushes = emulator.requests().filter(|request| {
                request.operation == Some("push_points") && request.status == StatusCode::OK
            });
            let bodies = pushes.map(|request| {
                assert_eq!(request.body.len(), request.body_length);
                String::from_utf8_lossy(&request.body).into_owned()
            });
            let bodies = bodies.collect();
            Emulator::clear_requests(emulator);
            bodies
        })
    }
}

pub(super) fn lines(numbers: Range<u64>) -> String {
    let lines = numbers.map(|n| format!("n={n}\n"));
    lines.collect::<Vec<_>>().concat()
}

#[test]
fn files_are_read_into_the_buffer_once_and_dead_letters_stay_in_it_until_a_file_takes_them() {
    let bed = Bed::new();
    bed.write("a.points", lines(0..100));
    bed.write("b.ndjson", "{\"n\":\"x\"}\n{\"n\":1}\n");
    let (books, ran, _) = bed.books("a.points b.ndjson --buffer spool");
    assert_eq!((books, ran.code), ([102, 101, 1, 0], Some(1)), "{ran:?}");
    assert!(
        ran.stderr.contains("see: pipeline buffer ls spool"),
        "{ran:?}"
    );
    assert_eq!(bed.arrived(), 101);
    let queue = bed.queue();
    assert_eq!(
        (&queue["name"], &queue["pending"]["records"]),
        (&"clicks".into(), &0.into())
    );
    assert_eq!(queue["letters"][0]["record"], "{\"n\":\"x\"}");
    assert_eq!(queue["letters"][0]["line"], 1);
    let table = bed.buffer("buffer ls spool");
    assert!(table.stdout.contains("b.ndjson:1: "), "{table:?}");
    bed.append("a.points", "n=100\n");
    let (books, ran, _) = bed.books("a.points b.ndjson --buffer spool --dead-letters dead");
    assert_eq!((books, ran.code), ([1, 1, 0, 0], Some(0)), "{ran:?}");
    assert_eq!(bed.letters("dead")[0]["format"], "ndjson");
    assert_eq!(bed.queue()["dead"]["records"], 0);
    bed.buffer("buffer check spool").ok();
    let again = bed.ship("--again dead --buffer spool").failed(2);
    assert!(again.contains("--again"), "{again}");
}

#[test]
fn what_is_left_is_sent_by_the_next_run_with_or_without_files() {
    let bed = Bed::new();
    bed.write("a.points", lines(0..50));
    bed.inject(InjectedFault::status(StatusCode::FORBIDDEN).times(1_000));
    let (books, ran, document) = bed.books("a.points --format points --buffer spool");
    assert_eq!((books, ran.code), ([50, 0, 0, 0], Some(1)), "{ran:?}");
    assert_eq!(document["total"]["pending"]["records"], 50);
    assert_eq!(bed.queue()["pending"]["records"], 50);
    bed.service.server.with(Emulator::clear_faults);
    let (books, ran, document) = bed.books("--buffer spool");
    assert_eq!((books, ran.code), ([50, 50, 0, 0], Some(0)), "{ran:?}");
    assert_eq!(document["items"][0]["file"], "spool");
    assert_eq!(bed.arrived(), 50);
    let (books, ..) = bed.books("--buffer spool");
    assert_eq!(books, [0; 4]);
}

#[test]
fn a_full_buffer_drops_the_oldest_and_counts_them_or_ends_the_run() {
    let bed = Bed::new();
    let line = format!("ip={}\n", "x".repeat(1000));
    bed.write("a.points", line.repeat(600));
    let away = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE);
    bed.inject(away.times(10_000));
    let options = "a.points --format points --buffer spool --buffer-size 200KiB --buffer-full";
    let ran = bed.ship(&format!("{options} refuse -o json"));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("holds no more than 204800 bytes"),
        "{ran:?}"
    );
    let taken = bed.queue()["pending"]["records"].as_u64().unwrap();
    assert!((150..204).contains(&taken), "{taken}");
    let mut child = bed.command(&format!("{options} drop-oldest -o json"));
    let child = child
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_secs(2));
    #[cfg(unix)]
    crate::support::signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [read, accepted, dead, given_up] = balanced(&document["total"]);
    assert_eq!((read, accepted, dead), (600, 0, 0), "{document}");
    assert!(given_up > 300, "{document}");
    assert_eq!(bed.queue()["dropped"]["records"], given_up);
}

/// Kills the command again and again: 5 times, or as often as `PIPELINE_KILLS` says.
#[test]
fn no_kill_loses_a_record_and_only_what_was_in_flight_comes_twice() {
    const EACH: u64 = 500;
    let kills = std::env::var("PIPELINE_KILLS").ok();
    let kills: u64 = kills.and_then(|kills| kills.parse().ok()).unwrap_or(5);
    let mut random = fastrand::Rng::with_seed(kills);
    let bed = Bed::new();
    let (mut counts, mut in_flight) = (BTreeMap::<String, u64>::new(), BTreeSet::new());
    let mut count = |confirmed: &[String]| {
        for line in confirmed.iter().flat_map(|body| body.lines()) {
            *counts.entry(line.to_owned()).or_default() += 1;
        }
    };
    let options = "a.points --buffer spool --no-gzip";
    for kill in 0..kills {
        let numbers = kill * EACH..(kill + 1) * EACH;
        bed.append("a.points", &lines(numbers));
        let mut child = bed.spawn(&format!("{options} --linger 1ms --follow"));
        thread::sleep(Duration::from_millis(random.u64(0..250)));
        child.kill().unwrap();
        child.wait().unwrap();
        let confirmed = bed.take_confirmed();
        count(&confirmed);
        // The last one of each of the two that make requests.
        let last = confirmed.iter().rev().take(2);
        in_flight.extend(last.flat_map(|body| body.lines().map(str::to_owned)));
        if kill % 2 == 1 || kill + 1 == kills {
            bed.ship(options).ok();
            count(&bed.take_confirmed());
            bed.buffer("buffer check spool").ok();
        }
    }
    for n in 0..kills * EACH {
        assert!(counts.contains_key(&format!("n={n}")), "{n} is lost");
    }
    assert_eq!(counts.len() as u64, kills * EACH);
    let twice: Vec<&String> = counts
        .iter()
        .filter(|(_, it)| **it > 1)
        .map(|it| it.0)
        .collect();
    println!(
        "{kills} kills, {} records, {} came twice",
        counts.len(),
        twice.len()
    );
    let other = twice.into_iter().find(|line| !in_flight.contains(*line));
    assert_eq!(other, None, "it was not in flight");
}

#[test]
fn a_damaged_buffer_is_repaired_after_a_question() {
    let bed = Bed::new();
    bed.write("a.points", lines(0..50));
    bed.inject(InjectedFault::status(StatusCode::FORBIDDEN).times(1_000));
    let left = bed.ship("a.points --format points --buffer spool");
    assert_eq!(left.code, Some(1), "{left:?}");
    let whole = bed.buffer("buffer repair spool");
    assert!(whole.stderr.contains("nothing is damaged"), "{whole:?}");
    let file = bed.path("spool/buffer.redb");
    let mut bytes = fs::read(&file).unwrap();
    bytes[..600].fill(0);
    fs::write(&file, &bytes).unwrap();
    for line in ["buffer ls spool", "buffer check spool"] {
        let error = bed.buffer(line).failed(2);
        assert!(error.contains("pipeline buffer repair"), "{error}");
    }
    let asked = bed.buffer("buffer repair spool").failed(2);
    assert!(asked.contains("--yes"), "{asked}");
    let repaired = bed.buffer("buffer repair spool --yes");
    assert!(repaired.stderr.contains("50 records"), "{repaired:?}");
    assert_eq!(
        fs::read(bed.path("spool/buffer.redb.damaged-1")).unwrap(),
        bytes
    );
    bed.buffer("buffer check spool").ok();
    assert_eq!(bed.queue()["pending"]["records"], 50);
    let missing = bed.buffer("buffer ls other").failed(2);
    assert!(missing.contains("there is no buffer"), "{missing}");
}
