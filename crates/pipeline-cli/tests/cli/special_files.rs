//! What users point at and what is no plain file: each kind against each command that writes.
//!
//! A further kind is a row of `KINDS`, a further command a row of `WRITERS`.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{
        fs::{
            FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
            symlink,
        },
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat};
use tempfile::TempDir;

use crate::support::{NODES, Ran, Run as _, Service, Terminal, pipeline};

/// A command that writes.
struct Writer {
    name: &'static str,
    /// What the file has to be called.
    file: &'static str,
    /// The command that writes to this path.
    command: fn(&Service, &Path) -> Command,
    /// What is then in the file.
    holds: &'static str,
    /// A file that it makes is for its owner only.
    private: bool,
}

const WRITERS: [Writer; 6] = [
    Writer {
        name: "export --out",
        file: "w.yaml",
        command: |service, path| {
            service.command(&format!("workflow export w --yes --out {}", path.display()))
        },
        holds: "name: w\n",
        private: false,
    },
    Writer {
        name: "export --dir",
        file: "w.yaml",
        command: |service, path| {
            let folder = text(path.parent().unwrap());
            service.command(&format!("workflow export w v --yes --dir {folder}"))
        },
        holds: "name: w\n",
        private: false,
    },
    Writer {
        name: "graph --out",
        file: "w.dot",
        command: |service, path| {
            service.command(&format!(
                "workflow graph w --yes --out {} -o dot",
                path.display()
            ))
        },
        holds: "digraph",
        private: false,
    },
    Writer {
        name: "--record",
        file: "w.jsonl",
        command: |service, path| {
            service.command(&format!("workflow list --yes --record {}", path.display()))
        },
        holds: "list_workflows",
        private: true,
    },
    Writer {
        name: "config set",
        file: "config.toml",
        command: |service, path| {
            let mut command = service.command("config set region nb");
            command.env("PANDORA_CONFIG_FILE", path);
            command
        },
        holds: "region = \"nb\"",
        private: true,
    },
    Writer {
        name: "man",
        file: "pipeline-sign.1",
        command: |_, path| pipeline(&["man", text(path.parent().unwrap()), "--yes"]),
        holds: ".TH PIPELINE\\-SIGN",
        private: false,
    },
];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const OLD: &str = "# old\n";

/// A kind of thing to write to.
struct Kind {
    name: &'static str,
    /// Puts it there; false where this machine does not allow that.
    make: fn(&Path) -> bool,
    /// What it is afterwards; the text is what was written.
    check: fn(&Path, &Outcome<'_>),
}

/// What a command has done.
struct Outcome<'a> {
    writer: &'a Writer,
    ran: &'a Ran,
    /// What came out of a pipe.
    piped: &'a str,
}

impl Outcome<'_> {
    /// It has written the file whole.
    #[track_caller]
    fn wrote(&self, path: &Path) {
        self.ran.clone().ok();
        self.holds(&fs::read_to_string(path).unwrap());
    }

    #[track_caller]
    fn holds(&self, text: &str) {
        assert!(text.contains(self.writer.holds) && !text.contains(OLD) || self.appends(text));
    }

    /// Only this one keeps what was there, as it changes one line.
    fn appends(&self, text: &str) -> bool {
        self.writer.name == "config set" && text.contains(self.writer.holds)
    }

    /// It has failed and said so.
    #[track_caller]
    fn failed(&self, says: &str) {
        assert!(self.ran.stderr.contains(says), "{:?}", self.ran);
        // A recording is beside the point of the command, which goes on.
        let goes_on = self.writer.name == "--record" && self.ran.code == Some(0);
        assert!(self.ran.code == Some(2) || goes_on, "{:?}", self.ran);
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn old_file(path: &Path) -> bool {
    fs::write(path, OLD).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    true
}

fn beside(path: &Path, name: &str) -> PathBuf {
    path.with_file_name(name)
}

fn fifo(path: &Path) -> bool {
    mknodat(CWD, path, FileType::Fifo, Mode::from(0o600), 0).is_ok()
}

/// One of the memory devices of Linux, in a folder of our own.
fn device(path: &Path, minor: u32) -> bool {
    let device = makedev(1, minor);
    let made = mknodat(
        CWD,
        path,
        FileType::CharacterDevice,
        Mode::from(0o666),
        device,
    );
    // A mount may forbid the use of devices.
    made.is_ok() && fs::File::options().write(true).open(path).is_ok()
}

const KINDS: [Kind; 11] = [
    Kind {
        name: "nothing",
        make: |_| true,
        check: |path, outcome| {
            outcome.wrote(path);
            assert_eq!(mode(path) == 0o600, outcome.writer.private);
        },
    },
    Kind {
        name: "an empty file, as mktemp makes it",
        make: |path| fs::write(path, "").is_ok(),
        check: |path, outcome| outcome.wrote(path),
    },
    Kind {
        name: "a file with a mode and an owner",
        make: |path| old_file(path) && chown(path, Some(12345), Some(12345)).is_ok(),
        check: |path, outcome| {
            outcome.wrote(path);
            let found = path.metadata().unwrap();
            let owner = (found.uid(), found.gid());
            assert_eq!((mode(path), owner), (0o600, (12345, 12345)));
        },
    },
    Kind {
        name: "a link",
        make: |path| old_file(&beside(path, "real")) && symlink("real", path).is_ok(),
        check: |path, outcome| {
            assert_eq!(fs::read_link(path).unwrap(), Path::new("real"));
            outcome.wrote(&beside(path, "real"));
        },
    },
    Kind {
        name: "a link to nothing",
        make: |path| symlink("real", path).is_ok(),
        check: |path, outcome| {
            assert_eq!(fs::read_link(path).unwrap(), Path::new("real"));
            outcome.wrote(&beside(path, "real"));
        },
    },
    Kind {
        name: "a link to a link to a file of another folder",
        make: |path| {
            fs::create_dir(beside(path, "away")).unwrap();
            symlink("real", beside(path, "away/next")).unwrap();
            symlink("away/next", path).unwrap();
            old_file(&beside(path, "away/real"))
        },
        check: |path, outcome| {
            assert_eq!(fs::read_link(path).unwrap(), Path::new("away/next"));
            outcome.wrote(&beside(path, "away/real"));
        },
    },
    Kind {
        name: "a file with two names",
        make: |path| old_file(path) && fs::hard_link(path, beside(path, "other")).is_ok(),
        check: |path, outcome| {
            outcome.wrote(path);
            outcome.wrote(&beside(path, "other"));
        },
    },
    Kind {
        name: "a pipe",
        make: fifo,
        check: |path, outcome| {
            outcome.ran.clone().ok();
            assert!(path.metadata().unwrap().file_type().is_fifo());
            outcome.holds(outcome.piped);
        },
    },
    Kind {
        name: "a device",
        make: |path| device(path, 3),
        check: |path, outcome| {
            outcome.ran.clone().ok();
            assert!(path.metadata().unwrap().file_type().is_char_device());
        },
    },
    Kind {
        name: "a device that is full",
        make: |path| device(path, 7),
        check: |path, outcome| {
            outcome.failed("No space left");
            assert!(path.metadata().unwrap().file_type().is_char_device());
        },
    },
    Kind {
        name: "a link to standard output",
        make: |path| symlink("/proc/self/fd/1", path).is_ok() && path.exists(),
        check: |path, outcome| {
            assert_eq!(fs::read_link(path).unwrap(), Path::new("/proc/self/fd/1"));
            outcome.holds(&outcome.ran.clone().ok());
        },
    },
];

fn service() -> Service {
    let service = Service::new().with_workflow("w");
    service.run("workflow create v").ok();
    service.run_with_input("workflow update v -f -", NODES);
    service
}

fn names(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// What lies about in the folder that was not there before and is not what was asked for.
#[track_caller]
fn nothing_is_left(before: &BTreeSet<PathBuf>, folder: &Path) {
    let left: Vec<PathBuf> = names(folder).difference(before).cloned().collect();
    let stray = |path: &&PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    assert_eq!(left.iter().find(stray), None);
}

#[test]
fn every_command_writes_to_every_kind_of_file_as_it_is() {
    let service = service();
    for kind in &KINDS {
        for writer in &WRITERS {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join(writer.file);
            if !(kind.make)(&path) {
                continue;
            }
            let before = names(folder.path());
            let is_pipe =
                fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_fifo());
            let reader = is_pipe.then(|| {
                let path = path.clone();
                thread::spawn(move || fs::read_to_string(path).unwrap())
            });
            println!("{} into {}", writer.name, kind.name);
            let ran = (writer.command)(&service, &path).ran();
            if is_pipe {
                // Ends the wait of a reader to whom nobody has written.
                let flags = OFlags::NONBLOCK.bits().cast_signed();
                let _ = fs::File::options()
                    .write(true)
                    .custom_flags(flags)
                    .open(&path);
            }
            let piped = reader.map(|reader| reader.join().unwrap());
            let outcome = Outcome {
                writer,
                ran: &ran,
                piped: piped.as_deref().unwrap_or_default(),
            };
            (kind.check)(&path, &outcome);
            nothing_is_left(&before, folder.path());
        }
    }
}

/// The command, run by a shell that lets no file grow: a disk that is full.
fn on_a_full_disk(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null());
    shell
}

#[test]
fn a_full_disk_leaves_the_old_text_and_nothing_else() {
    let service = service();
    for two_names in [false, true] {
        for writer in &WRITERS {
            println!("{}", writer.name);
            let folder = TempDir::new().unwrap();
            let path = folder.path().join(writer.file);
            old_file(&path);
            if two_names {
                fs::hard_link(&path, folder.path().join("other")).unwrap();
            }
            let before = names(folder.path());
            let command = (writer.command)(&service, &path);
            let ran = on_a_full_disk(&command).ran();
            assert!(ran.stderr.contains("File too large"), "{ran:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
            nothing_is_left(&before, folder.path());
        }
    }
}

/// Runs the command as somebody who is not root; none where that cannot be done.
fn as_nobody(mut command: Command) -> Option<Ran> {
    const NOBODY: u32 = 65534;
    let mut probe = pipeline("--version");
    let can = |command: &mut Command| command.uid(NOBODY).gid(NOBODY).output();
    can(&mut probe).ok()?;
    Some(Ran::of(can(&mut command).unwrap()))
}

#[test]
fn the_file_says_who_may_write_it_and_not_its_folder() {
    let service = service();
    // Manual pages are many, and the others would be new.
    for writer in WRITERS.iter().filter(|writer| writer.name != "man") {
        println!("{}", writer.name);
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(writer.file);
        old_file(&path);
        let nobody = |of: &Path| chown(of, Some(65534), Some(65534)).is_ok();
        // Its own file, in a folder that takes no further one of its.
        let permissions = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), permissions).unwrap();
        if !nobody(&path) {
            return;
        }
        let Some(ran) = as_nobody((writer.command)(&service, &path)) else {
            return;
        };
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.contains(writer.holds), "{ran:?}: {written}");

        // The file of another, in its own folder.
        old_file(&path);
        chown(&path, Some(0), Some(0)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(nobody(folder.path()));
        let ran = as_nobody((writer.command)(&service, &path)).unwrap();
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
    }
}

#[test]
fn a_file_that_is_there_is_asked_about_and_one_that_is_read_is_refused() {
    let folder = TempDir::new().unwrap();
    let source = folder.path().join("w.yaml");
    let picture = folder.path().join("w.svg");
    let named = NODES.replacen('{', "{\"name\": \"w\", ", 1);
    fs::write(&source, &named).unwrap();
    fs::write(&picture, OLD).unwrap();
    let graph = |out: &Path, yes: &[&str]| {
        let graph = [
            "workflow",
            "graph",
            text(&source),
            "-o",
            "svg",
            "--out",
            text(out),
        ];
        pipeline(&[&graph[..], yes].concat())
    };
    graph(&picture, &[]).ran().fails(2, ["exists", "--yes"]);
    let ran = Terminal::new().run(graph(&picture, &[]), "n\n");
    assert_eq!(ran.code, Some(9), "{ran:?}");
    assert_eq!(fs::read_to_string(&picture).unwrap(), OLD);
    Terminal::new().run(graph(&picture, &[]), "y\n").ok();
    assert!(fs::read_to_string(&picture).unwrap().starts_with("<svg"));
    graph(&picture, &["--yes"]).ran().ok();

    // By its name, a link, another name, and as standard input.
    let alias = folder.path().join("link.svg");
    symlink("w.yaml", &alias).unwrap();
    let other = folder.path().join("other.svg");
    fs::hard_link(&source, &other).unwrap();
    let mut commands: Vec<Command> = [&source, &alias, &other]
        .into_iter()
        .map(|out| graph(out, &["--yes"]))
        .collect();
    let mut piped = pipeline(&format!("workflow graph - --yes --out {}", alias.display()));
    piped.stdin(fs::File::open(&source).unwrap());
    commands.push(piped);
    // What is read after the target was opened.
    let record = format!(
        "workflow apply -f {} --yes --record {}",
        source.display(),
        alias.display()
    );
    let service = Service::new();
    commands.push(service.command(&record));
    for mut command in commands {
        command
            .ran()
            .fails(2, ["is read and would be written over"]);
        assert_eq!(fs::read_to_string(&source).unwrap(), named);
    }
}

#[test]
fn what_is_no_place_for_a_file_is_said_before_anything_is_sent() {
    let service = service();
    service.forget();
    let folder = TempDir::new().unwrap();
    let inside = |name: &str| folder.path().join(name);
    symlink("b", inside("a")).unwrap();
    symlink("a", inside("b")).unwrap();
    for (path, says) in [
        (inside(""), "directory"),
        (inside("new/"), "directory"),
        (inside("no/file"), "there is no folder"),
        (inside("a"), "symbolic links"),
    ] {
        service
            .run(&format!("workflow export w --out {}", path.display()))
            .fails(2, [says]);
    }
    assert_eq!(service.asked(), [""; 0]);
    for (arguments, says) in [
        (&["export", "w", "-f", "w.yaml"][..], "--out w.yaml"),
        (&["graph", "w", "-o", "w.svg"], "--out w.svg"),
        (&["graph", "w", "-o", "json"], "tree, mermaid, dot, svg"),
        (&["graph", "w", "--out", "w.png"], ".svg"),
    ] {
        service
            .run(&[&["workflow"], arguments].concat())
            .fails(2, [says]);
    }
    let shown = service.run("workflow export w --out -").ok();
    assert!(shown.starts_with("name: w\n"), "{shown}");
}

#[test]
fn standard_output_that_is_a_file_is_continued_by_whatever_name() {
    let service = service();
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    for name in ["/proc/self/fd/1", text(&log)] {
        fs::write(&log, "before\n").unwrap();
        let file = fs::File::options().append(true).open(&log).unwrap();
        let mut command = service.command(&format!("workflow export w --out {name}"));
        let ran = command.stdout(file).ran();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let text = fs::read_to_string(&log).unwrap();
        assert!(text.starts_with("before\nname: w\n"), "{text}");
    }
}

#[test]
fn a_pipe_that_nobody_reads_is_not_waited_for_for_ever() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pipe");
    assert!(fifo(&path));
    let source = folder.path().join("w.yaml");
    fs::write(&source, NODES).unwrap();
    let command = || {
        pipeline(&format!(
            "workflow graph {} --out {}",
            source.display(),
            path.display()
        ))
    };
    command().ran().fails(2, ["nobody has opened it"]);
    // A reader may come late.
    let mut child = command().stderr(Stdio::piped()).spawn().unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains("save"));
    assert!(child.wait().unwrap().success());
}
