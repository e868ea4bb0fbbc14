//! `pipeline ship --buffer` when the disk refuses, the buffer is full, or the queue is gone.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Child, Command},
    thread,
    time::Duration,
};

use http::StatusCode;
use pipeline_emulator::{Emulator, InjectedFault};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use super::{
    bed::{Bed, balanced},
    buffer::lines,
};
use crate::support::{Ran, until};

type Make<'a> = &'a dyn Fn(&Path);

impl Bed {
    fn away(&self, times: u32) {
        let away = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE);
        self.inject(away.times(times));
    }

    fn back(&self) {
        self.service.server.with(Emulator::clear_faults);
    }

    /// Comes back when a buffer has so many records on the disk, which is told by the size of its file.
    fn wait_for_buffer(&self, child: &mut Child, bytes: u64) {
        let file = self.path("spool/buffer.redb");
        until(|| fs::metadata(&file).is_ok_and(|found| found.len() >= bytes));
        assert!(child.try_wait().unwrap().is_none());
    }
}

fn with_small_files(command: &Command, blocks: u32) -> Command {
    let mut limited = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    limited.arg("-c").arg(script).arg(command.get_program());
    limited.args(command.get_args());
    limited.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

#[test]
fn a_disk_that_takes_nothing_more_ends_the_run_with_what_is_kept_and_the_next_one_goes_on() {
    const ALL: u64 = 12_000;
    let text: Vec<_> = (0..ALL)
        .map(|n| format!("n={n}\tip={}\n", "x".repeat(1_000)))
        .collect();
    let text = text.concat();
    for (input, options) in [
        ("a.points", ""),
        ("a.points", "--follow"),
        ("-", "--format points"),
    ] {
        let bed = Bed::new();
        bed.write("a.points", &text);
        bed.away(100_000);
        let line = format!("{input} {options} --buffer spool -o json");
        let mut command = with_small_files(&bed.command(&line), 6_000);
        if input == "-" {
            command.stdin(fs::File::open(bed.path("a.points")).unwrap());
        }
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.code, Some(2), "{options}: {ran:?}");
        for says in [
            "size that is allowed for a file",
            "not in the buffer",
            "pipeline buffer ls spool",
        ] {
            assert!(ran.stderr.contains(says), "{options}: {ran:?}");
        }
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let [read, accepted, dead, given_up] = balanced(&document["total"]);
        assert_eq!((accepted, dead, given_up), (0, 0, 0), "{document}");
        assert!(read > 100 && read < ALL, "{document}");
        bed.buffer("buffer check spool").ok();
        assert_eq!(bed.queue()["pending"]["records"], read, "{options}");
        bed.back();
        let rest = if input == "-" { "" } else { input };
        let (books, ran, _) = bed.books(&format!("{rest} --buffer spool"));
        let expected = if input == "-" { read } else { ALL };
        assert_eq!(
            (books[1], ran.code),
            (expected, Some(0)),
            "{options}: {ran:?}"
        );
        assert_eq!(bed.arrived(), expected, "{options}");
    }
}

#[test]
fn what_stands_in_the_place_of_a_buffer_is_refused_at_once_and_left_as_it_is() {
    let fifo =
        |path: &Path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let folder = |path: &Path| fs::create_dir(path).unwrap();
    let file = |path: &Path| fs::write(path, "text").unwrap();
    let link = |path: &Path| symlink("elsewhere", path).unwrap();
    let cases: [(&str, Make<'_>, &str); 9] = [
        ("spool", &file, "is no folder"),
        ("spool", &fifo, "is no folder"),
        ("spool", &link, "is no folder"),
        ("spool/buffer.redb", &file, "begins with something else"),
        ("spool/buffer.redb", &fifo, "no regular file"),
        ("spool/buffer.redb", &folder, "no regular file"),
        ("spool/buffer.redb", &link, "no regular file"),
        ("spool/buffer.redb.new", &fifo, "no regular file"),
        ("spool/buffer.redb.new", &link, "no regular file"),
    ];
    for (name, make, says) in cases {
        let bed = Bed::new();
        bed.write("a.points", lines(0..5));
        if name != "spool" {
            fs::create_dir(bed.path("spool")).unwrap();
        }
        make(&bed.path(name));
        let error = bed.ship("a.points --buffer spool").failed(2);
        assert!(error.contains(says), "{name}: {error}");
        assert_eq!(bed.arrived(), 0);
        let found = fs::symlink_metadata(bed.path(name)).unwrap();
        assert!(!found.is_file() || fs::read(bed.path(name)).unwrap() == b"text");
        for line in [
            "buffer ls spool",
            "buffer check spool",
            "buffer repair spool --yes",
        ] {
            bed.buffer(line).failed(2);
        }
    }
    // Root may write everywhere.
    let bed = Bed::new();
    bed.write("a.points", lines(0..5));
    fs::create_dir(bed.path("spool")).unwrap();
    fs::set_permissions(bed.path("spool"), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(bed.path("spool/probe"), "").is_err() {
        let error = bed.ship("a.points --buffer spool").failed(2);
        assert!(error.contains("permission"), "{error}");
    }
}

#[test]
fn a_full_buffer_that_blocks_goes_on_when_the_service_is_back_and_ends_with_a_signal_until_then() {
    const ALL: u64 = 600;
    let text: Vec<_> = (0..ALL)
        .map(|n| format!("n={n}\tip={}\n", "x".repeat(1_000)))
        .collect();
    let bed = Bed::new();
    bed.write("a.points", text.concat());
    let options = "a.points --buffer spool --buffer-size 200KiB --no-gzip";
    bed.away(100_000);
    let mut child = bed.spawn(&format!("{options} -o json"));
    bed.wait_for_buffer(&mut child, 200 << 10);
    thread::sleep(Duration::from_millis(300));
    crate::support::signal(&child, "TERM");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(143), "{ran:?}");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let [read, accepted, dead, given_up] = balanced(&document["total"]);
    assert_eq!((accepted, dead, given_up), (0, 0, 0), "{document}");
    assert!(read < 204, "{document}");
    assert_eq!(bed.queue()["pending"]["records"], read);
    // Now it waits until there is room, again and again.
    bed.back();
    bed.away(3);
    let (books, ran, _) = bed.books(options);
    assert_eq!((books, ran.code), ([ALL, ALL, 0, 0], Some(0)), "{ran:?}");
    let queue = bed.queue();
    let (dropped, bytes) = (&queue["dropped"]["records"], &queue["bytes"]);
    assert_eq!((bed.arrived(), dropped, bytes), (ALL, &0.into(), &0.into()));
}

#[test]
fn without_a_schema_what_a_killed_run_has_kept_makes_its_queue_at_the_next_start() {
    let bed = Bed::empty();
    let record = |n: u64| format!("{{\"n\":{n},\"at\":\"2026-11-28T00:20:47Z\"}}\n");
    bed.write("a.ndjson", (0..500).map(record).collect::<String>());
    bed.service.server.with(|emulator| {
        let away = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE);
        emulator.inject(away.times(100_000));
    });
    let mut child = bed.spawn("a.ndjson --schema-free --dates --buffer spool --follow");
    // Its file is that large from the beginning.
    bed.wait_for_buffer(&mut child, 1);
    until(|| !bed.service.asked().is_empty());
    thread::sleep(Duration::from_millis(500));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(bed.queue()["pending"]["records"], 500);
    bed.back();
    // Without the option they are no points, and stay what they are.
    bed.service.run("repo create clicks --schema 'n long'").ok();
    let error = bed.ship("--buffer spool").failed(2);
    assert!(error.contains("--schema-free"), "{error}");
    bed.service.run("repo delete clicks --yes").ok();
    let (books, ran, _) = bed.books("a.ndjson --schema-free --dates --buffer spool");
    assert_eq!((books, ran.code), ([500, 500, 0, 0], Some(0)), "{ran:?}");
    assert!(ran.stderr.contains("clicks has 2 fields now"), "{ran:?}");
    assert_eq!(bed.arrived(), 500);
}

#[test]
fn a_service_that_is_away_at_the_start_is_waited_for_where_a_run_is_to_outlive_it() {
    let bed = Bed::new();
    bed.write("a.points", lines(0..10));
    let away = || {
        let away = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE).on("get_repo");
        // One more than a call tries.
        let server = &bed.service.server;
        server.with(|emulator| emulator.inject(away.times(4)));
    };
    away();
    for options in ["", "--schema-free", "--schema-free --dry-run"] {
        bed.ship(&format!("a.points {options}")).failed(1);
        bed.back();
        away();
    }
    bed.back();
    for options in ["--buffer spool", "--follow"] {
        away();
        let child = bed.spawn(&format!("a.points {options}"));
        until(|| bed.arrived() >= 10);
        crate::support::signal(&child, "TERM");
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(
            ran.stderr.matches("until the service is there").count(),
            1,
            "{ran:?}"
        );
        bed.service.run("repo delete clicks --yes").ok();
        bed.service.run("repo create clicks --schema 'n long'").ok();
    }
}

#[test]
fn a_queue_that_was_deleted_meanwhile_keeps_its_records_in_the_buffer_until_it_is_there_again() {
    let bed = Bed::new();
    let (delete, create) = (
        "repo delete clicks --yes",
        "repo create clicks --schema 'n long'",
    );
    bed.write("a.points", lines(0..100));
    bed.away(100_000);
    let follow = || {
        bed.service.server.with(Emulator::clear_requests);
        let child = bed.spawn("a.points --buffer spool --follow");
        until(|| bed.service.asked().contains(&"push_points"));
        child
    };
    let mut child = follow();
    child.kill().unwrap();
    child.wait().unwrap();
    bed.back();
    bed.service.run(delete).ok();
    for _ in 0..2 {
        let error = bed.ship("--buffer spool").failed(3);
        assert!(error.contains("E18102"), "{error}");
        let queue = bed.queue();
        let (pending, dead) = (&queue["pending"]["records"], &queue["dead"]["records"]);
        assert_eq!((pending, dead), (&100.into(), &0.into()));
    }
    bed.service.run(create).ok();
    bed.away(100_000);
    // Now it goes while records are under way.
    let child = follow();
    bed.service.run(delete).ok();
    bed.back();
    let asked = bed.service.asked().len();
    bed.service.when_asked(asked + 1);
    bed.service.run(create).ok();
    bed.wait_for(100);
    crate::support::signal(&child, "TERM");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(143), "{ran:?}");
    assert_eq!(
        (bed.arrived(), &bed.queue()["pending"]["records"]),
        (100, &0.into())
    );
}

#[test]
fn a_buffer_is_looked_into_in_chinese() {
    let bed = Bed::new();
    bed.write("a.points", lines(0..5));
    bed.ship("a.points --buffer spool").ok();
    let file = bed.path("spool/buffer.redb");
    let whole = [
        ("buffer check spool", "所有记录都完整"),
        ("buffer repair spool", "没有损坏"),
    ];
    let damaged = [
        ("buffer repair spool", "要重写缓冲 spool 吗？"),
        ("buffer repair spool --yes", "已保存 0 条记录"),
    ];
    for (index, (line, says)) in whole.into_iter().chain(damaged).enumerate() {
        if index == whole.len() {
            let mut bytes = fs::read(&file).unwrap();
            bytes[..600].fill(0);
            fs::write(&file, bytes).unwrap();
        }
        let ran = bed.buffer(&format!("--lang zh {line}"));
        assert!(ran.stderr.contains(says), "{line}: {ran:?}");
    }
}
