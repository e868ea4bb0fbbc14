use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use pipeline_graph::{
    Finding, Severity,
    draw::{Charset, Direction, Picture},
    lint::lint_nodes,
};
use pipeline_proto::resource::workflow::{GetWorkflow, GetWorkflowStatus};

use super::source::{self, File, RULE, Source};
use crate::{
    command::Run,
    exit::Exit,
    failure::Failure,
    file::{Readers, Target},
    options::{Global, Output},
    output::{self, Form, note},
};

/// Draw a workflow: for the terminal, for Mermaid, for Graphviz, or as SVG
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  pipeline workflow graph nginx_logs
  pipeline workflow graph nginx_logs.yaml --out nginx_logs.svg
  pipeline workflow graph nginx_logs -o dot | dot -Tpdf > nginx_logs.pdf

A workflow of the service is drawn with the statuses of its nodes. No picture shows a secret. Errors \
that lint finds are said on stderr, and what can be drawn is.

{RULE}"))]
pub(crate) struct Graph {
    /// Workflow file, or name of a workflow
    #[arg(value_name = "FILE|NAME", value_parser = Source::parser())]
    source: Source,

    /// Form of the picture [default: by the ending of --out (svg, mmd, dot, txt), else tree]
    // The id is that of the global option, whose place it takes here.
    #[arg(
        id = "output",
        short,
        long = "output",
        alias = "format",
        value_name = "FORM",
        value_parser = Output::picture_parser()
    )]
    output: Option<Output>,

    /// File to write instead of stdout; asks if there is one, unless --yes
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Where the edges of a picture lead; a tree stays as it is
    #[arg(long, value_enum, value_name = "WHERE", default_value_t)]
    direction: To,

    /// Draw the tree with ASCII characters only
    #[arg(long)]
    ascii: bool,
}

/// So many errors are said at most.
const MOST_ERRORS: usize = 10;

/// Says what is wrong with what is drawn, which the picture may not show.
fn tell_errors(label: &str, findings: &[Finding]) {
    let is_error = |it: &&Finding| it.severity() == Severity::Error;
    let errors: Vec<&Finding> = findings.iter().filter(is_error).collect();
    for error in errors.iter().take(MOST_ERRORS) {
        output::report(&format_args!("{label}: {}", source::on_one_line(error)));
    }
    if let Some(more) = errors
        .len()
        .checked_sub(MOST_ERRORS)
        .filter(|more| *more > 0)
    {
        note(format_args!(
            "{label}: {more} more errors, which lint shows"
        ));
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum To {
    /// From left to right
    #[default]
    Right,
    /// From top to bottom, for long chains
    Down,
}

impl Run for Graph {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        if !global.format().is_for_people() {
            return Err(Failure::usage(
                "the data of this command is a picture: give -o tree, mermaid, dot or svg after `graph`",
            ));
        }
        let form = self.form()?;
        let out = self.out.as_deref().unwrap_or(Path::new("-"));
        let target = || Target::ask(out, global.yes);
        let (target, nodes, title, status, state) = match &self.source {
            Source::File(path) => {
                let file = File::read(path)?;
                let parsed = file.parse()?;
                source::refuse_own_variables(&file, &parsed)?;
                tell_errors(file.label(), &parsed.fill(source::without_values).lint());
                let title = parsed.name().filter(|name| !name.is_empty());
                let title = title.map_or_else(|| self.source.to_string(), str::to_owned);
                (target()?, parsed.nodes(), title, None, None)
            }
            Source::Nothing(_, why) => return Err(Failure::usage(why)),
            Source::Service(name) => {
                let target = target()?;
                let remote = global.remote()?;
                let workflow = remote.send(GetWorkflow::new(name.clone()))?;
                // Not every installation tells the statuses of nodes; the picture does without.
                let state = remote.try_send(GetWorkflowStatus::new(name.clone())).ok();
                let nodes = workflow.nodes.unwrap_or_default();
                tell_errors(name.as_str(), &lint_nodes(&nodes));
                (
                    target,
                    nodes,
                    workflow.name.into(),
                    Some(workflow.status),
                    state,
                )
            }
        };
        let mut picture = Picture::new(&nodes)
            .title(&title)
            .direction(match self.direction {
                To::Right => Direction::Right,
                To::Down => Direction::Down,
            });
        if let Some(status) = status {
            picture = picture.status(status);
        }
        if let Some(state) = &state {
            picture = picture.state(state);
        }
        let charset = if self.ascii {
            Charset::Ascii
        } else {
            Charset::Unicode
        };
        let text = match form {
            Form::Tree => picture.tree(charset),
            Form::Mermaid => picture.mermaid(),
            Form::Dot => picture.dot(),
            Form::Svg => picture.svg(),
        };
        if let Form::Mermaid = form
            && let Some(excess) = picture.mermaid_excess()
        {
            anstream::eprintln!("{excess}");
        }
        target.write(text.as_bytes(), Readers::Usual)?;
        Ok(Exit::Done)
    }
}

impl Graph {
    fn form(&self) -> Result<Form, Failure> {
        if let Some(Output::Picture(form)) = self.output {
            return Ok(form);
        }
        let ending = self.out.as_deref().and_then(Path::extension);
        let ending = ending.map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            None | Some("txt") => Ok(Form::Tree),
            Some("mmd" | "mermaid") => Ok(Form::Mermaid),
            Some("dot" | "gv") => Ok(Form::Dot),
            Some("svg") => Ok(Form::Svg),
            Some(other) => Err(Failure::usage(format!(
                "no picture is called .{other}: end the name with .svg, .mmd, .dot or .txt, or say which with -o"
            ))),
        }
    }
}
