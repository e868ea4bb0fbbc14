use std::fs;

use clap::{Args, ValueEnum};
use pipeline_graph::draw::{Charset, Direction, Picture};
use pipeline_proto::operation::{GetWorkflow, GetWorkflowStatus};

use super::source::{File, RULE, Source};
use crate::{
    app::{Global, Output},
    exit::Exit,
    failure::Failure,
    output,
};

/// Draw a workflow: for the terminal, for Mermaid, for Graphviz, or as SVG
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  pipeline workflow graph nginx_logs
  pipeline workflow graph nginx_logs.yaml --format svg -o nginx_logs.svg
  pipeline workflow graph nginx_logs --format dot | dot -Tpdf > nginx_logs.pdf

A workflow of the service is drawn with the statuses of its nodes. No picture shows a secret.

{RULE}"))]
pub(crate) struct Graph {
    /// Workflow file, or name of a workflow
    #[arg(value_name = "FILE|NAME", value_parser = Source::parse)]
    source: Source,

    /// Form of the picture
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    format: Form,

    /// Where the edges of a picture lead; a tree stays as it is
    #[arg(long, value_enum, value_name = "WHERE", default_value_t)]
    direction: To,

    /// Draw the tree with ASCII characters only
    #[arg(long)]
    ascii: bool,

    /// File to write instead of stdout
    // The id is that of the global option, whose place it takes here.
    #[arg(id = "output", short, long = "output", value_name = "FILE", value_parser = Output::file_parser())]
    output: Option<Output>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Text for the terminal
    #[default]
    Tree,
    /// Text that Mermaid draws
    Mermaid,
    /// Text that Graphviz draws
    Dot,
    /// A picture for browsers
    Svg,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum To {
    /// From left to right
    #[default]
    Right,
    /// From top to bottom, for long chains
    Down,
}

impl Graph {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        if !global.format().is_for_people() {
            return Err(Failure::usage(
                "the data of this command is a picture: -o after `graph` names a file for it, and --format its form",
            ));
        }
        let (nodes, title, status, state) = match &self.source {
            Source::File(path) => {
                let file = File::read(path)?;
                let parsed = file.parse()?;
                let title = parsed.name().filter(|name| !name.is_empty());
                let title = title.map_or_else(|| self.source.label(), str::to_owned);
                (parsed.nodes(), title, None, None)
            }
            Source::Service(name) => {
                let remote = global.remote()?;
                let workflow = remote.send(GetWorkflow::new(name.clone()))?;
                // Not every installation tells the statuses of nodes; the picture does without.
                let state = remote.try_send(GetWorkflowStatus::new(name.clone())).ok();
                let nodes = workflow.nodes.unwrap_or_default();
                (nodes, workflow.name, Some(workflow.status), state)
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
        let text = match self.format {
            Form::Tree => picture.tree(charset),
            Form::Mermaid => picture.mermaid(),
            Form::Dot => picture.dot(),
            Form::Svg => picture.svg(),
        };
        if let Form::Mermaid = self.format
            && let Some(excess) = picture.mermaid_excess()
        {
            anstream::eprintln!("{excess}");
        }
        match self.output {
            Some(Output::File(path)) if path.as_os_str() != "-" => fs::write(&path, text)
                .map_err(|error| Failure::io(&path.display().to_string(), &error))?,
            _ => output::raw(text.as_bytes())?,
        }
        Ok(Exit::Done)
    }
}
