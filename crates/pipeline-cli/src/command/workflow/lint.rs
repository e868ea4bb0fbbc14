use std::num::NonZeroUsize;

use anstyle::{AnsiColor, Style};
use clap::Args;
use pipeline_graph::{Finding, Severity, lint::lint_nodes};
use serde::Serialize;

use super::source::{self, File, Owners, RULE, Service, Source};
use crate::{
    command::{Run, many::Many},
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{Show, note, plain},
};

/// Check workflow files, or workflows of the service
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  pipeline workflow lint nginx_logs.yaml
  pipeline workflow lint nginx_logs
  pipeline workflow lint a.yaml b.yaml
  pipeline workflow lint -R workflows/ --no-env
  pipeline workflow lint nginx_logs.yaml -o json | jq '.findings[].rule'

Says nothing about a healthy one. Ends with code 1 if an error was found; warnings and hints alone are \
no failure. A file is checked without asking the service, as it is written and with the values of its \
variables, which are not shown. Of a folder, its files that end with .yaml, .yml and .json are checked.

{RULE}"))]
pub(crate) struct Lint {
    /// Workflow files, folders of them, or names of workflows; `-` for stdin
    #[arg(value_name = "FILE|NAME", required = true, value_parser = Source::parser_with_folders())]
    sources: Vec<Source>,

    /// Look in folders within folders, too
    #[arg(short = 'R', long)]
    recursive: bool,

    /// Leave variables of the environment alone: they are set where the file is applied
    #[arg(long)]
    no_env: bool,
}

impl Run for Lint {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self {
            sources,
            recursive,
            no_env,
        } = self;
        let one = sources.len() == 1 && !sources[0].is_folder();
        let sources = source::expanded(sources, recursive);
        let service = Service::new(global);
        if one {
            let report = report(&service, &sources[0], no_env, &Owners::default())?;
            let written = global.format().write(&report);
            report.tell();
            written?;
            return Ok(report.exit());
        }
        let owners = Owners::default();
        let many = Many::run(&sources, NonZeroUsize::MIN, "checked", |source| {
            report(&service, source, no_env, &owners)
        });
        let exit = many.show(global)?;
        let counts = Counts::sum(many.successes().map(|report| &report.counts));
        let with_errors = many.successes().filter(|report| report.counts.errors > 0);
        let (all, with_errors) = (sources.len(), with_errors.count());
        if !counts.is_empty() {
            note(format_args!("{with_errors} of {all} with errors: {counts}"));
        }
        Ok(if with_errors > 0 { Exit::Service } else { exit })
    }
}

fn report(
    service: &Service<'_>,
    source: &Source,
    no_env: bool,
    owners: &Owners,
) -> Result<Report, Failure> {
    let findings = match source {
        Source::File(_) | Source::Nothing(..) => match File::read(source.path()?)?.try_parse() {
            Ok(file) => {
                let filled = if no_env {
                    file.fill(source::without_values)
                } else {
                    file.fill(source::variable)
                };
                if let Some((name, written)) = File::name(&file, &filled) {
                    owners.claim(&name, &written, source)?;
                }
                filled.lint()
            }
            Err(error) => error.findings().to_vec(),
        },
        Source::Service(name) => lint_nodes(&service.get(name)?.nodes.unwrap_or_default()),
    };
    Ok(Report::new(source.to_string(), findings))
}

/// How many findings of each severity.
#[derive(Default, Serialize)]
struct Counts {
    errors: usize,
    warnings: usize,
    hints: usize,
}

impl Counts {
    fn of(findings: &[Finding]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            match finding.severity() {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                _ => counts.hints += 1,
            }
        }
        counts
    }

    fn sum<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        all.fold(Self::default(), |sum, it| Self {
            errors: sum.errors + it.errors,
            warnings: sum.warnings + it.warnings,
            hints: sum.hints + it.hints,
        })
    }

    fn is_empty(&self) -> bool {
        self.errors + self.warnings + self.hints == 0
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
        f.write_str(&parts.join(", "))
    }
}

#[derive(Serialize)]
struct Report {
    source: String,
    #[serde(flatten)]
    counts: Counts,
    findings: Vec<Finding>,
}

impl Report {
    fn new(source: String, findings: Vec<Finding>) -> Self {
        Self {
            source,
            counts: Counts::of(&findings),
            findings,
        }
    }

    fn tell(&self) {
        if !self.counts.is_empty() {
            note(format_args!("{}: {}", plain(&self.source), self.counts));
        }
    }

    fn exit(&self) -> Exit {
        if self.counts.errors > 0 {
            Exit::Service
        } else {
            Exit::Done
        }
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

    /// As compilers write it, so that editors can jump to the place. Where there is no text, the place
    /// is the path.
    fn table(&self) -> String {
        let line = |finding: &Finding| {
            let place = match finding.position {
                Some(at) => format!("{at}:"),
                None if finding.path.is_empty() => String::new(),
                None => format!(" {}:", plain(&finding.path)),
            };
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
