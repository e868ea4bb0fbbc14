//! A program that knows the credentials, such as one of a password manager.

use std::{
    io::Read as _,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Given, RawKeys};
use crate::failure::Failure;

/// Time enough to ask a person for a password.
const LONGEST: Duration = Duration::from_secs(60);

/// How long it may go on when it has written everything.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// More than any key or token has, in bytes.
const MOST: u64 = 64 << 10;

/// What the program writes. Anything beyond is ignored.
#[derive(Deserialize)]
struct Answer {
    access_key: Option<Zeroizing<String>>,
    secret_key: Option<Zeroizing<String>>,
    token: Option<Zeroizing<String>>,
}

/// Runs the program by the system's shell and reads what it writes to stdout. Its stderr is the
/// user's, so that it can ask.
pub(super) fn run(command: &str, access_key: Option<Zeroizing<String>>) -> Result<Given, Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::usage(format!("the program {what}"));
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut child = Command::new(shell)
        .args([flag, command])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format_args!("cannot be started: {error}")))?;
    let (tell, told) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut text = Zeroizing::new(String::new());
            let result = stdout.take(MOST).read_to_string(&mut text);
            // Nobody listens any more if it took too long.
            let _ = tell.send(result.map(|_| text));
        });
    }
    let Ok(read) = told.recv_timeout(LONGEST) else {
        // Nothing can be done about a program that cannot be ended.
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed(&format_args!(
            "did not end within {} s",
            LONGEST.as_secs()
        )));
    };
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            // It has closed its stdout, so it is about to end.
            Ok(None) if begun.elapsed() < AFTERWARDS => thread::sleep(Duration::from_millis(1)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(&"closed its stdout and did not end"));
            }
            Err(error) => return Err(failed(&format_args!("is lost: {error}"))),
        }
    };
    if !status.success() {
        return Err(failed(&format_args!("ended with {status}")));
    }
    let text = read.map_err(|error| failed(&format_args!("wrote no text: {error}")))?;
    // The parser's own message could quote a secret.
    let answer: Answer = serde_json::from_str(&text).map_err(|_| {
        failed(&"must write a JSON object with access_key and secret_key, or with token")
    })?;
    if let Some(token) = answer.token {
        return Ok(Given::Token(token.parse().map_err(Failure::usage)?));
    }
    match (answer.access_key.or(access_key), answer.secret_key) {
        (Some(access_key), Some(secret_key)) => Ok(Given::Keys(RawKeys {
            access_key,
            secret_key,
        })),
        (None, _) => Err(failed(&"wrote no access_key")),
        (_, None) => Err(failed(&"wrote no secret_key")),
    }
}
