//! A bare clap program, to compare the start of the `pipeline` command with.

use clap::{Parser, Subcommand};

/// Does one of two things.
#[derive(Parser)]
struct Arguments {
    /// Where to do it
    #[arg(long, value_name = "URL")]
    place: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Does the first
    First {
        /// To whom
        name: String,
    },
    /// Does the second
    Second,
}

fn main() {
    let arguments = Arguments::parse();
    let name = match arguments.command {
        Command::First { name } => name,
        Command::Second => "second".to_owned(),
    };
    println!("{name} {}", arguments.place.unwrap_or_default());
}
