//! The command, run as a process against an emulator in the test's own process.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use pipeline_emulator::{
    Account, Emulator, EmulatorBuilder, InjectedFault, Transition,
    server::{Server, ServerThread},
};
use pipeline_proto::{Idempotency, resource::OPERATIONS};
use tempfile::TempDir;

pub(crate) const ACCESS_KEY: &str = "access-key-for-tests";

/// Must never be written anywhere. Every run is checked for it.
pub(crate) const SECRET_KEY: &str = "canary-secret-5b1c0e";

/// What a run of the command left behind.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the command writes UTF-8");
        let ran = Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        for shown in [&ran.stdout, &ran.stderr] {
            assert!(!shown.contains(SECRET_KEY), "the secret leaked: {ran:?}");
            assert!(!shown.contains("panicked"), "{ran:?}");
        }
        ran
    }

    /// It succeeded; what it wrote to stdout.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// It succeeded and wrote JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).expect("stdout is JSON")
    }

    /// It failed with this code, no data, and one line of explanation, which is returned.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let line = self.stderr.strip_suffix('\n').unwrap_or_default();
        assert!(
            line.starts_with("error: ") && !line.contains('\n'),
            "{self:?}"
        );
        line["error: ".len()..].to_owned()
    }

    /// The same, with all of these words in its explanation.
    #[track_caller]
    pub(crate) fn fails<W: AsRef<str>>(self, code: i32, words: impl IntoIterator<Item = W>) {
        let shown = format!("{self:?}");
        let line = self.failed(code);
        for word in words {
            assert!(line.contains(word.as_ref()), "{:?}: {shown}", word.as_ref());
        }
    }
}

/// What `config explain -o json` says of a setting.
pub(crate) fn setting<'a>(explained: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let mut lines = explained["settings"].as_array().unwrap().iter();
    lines.find(|line| line["setting"] == name).unwrap()
}

/// What is typed behind the name of the command: a line as a shell takes it apart, or words.
pub(crate) trait Line {
    fn words(self) -> Vec<String>;
}

impl Line for &str {
    fn words(self) -> Vec<String> {
        shell_words::split(self).unwrap()
    }
}

impl Line for &String {
    fn words(self) -> Vec<String> {
        self.as_str().words()
    }
}

impl Line for &[&str] {
    fn words(self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

impl<const N: usize> Line for &[&str; N] {
    fn words(self) -> Vec<String> {
        self.as_slice().words()
    }
}

impl Line for &Vec<&str> {
    fn words(self) -> Vec<String> {
        self.as_slice().words()
    }
}

/// The command without anything from this process's environment.
pub(crate) fn pipeline(line: impl Line) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command.env_clear().args(line.words()).stdin(Stdio::null());
    // Not the profiles of whoever runs the tests.
    command.env("PANDORA_CONFIG_FILE", "/nonexistent/config.toml");
    command
}

pub(crate) fn run(line: impl Line) -> Ran {
    pipeline(line).ran()
}

pub(crate) trait Run {
    /// Begins, with what it writes for the test to read.
    fn begun(&mut self) -> Child;

    /// Runs the command to its end.
    fn ran(&mut self) -> Ran;
}

impl Run for Command {
    fn begun(&mut self) -> Child {
        self.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.spawn().unwrap()
    }

    fn ran(&mut self) -> Ran {
        Ran::of(self.output().unwrap())
    }
}

pub(crate) fn run_with_input(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).begun();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // The command may answer before it has read everything.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran::of(output)
}

/// An emulator behind a port, and the command pointed at it.
pub(crate) struct Service {
    pub(crate) server: ServerThread,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder.transitions(Transition::Immediate))
    }

    pub(crate) fn with(settings: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Self {
        let builder =
            Emulator::builder().account(Account::new("tests").key(ACCESS_KEY, SECRET_KEY));
        let server = Server::on_loopback(settings(builder).build()).unwrap();
        Self { server }
    }

    pub(crate) fn command(&self, line: impl Line) -> Command {
        let mut command = pipeline(line);
        command
            .env("PANDORA_ENDPOINT", self.server.url())
            .env("PANDORA_ACCESS_KEY", ACCESS_KEY)
            .env("PANDORA_SECRET_KEY", SECRET_KEY);
        command
    }

    pub(crate) fn run(&self, line: impl Line) -> Ran {
        self.command(line).ran()
    }

    pub(crate) fn run_with_input(&self, line: impl Line, input: &str) -> Ran {
        run_with_input(self.command(line), input.as_bytes())
    }

    /// Creates a workflow that can be started.
    pub(crate) fn with_workflow(self, name: &str) -> Self {
        self.create(name);
        self.forget();
        self
    }

    /// The same. No two workflows can have one queue: that of the first is `clicks`, then come `click1` and
    /// so on.
    pub(crate) fn create(&self, name: &str) {
        let now = self.server.now();
        let nodes = match self.server.with(|emulator| emulator.snapshot(now).len()) {
            0 => NODES.to_owned(),
            number => NODES.replace("clicks", &format!("click{number}")),
        };
        self.run(&format!("workflow create {name}")).ok();
        self.run_with_input(&format!("workflow update {name} -f -"), &nodes)
            .ok();
    }

    /// The operations that were asked for so far.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        self.server.with(|emulator| {
            let operations = emulator.requests().filter_map(|request| request.operation);
            operations.collect()
        })
    }

    pub(crate) fn forget(&self) {
        self.server.with(Emulator::clear_requests);
    }

    pub(crate) fn inject(&self, fault: InjectedFault) {
        self.server.with(|emulator| emulator.inject(fault));
    }

    /// Those since the last time that change something.
    pub(crate) fn changes(&self) -> Vec<&'static str> {
        let asked = self.asked();
        self.forget();
        let reads = |name: &&str| {
            let mut all = OPERATIONS.iter();
            all.any(|info| info.name == *name && info.idempotency == Idempotency::Safe)
        };
        asked.into_iter().filter(|name| !reads(name)).collect()
    }

    /// Comes back when so many requests have been answered.
    pub(crate) fn when_asked(&self, times: usize) {
        until(|| self.asked().len() >= times);
    }
}

/// Looks again and again, for ten seconds at most.
pub(crate) fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "it did not happen");
        std::thread::yield_now();
    }
}

/// Two nodes that make a workflow startable, as `workflow update` reads them.
pub(crate) const NODES: &str = r#"{
  "region": "nb",
  "nodes": {
    "clicks-repo": {"name": "clicks", "type": "repo",
      "data": {"region": "nb", "schema": [{"key": "ip", "valtype": "string"}]},
      "children": [{"name": "save", "type": "export"}]},
    "save-export": {"name": "save", "type": "export",
      "data": {"type": "http", "spec": {"host": "http://example.com", "uri": "/u"}},
      "parents": [{"name": "clicks", "type": "repo"}]}
  }
}"#;

/// Sends a signal by the system's own command; there is no safe call for it in the standard library.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// A terminal of our own, with nobody at it but the test.
#[cfg(unix)]
pub(crate) struct Terminal {
    /// What a person sees and types.
    screen: std::fs::File,
    /// What the command reads and writes.
    device: std::fs::File,
}

#[cfg(unix)]
impl Terminal {
    pub(crate) fn new() -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        use std::os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _};

        let screen =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap();
        let device = std::fs::File::options()
            .read(true)
            .write(true)
            .custom_flags(rustix::fs::OFlags::NOCTTY.bits().cast_signed())
            .open(std::ffi::OsStr::from_bytes(name.as_bytes()))
            .unwrap();
        Self {
            screen: screen.into(),
            device,
        }
    }

    /// Says how large it is, before or while a command runs at it.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let size = rustix::termios::Winsize {
            ws_col: columns,
            ws_row: rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&self.screen, size).unwrap();
    }

    /// Starts a command that paints on this terminal. What it has written so far can be read meanwhile.
    pub(crate) fn spawn(&self, mut command: Command) -> (Child, Painted) {
        use std::io::Read as _;

        let device = || self.device.try_clone().unwrap();
        command.stdin(device()).stdout(device()).stderr(device());
        let child = command.spawn().unwrap();
        let painted = Painted::default();
        let (mut screen, written) = (self.screen.try_clone().unwrap(), painted.clone());
        // It ends with the test, or when nobody has the device open.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                written.0.lock().unwrap().extend(&bytes[..count]);
            }
        });
        (child, painted)
    }

    /// Runs a command at this terminal, where this has been typed. What it shows is its stderr.
    pub(crate) fn run(self, mut command: Command, typed: &str) -> Ran {
        use std::io::Read as _;

        let Self { mut screen, device } = self;
        screen.write_all(typed.as_bytes()).unwrap();
        command
            .stdin(device.try_clone().unwrap())
            .stderr(device)
            .stdout(Stdio::piped());
        let mut output = command.output().unwrap();
        // The last of those who have the device open is gone with it: the screen then has an end.
        drop(command);
        let mut shown = Vec::new();
        let _ = screen.read_to_end(&mut shown);
        output.stderr = shown;
        Ran::of(output)
    }
}

/// What a command has written to a terminal.
#[cfg(unix)]
#[derive(Clone, Default)]
pub(crate) struct Painted(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(unix)]
impl Painted {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).replace("\r\n", "\n")
    }

    /// The last frame.
    pub(crate) fn frame(&self) -> String {
        let text = self.text();
        text.rsplit("\x1b[J").next().unwrap().to_owned()
    }
}

/// A file in a folder of its own, gone with the value.
pub(crate) struct TemporaryFile {
    path: PathBuf,
    _folder: TempDir,
}

impl TemporaryFile {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Self {
            path,
            _folder: folder,
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// Whether whoever runs the tests has set a signal to be ignored, as a shell does with SIGINT for what it
/// runs in the background: the command then ignores it as well, and it cannot be tested.
#[cfg(unix)]
pub(crate) fn is_ignored(name: &str) -> bool {
    let bit = match name {
        "HUP" => 0,
        "INT" => 1,
        _ => 14,
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Elsewhere SIGHUP does what it does by default.
    mask.map_or(name == "HUP", |mask| mask >> bit & 1 == 1)
}
