//! The commands, one file each.

mod batch;
pub(crate) mod completions;
mod config;
mod demo;
mod doctor;
mod emulator;
mod explain;
mod header;
pub(crate) mod help;
mod man;
mod sign;
mod token;
mod workflow;

use clap::Subcommand;

use crate::{app::Global, exit::Exit, failure::Failure};

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(subcommand)]
    Workflow(workflow::Workflow),
    Sign(sign::Sign),
    #[command(subcommand)]
    Token(token::TokenCommand),
    Explain(explain::Explain),
    #[command(subcommand)]
    Config(config::Config),
    Doctor(doctor::Doctor),
    Emulator(emulator::EmulatorCommand),
    Demo(demo::Demo),
    Completions(completions::Completions),
    Man(man::Man),
    Help(help::Help),
}

impl Command {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        match self {
            Self::Workflow(command) => command.run(global),
            Self::Sign(command) => command.run(global),
            Self::Token(command) => command.run(global),
            Self::Explain(command) => command.run(global),
            Self::Config(command) => command.run(global),
            Self::Doctor(command) => command.run(global),
            Self::Emulator(command) => command.run(global),
            Self::Demo(command) => command.run(global),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(global),
            Self::Help(command) => command.run(),
        }
    }
}
