//! A program that knows the credentials, such as one of a password manager.

use std::{
    io::{self, IsTerminal as _, Read, Write as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Given, RawKeys, SECRET_KEY, TOKEN};
use crate::failure::Failure;

/// Time enough to ask a person for a password.
const LONGEST: Duration = Duration::from_secs(60);

/// How long is waited for the rest when the program has ended or has written everything, but not both.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// How often it is looked whether the program has ended.
const TICK: Duration = Duration::from_millis(5);

/// More than any key or token has, in bytes.
const MOST: u64 = 64 << 10;

/// What the program writes. Anything beyond is ignored.
#[derive(Deserialize)]
struct Answer {
    access_key: Option<Zeroizing<String>>,
    secret_key: Option<Zeroizing<String>>,
    token: Option<Zeroizing<String>>,
}

/// Runs the program by the system's shell and reads what it writes to stdout. Where there is a
/// terminal, the program can ask on it.
pub(super) fn run(command: &str, access_key: Option<Zeroizing<String>>) -> Result<Given, Failure> {
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut program = Command::new(shell);
    program
        .args([flag, command])
        .env_remove(SECRET_KEY)
        .env_remove(TOKEN)
        .stdout(Stdio::piped());
    if !io::stdin().is_terminal() {
        // What is there is input for us, such as a workflow file.
        program.stdin(Stdio::null());
    }
    if !io::stderr().is_terminal() {
        // What the program leaves running would hold ours open.
        program.stderr(Stdio::piped());
    }
    let text = Running::start(program)?.text(LONGEST)?;
    // The parser's own message could quote a secret.
    let answer: Answer = serde_json::from_slice(&text).map_err(|_| {
        failed("must write a JSON object with access_key and secret_key, or with token")
    })?;
    if let Some(token) = answer.token {
        return Ok(Given::Token(token.parse().map_err(Failure::usage)?));
    }
    match (answer.access_key.or(access_key), answer.secret_key) {
        (Some(access_key), Some(secret_key)) => {
            let program = "the program";
            RawKeys::new((&access_key, program), (&secret_key, program)).map(Given::Keys)
        }
        (None, _) => Err(failed("wrote no access_key")),
        (_, None) => Err(failed("wrote no secret_key")),
    }
}

fn failed(what: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("the program {what}"))
}

/// What was read, and from where.
enum Heard {
    Stdout(Zeroizing<Vec<u8>>),
    Stderr(Vec<u8>),
    /// Its stdout is closed.
    End,
}

/// The program and what it has written so far.
struct Running {
    child: Child,
    /// It leads a process group, and so can be ended with all that it has started.
    leads: bool,
    heard: mpsc::Receiver<Heard>,
}

impl Running {
    fn start(mut program: Command) -> Result<Self, Failure> {
        let leads = !can_ask();
        #[cfg(unix)]
        if leads {
            std::os::unix::process::CommandExt::process_group(&mut program, 0);
        }
        let mut child = program
            .spawn()
            .map_err(|error| failed(format_args!("cannot be started: {error}")))?;
        let (tell, heard) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            let tell = tell.clone();
            thread::spawn(move || {
                let bytes = |bytes: &[u8]| Heard::Stdout(Zeroizing::new(bytes.to_owned()));
                listen(stdout.take(MOST + 1), &tell, bytes);
                let _ = tell.send(Heard::End);
            });
        }
        if let Some(stderr) = child.stderr.take() {
            thread::spawn(move || listen(stderr, &tell, |bytes| Heard::Stderr(bytes.to_owned())));
        }
        Ok(Self {
            child,
            leads,
            heard,
        })
    }

    /// What it writes to stdout, when it has ended or, having written everything, does not end.
    ///
    /// Whatever it leaves running may hold its stdout open, so the end of that is not waited for.
    fn text(&mut self, longest: Duration) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let begun = Instant::now();
        let mut text = Zeroizing::new(Vec::new());
        let mut closed = false;
        let mut ended: Option<ExitStatus> = None;
        // Since when one of the two is true: it has ended, it has written everything.
        let mut since: Option<Instant> = None;
        loop {
            let quiet = match self.heard.recv_timeout(TICK) {
                Ok(Heard::Stdout(bytes)) => {
                    text.extend_from_slice(&bytes);
                    if text.len() as u64 > MOST {
                        self.end();
                        return Err(failed(format_args!("wrote more than {} KiB", MOST >> 10)));
                    }
                    false
                }
                Ok(Heard::Stderr(bytes)) => {
                    // Nothing can be done about a stderr that cannot be written to.
                    let _ = io::stderr().write_all(&bytes);
                    false
                }
                Ok(Heard::End) => {
                    closed = true;
                    false
                }
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => {
                    // Both streams are closed; nothing is left but to see it end.
                    thread::sleep(TICK);
                    true
                }
            };
            if !quiet {
                continue;
            }
            if ended.is_none() {
                ended = self
                    .child
                    .try_wait()
                    .map_err(|error| failed(format_args!("is lost: {error}")))?;
                if ended.is_some() {
                    // It may have written something between the look at its streams and its end.
                    continue;
                }
            }
            let whole = closed || is_whole(&text);
            if let Some(status) = ended.filter(|status| whole || !status.success()) {
                return if status.success() {
                    Ok(text)
                } else {
                    Err(failed(format_args!("ended with {status}")))
                };
            }
            if whole || ended.is_some() {
                let late = since.get_or_insert_with(Instant::now).elapsed() > AFTERWARDS;
                match (late, ended) {
                    (false, _) => {}
                    (true, Some(_)) => {
                        self.end();
                        return Err(failed("has ended, but what it wrote is not complete"));
                    }
                    (true, None) => {
                        self.end();
                        return Ok(text);
                    }
                }
            }
            if begun.elapsed() > longest {
                self.end();
                return Err(failed(format_args!(
                    "did not end within {} s",
                    longest.as_secs()
                )));
            }
        }
    }

    /// Ends it, with what it has started where that is possible.
    fn end(&mut self) {
        // Nothing can be done about a program that cannot be ended.
        #[cfg(unix)]
        if self.leads {
            use rustix::process::{Pid, Signal, kill_process_group};
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a program can ask a person. In a process group of its own it could not: the system stops
/// those that read from a terminal in the background.
fn can_ask() -> bool {
    cfg!(unix) && (io::stdin().is_terminal() || std::fs::File::open("/dev/tty").is_ok())
}

/// Whether it is the whole of a JSON object.
fn is_whole(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

fn listen(mut stream: impl Read, tell: &Sender<Heard>, heard: impl Fn(&[u8]) -> Heard) {
    let mut bytes = Zeroizing::new([0; 4096]);
    loop {
        match stream.read(&mut *bytes) {
            Ok(0) | Err(_) => return,
            // Nobody listens any more if it took too long.
            Ok(count) => {
                if tell.send(heard(&bytes[..count])).is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_ended_with_all_that_it_has_started() {
        let mut program = Command::new("sh");
        program
            .args(["-c", "sleep 600 & sleep 600"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut running = Running::start(program).unwrap();
        if !running.leads {
            // With a terminal, the program is in the group of whoever runs the tests.
            running.end();
            return;
        }
        let failure = running.text(Duration::from_millis(100)).unwrap_err();
        assert!(failure.to_string().contains("did not end within"));
        // Nobody holds its stdout any more.
        let patience = Duration::from_secs(10);
        assert!(matches!(
            running.heard.recv_timeout(patience),
            Ok(Heard::End)
        ));
    }
}
