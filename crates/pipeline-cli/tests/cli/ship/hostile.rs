//! What goes wrong around it: files that are none, disks that are full, streams that are closed.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::symlink,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use pipeline_emulator::InjectedFault;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use super::bed::{Bed, balanced, numbered};
use crate::support::{Ran, Run as _, is_ignored, signal, until};

/// A command whose files cannot grow beyond so many blocks of 512 bytes, as on a disk that is full.
fn limited(command: &Command, blocks: u32) -> Command {
    shell(
        command,
        &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""),
    )
}

/// A command as a shell starts it.
fn shell(command: &Command, script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(command.get_program());
    shell
        .args(command.get_args())
        .stdin(Stdio::null())
        .env_clear();
    shell.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    shell.current_dir(command.get_current_dir().unwrap());
    shell
}

#[test]
fn odd_bytes_are_records_or_dead_letters_and_the_lines_after_them_are_read() {
    let long = format!("{{\"ip\":\"{}\"}}\n{{\"n\":1}}\n", "x".repeat(3 << 20));
    for (name, text, books) in [
        (
            "bom.ndjson",
            "\u{feff}{\"n\":1}\r\n{\"n\":2}\r\n".as_bytes(),
            [2, 2, 0, 0],
        ),
        (
            "bom.csv",
            "\u{feff}n,ip\r\n1,a\r\n".as_bytes(),
            [1, 1, 0, 0],
        ),
        (
            "nul.ndjson",
            b"\0\n{\"ip\":\"\0\"}\n{\"ip\":\"\\u0000\"}\n\0\0\0",
            [4, 1, 3, 0],
        ),
        (
            "list.ndjson",
            b"[\n{\"n\":1},\n{\"n\":2}\n]\n",
            [4, 1, 3, 0],
        ),
        ("latin.csv", b"ip\n\xe9\nb\n", [2, 1, 1, 0]),
        ("long.ndjson", long.as_bytes(), [2, 1, 1, 0]),
        ("blank.points", b"\n\r\n \n\t\nn=1", [1, 1, 0, 0]),
        ("one.points", b"\n", [0; 4]),
    ] {
        let bed = Bed::new();
        bed.write(name, text);
        assert_eq!(bed.books(name).0, books, "{name}");
        assert_eq!(bed.arrived(), books[1], "{name}");
    }
}

#[test]
fn what_is_not_written_in_lines_of_records_is_told_how_to_become_so() {
    let utf16: Vec<_> = "{\"n\":1}\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let marked = [b"\xff\xfe", &utf16[..]].concat();
    let mut tar = [0; 1_024];
    tar[257..262].copy_from_slice(b"ustar");
    for (name, text, says) in [
        (
            "a.json",
            &b"[{\"n\":1}]"[..],
            "no JSON object in one line; `jq",
        ),
        (
            "a.json",
            b"{\n  \"n\": 1\n}\n",
            "no JSON object in one line; `jq",
        ),
        (
            "a.json",
            b"{\"n\": 1,\n \"ip\": \"a\"}\n",
            "`jq -c .` of objects",
        ),
        ("a.json", b"{\"n\":1},\n", "`jq -c '.[]'`"),
        ("a.json", &utf16, "`iconv -f UTF-16"),
        ("a.json", &marked, "`iconv -f UTF-16"),
        ("a.csv", &marked, "`iconv -f UTF-16"),
        (
            "a.log",
            b"n,ip\n1,a\n",
            "say --format csv, of other text --format raw",
        ),
        ("a", b"PK\x03\x04\xff", "if it is zip"),
        ("a", b"BZh9\xff", "if it is bzip2"),
        ("a", b"\xfd7zXZ\0", "if it is xz"),
        ("a", &tar, "if it is tar"),
        (
            "a.csv",
            b"n;ip\n1;a\n",
            "say --delimiter ';', or --delimiter ,",
        ),
        ("a.csv", b"n\tip\n1\ta\n", "say --delimiter '\\t', or"),
    ] {
        for options in ["", "--schema-free"] {
            let bed = Bed::new();
            bed.write(name, text);
            let ran = bed.ship(&format!("{name} {options}"));
            assert!(matches!(ran.code, Some(1 | 2)), "{says}: {ran:?}");
            let first = ran
                .stderr
                .lines()
                .find(|line| line.contains(&format!("{name}:1:")));
            assert!(
                first.is_some_and(|line| line.contains(says)),
                "{says}: {ran:?}"
            );
            // Whatever is taken for the name of a field is not shown as a whole.
            assert!(ran.stderr.len() < 1_000, "{ran:?}");
            assert_eq!(bed.arrived(), 0);
        }
    }
    let bed = Bed::empty();
    bed.write("one.csv", "a;b\n1;2\n");
    assert_eq!(
        bed.books("one.csv --schema-free --delimiter ,").0,
        [1, 1, 0, 0]
    );
    bed.write("a.ndjson", "{\"a\":1}\n");
    let said = bed.ship("--again a.ndjson").stderr;
    assert!(said.contains("no dead letter: it has no record"), "{said}");
}

/// Which would take minutes if each of them were compared with all the others.
#[test]
fn a_folder_of_many_small_files_is_shipped_at_once() {
    let bed = Bed::new();
    let files: Vec<_> = (0..4_000).map(|n| format!("{n}.points")).collect();
    for (n, file) in files.iter().enumerate() {
        bed.write(file, format!("n={n}\n"));
    }
    let line = format!("{} --positions pos", files.join(" "));
    assert_eq!(bed.books(&line).0, [4_000, 4_000, 0, 0]);
    assert_eq!(bed.books(&line).0, [0; 4]);
    assert_eq!(bed.arrived(), 4_000);
}

#[test]
fn what_is_no_file_is_told_and_the_others_are_shipped() {
    let bed = Bed::new();
    for name in ["a.points", "z.points"] {
        bed.write(name, "n=1\n");
    }
    fs::create_dir(bed.path("folder")).unwrap();
    symlink("loop", bed.path("loop")).unwrap();
    symlink("nowhere", bed.path("broken")).unwrap();
    let line = "a.points folder loop broken missing z.points";
    let (books, ran, document) = bed.books(line);
    assert_eq!((books, ran.code), ([2, 2, 0, 0], Some(2)), "{ran:?}");
    let error = |item: &Value| item.get("error").is_some();
    let errors: Vec<_> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(error)
        .collect();
    assert_eq!(errors, [false, true, true, true, true, false], "{document}");
    assert!(
        ran.stderr.contains("4 of 6 files not read to the end"),
        "{ran:?}"
    );
    for link in ["link.points", "again.points"] {
        symlink("a.points", bed.path(link)).unwrap();
    }
    let twice = bed.ship("link.points again.points").failed(2);
    assert!(twice.contains("named twice"), "{twice}");
}

#[test]
fn a_pipe_is_read_to_its_end_but_not_followed() {
    let bed = Bed::new();
    let fifo = bed.path("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut pipe = fs::File::options().write(true).open(&fifo).unwrap();
            pipe.write_all(b"n=1\nn=2\nn=3").unwrap();
        });
        assert_eq!(bed.books("fifo").0, [3, 3, 0, 0]);
    });
    bed.write("a.points", "n=1\n");
    for name in ["fifo", "."] {
        let error = bed.ship(&format!("--follow {name} a.points")).failed(2);
        assert!(error.contains("no file that could be followed"), "{error}");
    }
    assert_eq!(bed.arrived(), 3);
}

#[test]
fn streams_that_are_closed_change_nothing_for_the_records() {
    let bed = Bed::new();
    bed.write("a.points", "n=1\n");
    let closed = |line: &str, close: &str| {
        let script = format!("exec \"$0\" \"$@\" {close}");
        shell(&bed.command(line), &script).status().unwrap().code()
    };
    assert_eq!(closed("a.points", "<&- >&- 2>&-"), Some(0));
    assert_eq!(closed("a.points x.points", ">&- 2>&-"), Some(2));
    assert_eq!(closed("-", "<&-"), Some(0));
    assert_eq!(bed.arrived(), 2);
}

#[test]
fn a_file_that_grows_meanwhile_is_shipped_once_by_two_runs() {
    let bed = Bed::new();
    let lines = 3_000;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // In pieces that are no lines.
            let text = numbered(0..lines, "ip=a\tn=");
            for piece in text.as_bytes().chunks(7) {
                bed.append("a.points", std::str::from_utf8(piece).unwrap());
            }
        });
        until(|| bed.path("a.points").exists());
        while !writer.is_finished() {
            let (books, ran, _) = bed.books("a.points --positions pos");
            // A last line that is half there is a record of its own, as it is of a file that does not grow.
            assert_eq!(books[0], books[1] + books[2], "{ran:?}");
        }
    });
    bed.books("a.points --positions pos");
    let last = bed.books("a.points --positions pos").0;
    assert_eq!(last, [0; 4]);
}

#[test]
fn a_full_disk_ends_a_run_and_the_next_one_has_all_of_it() {
    let bed = Bed::new();
    let bad = numbered(0..20, "n=x");
    bed.write("a.points", format!("n=1\n{bad}n=2\n"));
    // Dead letters.
    let line = "a.points --dead-letters dead --positions pos";
    let ran = limited(&bed.command(line), 2).ran();
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("error: dead: "), "{ran:?}");
    bed.ship(line);
    let mut lines: Vec<_> = fs::read_to_string(bed.path("dead"))
        .unwrap()
        .lines()
        .filter_map(|line| {
            let letter: Option<Value> = serde_json::from_str(line).ok();
            letter?["line"].as_u64()
        })
        .collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines, (2..22).collect::<Vec<_>>());
    let stuck = Bed::new();
    stuck.write("a.points", "n=1\n");
    // What a status says takes more than 512 bytes, and is not there when others are told to look.
    let ran = limited(&stuck.command("a.points --status state"), 1).ran();
    assert_eq!((ran.code, stuck.arrived()), (Some(2), 0), "{ran:?}");
    assert!(ran.stderr.starts_with("error: state: "), "{ran:?}");
    assert!(!stuck.path("state").exists());
    // Positions of several files do not fit either.
    for name in ["b.points", "c.points", "d.points"] {
        stuck.write(name, "n=1\n");
    }
    let line = "a.points b.points c.points d.points --positions pos";
    let ran = limited(&stuck.command(line), 1).ran();
    assert_eq!((ran.code, stuck.arrived()), (Some(2), 4), "{ran:?}");
    assert!(ran.stderr.contains("error: pos: "), "{ran:?}");
    assert_eq!(stuck.books(line).0, [4, 4, 0, 0]);
    assert_eq!(stuck.books(line).0, [0; 4]);
}

#[test]
fn the_status_balances_at_any_moment_and_no_loss_of_it_stops_the_shipping() {
    if is_ignored("TERM") {
        return;
    }
    let bed = Bed::new();
    fs::create_dir(bed.path("folder")).unwrap();
    let status = || -> Option<Value> {
        serde_json::from_slice(&fs::read(bed.path("folder/state")).ok()?).unwrap()
    };
    bed.inject(
        InjectedFault::pass()
            .latency(Duration::from_millis(300))
            .times(3),
    );
    // A file that comes later is waited for.
    let mut child = bed.spawn("--follow a.points --linger 0s --status folder/state");
    until(|| status().is_some_and(|status| status["running"] == json!(true)));
    for n in 0..30 {
        bed.append("a.points", &format!("n={n}\nx\n"));
        thread::yield_now();
        balanced(&status().unwrap()["books"]["total"]);
    }
    bed.wait_for(30);
    until(|| status().unwrap()["books"]["total"]["accepted"]["records"] == json!(30));
    fs::rename(bed.path("folder"), bed.path("away")).unwrap();
    // It is said as soon as it is to be written.
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    while !said.contains("there is no folder") {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
    }
    bed.append("a.points", "n=31\n");
    bed.wait_for(31);
    signal(&child, "TERM");
    stderr.read_to_string(&mut said).unwrap();
    let mut ran = Ran::of(child.wait_with_output().unwrap());
    ran.stderr = said;
    assert_eq!(ran.code, Some(143), "{ran:?}");
    assert_eq!(
        ran.stderr.matches("there is no folder").count(),
        1,
        "{ran:?}"
    );
    assert!(ran.stderr.contains("31 accepted, 30 dead"), "{ran:?}");
}

#[test]
fn files_that_are_written_are_no_others() {
    let bed = Bed::new();
    bed.write("a.points", "n=1\n");
    bed.write("x", "");
    symlink("x", bed.path("y")).unwrap();
    symlink("a.points", bed.path("z")).unwrap();
    fs::create_dir(bed.path("folder")).unwrap();
    let fifo = bed.path("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for (options, says) in [
        ("--status x --positions y", "is written already"),
        ("--status x --dead-letters x", "is written already"),
        ("--status new --positions new", "is written already"),
        ("--status z", "is read already"),
        ("--status -", "a file that can be replaced"),
        ("--status fifo", "a file that can be replaced"),
        ("--status folder", "directory"),
        ("--status no/state", "there is no folder"),
    ] {
        let error = bed.ship(&format!("a.points {options}")).failed(2);
        assert!(error.contains(says), "{options}: {error}");
    }
    assert_eq!(bed.arrived(), 0);
    // What a link leads to is replaced, and not the link.
    bed.ship("a.points --status y").ok();
    assert!(fs::symlink_metadata(bed.path("y")).unwrap().is_symlink());
    assert!(
        fs::read_to_string(bed.path("x"))
            .unwrap()
            .contains("\"running\": false")
    );
}
