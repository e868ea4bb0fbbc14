//! The process that the command is: its log, its signals, its state file, its memory.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
};

use tempfile::TempDir;

use super::{Running, last_words};
use crate::support::{SECRET_KEY, pipeline, signal};

/// A connection over which one request after the other is sent.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn new(running: &Running) -> Self {
        let addr = running.text("url").strip_prefix("http://").unwrap();
        Self(BufReader::new(TcpStream::connect(addr).unwrap()))
    }

    /// Gives the status of the response.
    fn send(&mut self, method: &str, target: &str, body: &str) -> u16 {
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            if line == "\r\n" {
                break;
            }
            status = status.or_else(|| line.split(' ').nth(1)?.parse().ok());
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        self.0.read_exact(&mut vec![0; length]).unwrap();
        status.unwrap()
    }
}

/// A pipe holds 64 KiB. Whoever gives one and does not read it stops neither service nor signals.
#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    let mut running = Running::new(pipeline("emulator --log --auth off"));
    let mut connection = Connection::new(&running);
    let target = format!("/v2/workflows/{}", "x".repeat(1_000));
    for _ in 0..1_000 {
        assert_eq!(connection.send("GET", &target, ""), 400);
    }
    signal(&running.child, "TERM");
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_log_that_is_read_late_tells_what_is_missing() {
    const SENT: usize = 6_000;
    let mut running = Running::new(pipeline("emulator --log --auth off"));
    let mut connection = Connection::new(&running);
    for _ in 0..SENT {
        connection.send("GET", "/v2/workflows/w", "");
    }
    let mut stderr = BufReader::new(running.child.stderr.take().unwrap());
    let (mut told, mut line) = (0, String::new());
    // What it does not execute is said before the log begins.
    stderr.read_line(&mut line).unwrap();
    while told < SENT {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "{told} of {SENT}");
        told += match line.strip_prefix('(') {
            Some(dropped) => dropped.split(' ').next().unwrap().parse().unwrap(),
            None => 1,
        };
    }
    assert_eq!(told, SENT);
}

/// Signals in every situation that a test run leaves an emulator in.
#[test]
fn a_polite_signal_ends_it_whatever_it_is_doing() {
    type Occupy = fn(&Running) -> Option<TcpStream>;
    fn begin(running: &Running, text: &str) -> Option<TcpStream> {
        let addr = running.text("url").strip_prefix("http://")?;
        let mut stream = TcpStream::connect(addr).ok()?;
        stream.write_all(text.as_bytes()).ok()?;
        Some(stream)
    }
    let situations: &[(&str, Occupy)] = &[
        ("nothing", |_| None),
        ("a connection without a request", |it| begin(it, "")),
        ("half a head", |it| begin(it, "GET / HTTP/1.1\r\nHo")),
        ("half a body", |it| {
            let head = "POST /v2/workflows/w HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{";
            begin(it, head)
        }),
    ];
    for (what, occupy) in situations {
        let signals = [("INT", 1), ("TERM", 1), ("TERM", 3)].into_iter();
        for (name, times) in signals.filter(|(name, _)| !crate::support::is_ignored(name)) {
            let mut running = Running::new(pipeline("emulator --auth off"));
            let occupied = occupy(&running);
            for _ in 0..times {
                signal(&running.child, name);
            }
            assert_eq!(
                running.child.wait().unwrap().code(),
                Some(0),
                "{what}: {name}"
            );
            drop(occupied);
        }
    }
}

/// Arguments for an emulator with a state file.
fn with_state(path: &Path) -> Command {
    let mut command = pipeline("emulator --auth off --state");
    command.arg(path);
    command
}

#[test]
fn what_was_not_kept_at_the_end_is_said_and_is_no_success() {
    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let mut running = Running::new(with_state(&inner.join("state")));
    let mut connection = Connection::new(&running);
    let create = r#"{"region":"nb"}"#;
    assert_eq!(connection.send("POST", "/v2/workflows/w", create), 200);
    fs::remove_dir_all(&inner).unwrap();
    assert_eq!(connection.send("POST", "/v2/workflows/v", create), 503);
    assert_eq!(connection.send("GET", "/v2/workflows/v", ""), 404);
    signal(&running.child, "TERM");
    assert_eq!(running.child.wait().unwrap().code(), Some(1));
    let said = last_words(running);
    // Behind what it does not execute.
    let lines: Vec<_> = said.lines().skip(1).collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines[0].starts_with("warning: changes are refused"),
        "{said}"
    );
    assert!(
        lines[1].starts_with("error: not everything was kept"),
        "{said}"
    );
}

/// A real error of the file system: a file may not grow beyond a limit.
#[test]
fn a_state_file_that_cannot_grow_keeps_what_was_answered() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let plain = with_state(&state);
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"trap '' XFSZ; ulimit -f 4096; exec "$0" "$@""#]);
    limited.arg(plain.get_program()).args(plain.get_args());
    let mut running = Running::new(limited);
    let mut connection = Connection::new(&running);
    let create = r#"{"region":"nb"}"#;
    let mut kept = 0;
    loop {
        let update = format!(
            r#"{{"region":"nb","nodes":{{"r{kept}-repo":{{"name":"r{kept}","type":"repo","data":{{"x":"{}"}}}}}}}}"#,
            "x".repeat(500_000)
        );
        let path = format!("/v2/workflows/w{kept}");
        assert!(kept < 40, "the limit was not met");
        if connection.send("POST", &path, create) != 200 {
            break;
        }
        let status = connection.send("PUT", &path, &update);
        kept += 1;
        if status != 200 {
            assert_eq!(status, 503);
            break;
        }
    }
    signal(&running.child, "TERM");
    assert_eq!(running.child.wait().unwrap().code(), Some(1));
    let said = last_words(running);
    assert!(said.contains("beyond the size that is allowed"), "{said}");
    let running = Running::new(with_state(&state));
    let mut connection = Connection::new(&running);
    for number in 0..kept {
        let path = format!("/v2/workflows/w{number}");
        assert_eq!(connection.send("GET", &path, ""), 200, "{path}");
    }
    let path = format!("/v2/workflows/w{kept}");
    assert_eq!(connection.send("GET", &path, ""), 404);
}

/// What verifies signatures is kept, the key itself is not.
#[cfg(target_os = "linux")]
#[test]
fn the_secret_key_is_not_in_its_memory() {
    use std::os::unix::fs::{FileExt as _, PermissionsExt};

    let folder = TempDir::new().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, SECRET_KEY).unwrap();
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    let mut command = pipeline("emulator --access-key ak --secret-key-file");
    command.arg(&secret);
    let running = Running::new(command);
    assert_eq!(running.text("access_key"), "ak");
    let process = format!("/proc/{}", running.child.id());
    let Ok(memory) = fs::File::open(format!("{process}/mem")) else {
        return;
    };
    let maps = fs::read_to_string(format!("{process}/maps")).unwrap();
    let mut looked_at = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let (from, to) = (number(from), number(to));
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        if memory.read_exact_at(&mut bytes, from).is_err() {
            continue;
        }
        looked_at += bytes.len();
        let found = bytes
            .windows(SECRET_KEY.len())
            .any(|it| it == SECRET_KEY.as_bytes());
        assert!(!found, "{line}");
    }
    assert!(looked_at > 0);
}
