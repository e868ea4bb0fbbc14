use anstyle::{AnsiColor, Style};
use clap::Args;
use pipeline_graph::{
    Finding, Severity,
    lint::{lint_nodes, lint_text},
};
use pipeline_proto::operation::GetWorkflow;
use serde::Serialize;

use super::source::{File, RULE, Source};
use crate::{
    app::Global,
    exit::Exit,
    failure::Failure,
    output::{Show, note, plain},
};

/// Check a workflow file, or a workflow of the service
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  pipeline workflow lint nginx_logs.yaml
  pipeline workflow lint nginx_logs
  pipeline workflow lint nginx_logs.yaml -o json | jq '.findings[].rule'

Says nothing about a healthy one. Ends with code 1 if an error was found; warnings and hints alone are \
no failure. A file is checked without asking the service.

{RULE}"))]
pub(crate) struct Lint {
    /// Workflow file, or name of a workflow
    #[arg(value_name = "FILE|NAME", value_parser = Source::parse)]
    source: Source,
}

impl Lint {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let findings = match &self.source {
            Source::File(path) => {
                let file = File::read(path)?;
                lint_text(&file.text, file.format)
            }
            Source::Service(name) => {
                let workflow = global.remote()?.send(GetWorkflow::new(name.clone()))?;
                lint_nodes(&workflow.nodes.unwrap_or_default())
            }
        };
        let report = Report::new(self.source.label(), findings);
        global.format().write(&report)?;
        if !report.findings.is_empty() {
            note(format_args!(
                "{}: {}",
                plain(&report.source),
                report.summary()
            ));
        }
        Ok(if report.errors > 0 {
            Exit::Service
        } else {
            Exit::Done
        })
    }
}

#[derive(Serialize)]
struct Report {
    source: String,
    errors: usize,
    warnings: usize,
    hints: usize,
    findings: Vec<Finding>,
}

impl Report {
    fn new(source: String, findings: Vec<Finding>) -> Self {
        let count = |severity| {
            findings
                .iter()
                .filter(|it| it.severity() == severity)
                .count()
        };
        Self {
            source,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            hints: count(Severity::Hint),
            findings,
        }
    }

    fn summary(&self) -> String {
        let counted = [
            (self.errors, "error"),
            (self.warnings, "warning"),
            (self.hints, "hint"),
        ];
        let parts: Vec<String> = counted
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }))
            .collect();
        parts.join(", ")
    }
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default(),
        _ => AnsiColor::Cyan.on_default(),
    }
}

impl Show for Report {
    /// The rules that were broken.
    fn names(&self) -> Vec<&str> {
        self.findings
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect()
    }

    /// As compilers write it, so that editors can jump to the place.
    fn table(&self) -> String {
        let line = |finding: &Finding| {
            let place = finding
                .position
                .map_or_else(String::new, |at| format!("{at}:"));
            let style = style(finding.severity());
            format!(
                "{}:{place} {style}{}{style:#}: {} [{}]\n",
                plain(&self.source),
                finding.severity(),
                plain(&finding.message),
                finding.rule
            )
        };
        self.findings.iter().map(line).collect()
    }
}
