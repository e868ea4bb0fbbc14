//! The programs that `cargo xtask bench` measures, from outside under valgrind or strace, or by their CPU time.
//! Nothing in here counts anything, so what runs is what is shipped.
//!
//! ```text
//! measure once CASE COUNT [URL]             prepares the case and runs it so many times
//! measure race TURNS URL CASE…              runs the cases in turns, and prints their CPU times
//! measure programs TURNS LINE…              the same with programs, and their wall times
//! measure one PROGRAM WORD…                 runs a program, and prints its times and its memory
//! measure latency TRANSPORT SECONDS URL     calls at fixed moments, and prints how long they took
//! measure length FIXTURE SIZE               prints how many bytes that input has
//! measure lines COUNT BAD                   prints lines of a log, every BAD-th one spoiled
//! measure schema                            prints the schema of these lines
//! measure serve WHAT                        serves on a free port, which it prints, until its input ends
//! measure load URL COUNT PID                sends signed requests; prints the CPU time of process PID for each
//! measure cpu PID                           prints the CPU time of that process
//! ```
//!
//! Two runs of `once` that differ in COUNT only differ by what the case costs: start, preparation and end
//! drop out. Times are in nanoseconds. What prints several does so by lines: a name, a number of bytes, and the times.

mod cases;
mod clock;
mod decoding;
mod fixtures;
mod floor;
mod graphs;
mod growth;
mod latency;
mod load;
mod logs;
mod machines;
mod naive;
mod points;
mod push;
mod race;
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
    if let ["race" | "latency" | "serve" | "load", ..] = words {
        clock::on_one_processor("self")?;
    }
    match words {
        ["once", case, count, rest @ ..] => {
            let mut case = cases::find(case, rest.first().copied())?;
            // As many however often it runs, so that making them drops out.
            case.prepare(cases::MOST_RUNS);
            for _ in 0..count.parse::<usize>()? {
                case.run();
            }
            // Without dropping the case: what it holds at the end is one of the measures.
            exit(0)
        }
        ["race", turns, url, cases @ ..] => race::run(turns, url, cases)?,
        ["programs", turns, lines @ ..] => race::programs(turns, lines)?,
        ["one", words @ ..] => race::one(words)?,
        ["latency", transport, seconds, url] => latency::run(transport, seconds, url)?,
        ["length", "list", size] => println!("{}", fixtures::list(size.parse()?).len()),
        ["length", "nodes", size] => println!("{}", fixtures::workflow(size.parse()?).len()),
        ["length", "push", _] => println!("{}", push::lengths(0).0),
        ["length", "push-gzip", level] => println!("{}", push::lengths(level.parse()?).1),
        ["lines", count, bad] => logs::write(count, bad)?,
        ["schema"] => println!("{}", logs::SCHEMA),
        ["serve", what] => serve::run(what)?,
        ["load", url, count, pid] => load::run(url, count.parse()?, pid)?,
        ["cpu", pid] => println!("{}", clock::of(pid)?.as_nanos()),
        _ => return Err("what the words mean stands at the top of main.rs".into()),
    }
    Ok(())
}
