use std::{fs, path::Path, sync::Arc, thread};

use pipeline_proto::RepoName;
use tempfile::TempDir;

use super::{
    Buffer, BufferError, BufferErrorKind, Full, Letter, Settings, check, look, place::FILE,
    power::settle, repair,
};
use crate::{
    books::Count,
    verdict::{Outcome, Reason},
};

type Make<'a> = &'a dyn Fn(&Path);

fn repo() -> RepoName {
    "clicks".parse().unwrap()
}

fn open(folder: &Path) -> Result<Buffer, BufferError> {
    Buffer::open(folder, &repo())
}

/// A buffer of five records, of which one is done and one is dead.
fn filled(folder: &Path) {
    let buffer = open(folder).unwrap();
    for number in 0..5 {
        let line = format!("n={number}");
        let place = Some(("file", &b"here"[..]));
        buffer
            .put_from(&Arc::from("file"), number, line.as_bytes(), place)
            .unwrap();
    }
    buffer.sync(4).unwrap();
    settle(&buffer, 1, b"n=1".to_vec(), Outcome::Accepted);
    settle(
        &buffer,
        3,
        b"n=3".to_vec(),
        Outcome::Dead(Reason::NotOneLine),
    );
    buffer.close().unwrap();
}

#[test]
fn what_was_acknowledged_is_there_when_it_is_opened_again() {
    let folder = TempDir::new().unwrap();
    filled(folder.path());
    let buffer = open(folder.path()).unwrap();
    let stats = buffer.stats();
    assert_eq!(
        (stats.pending, stats.next),
        (
            Count {
                records: 3,
                bytes: 9
            },
            5
        )
    );
    assert_eq!((stats.dead.records, stats.dropped.records), (1, 0));
    assert_eq!(buffer.places().unwrap()["file"], b"here");
    let mut letters = Vec::new();
    let taken = buffer.take_letters::<BufferError>(|found| {
        letters.extend_from_slice(found);
        Ok(())
    });
    assert_eq!(taken.unwrap(), 1);
    assert_eq!((letters[0].number, letters[0].note), (3, 3));
    assert_eq!(letters[0].reason, "it is not one line of text");
    assert_eq!(buffer.stats().dead.records, 0);
    drop(buffer);
    let queues = look(folder.path(), 10).unwrap();
    assert_eq!(
        (queues[0].stats.pending.records, queues[0].letters.len()),
        (3, 0)
    );
    assert!(queues[0].oldest.is_some());
    check(folder.path()).unwrap();
}

#[test]
fn a_folder_has_the_records_of_several_queues_apart() {
    let folder = TempDir::new().unwrap();
    filled(folder.path());
    let other = Buffer::open(folder.path(), &"views".parse().unwrap()).unwrap();
    assert_eq!(other.put(b"v=1").unwrap().number, 0);
    other.close().unwrap();
    let pending = |name| {
        let queues = look(folder.path(), 0).unwrap();
        let queue = queues.iter().find(|queue| queue.name == name).unwrap();
        queue.stats.pending.records
    };
    assert_eq!((pending("clicks"), pending("views")), (3, 1));
    check(folder.path()).unwrap();
}

#[test]
fn a_second_one_on_the_same_folder_is_refused_until_the_first_is_closed() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path()).unwrap();
    for error in [
        open(folder.path()).unwrap_err(),
        look(folder.path(), 0).unwrap_err(),
    ] {
        assert_eq!(error.kind(), BufferErrorKind::InUse);
        assert!(
            error.to_string().contains("another process uses"),
            "{error}"
        );
    }
    first.close().unwrap();
    assert_eq!(
        first.put(b"a=1").unwrap_err().kind(),
        BufferErrorKind::Closed
    );
    open(folder.path()).unwrap();
}

#[test]
fn what_is_no_buffer_is_refused_and_left_as_it_is() {
    let make_nothing = |_: &Path| {};
    let write =
        |bytes: &'static [u8]| move |path: &Path| fs::write(path.join(FILE), bytes).unwrap();
    let (text, empty, zeros) = (write(b"# something else\n"), write(b""), write(&[0; 9000]));
    let foreign = |path: &Path| {
        let database = redb::Database::create(path.join(FILE)).unwrap();
        let write = database.begin_write().unwrap();
        let table = redb::TableDefinition::<u64, u64>::new("other");
        write.open_table(table).unwrap().insert(1, 1).unwrap();
        write.commit().unwrap();
    };
    let folder = |path: &Path| fs::create_dir(path.join(FILE)).unwrap();
    let newer = |path: &Path| {
        drop(open(path).unwrap());
        let database = redb::Database::create(path.join(FILE)).unwrap();
        let write = database.begin_write().unwrap();
        let table = redb::TableDefinition::<&str, u64>::new("about a pipeline buffer");
        write
            .open_table(table)
            .unwrap()
            .insert("version", 2)
            .unwrap();
        write.commit().unwrap();
    };
    let cases: [(Make<'_>, BufferErrorKind, &str); 7] = [
        (
            &text,
            BufferErrorKind::NotABuffer,
            "begins with something else",
        ),
        (&empty, BufferErrorKind::Damaged, "its beginning is empty"),
        (&zeros, BufferErrorKind::Damaged, "its beginning is empty"),
        (
            &foreign,
            BufferErrorKind::NotABuffer,
            "database of another program",
        ),
        (&newer, BufferErrorKind::NotABuffer, "it has version 2"),
        (&folder, BufferErrorKind::NotABuffer, "no regular file"),
        (&make_nothing, BufferErrorKind::Io, "there is no buffer"),
    ];
    for (make, kind, says) in cases {
        let folder = TempDir::new().unwrap();
        make(folder.path());
        let file = folder.path().join(FILE);
        let before = fs::read(&file).ok();
        let error = match kind {
            BufferErrorKind::Io => look(folder.path(), 0).map(drop).unwrap_err(),
            _ => open(folder.path()).map(drop).unwrap_err(),
        };
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        if !says.contains("version") && !says.contains("another program") {
            assert_eq!(fs::read(&file).ok(), before, "{says}");
        }
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "text").unwrap();
    assert!(
        open(&path)
            .unwrap_err()
            .to_string()
            .contains("is no folder")
    );
    let missing = open(&folder.path().join("b/c")).unwrap_err();
    assert!(missing.to_string().contains("make it first"), "{missing}");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_is_followed_and_one_in_place_of_the_file_is_not() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = TempDir::new().unwrap();
    let path = |name| folder.path().join(name);
    filled(&path("real"));
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path("real")), 0o700);
    assert_eq!(mode(path("real").join(FILE)), 0o600);
    symlink(path("real"), path("link")).unwrap();
    assert_eq!(open(&path("link")).unwrap().stats().pending.records, 3);
    fs::create_dir(path("other")).unwrap();
    symlink(path("real").join(FILE), path("other").join(FILE)).unwrap();
    let error = open(&path("other")).unwrap_err();
    assert_eq!(error.kind(), BufferErrorKind::NotABuffer);
}

#[test]
fn a_making_that_was_cut_off_is_begun_again() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("buffer.redb.new"), [7; 5000]).unwrap();
    filled(folder.path());
    assert_eq!(open(folder.path()).unwrap().stats().pending.records, 3);
}

#[test]
fn it_takes_no_more_bytes_than_it_may_and_says_what_it_dropped() {
    let line = [b'a'; 1000];
    let folder = TempDir::new().unwrap();
    let settings = || Settings::new(folder.path()).limit(100_000);
    let buffer = Buffer::open(settings().full(Full::Refuse), &repo()).unwrap();
    let mut taken = 0;
    let error = loop {
        match buffer.put(&line) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), BufferErrorKind::Full);
    assert!((90..100).contains(&taken), "{taken}");
    buffer.close().unwrap();

    let buffer = Buffer::open(settings().full(Full::DropOldest), &repo()).unwrap();
    let dropped: u64 = (0..500)
        .map(|_| buffer.put(&line).unwrap().dropped.len() as u64)
        .sum();
    let stats = buffer.stats();
    assert!(stats.held <= 100_000, "{stats:?}");
    assert_eq!(stats.dropped.records, dropped);
    assert_eq!(stats.pending.records + dropped, taken + 500);
    // What is larger than everything waits for nothing, and nothing makes room for it.
    let error = buffer.put(&vec![b'a'; 200_000]).unwrap_err();
    assert_eq!(error.kind(), BufferErrorKind::Full);
    buffer.close().unwrap();
    check(folder.path()).unwrap();
    assert_eq!(
        look(folder.path(), 0).unwrap()[0].stats.dropped.records,
        stats.dropped.records
    );
}

#[test]
fn who_has_no_room_waits_until_something_is_done_or_it_is_closed() {
    let (line, source) = ([b'a'; 1000], Arc::from(""));
    let folder = TempDir::new().unwrap();
    let settings = Settings::new(folder.path()).limit(100_000);
    let buffer = Buffer::open(settings, &repo()).unwrap();
    // What gathers counts for a little more than what is written.
    let fill = || {
        while buffer.try_put_from(&source, 0, &line, None).is_ok() {
            while buffer.try_put_from(&source, 0, &line, None).is_ok() {}
            buffer.sync_all().unwrap();
        }
    };
    fill();
    let next = buffer.stats().next;
    assert!((90..100).contains(&next), "{next}");
    thread::scope(|scope| {
        let waits = scope.spawn(|| buffer.put(&line).unwrap());
        // Nothing was dropped, and nothing else makes room.
        buffer.sync_all().unwrap();
        assert_eq!(buffer.stats().pending.records, next);
        assert!(!waits.is_finished());
        (0..next).for_each(|number| settle(&buffer, number, line.to_vec(), Outcome::Accepted));
        buffer.sync_all().unwrap();
        assert_eq!(waits.join().unwrap().number, next);
        fill();
        let waits = scope.spawn(|| buffer.put(&line).unwrap_err());
        buffer.close().unwrap();
        assert_eq!(waits.join().unwrap().kind(), BufferErrorKind::Closed);
    });
    let found = &look(folder.path(), 0).unwrap()[0].stats;
    assert!(
        found.pending.records > 90 && found.dropped.records == 0,
        "{found:?}"
    );
}

#[test]
fn a_damaged_file_is_repaired_and_kept() {
    // Each part of the file in turn: whatever it is, nothing panics, and what is whole is saved.
    let folder = TempDir::new().unwrap();
    filled(folder.path());
    let whole = fs::read(folder.path().join(FILE)).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let (mut damaged, mut saved) = (0, 0);
    for at in (0..used).step_by(512) {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join(FILE);
        let mut bytes = whole.clone();
        let end = (at + 512).min(bytes.len());
        bytes[at..end].iter_mut().for_each(|byte| *byte = !*byte);
        fs::write(&file, &bytes).unwrap();
        if check(folder.path()).is_ok() {
            continue;
        }
        damaged += 1;
        let before = fs::read(&file).unwrap();
        let repaired = repair(folder.path()).unwrap();
        assert_eq!(fs::read(&repaired.copy).unwrap(), before, "{at}");
        check(folder.path()).unwrap();
        saved += usize::from(repaired.records.records >= 3);
        let buffer = open(folder.path()).unwrap();
        let taken = buffer.put(b"n=9").unwrap();
        buffer.sync(taken.number).unwrap();
    }
    assert!(damaged > 3, "{damaged}");
    assert!(saved + 3 > damaged, "{saved} of {damaged}");
}

#[test]
fn what_gathers_is_not_acknowledged_after_the_disk_has_failed() {
    let folder = TempDir::new().unwrap();
    let buffer = open(folder.path()).unwrap();
    buffer.put(b"a=1").unwrap();
    buffer.sync(0).unwrap();
    // A failure of the kind that a disk has, which the next one hides.
    buffer.lock().failed = Some("broken".to_owned());
    assert_eq!(
        buffer.put(b"a=2").unwrap_err().kind(),
        BufferErrorKind::Failed
    );
    assert_eq!(buffer.sync(1).unwrap_err().kind(), BufferErrorKind::Failed);
    buffer.sync(0).unwrap();
    let letter = Letter::new("", 0, "", "", b"");
    assert!(buffer.put_letter(letter, None).is_err());
}
