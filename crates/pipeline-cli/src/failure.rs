//! Why the command ends without having done what was asked: one line and an exit code.

use std::{error::Error as StdError, fmt, io};

use pipeline_proto::{
    Endpoint, Error, ErrorCode, ErrorKind,
    wait::{WaitError, WaitFailure},
};

use crate::{
    exit::Exit,
    lang::{self, Lang},
};

/// A failure. `Display` is one line without the word "error".
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// What the error of a call is called, and the service's code for it.
    call: Option<(ErrorKind, Option<ErrorCode>)>,
    message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self {
            exit,
            call: None,
            message: one_line(&message.to_string()),
        }
    }

    /// The caller asked for something that cannot be asked for. Nothing was sent.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A call failed.
    pub(crate) fn of_call(error: &Error, endpoint: &Endpoint) -> Self {
        let failure = Self::new(Exit::of(error.kind()), describe(error, endpoint));
        failure.because_of(error).unless_elsewhere(error, endpoint)
    }

    /// A 404 is "not found" only if the service says what is not there. One without a code comes from
    /// something else, and a script must not create a workflow because of it.
    fn unless_elsewhere(self, error: &Error, endpoint: &Endpoint) -> Self {
        match error.code() {
            _ if error.kind() != ErrorKind::NotFound => self,
            Some(ErrorCode::RESOURCE_OWNER_NOT_FOUND) => {
                self.and(lang::pick("check --resource-owner", "请检查 --resource-owner"))
            }
            Some(_) => self,
            None => self.with_exit(Exit::Service).and(lang::pick(
                format!(
                    "it has no code of the service, so this says nothing of the workflow: check the \
                     address and the path of the endpoint {endpoint}, or run `pipeline doctor`"
                ),
                format!(
                    "响应中没有服务的错误码，无法判断工作流是否存在：请检查服务地址 {endpoint} 及其路径，\
                     或运行 `pipeline doctor`"
                ),
            )),
        }
    }

    fn because_of(mut self, error: &Error) -> Self {
        self.call = Some((error.kind(), error.code()));
        self
    }

    /// A wait failed.
    pub(crate) fn of_wait(error: &WaitError, endpoint: &Endpoint) -> Self {
        let exit = match error.failure() {
            WaitFailure::TimedOut(_) => Exit::WaitTimedOut,
            WaitFailure::NotFound(_) => Exit::NotFound,
            WaitFailure::Failed(error) => return Self::of_call(error, endpoint),
            _ => Exit::WaitFailed,
        };
        let failure = match lang::chosen() {
            Lang::En => Self::new(exit, error),
            Lang::Zh => Self::new(exit, lang::zh::wait(error)),
        };
        match error.failure() {
            WaitFailure::NotFound(cause) => failure.because_of(cause),
            _ => failure,
        }
    }

    /// A local file or stream failed.
    pub(crate) fn io(what: &str, error: &io::Error) -> Self {
        Self::new(Exit::Usage, format!("{what}: {error}"))
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The service's code, if it gave one.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        self.call.and_then(|(_, code)| code)
    }

    /// What kind of failure it is: that of the call, or one of ours.
    pub(crate) fn kind(&self) -> &'static str {
        match (self.call, self.exit) {
            (Some((kind, _)), _) => kind.as_str(),
            (None, Exit::Usage) => "usage",
            (None, Exit::NotFound) => "not-found",
            (None, Exit::Refused) => "unauthorized",
            (None, Exit::Conflict) => "conflict",
            (None, Exit::WaitTimedOut) => "wait-timed-out",
            (None, Exit::WaitFailed) => "wait-failed",
            (None, Exit::Network) => "network",
            (None, Exit::Declined) => "declined",
            (None, Exit::Interrupted | Exit::HungUp | Exit::Terminated) => "interrupted",
            (None, Exit::Done | Exit::Service | Exit::Changes | Exit::Output) => "other",
        }
    }

    #[must_use]
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Adds what the user should know beyond the error itself.
    #[must_use]
    pub(crate) fn and(mut self, addition: impl fmt::Display) -> Self {
        self.message.push_str("; ");
        self.message.push_str(&one_line(&addition.to_string()));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The line of the error, what lies below it, and where it was sent when the way there is the trouble.
pub(crate) fn describe(error: &Error, endpoint: &Endpoint) -> String {
    let mut line = match lang::chosen() {
        Lang::En => error.to_string(),
        Lang::Zh => lang::zh::call(error),
    };
    let mut source = StdError::source(error);
    while let Some(below) = source {
        let text = below.to_string();
        // Transports wrap an error in one that says the same.
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = below.source();
    }
    if error.api().is_some_and(|api| api.uncorrected().is_some()) {
        line.push_str(lang::pick(
            "; --correct-clock DURATION makes up for it all the same",
            "；--correct-clock 时长 可以强制修正",
        ));
    }
    if matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout) {
        let named = lang::pick(
            format!(" (endpoint {endpoint})"),
            format!("（服务地址 {endpoint}）"),
        );
        line.push_str(&named);
    }
    line
}

/// Text on one line, with nothing in it that a terminal would act upon.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.trim_end().chars() {
        let hidden = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c if c.is_control() || hidden => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_without_control_characters() {
        let failure = Failure::usage("a\nb\x1b[31mc\u{202e}d\n").and("e\r\nf");
        assert_eq!(failure.to_string(), "a b\\u{1b}[31mc\\u{202e}d; e  f");
    }

    #[test]
    fn trouble_on_the_way_names_the_endpoint() {
        let endpoint: Endpoint = "http://127.0.0.1:1".parse().unwrap();
        let build = Error::build(
            "get_workflow",
            pipeline_proto::WorkflowName::new("a-b").unwrap_err(),
        );
        assert!(!describe(&build, &endpoint).contains("127.0.0.1"));
        assert_eq!(Failure::of_call(&build, &endpoint).exit(), Exit::Usage);
    }
}
