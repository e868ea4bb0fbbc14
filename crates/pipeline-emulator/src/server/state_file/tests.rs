use std::{
    fs, io,
    os::unix::{fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
    process::Command,
    sync::{atomic::Ordering, mpsc},
    time::SystemTime,
};

use bytes::Bytes;
use http::Request;
use redb::{Builder, TableDefinition};
use tempfile::TempDir;

use super::*;
use crate::{
    Authentication, Emulator, Transition,
    server::{Courier, Limits, StateEvent, shared::Shared},
};

/// A process that another test starts has the lock as well from its fork to its exec, so a few refusals
/// say nothing; many do.
fn open(path: &Path) -> Result<StateFile, StateError> {
    for _ in 0..10_000 {
        match StateFile::open(path) {
            Err(error) if error.kind() == StateErrorKind::InUse => std::thread::yield_now(),
            opened => return opened,
        }
    }
    StateFile::open(path)
}

fn now() -> Now {
    Now::new(SystemTime::UNIX_EPOCH, std::time::Duration::ZERO)
}

fn emulator() -> Emulator {
    Emulator::builder()
        .authentication(Authentication::Off)
        .transitions(Transition::Immediate)
        .build()
}

/// An emulator with a workflow, whose changes are recorded.
fn with_workflow(name: &str) -> Emulator {
    let mut emulator = emulator();
    emulator.state.take_changes(now());
    emulator.handle(create(name), now());
    emulator
}

fn create(name: &str) -> Request<Bytes> {
    let body = Bytes::from(r#"{"region":"nb"}"#);
    let create = Request::post(format!("/v2/workflows/{name}")).body(body);
    create.unwrap()
}

/// A file that holds a workflow.
fn write_file(path: &Path) {
    let mut file = open(path).unwrap();
    let image = with_workflow("w").state.image();
    file.write_all(&image, now()).unwrap();
}

/// Whether a command is there and does it.
fn run(program: &str, arguments: &[&str], path: &Path) -> bool {
    let status = Command::new(program).arg(path).args(arguments).status();
    status.is_ok_and(|status| status.success())
}

/// Makes something in a folder and gives its path; none where the machine does not let it.
type Make = fn(&Path) -> Option<PathBuf>;

/// Why a place is refused; nothing where it serves.
type Heard = Option<(StateErrorKind, &'static str)>;

const NOT_A_FILE: StateErrorKind = StateErrorKind::NotAFile;
const NOT_OURS: StateErrorKind = StateErrorKind::NotAStateFile;

/// What people may point at, and what they hear of it; nothing where it serves.
const PLACES: &[(&str, Make, Heard)] = &[
    ("nothing", |folder| Some(folder.join("state")), None),
    ("an empty file", |folder| file(folder, b""), None),
    ("a state file", state, None),
    (
        "a link to a state file",
        |folder| link(folder, &state(folder)?),
        None,
    ),
    (
        "a link to nothing",
        |folder| link(folder, &folder.join("not yet")),
        None,
    ),
    (
        "a state file in use under another name",
        |folder| {
            let path = state(folder)?;
            // It stays open until the test process ends.
            std::mem::forget(StateFile::open(&path).ok()?);
            let name = folder.join("hard");
            fs::hard_link(path, &name).ok()?;
            Some(name)
        },
        Some((StateErrorKind::InUse, "another emulator uses")),
    ),
    (
        "a folder",
        |folder| Some(folder.to_owned()),
        Some((NOT_A_FILE, "is a folder")),
    ),
    ("a FIFO", fifo, Some((NOT_A_FILE, "is a FIFO"))),
    (
        "a link to a FIFO",
        |folder| link(folder, &fifo(folder)?),
        Some((NOT_A_FILE, "is a FIFO")),
    ),
    (
        "a socket",
        |folder| {
            let path = folder.join("socket");
            UnixListener::bind(&path).ok().map(|_| path)
        },
        Some((NOT_A_FILE, "is a socket")),
    ),
    (
        "a device",
        |folder| {
            let path = folder.join("device");
            run("mknod", &["c", "1", "5"], &path).then_some(path)
        },
        Some((NOT_A_FILE, "is a device")),
    ),
    (
        "a file in no folder",
        |folder| Some(folder.join("missing/state")),
        Some((StateErrorKind::Io, "its folder does not exist")),
    ),
    (
        "a file in a file",
        |folder| Some(file(folder, b"text")?.join("state")),
        Some((StateErrorKind::Io, "is no folder")),
    ),
    (
        "a link in a circle",
        |folder| link(folder, &folder.join("link")),
        Some((StateErrorKind::Io, "cannot be used")),
    ),
    (
        "a file without permission",
        |folder| {
            let path = state(folder)?;
            let none = std::os::unix::fs::PermissionsExt::from_mode(0o0);
            fs::set_permissions(&path, none).ok()?;
            // Root needs none.
            fs::File::open(&path).is_err().then_some(path)
        },
        Some((StateErrorKind::Io, "permission")),
    ),
    (
        "a name that is too long",
        |folder| Some(folder.join("x".repeat(300))),
        Some((StateErrorKind::Io, "its name is too long")),
    ),
    (
        "something else",
        |folder| file(folder, b"{\"version\":1}"),
        Some((NOT_OURS, "begins with something else")),
    ),
    (
        "the old format",
        |folder| {
            file(
                folder,
                b"pipeline-emulator state file, version 1\nacknowledged",
            )
        },
        Some((NOT_OURS, "an earlier version")),
    ),
    (
        "a large file of zeros",
        |folder| file(folder, &vec![0; 8 << 20]),
        Some((NOT_OURS, "something else")),
    ),
    (
        "a boot sector",
        |folder| {
            let mut bytes = vec![0; 4096];
            bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
            file(folder, &bytes)
        },
        Some((NOT_OURS, "something else")),
    ),
    (
        "a database of another program",
        |folder| {
            let path = folder.join("other");
            let database = Builder::new().create(&path).ok()?;
            let write = database.begin_write().ok()?;
            let table: TableDefinition<'_, u64, u64> = TableDefinition::new("theirs");
            write.open_table(table).ok()?.insert(1, 1).ok()?;
            write.commit().ok()?;
            Some(path)
        },
        Some((NOT_OURS, "another program")),
    ),
];

fn file(folder: &Path, bytes: &[u8]) -> Option<PathBuf> {
    let path = folder.join("file");
    fs::write(&path, bytes).ok().map(|()| path)
}

#[expect(clippy::unnecessary_wraps, reason = "it stands in the table as it is")]
fn state(folder: &Path) -> Option<PathBuf> {
    let path = folder.join("state");
    write_file(&path);
    Some(path)
}

fn link(folder: &Path, to: &Path) -> Option<PathBuf> {
    let path = folder.join("link");
    symlink(to, &path).ok().map(|()| path)
}

fn fifo(folder: &Path) -> Option<PathBuf> {
    let path = folder.join("fifo");
    run("mkfifo", &[], &path).then_some(path)
}

#[test]
fn whatever_a_path_leads_to_serves_or_is_refused_with_the_cause() {
    for (what, make, refused) in PLACES {
        let folder = TempDir::new().unwrap();
        let Some(path) = make(folder.path()) else {
            println!("{what}: not possible here");
            continue;
        };
        let kind = |path: &Path| fs::symlink_metadata(path).ok().map(|it| it.file_type());
        let bytes = |path: &Path| {
            let is_file = fs::metadata(path).is_ok_and(|it| it.is_file());
            is_file.then(|| fs::read(path).ok()).flatten()
        };
        let before = (kind(&path), bytes(&path));
        // A file that is held by this very process is not waited for.
        let in_use = refused.is_some_and(|(kind, _)| kind == StateErrorKind::InUse);
        let opened = if in_use {
            StateFile::open(&path)
        } else {
            open(&path)
        };
        match (opened, refused) {
            (Ok(mut file), None) => {
                file.write_all(&with_workflow("v").state.image(), now())
                    .unwrap();
                drop(file);
                assert_eq!(open(&path).unwrap().workflows(), 1, "{what}");
                let stays = before.0.is_none_or(|before| kind(&path) == Some(before));
                assert!(stays, "{what} is still one");
            }
            (Err(error), Some((kind_of_error, words))) => {
                assert_eq!(error.kind(), *kind_of_error, "{what}: {error}");
                assert!(error.to_string().contains(words), "{what}: {error}");
                assert!(before == (kind(&path), bytes(&path)), "{what} is as it was");
            }
            (opened, _) => panic!("{what}: {opened:?}"),
        }
    }
}

#[test]
fn what_the_file_system_says_is_put_into_words() {
    for (kind, words) in [
        (io::ErrorKind::NotFound, "make it first"),
        (io::ErrorKind::PermissionDenied, "permission"),
        (io::ErrorKind::ReadOnlyFilesystem, "read-only"),
        (io::ErrorKind::StorageFull, "full"),
        (io::ErrorKind::QuotaExceeded, "quota"),
        (io::ErrorKind::Other, "other"),
    ] {
        let (path, reason) = ("the-path".into(), Reason::Io(kind.into()));
        let text = StateError { path, reason }.to_string();
        assert!(text.contains(words) && text.contains("the-path"), "{text}");
    }
}

/// Gives the bytes of a file whose process was killed, and of one that was closed.
fn used_and_closed() -> [Vec<u8>; 2] {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state");
    let mut file = open(&path).unwrap();
    let mut emulator = with_workflow("w");
    file.write_all(&emulator.state.image(), now()).unwrap();
    emulator.state.take_changes(now());
    emulator.handle(create("v"), now());
    file.write(&emulator.state.take_changes(now())).unwrap();
    let used = fs::read(&path).unwrap();
    drop(file);
    [used, fs::read(&path).unwrap()]
}

#[test]
fn a_file_that_was_damaged_is_not_read_as_another() {
    for bytes in used_and_closed() {
        let whole = read(&bytes).unwrap().unwrap();
        assert_eq!(whole.len(), 2);
        let mut noticed = 0;
        let used = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
        let places: Vec<usize> = used.map(|(at, _)| at).collect();
        for at in places.iter().step_by(7) {
            let mut damaged = bytes.clone();
            damaged[*at] ^= 0x15;
            match read(&damaged) {
                // Nobody needs that byte.
                Ok(found) => assert!(found.as_ref() == Some(&whole), "byte {at}"),
                Err(Reason::Damaged(_) | Reason::NotAStateFile(_)) => noticed += 1,
                Err(other) => panic!("byte {at}: {other:?}"),
            }
        }
        assert!(noticed > 20, "{noticed} of {}", places.len());
        for length in [1, 9, 100, 4096, 5000, bytes.len() / 2, bytes.len() - 1] {
            let cut = read(&bytes[..length]);
            assert!(cut.is_err() && !is_unfinished(&bytes[..length]), "{length}");
        }
    }
}

/// A server's inside over a state file, what it says of the file, and the switch that fills the disk.
struct Served {
    shared: Arc<Shared>,
    events: mpsc::Receiver<String>,
    is_full: Arc<std::sync::atomic::AtomicBool>,
    runtime: tokio::runtime::Runtime,
}

impl Served {
    fn new(path: &Path) -> Self {
        let file = open(path).unwrap();
        let is_full = file.place.is_full.clone();
        let (sender, events) = mpsc::channel();
        let watcher = move |event: &StateEvent| drop(sender.send(event.to_string()));
        let limits = Limits::default();
        let kept = Some((file, Box::new(watcher) as Box<_>));
        let shared = Shared::new(
            emulator(),
            Box::new(now),
            limits,
            kept,
            None,
            Courier::new().0,
        );
        Self {
            shared: shared.unwrap(),
            events,
            is_full,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        }
    }

    /// The status with which a request is answered.
    fn send(&self, request: Request<Bytes>) -> u16 {
        let asked = self
            .shared
            .ask(|emulator, now| emulator.handle(request, now));
        let answered = self.runtime.block_on(asked);
        answered
            .map_or_else(|refusal| refusal.status, |answer| answer.status())
            .as_u16()
    }

    fn get(&self, name: &str) -> u16 {
        let get = Request::get(format!("/v2/workflows/{name}")).body(Bytes::new());
        self.send(get.unwrap())
    }

    /// It has said one thing, with these words in it.
    #[track_caller]
    fn has_said(&self, words: &str) {
        let said: Vec<String> = self.events.try_iter().collect();
        assert!(said.len() == 1 && said[0].contains(words), "{said:?}");
    }
}

/// A folder, a state file in it, and a server over that, which has a workflow.
fn served_with(name: &str) -> (TempDir, PathBuf, Served) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state");
    let served = Served::new(&path);
    assert_eq!(served.send(create(name)), 200);
    (folder, path, served)
}

#[test]
fn a_full_disk_refuses_changes_until_there_is_space_again() {
    let (_folder, path, served) = served_with("before");
    served.is_full.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(served.send(create("refused")), 503);
        assert_eq!(served.get("refused"), 404, "it was taken back");
        assert_eq!(served.get("before"), 200, "what needs no disk goes on");
    }
    served.has_said("the disk is full");
    assert!(served.shared.finish().is_err());
    served.is_full.store(false, Ordering::SeqCst);
    assert_eq!(served.send(create("refused")), 200);
    served.has_said("changes are kept again");
    served.shared.finish().unwrap();
    drop(served);
    assert_eq!(open(&path).unwrap().workflows(), 2);
}

#[test]
fn a_file_that_is_removed_while_it_is_used_is_written_anew() {
    let (_folder, path, served) = served_with("before");
    fs::remove_file(&path).unwrap();
    assert_eq!(served.send(create("after")), 200);
    served.has_said("was removed");
    // Nobody else gets hold of the new one either.
    assert_eq!(
        StateFile::open(&path).unwrap_err().kind(),
        StateErrorKind::InUse
    );
    // Nor does it take a change to notice.
    fs::remove_file(&path).unwrap();
    served.shared.finish().unwrap();
    drop(served);
    assert_eq!(open(&path).unwrap().workflows(), 2);
}

#[test]
fn a_file_that_is_replaced_while_it_is_used_is_said_and_not_touched() {
    let (folder, path, served) = served_with("before");
    fs::write(folder.path().join("other"), "theirs").unwrap();
    fs::rename(folder.path().join("other"), &path).unwrap();
    assert_eq!(served.send(create("refused")), 503);
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
    served.has_said("another file");
    fs::remove_file(&path).unwrap();
    assert_eq!(served.send(create("after")), 200);
    drop(served);
    assert_eq!(open(&path).unwrap().workflows(), 2);
}

#[test]
fn a_folder_that_is_removed_with_the_file_is_said() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("inner/state");
    fs::create_dir(folder.path().join("inner")).unwrap();
    let served = Served::new(&path);
    fs::remove_dir_all(folder.path().join("inner")).unwrap();
    assert_eq!(served.send(create("refused")), 503);
    served.has_said("folder does not exist");
    let finished = served.shared.finish().unwrap_err().to_string();
    assert!(finished.contains("not everything was kept"), "{finished}");
}
