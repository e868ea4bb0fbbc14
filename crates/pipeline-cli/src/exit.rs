//! How the command ends.

use std::{fmt::Write as _, process::ExitCode};

use pipeline_proto::ErrorKind;

/// The one table of exit codes: the enum, the help and the documents follow from it.
macro_rules! exits {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        /// What the exit code says. Scripts rely on the numbers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Exit {
            $(#[doc = $meaning] $name = $code,)*
        }

        impl Exit {
            /// All codes with their meanings, in ascending order.
            const ALL: &[(Self, &str)] = &[$((Self::$name, $meaning),)*];
        }
    };
}

exits! {
    Done = 0, "done";
    Service = 1, "the service answered with an error that no other code stands for; an error found by lint";
    Usage = 2, "usage: bad arguments, names or files; nothing was sent";
    NotFound = 3, "not found";
    Refused = 4, "authentication: no credentials, wrong ones, or a clock that is off";
    Conflict = 5, "conflict: the name is taken, or the state forbids it";
    WaitTimedOut = 6, "a wait timed out";
    WaitFailed = 7, "a wait cannot succeed";
    Network = 8, "network: no connection, a broken one, or no response in time";
    Declined = 9, "declined: the question was answered with no, and nothing was done";
    Changes = 10, "changes are pending, or differences were found";
    Output = 11, "standard output cannot be written to; the error says if the rest was done";
    HungUp = 129, "ended by SIGHUP: the terminal is gone";
    Interrupted = 130, "interrupted: Ctrl-C, SIGINT";
    Terminated = 143, "ended by SIGTERM";
}

/// The table for the help.
pub(crate) fn table() -> String {
    let mut table = "Exit codes:\n".to_owned();
    for (exit, meaning) in Exit::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "  {:>3}  {meaning}", exit.code());
    }
    table
        + "\n  Of several workflows: 0 if all went well, the code of the failures if they agree, else 1."
}

impl Exit {
    /// The code that goes with an error of a call.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidRequest => Self::Usage,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Unauthorized => Self::Refused,
            ErrorKind::Conflict | ErrorKind::InProgress => Self::Conflict,
            ErrorKind::Network | ErrorKind::Timeout => Self::Network,
            // A service that answers that it is not available has answered.
            _ => Self::Service,
        }
    }

    pub(crate) const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_scripts_rely_on_stay_as_they_are() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 129, 130, 143]);
        assert!(
            table().contains("\n   10  changes are pending"),
            "{}",
            table()
        );
    }

    #[test]
    fn every_kind_of_error_has_its_code() {
        for kind in ErrorKind::ALL {
            let expected = match kind.as_str() {
                "invalid-request" => 2,
                "not-found" => 3,
                "unauthorized" => 4,
                "conflict" | "in-progress" => 5,
                "network" | "timeout" => 8,
                _ => 1,
            };
            assert_eq!(Exit::of(kind).code(), expected, "{kind}");
        }
    }
}
