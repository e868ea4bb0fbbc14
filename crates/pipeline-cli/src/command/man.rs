//! `pipeline man`: manual pages, made of the same texts as the help.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Args;
use clap_mangen::{
    Man as Page,
    roff::{Roff, roman},
};

use super::{
    EXAMPLES,
    help::{TOPICS, Topic},
    without_help_of_clap,
};
use crate::{
    exit::Exit,
    failure::Failure,
    file::{self, Readers, Target},
    options::Global,
    output::note,
    terminal,
};

/// Write manual pages into a folder, one for each command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline man /usr/local/share/man/man1
  pipeline man man && man -l man/pipeline-workflow-start.1

The folder is made if it is not there; pages that are in it are replaced after a question, or with --yes. \
The same version of the command always writes the same pages.")]
pub(crate) struct Man {
    /// Folder to write them to
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

const ROOT: &str = "pipeline";

const SEE_ROOT: &str = "pipeline(1) has the options that every command takes, the variables of the \
environment and the exit codes.";

impl Man {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        file::create_folder(&self.folder)?;
        let pages = pages().map_err(|error| Failure::io("a manual page", &error))?;
        let find = |(name, _): &(String, _)| Target::find(&self.folder.join(name));
        let targets: Vec<Target> = pages.iter().map(find).collect::<Result<_, _>>()?;
        if targets.iter().any(Target::holds_something) {
            let question = format!("Replace the manual pages in {}?", self.folder.display());
            terminal::confirm(&question, global.yes)?;
        }
        for ((_, text), target) in pages.iter().zip(&targets) {
            target.write(text, Readers::Usual)?;
        }
        note(format_args!(
            "{} pages in {}",
            pages.len(),
            self.folder.display()
        ));
        Ok(Exit::Done)
    }
}

/// The pages by the names of their files.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    // Each group of commands would have pages about its `help` otherwise.
    let mut command = without_help_of_clap();
    command.build();
    let mut pages = Vec::new();
    add(&mut pages, &command, None)?;
    Ok(pages)
}

fn add(
    pages: &mut Vec<(String, Vec<u8>)>,
    command: &clap::Command,
    parent: Option<&str>,
) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    pages.push((format!("{name}.1"), text(command, name, parent)?));
    for sub in command.get_subcommands() {
        add(pages, sub, Some(name))?;
    }
    Ok(())
}

/// The command with the options that its page should have.
fn shown(command: clap::Command, is_root: bool) -> clap::Command {
    // Which has no options of its own.
    let is_group = command.has_subcommands();
    command.mut_args(|arg| {
        let is_everywhere = arg.is_global_set() || is_group && arg.get_id() != "help";
        let elsewhere = is_everywhere && !is_root;
        arg.hide(elsewhere).hide_short_help(false)
    })
}

fn text(command: &clap::Command, name: &str, parent: Option<&str>) -> io::Result<Vec<u8>> {
    let page = Page::new(shown(command.clone(), parent.is_none()));
    let mut out = Vec::new();
    // The date is left empty, so that a build can be repeated; the crate would drop the place of it.
    let title = name.to_uppercase().replace('-', "\\-");
    let version = env!("CARGO_PKG_VERSION");
    writeln!(
        out,
        ".TH {title} 1 \"\" \"pipeline {version}\" \"Pandora pipeline\""
    )?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut out)?;
    }
    let mut rest = Roff::new();
    if let Some(parent) = parent {
        let after = command.get_after_help().map(ToString::to_string);
        notes(&mut rest, &after.unwrap_or_default());
        rest.control("SH", ["SEE ALSO"]);
        if parent != ROOT {
            rest.text([roman(format!("{parent}(1)."))]);
        }
        rest.text([roman(SEE_ROOT)]);
    } else {
        notes(&mut rest, EXAMPLES);
        for Topic { text, .. } in TOPICS {
            let text = text();
            let (title, body) = text.split_once(":\n").unwrap_or(("NOTES", &text));
            rest.control("SH", [title.to_uppercase().as_str()]);
            paragraphs(&mut rest, body.trim_start_matches('\n'));
        }
    }
    rest.to_writer(&mut out)?;
    out.flush()?;
    Ok(out)
}

/// What stands below the options in the help: examples, and then what else there is to know.
fn notes(roff: &mut Roff, text: &str) {
    let text = text.trim_end();
    let (examples, notes) = match text.strip_prefix("Examples:\n") {
        Some(rest) => rest.split_once("\n\n").unwrap_or((rest, "")),
        None => ("", text),
    };
    for (title, text) in [("EXAMPLES", examples), ("NOTES", notes)] {
        if !text.is_empty() {
            roff.control("SH", [title]);
            paragraphs(roff, text);
        }
    }
}

/// Lines that are indented stay as they are; the others flow.
fn paragraphs(roff: &mut Roff, text: &str) {
    let mut literal = false;
    for line in text.lines() {
        let indented = line.starts_with(' ');
        if indented != literal && !line.is_empty() {
            roff.control(if indented { "nf" } else { "fi" }, []);
            literal = indented;
        }
        if line.is_empty() {
            roff.control("PP", []);
        } else {
            roff.text([roman(line)]);
        }
    }
    if literal {
        roff.control("fi", []);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_examples() {
        let pages = pages().unwrap();
        let text = |name: &str| {
            let (_, text) = pages.iter().find(|(page, _)| page == name).expect(name);
            String::from_utf8(text.clone()).unwrap()
        };
        let start = text("pipeline-workflow-start.1");
        for part in [
            ".TH PIPELINE\\-WORKFLOW\\-START 1 \"\"",
            ".SH EXAMPLES\n.nf\n  pipeline workflow start nginx_logs\n",
            ".SH NOTES\nWithout \\-\\-wait",
            "pipeline\\-workflow(1).\npipeline(1) has",
        ] {
            assert!(start.contains(part), "{part}: {start}");
        }
        assert!(!start.contains("\\-\\-endpoint"), "{start}");
        let root = text("pipeline.1");
        for part in [
            ".SH \"EXIT CODES\"",
            "  3  not found",
            ".SH ENVIRONMENT",
            "PANDORA_ENDPOINT",
            "\\-\\-access\\-key",
            "Access key [env",
            "pipeline\\-workflow(1)",
        ] {
            assert!(root.contains(part), "{part}: {root}");
        }
        assert!(!pages.iter().any(|(name, _)| name.contains("-help-")));
    }
}
