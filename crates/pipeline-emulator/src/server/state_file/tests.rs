use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use http::Request;
use pipeline_graph::Definition;

use super::{
    format::{FIRST_LINE, HEADER_LENGTH},
    *,
};
use crate::{
    Authentication, DEVELOPMENT_ACCOUNT, Emulator,
    server::Server,
    state::Change,
    testing::{self, Fixture, NODES},
};

/// A folder of a test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("pipeline-emulator-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("state")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file with three changes in it, and its contents.
fn written(folder: &Folder) -> (Vec<u8>, Snapshot) {
    let mut file = StateFile::open(folder.file()).unwrap();
    let mut service = Fixture::new();
    service.emulator.state.forget_changes();
    for (method, target, body) in [
        ("POST", "/v2/workflows/w", r#"{"region":"nb"}"#),
        (
            "PUT",
            "/v2/workflows/w",
            &format!(r#"{{"region":"nb","nodes":{NODES}}}"#),
        ),
        ("POST", "/v2/workflows/w/start", ""),
    ] {
        service.ok(method, target, body);
        let change = service.emulator.state.take_changes(service.now, || false);
        file.log.write(change).unwrap();
    }
    drop(file);
    let bytes = fs::read(folder.file()).unwrap();
    // What was written, which is before the start had come to its end.
    let contents = StateFile::open(folder.file()).unwrap().contents;
    assert_eq!(contents.len(), 1);
    (bytes, contents)
}

/// Opens a file of these bytes.
fn open(folder: &Folder, bytes: &[u8]) -> Result<Snapshot, StateError> {
    fs::write(folder.file(), bytes).unwrap();
    StateFile::open(folder.file()).map(|file| file.contents)
}

#[test]
fn a_new_file_is_made_and_then_known() {
    let folder = Folder::new();
    assert!(StateFile::open(folder.file()).unwrap().is_new());
    let again = StateFile::open(folder.file()).unwrap();
    assert!(!again.is_new());
    assert_eq!(again.workflows(), 0);
    assert!(!folder.0.join("state.new").exists());
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owners_eyes_unless_the_owner_wants_it_otherwise() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let mode = || fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777;
    let mut file = StateFile::open(folder.file()).unwrap();
    assert_eq!(mode(), 0o600);
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o640)).unwrap();
    file.log.write([Change::Everything(Vec::new())]).unwrap();
    assert_eq!(mode(), 0o640);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let folder = Folder::new();
    drop(StateFile::open(folder.file()).unwrap());
    let link = folder.0.join("link");
    std::os::unix::fs::symlink(folder.file(), &link).unwrap();
    let mut file = StateFile::open(&link).unwrap();
    file.log.write([Change::Everything(Vec::new())]).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

/// Cut off at any byte: what was acknowledged is missed, and told of.
#[test]
fn a_file_cut_short_is_reported() {
    let folder = Folder::new();
    let (bytes, _) = written(&folder);
    for length in 0..bytes.len() {
        let found = read(&bytes[..length]);
        assert!(matches!(found, Err(Reason::Damaged { .. })), "{length}");
    }
    for length in [0, 20, HEADER_LENGTH, bytes.len() - 1] {
        let error = open(&folder, &bytes[..length]).unwrap_err();
        assert_eq!(error.kind(), StateErrorKind::Damaged, "{length}: {error}");
        assert!(error.to_string().contains("left as it is"), "{error}");
        assert_eq!(fs::read(folder.file()).unwrap(), bytes[..length]);
    }
}

/// One bit changed anywhere: either it is told, or nothing was lost by it.
#[test]
fn a_file_with_a_changed_bit_is_reported() {
    let folder = Folder::new();
    let (bytes, contents) = written(&folder);
    let mut harmless = 0;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        match read(&damaged) {
            Ok((found, _)) => {
                assert_eq!(found, contents, "byte {at}");
                harmless += 1;
            }
            Err(Reason::NotAStateFile(_)) => assert!(at < FIRST_LINE.len(), "{at}"),
            Err(reason) => assert!(matches!(reason, Reason::Damaged { .. }), "{at}"),
        }
    }
    // One of the two lengths at a time can be spared.
    assert_eq!(harmless, HEADER_LENGTH - FIRST_LINE.len());
}

#[test]
fn records_that_are_missing_or_stand_in_another_order_are_reported() {
    let folder = Folder::new();
    let (bytes, _) = written(&folder);
    let (header, records) = bytes.split_at(HEADER_LENGTH);
    let text = std::str::from_utf8(records).unwrap();
    // Node data was written over several lines.
    let starts: Vec<_> = text
        .match_indices(" [{\"owner\"")
        .map(|(at, _)| at - 25)
        .chain([text.len()])
        .collect();
    let record = |number: usize| &text[starts[number]..starts[number + 1]];
    assert_eq!(starts.len(), 4);
    for order in [&[1, 2, 0][..], &[0, 2, 1], &[0, 0, 1, 2], &[0, 1, 1, 2]] {
        let records: String = order.iter().map(|number| record(*number)).collect();
        let bytes = [header, records.as_bytes()].concat();
        let error = open(&folder, &bytes).unwrap_err();
        assert_eq!(error.kind(), StateErrorKind::Damaged, "{order:?}");
    }
}

/// What a process leaves that is killed while it writes.
#[test]
fn what_was_not_acknowledged_is_there_whole_or_not_at_all() {
    let folder = Folder::new();
    let (bytes, contents) = written(&folder);
    let mut file = StateFile::open(folder.file()).unwrap();
    let gone = br#"[{"owner":"development","name":"w"}]"#;
    file.log.write([Change::Some(gone.to_vec())]).unwrap();
    drop(file);
    let whole = fs::read(folder.file()).unwrap();
    // The record was appended, the length not yet told.
    let mut unacknowledged = whole.clone();
    unacknowledged[..HEADER_LENGTH].copy_from_slice(&bytes[..HEADER_LENGTH]);
    for length in bytes.len()..=whole.len() {
        let found = open(&folder, &unacknowledged[..length]).unwrap();
        if length < whole.len() {
            assert_eq!(found, contents, "{length}");
            assert_eq!(fs::read(folder.file()).unwrap(), bytes, "the rest is gone");
        } else {
            assert!(found.is_empty());
        }
    }
    // The length was being told: the other one holds.
    for second in [false, true] {
        let mut half = whole.clone();
        let slot = usize::try_from(format::slot_offset(second)).unwrap();
        half[slot + 20..slot + 30].fill(0);
        assert!(open(&folder, &half).unwrap().is_empty());
    }
}

#[test]
fn writing_goes_on_where_it_ended() {
    let folder = Folder::new();
    let (bytes, _) = written(&folder);
    // With something unfinished at the end.
    fs::write(folder.file(), [&bytes[..], b"00000100 "].concat()).unwrap();
    for round in 0..5 {
        let mut file = StateFile::open(folder.file()).unwrap();
        assert_eq!(file.workflows(), 1 + round);
        let mut service = Fixture::new();
        service.emulator.restore(&file.contents, service.now);
        service.emulator.state.forget_changes();
        let path = format!("/v2/workflows/more{round}");
        service.ok("POST", &path, r#"{"region":"nb"}"#);
        let change = service.emulator.state.take_changes(service.now, || false);
        file.log.write(change).unwrap();
    }
}

#[test]
fn a_file_is_written_anew_before_it_has_grown_out_of_all_proportion() {
    let folder = Folder::new();
    let path = folder.file();
    let mut definition = Definition::new("w", [].into());
    definition.comment = "c".repeat(10_000);
    let mut emulator = Emulator::builder()
        .authentication(Authentication::Off)
        .build();
    let now = testing::now();
    emulator
        .add_workflow(DEVELOPMENT_ACCOUNT, &definition, now)
        .unwrap();
    let server = Server::bind("127.0.0.1:0")
        .unwrap()
        .state(StateFile::open(&path).unwrap())
        .start_on_thread(emulator)
        .unwrap();
    let (mut longest, mut rewritten) = (0, 0);
    for _ in 0..400 {
        let before = fs::metadata(&path).unwrap().len();
        for (method, body) in [("PUT", r#"{"region":"nb"}"#), ("GET", "")] {
            let request = Request::builder().method(method).uri("/v2/workflows/w");
            let request = request.body(Bytes::from(body)).unwrap();
            let answer = server.with(|emulator| emulator.handle(request, now));
            assert_eq!(answer.status(), 200);
        }
        let length = fs::metadata(&path).unwrap().len();
        rewritten += u32::from(length < before);
        longest = longest.max(length);
    }
    drop(server);
    assert!(longest < 1_200_000, "{longest}");
    assert!((2..10).contains(&rewritten), "{rewritten}");
    assert_eq!(StateFile::open(&path).unwrap().workflows(), 1);
}

#[test]
fn a_file_has_one_user_at_a_time() {
    let folder = Folder::new();
    let first = StateFile::open(folder.file()).unwrap();
    let error = StateFile::open(folder.file()).unwrap_err();
    assert_eq!(error.kind(), StateErrorKind::InUse);
    assert!(error.to_string().contains("stop it first"), "{error}");
    drop(first);
    drop(StateFile::open(folder.file()).unwrap());
}

#[test]
fn what_is_no_state_file_is_left_alone() {
    let folder = Folder::new();
    let (bytes, _) = written(&folder);
    let newer = String::from_utf8(bytes)
        .unwrap()
        .replacen("version 1", "version 2", 1);
    for (text, reason) in [
        ("# Notes\n", "its first line is another"),
        (&newer, "it has version 2, this program reads version 1"),
    ] {
        let error = open(&folder, text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), StateErrorKind::NotAStateFile);
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(fs::read_to_string(folder.file()).unwrap(), text);
    }
    fs::create_dir(folder.0.join("folder")).unwrap();
    let error = StateFile::open(folder.0.join("folder")).unwrap_err();
    assert_eq!(error.kind(), StateErrorKind::Io);
    assert!(std::error::Error::source(&error).is_some());
    let nowhere = folder.0.join("nowhere").join("state");
    assert_eq!(
        StateFile::open(nowhere).unwrap_err().kind(),
        StateErrorKind::Io
    );
}

/// A record that is whole and says what cannot be: a fault of the program that wrote it.
#[test]
fn a_record_that_makes_no_sense_is_reported() {
    let folder = Folder::new();
    for payload in [
        &b"x"[..],
        b"{}",
        br#"[{"owner":"a"}]"#,
        br#"[{"owner":"a","name":"w","state":{"region":"nb","comment":"","created_ms":0,"updated_ms":0,"phase":"ready","history":[],"next_event":0}}]"#,
    ] {
        let mut file = StateFile::open(folder.file()).unwrap();
        file.log.write([Change::Some(payload.to_vec())]).unwrap();
        drop(file);
        let error = StateFile::open(folder.file()).unwrap_err();
        assert_eq!(error.kind(), StateErrorKind::Damaged);
        assert!(error.to_string().contains(&format!("at byte {HEADER_LENGTH}:")), "{error}");
        fs::remove_file(folder.file()).unwrap();
    }
}

#[test]
fn debug_shows_no_contents() {
    let folder = Folder::new();
    let (_, _) = written(&folder);
    let shown = format!("{:?}", StateFile::open(folder.file()).unwrap());
    assert!(
        shown.contains("workflows: 1") && !shown.contains("clicks"),
        "{shown}"
    );
}
