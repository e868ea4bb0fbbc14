//! `pipeline ship`: every record has a place in the books, whatever happens on the way.

mod bed;
mod buffer;
mod exports;
mod forms;
mod free;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod rotation;
#[cfg(unix)]
mod trouble;

use std::{fs, io::Write as _, path::Path, process::Child, time::Duration};

use http::StatusCode;
use pipeline_emulator::InjectedFault;
use serde_json::{Value, json};

use self::bed::{Bed, balanced, gzip};
use crate::support::{Ran, until};

#[test]
fn records_of_every_form_arrive_and_those_that_do_not_fit_are_dead_letters() {
    let long = format!("ip={}\n", "x".repeat(3 << 20));
    let cut = gzip("ip=a\nip=b\n");
    for (name, text, options, books, dead) in [
        (
            "a.ndjson",
            &b"{\"ip\":\"a\",\"n\":1}\n\n{\"n\":2}"[..],
            "",
            [2, 2, 0, 0],
            &[][..],
        ),
        (
            "a.ndjson",
            b"{\"n\":\"x\"}\n{\n{\"n\":1}\n{\"more\":1}\n",
            "",
            [4, 1, 3, 0],
            &[1, 2, 4],
        ),
        (
            "a.csv",
            b"ip,n\r\n\"a\nb\",1\r\nc,2,3\r\nd,x\r\ne,4\r\n",
            "",
            [4, 2, 2, 0],
            &[4, 5],
        ),
        (
            "a.tsv",
            b"1\ta\nx\tb\n",
            "--columns n,ip --delimiter '\\t'",
            [2, 1, 1, 0],
            &[2],
        ),
        (
            "a.points",
            b"ip=a\tn=1\nip\nn=\xff\n",
            "--no-gzip",
            [3, 1, 2, 0],
            &[2, 3],
        ),
        ("a.csv.gz", &gzip("n\n1\nx\n2\n"), "", [3, 2, 1, 0], &[3]),
        ("no_name", &gzip("{\"n\":1}\n"), "", [1, 1, 0, 0], &[]),
        ("long.points", long.as_bytes(), "", [1, 0, 1, 0], &[1]),
        ("empty.ndjson", b"", "", [0; 4], &[]),
        ("heading.csv", b"ip,other\n1,2\n", "", [0; 4], &[]),
        ("cut.gz", &cut[..cut.len() - 4], "", [2, 2, 0, 0], &[]),
    ] {
        let bed = Bed::new();
        bed.write(name, text);
        let (found, ran, _) = bed.books(&format!("{name} --dead-letters dead {options}"));
        assert_eq!(found, books, "{name}: {ran:?}");
        assert_eq!(bed.arrived(), books[1], "{name}");
        let letters = bed.letters("dead");
        let lines: Vec<_> = letters
            .iter()
            .map(|letter| letter["line"].as_u64())
            .collect();
        let expected: Vec<_> = dead.iter().map(|line| Some(*line)).collect();
        assert_eq!(lines, expected, "{name}: {letters:?}");
        let is_unread = name == "heading.csv" || name == "cut.gz";
        let code = if is_unread {
            2
        } else {
            i32::from(!dead.is_empty())
        };
        assert_eq!(ran.code, Some(code), "{name}: {ran:?}");
        if name == "heading.csv" {
            assert!(
                ran.stderr
                    .contains("heading.csv:1:4: the schema does not have"),
                "{ran:?}"
            );
        }
    }
}

#[test]
fn a_dead_letter_says_what_it_was_and_is_sent_once_more_when_the_queue_takes_it() {
    let bed = Bed::new();
    bed.write("a.csv", "ip;n\na;1\n\"b;\"\"\";x\n");
    bed.write("b.ndjson", "{\"more\":7}\n{\"n\":3}\n");
    bed.write("c.points", b"n=\xff");
    let first = bed.ship("a.csv b.ndjson c.points --dead-letters dead --delimiter ; --format csv");
    assert_eq!(first.code, Some(2), "{first:?}");
    let none = bed.ship("b.ndjson c.points --dead-letters dead");
    assert!(
        none.stderr
            .contains("see: pipeline ship clicks --again dead"),
        "{none:?}"
    );
    let letters = bed.letters("dead");
    assert_eq!(letters.len(), 3);
    assert_eq!(
        letters[0],
        json!({
            "record": "\"b;\"\"\";x", "format": "csv", "delimiter": ";", "columns": "ip,n",
            "file": "a.csv", "line": 3, "outcome": "dead",
            "reason": "the field \"n\": a text that cannot be made a long",
        })
    );
    assert_eq!(
        (&letters[1]["record"], &letters[2]["bytes"]),
        (&json!("{\"more\":7}"), &json!("bj3/"))
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(bed.path("dead")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // A letter that a fallen machine has cut off.
    bed.append("dead", "{\"record\":");
    let itself = bed.ship("--again dead --dead-letters dead").failed(2);
    assert!(itself.contains("is read already"), "{itself}");
    bed.service.run("repo update clicks --add 'more long'").ok();
    let (books, ran, _) = bed.books("--again dead --dead-letters still");
    assert_eq!((books, ran.code), ([4, 1, 3, 0], Some(1)), "{ran:?}");
    let still = bed.letters("still");
    assert_eq!(
        (&still[0]["file"], &still[0]["line"]),
        (&json!("a.csv"), &json!(3))
    );
    assert_eq!(&still[1]["bytes"], "bj3/");
}

#[test]
fn dead_letters_that_are_sent_once_more_arrive_once_and_their_file_is_left_as_it_is() {
    let bed = Bed::new();
    bed.write(
        "a.ndjson",
        "{\"n\":1}\n{\"n\":\"x\"}\n{\"ip\":\"b\",\"n\":2}\n",
    );
    let gone = InjectedFault::code(pipeline_proto::ErrorCode::REPO_NOT_FOUND);
    bed.inject(gone.always());
    let first = bed.books("a.ndjson --dead-letters dead");
    assert_eq!((first.0, first.1.code), ([3, 0, 3, 0], Some(3)));
    let letters = fs::read(bed.path("dead")).unwrap();
    bed.service
        .server
        .with(pipeline_emulator::Emulator::clear_faults);

    let away = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE);
    bed.inject(away.times(1));
    let (books, ran, document) = bed.books("--again dead --dead-letters still");
    assert_eq!((books, ran.code), ([3, 2, 1, 0], Some(1)), "{ran:?}");
    assert_eq!(document["retries"], 1);
    assert_eq!(bed.arrived(), 2);
    assert!(ran.stderr.contains("--again still"), "{ran:?}");
    let still = bed.letters("still");
    let place = |letter: &Value| (letter["file"].clone(), letter["line"].clone());
    assert_eq!(still.len(), 1);
    assert_eq!(place(&still[0]), (json!("a.ndjson"), json!(2)));
    // What dies once more is told where no file takes it, and stays in the one that was read.
    let ran = bed.ship("--again still");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.contains("a.ndjson:2: the field \"n\""),
        "{ran:?}"
    );
    assert_eq!((bed.letters("still"), bed.arrived()), (still, 2));
    assert_eq!(fs::read(bed.path("dead")).unwrap(), letters);
}

/// What reads standard input meets a queue that is deleted, and later made again with another field.
#[test]
fn a_queue_that_is_made_again_goes_on_and_one_that_is_gone_ends_the_run() {
    for (options, is_back, books, code) in [
        ("", true, [4, 3, 1, 0], 1),
        ("", false, [2, 1, 1, 0], 3),
        ("--buffer buffer", false, [2, 1, 0, 0], 3),
    ] {
        let bed = Bed::new();
        let (mut child, mut stdin) = bed.spawn_piped(&format!(
            "- --linger 10ms --dead-letters dead -o json {options}"
        ));
        let mut write = |text: &str| stdin.write_all(text.as_bytes()).unwrap();
        let again = || {
            let create = "repo create clicks --schema 'n long, more long'";
            bed.service.run(create).ok();
        };
        write("{\"ip\":\"a\",\"n\":1}\n");
        until(|| bed.arrived() == 1);
        bed.service.run("repo delete clicks --yes").ok();
        if is_back {
            again();
            // A new field makes it look, and then it knows of the one that is gone.
            write("{\"n\":2}\n{\"n\":3,\"more\":3}\n{\"ip\":\"b\"}\n");
            until(|| bed.arrived() == 2);
        } else {
            write("{\"n\":2}\n");
            child.wait().unwrap();
        }
        drop(stdin);
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(code), "{options}: {ran:?}");
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(balanced(&document["total"]), books, "{options}: {ran:?}");
        let letters = bed.letters("dead");
        assert_eq!(letters.len() as u64, books[2], "{options}: {letters:?}");
        if is_back {
            let reason = "the field \"ip\": the schema does not have it";
            assert_eq!(letters[0]["reason"], reason, "{letters:?}");
            continue;
        }
        assert!(ran.stderr.contains("E18102"), "{ran:?}");
        again();
        let rest = if options.is_empty() {
            "--again dead"
        } else {
            options
        };
        assert_eq!(bed.books(rest).1.code, Some(0));
        assert_eq!(bed.arrived(), 1);
    }
}

#[test]
fn no_fault_of_the_service_loses_a_record() {
    let lines = "n=1\n".repeat(200);
    for (fault, twice) in [
        (
            InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE)
                .retry_after(Duration::from_secs(1))
                .times(2),
            false,
        ),
        (InjectedFault::pass().reset().times(1), true),
        (
            InjectedFault::status(StatusCode::PAYLOAD_TOO_LARGE).times(2),
            false,
        ),
    ] {
        let bed = Bed::new();
        bed.write("a.points", &lines);
        bed.inject(fault);
        let (books, ran, document) = bed.books("a.points --ordered");
        assert_eq!((books, ran.code), ([200, 200, 0, 0], Some(0)), "{ran:?}");
        assert_eq!(bed.arrived(), if twice { 400 } else { 200 });
        let requests = document["requests"].as_u64().unwrap();
        assert!(requests > 1, "{document}");
    }
}

#[test]
fn what_ends_a_run_is_told_by_its_code() {
    let lines = "n=1\nn=2\n";
    let unavailable = || InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE).always();
    let unwelcome = || InjectedFault::code(pipeline_proto::ErrorCode::REPO_NOT_FOUND).always();
    for (fault, options, books, code) in [
        (
            Some(unavailable()),
            "--give-up-after 300ms --dead-letters dead",
            [2, 0, 0, 2],
            1,
        ),
        (
            Some(InjectedFault::pass().reset().always()),
            "--give-up-after 300ms --dead-letters dead",
            [2, 0, 0, 2],
            8,
        ),
        (Some(unwelcome()), "--dead-letters dead", [2, 0, 2, 0], 3),
        (None, "missing.points --dead-letters dead", [2, 2, 0, 0], 2),
        (
            None,
            "--rate 5MB/s --in-flight 4 --tag ip=x --dead-letters dead",
            [2, 2, 0, 0],
            0,
        ),
    ] {
        let bed = Bed::new();
        bed.write("a.points", lines);
        if let Some(fault) = fault {
            bed.inject(fault);
        }
        let (found, ran, _) = bed.books(&format!("a.points {options}"));
        assert_eq!((found, ran.code), (books, Some(code)), "{options}: {ran:?}");
        // What did not arrive is there to be sent once more.
        assert_eq!(
            bed.letters("dead").len() as u64,
            books[2] + books[3],
            "{ran:?}"
        );
    }
    let bed = Bed::new();
    bed.write("a.points", "x\n");
    let zh = bed.ship("a.points b.points --lang zh").stderr;
    let says = "1 条已读取，0 条已接受，1 条死信; 2 个文件中有 1 个没有读完";
    assert!(zh.contains(says), "{zh}");
    for (line, says) in [
        ("a.points ./a.points", "named twice"),
        ("--follow", "--follow is for files"),
        ("a.points --rate 5MB", "a size a second"),
        ("--again a.points b.points", "cannot be used with"),
        ("a.points --in-flight 0", "1..=64"),
    ] {
        bed.write("a.points", lines);
        let error = bed.ship(line).failed(2);
        assert!(error.contains(says), "{line}: {error}");
    }
    assert_eq!(bed.arrived(), 0);
}

#[test]
fn a_dry_run_checks_everything_and_sends_nothing() {
    let bed = Bed::new();
    bed.write("a.ndjson", "{\"n\":1}\n{\"n\":\"x\"}\n");
    let (_, ran, document) = bed.books("a.ndjson --dry-run --dead-letters dead");
    assert_eq!((ran.code, &document["points"]), (Some(1), &json!(["n=1"])));
    assert!(
        ran.stderr.contains("a.ndjson:2: the field \"n\""),
        "{ran:?}"
    );
    assert_eq!((bed.arrived(), bed.path("dead").exists()), (0, false));
}

#[test]
fn a_repeated_run_skips_what_was_accepted_and_finds_files_that_were_moved() {
    let bed = Bed::new();
    let ship = |books: [u64; 4]| {
        let (found, ran, _) = bed.books("log.csv --positions pos --dead-letters dead");
        assert_eq!(found, books, "{ran:?}");
    };
    bed.write("log.csv", "n,ip\n1,a\n");
    ship([1, 1, 0, 0]);
    ship([0; 4]);
    bed.append("log.csv", "2,b\nx,c\n");
    ship([2, 1, 1, 0]);
    assert_eq!(bed.letters("dead")[0]["line"], 4);
    bed.append("log.csv", "4,d\n");
    fs::rename(bed.path("log.csv"), bed.path("log.csv.1")).unwrap();
    bed.write("log.csv", "ip,n\ne,5\n");
    ship([2, 2, 0, 0]);
    // Compressed, it is the same file.
    bed.append("log.csv", "f,6\n");
    let text = fs::read_to_string(bed.path("log.csv")).unwrap();
    fs::remove_file(bed.path("log.csv.1")).unwrap();
    bed.write("log.csv", gzip(&text));
    ship([1, 1, 0, 0]);
    // Another file of the same name is not.
    bed.write("log.csv", "ip,n\ng,7\n");
    ship([1, 1, 0, 0]);
    // What is held back is not skipped.
    bed.append("log.csv", "h,8\n");
    bed.inject(InjectedFault::code(
        pipeline_proto::ErrorCode::REPO_NOT_FOUND,
    ));
    let (books, ran, _) = bed.books("log.csv --positions pos");
    assert_eq!((books, ran.code), ([1, 0, 1, 0], Some(3)), "{ran:?}");
    assert_eq!(bed.arrived(), 6);
    ship([1, 1, 0, 0]);
    bed.write("pos", "{");
    assert!(
        bed.ship("log.csv --positions pos")
            .failed(2)
            .contains("no positions")
    );
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_what_is_left_in_the_positions_or_among_the_dead_letters() {
    use crate::support::{is_ignored, signal};

    if is_ignored("TERM") {
        return;
    }
    for (options, letters) in [
        ("--dead-letters dead", 2),
        ("--dead-letters dead --positions pos", 0),
    ] {
        let bed = Bed::new();
        bed.write("a.points", "n=1\nn=2\n");
        let away = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE);
        bed.inject(away.retry_after(Duration::from_secs(300)).always());
        let child = bed.spawn(&format!("a.points --linger 0s {options} -o json"));
        bed.service.when_asked(3);
        signal(&child, "TERM");
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(143), "{ran:?}");
        assert!(
            ran.stderr
                .contains("terminated: 2 read, 0 accepted, 2 given up"),
            "{ran:?}"
        );
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(balanced(&document["total"]), [2, 0, 0, 2]);
        assert_eq!(bed.letters("dead").len(), letters);
        bed.service
            .server
            .with(pipeline_emulator::Emulator::clear_faults);
        let rest = if letters > 0 {
            "--again dead"
        } else {
            "a.points --positions pos"
        };
        assert_eq!(bed.books(rest).0, [2, 2, 0, 0]);
    }
    // Whoever waits for a record that never comes.
    let bed = Bed::new();
    let (child, mut stdin) = bed.spawn_piped("-");
    stdin.write_all(b"n=1\nn=2").unwrap();
    until(|| bed.arrived() == 1);
    signal(&child, "TERM");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(143), "{ran:?}");
    assert!(ran.stderr.contains("1 read, 1 accepted"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_followed_loses_nothing_by_rotation_and_restarts() {
    use crate::support::is_ignored;

    type Rotate = fn(&Bed, &Path);
    let rename: Rotate = |bed, path| fs::rename(path, bed.path("log.points.1")).unwrap();
    let copy: Rotate = |bed, path| {
        fs::copy(path, bed.path("log.points.1")).unwrap();
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(0)
            .unwrap();
    };
    let delete: Rotate = |_, path| fs::remove_file(path).unwrap();
    if is_ignored("TERM") {
        return;
    }
    // It takes a while until a file that was replaced is at rest.
    std::thread::scope(|scope| {
        for rotate in [rename, copy, delete] {
            scope.spawn(move || follows(rotate));
        }
    });
}

#[cfg(unix)]
fn follows(rotate: fn(&Bed, &Path)) {
    use crate::support::signal;

    let bed = Bed::new();
    let path = bed.path("log.points");
    let follow = || bed.spawn("--follow log.points --positions pos --linger 10ms -o json");
    let end = |child: Child| {
        signal(&child, "TERM");
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(143), "{ran:?}");
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        balanced(&document["total"])
    };
    let child = follow();
    bed.append("log.points", "n=1\nn=2\nn=");
    bed.wait_for(2);
    bed.append("log.points", "3\n");
    bed.wait_for(3);
    rotate(&bed, &path);
    bed.append("log.points", "n=14\nn=15\n");
    bed.wait_for(5);
    assert_eq!(end(child), [5, 5, 0, 0]);
    bed.append("log.points", "n=16\n");
    fs::rename(&path, bed.path("log.points.2")).unwrap();
    bed.append("log.points", "n=17\n");
    let child = follow();
    bed.wait_for(7);
    assert_eq!(end(child), [2, 2, 0, 0]);
    assert_eq!(bed.arrived(), 7);
}

#[test]
fn an_output_that_nobody_reads_does_not_stop_it() {
    let bed = Bed::new();
    bed.write("a.points", "n=1\nx\nn=2\n");
    let mut child = bed.spawn("a.points");
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(bed.arrived(), 2);
}

#[test]
fn push_unpacks_files_as_ship_does() {
    let bed = Bed::new();
    bed.write("a.csv.gz", gzip("n\n1\n2\n"));
    let push = format!("repo push clicks {}", bed.path("a.csv.gz").display());
    bed.service.run(&push).ok();
    assert_eq!(bed.arrived(), 2);
}

#[cfg(unix)]
#[test]
fn a_terminal_shows_how_it_goes_and_a_second_signal_ends_it_at_once() {
    use crate::support::{Terminal, is_ignored, signal};

    if is_ignored("TERM") || is_ignored("INT") {
        return;
    }
    let slow = InjectedFault::pass().latency(Duration::from_secs(60));
    let away = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE);
    for (fault, shows) in [(slow, "0 B/s, oldest"), (away, "oldest")] {
        let bed = Bed::new();
        bed.write("a.points", "n=1\nn=2\n");
        bed.inject(fault.always());
        let terminal = Terminal::new();
        let (mut child, painted) = terminal.spawn(bed.command("a.points --linger 0s"));
        let line = format!("clicks: 2 read, 0 accepted, 2 pending, {shows}");
        until(|| painted.text().contains(&line));
        signal(&child, "TERM");
        signal(&child, "INT");
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(130 | 143)), "{code:?}");
        // The account of the first one takes as long as the request may.
        assert!(!painted.text().contains("GIVEN UP"), "{}", painted.text());
    }
}

#[cfg(unix)]
#[test]
fn a_field_that_is_added_while_a_file_is_followed_is_known_and_an_unknown_one_is_a_dead_letter() {
    use crate::support::{is_ignored, signal};

    if is_ignored("TERM") {
        return;
    }
    // Whether the schema can be read again: if not, the service decides.
    for is_readable in [true, false] {
        let bed = Bed::new();
        let options = "--follow log.ndjson log.csv --linger 10ms --dead-letters dead -o json";
        bed.write("log.csv", "n\n");
        let child = bed.spawn(options);
        bed.append("log.ndjson", "{\"n\":1}\n");
        bed.append("log.csv", "2\n");
        bed.wait_for(2);
        let update = "repo update clicks --schema 'ip string, n long, agent string'";
        bed.service.run(update).ok();
        if !is_readable {
            let server = &bed.service.server;
            let fault = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE)
                .on("get_repo")
                .always();
            server.with(|emulator| emulator.inject(fault));
        }
        bed.append("log.ndjson", "{\"n\":3,\"agent\":\"curl\"}\n");
        bed.wait_for(3);
        bed.append(
            "log.ndjson",
            "{\"n\":4,\"agnet\":\"curl\"}\n{\"n\":5}\n{\"agent\":\"w\"}\n",
        );
        bed.wait_for(5);
        signal(&child, "TERM");
        let ran = Ran::of(child.wait_with_output().unwrap());
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(balanced(&document["total"]), [6, 5, 1, 0], "{ran:?}");
        let letters = bed.letters("dead");
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert_eq!(letters[0]["line"], 3, "{letters:?}");
        assert_eq!(letters[0]["code"].is_null(), is_readable, "{letters:?}");
    }
}
