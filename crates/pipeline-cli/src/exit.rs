//! How the command ends.

use std::process::ExitCode;

use pipeline_proto::ErrorKind;

/// What the exit code says. Scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Service = 1,
    Usage = 2,
    NotFound = 3,
    Refused = 4,
    Conflict = 5,
    WaitTimedOut = 6,
    WaitFailed = 7,
    Network = 8,
    Declined = 9,
    Changes = 10,
    Interrupted = 130,
}

/// The table for `--help`.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  done
    1  the service answered with an error that no other code stands for; an error found by lint
    2  usage: bad arguments, names or files; nothing was sent
    3  not found
    4  authentication: no credentials, wrong ones, or a clock that is off
    5  conflict: the name is taken, or the state forbids it
    6  a wait timed out
    7  a wait cannot succeed
    8  network: no connection, a broken one, or no answer in time
    9  declined: the question was answered with no, and nothing was done
   10  changes are pending, or differences were found
  130  interrupted

  Of several workflows: 0 if all went well, the code of the failures if they agree, else 1.";

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
    fn the_table_names_every_code() {
        let codes: Vec<u8> = TABLE
            .lines()
            .skip(1)
            .take_while(|line| !line.is_empty())
            .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130]);
        assert_eq!(Exit::Changes.code(), 10);
        assert_eq!(Exit::Interrupted.code(), 130);
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
