//! A service with a queue, a folder with files, and the command between them.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Child, ChildStdin, Stdio},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use pipeline_emulator::InjectedFault;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, Run as _, Service, run_with_input};

/// A service with the queue `clicks`, and a folder to work in.
pub(super) struct Bed {
    pub(super) service: Service,
    folder: TempDir,
}

impl Bed {
    pub(super) fn new() -> Self {
        let bed = Self::empty();
        let create = "repo create clicks --schema 'ip string, n long'";
        bed.service.run(create).ok();
        bed
    }

    /// Without the queue.
    pub(super) fn empty() -> Self {
        let (service, folder) = (Service::new(), TempDir::new().unwrap());
        Self { service, folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(super) fn append(&self, name: &str, text: &str) {
        let file = fs::File::options()
            .append(true)
            .create(true)
            .open(self.path(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(super) fn command(&self, line: &str) -> std::process::Command {
        let mut command = self.service.command(&format!("ship clicks {line}"));
        command.current_dir(self.folder.path());
        command
    }

    pub(super) fn ship(&self, line: &str) -> Ran {
        self.command(line).ran()
    }

    /// How many of each: read, accepted, dead, given up; with what else there is in the document.
    #[track_caller]
    pub(super) fn books(&self, line: &str) -> ([u64; 4], Ran, Value) {
        let ran = self.ship(&format!("{line} -o json"));
        let document: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        (balanced(&document["total"]), ran, document)
    }

    /// The same of standard input.
    #[track_caller]
    pub(super) fn pipe(&self, input: &[u8], options: &str) -> ([u64; 4], Ran) {
        let ran = run_with_input(self.command(&format!("- {options} -o json")), input);
        let document: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        (balanced(&document["total"]), ran)
    }

    pub(super) fn spawn(&self, line: &str) -> Child {
        let mut command = self.command(line);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// With standard input for the test to write to.
    pub(super) fn spawn_piped(&self, line: &str) -> (Child, ChildStdin) {
        let mut command = self.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        (child, stdin)
    }

    pub(super) fn arrived(&self) -> u64 {
        let server = &self.service.server;
        server.with(|emulator| emulator.queues().map(|queue| queue.records).sum())
    }

    /// Longer than `until`: a file that was replaced is left only when it is at rest.
    #[cfg(unix)]
    pub(super) fn wait_for(&self, records: u64) {
        for _ in 0..6_000 {
            if self.arrived() >= records {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} records of {records} have arrived", self.arrived());
    }

    pub(super) fn letters(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        let letters = text.lines().map(serde_json::from_str);
        letters.collect::<Result<_, _>>().unwrap()
    }

    pub(super) fn inject(&self, fault: InjectedFault) {
        let server = &self.service.server;
        server.with(|emulator| emulator.inject(fault.on("push_points")));
    }
}

#[track_caller]
pub(super) fn balanced(books: &Value) -> [u64; 4] {
    for unit in ["records", "bytes"] {
        let of = |name: &str| books[name][unit].as_u64().unwrap();
        let settled = of("accepted") + of("dead") + of("given_up") + of("pending");
        assert_eq!(of("read"), settled, "{books}");
    }
    ["read", "accepted", "dead", "given_up"].map(|name| books[name]["records"].as_u64().unwrap())
}

pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// Lines that differ in their numbers.
#[cfg(unix)]
pub(super) fn numbered(numbers: std::ops::Range<u64>, before: &str) -> String {
    let lines: Vec<_> = numbers.map(|n| format!("{before}{n}\n")).collect();
    lines.concat()
}
