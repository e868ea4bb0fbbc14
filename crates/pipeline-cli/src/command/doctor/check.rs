//! Checks, and what came of them.

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    lang::pick,
    output::{Cell, Show, Table},
};

/// A check and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    name: &'static str,
    #[serde(skip)]
    label: &'static str,
    outcome: Outcome,
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    /// What the command ends with if this is the first check that failed.
    exit_code: u8,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Ok,
    Warning,
    Failed,
    Skipped,
}

macro_rules! checks {
    ($($name:ident, $en:literal, $zh:literal;)*) => {
        impl Check {
            $(pub(super) fn $name() -> Self {
                Self::new(stringify!($name), pick($en, $zh))
            })*
        }
    };
}

checks! {
    configuration, "Configuration", "配置";
    endpoint, "Endpoint", "服务地址";
    keys, "Keys", "密钥";
    proxy, "Proxy", "代理";
    resolution, "Host name", "域名";
    connection, "Connection", "连接";
    tls, "TLS", "TLS";
    service, "Service", "服务";
    clock, "Clock", "时钟";
    credentials, "Credentials", "凭证";
    resource, "Resource", "资源";
    push, "Push", "写入";
}

impl Check {
    fn new(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            outcome: Outcome::Skipped,
            message: String::new(),
            advice: None,
            exit_code: 0,
            exit: Exit::Done,
        }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.outcome == Outcome::Ok
    }

    pub(super) fn is_failed(&self) -> bool {
        self.outcome == Outcome::Failed
    }

    pub(super) fn ok(mut self, message: String) -> Self {
        self.outcome = Outcome::Ok;
        self.message = message;
        self
    }

    pub(super) fn skipped(mut self, message: &str) -> Self {
        message.clone_into(&mut self.message);
        self
    }

    pub(super) fn warning(mut self, message: String, advice: &str) -> Self {
        self.outcome = Outcome::Warning;
        self.message = message;
        self.advice = Some(advice.to_owned());
        self
    }

    pub(super) fn failed(self, exit: Exit, message: String, advice: &str) -> Self {
        Self {
            outcome: Outcome::Failed,
            exit_code: exit.code(),
            exit,
            ..self.warning(message, advice)
        }
    }

    /// The failure says what to do itself.
    pub(super) fn failed_with(self, failure: &Failure) -> Self {
        Self {
            advice: None,
            ..self.failed(failure.exit(), failure.to_string(), "")
        }
    }
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// That of the first check that failed.
    pub(super) fn exit(&self) -> Exit {
        let failed = self
            .checks
            .iter()
            .find(|check| check.outcome == Outcome::Failed);
        failed.map_or(Exit::Done, |check| check.exit)
    }
}

impl Show for Report {
    fn names(&self) -> Vec<&str> {
        let failed = self
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Failed);
        failed.map(|check| check.name).collect()
    }

    fn table(&self) -> String {
        let mut table = Table::of_pairs();
        for check in &self.checks {
            let (mark, style) = match check.outcome {
                Outcome::Ok => ("✓", AnsiColor::Green.on_default()),
                Outcome::Warning => ("!", AnsiColor::Yellow.on_default()),
                Outcome::Failed => ("✗", AnsiColor::Red.on_default().bold()),
                Outcome::Skipped => ("-", Style::new().dimmed()),
            };
            let advice = check.advice.as_ref();
            let advice = advice.map_or_else(String::new, |advice| {
                pick(format!(": {advice}"), format!("：{advice}"))
            });
            table.row([
                Cell::new(mark).style(style),
                Cell::new(check.label).style(Style::new().bold()),
                Cell::from(format!("{}{advice}", check.message)),
            ]);
        }
        table.render()
    }
}
