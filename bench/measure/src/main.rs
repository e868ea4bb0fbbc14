//! The programs that `cargo xtask bench` measures, from outside: under valgrind, by their CPU time
//! or by their system calls. Nothing in here counts anything, so what runs is what is shipped.
//!
//! ```text
//! measure once CASE COUNT [URL]   prepares the case and runs it so many times
//! measure cpu CASE COUNT [URL]    the same, and prints the CPU time of the runs in nanoseconds
//! measure length FIXTURE SIZE     prints how many bytes that input has
//! measure serve WHAT              serves on a free port, which it prints, until its input ends
//! measure load URL COUNT PID      sends signed requests; prints the CPU time of process PID for them
//! ```
//!
//! Two runs of one case that differ in COUNT only differ by what the case costs: start, preparation
//! and end drop out.

mod cases;
mod cpu;
mod decoding;
mod fixtures;
mod floor;
mod graphs;
mod load;
mod machines;
mod naive;
mod points;
mod requests;
mod serve;
mod transports;

use std::{error::Error, process::exit};

type Failure = Box<dyn Error>;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Err(error) = run(&words) {
        eprintln!("measure: {error}");
        exit(1);
    }
}

fn run(words: &[&str]) -> Result<(), Failure> {
    match words {
        ["once", case, count, rest @ ..] => {
            let mut case = cases::find(case, rest.first().copied())?;
            for _ in 0..count.parse::<usize>()? {
                case();
            }
            // Without dropping the case: what it holds at the end is one of the measures.
            exit(0)
        }
        ["cpu", case, count, rest @ ..] => {
            let mut case = cases::find(case, rest.first().copied())?;
            let before = cpu::used("self")?;
            for _ in 0..count.parse::<usize>()? {
                case();
            }
            println!("{}", (cpu::used("self")? - before).as_nanos());
        }
        ["length", "list", size] => println!("{}", fixtures::list(size.parse()?).len()),
        ["length", "nodes", size] => println!("{}", fixtures::workflow(size.parse()?).len()),
        ["serve", what] => serve::run(what)?,
        ["load", url, count, pid] => load::run(url, count.parse()?, pid)?,
        _ => return Err("what the words mean stands at the top of main.rs".into()),
    }
    Ok(())
}
