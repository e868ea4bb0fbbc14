//! The `pipeline` command.
//!
//! Rules that hold everywhere: stdout carries data and nothing else; an error is one line on stderr;
//! how the command ends is one of [`exit::Exit`]; a secret is never taken from an argument and never
//! written.

mod app;
mod cli;
mod command;
mod connection;
mod duration;
mod exit;
mod failure;
mod file;
mod hints;
mod input;
mod interrupt;
mod lang;
mod output;
mod reason;
mod remote;
mod settings;
mod size;
mod terminal;
mod time;
mod wire;

fn main() -> std::process::ExitCode {
    cli::main()
}
