//! The command as its users meet it: a process with arguments, an environment and two streams.

mod apply;
mod apply_resources;
mod breaker;
mod completions;
mod config;
mod credentials;
mod doctor;
mod empty_account;
mod emulator;
#[cfg(unix)]
mod environment;
mod exit_codes;
mod folders;
mod help;
mod matrix;
mod nouns;
mod output;
#[cfg(unix)]
mod pages;
mod proxies;
mod ship;
#[cfg(unix)]
mod signals;
mod signing;
#[cfg(unix)]
mod special_files;
mod streams;
mod support;
mod times;
mod tokens;
#[cfg(unix)]
mod transcripts;
mod watch;
mod wire;
