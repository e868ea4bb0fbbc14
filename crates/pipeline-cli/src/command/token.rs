//! `pipeline token …`.

mod bundle;
mod mint;
mod operation;
mod read;
mod validity;

use clap::Subcommand;

use crate::{exit::Exit, failure::Failure, options::Global};

/// Make and read tokens: a permission for one kind of request until some time
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum TokenCommand {
    Mint(mint::Mint),
    Bundle(bundle::Bundle),
    Decode(read::Decode),
    Verify(read::Verify),
}

impl TokenCommand {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        match self {
            Self::Mint(command) => command.run(global),
            Self::Bundle(command) => command.run(global),
            Self::Decode(command) => command.run(global),
            Self::Verify(command) => command.run(global),
        }
    }
}
