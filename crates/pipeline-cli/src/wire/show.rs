use std::fmt::Write as _;

use pipeline_proto::observe::{Event, Observed};

use super::shown;
use crate::{duration::Short, failure::one_line, output::note};

/// Shows an event on stderr: lines with `>` for what is sent, `<` for what comes, `*` for what follows.
/// An event is written at once, so that calls at the same time do not get mixed up.
pub(crate) fn show(call: &Observed, event: &Event<'_>) {
    let number = call.number();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = match event {
        Event::Request {
            attempt, request, ..
        } => {
            let _ = write!(
                text,
                "[{number}] * {}, attempt {attempt}\n[{number}] > {} {}",
                call.operation(),
                request.method(),
                request.uri()
            );
            for (name, value) in shown(request.headers()) {
                let _ = write!(text, "\n[{number}] > {name}: {}", one_line(&value));
            }
            body(&mut text, number, '>', request.body().len())
        }
        Event::Response {
            response: Ok(response),
            elapsed,
            ..
        } => {
            let _ = write!(
                text,
                "[{number}] < {} after {}",
                response.status(),
                Short(*elapsed)
            );
            for (name, value) in shown(response.headers()) {
                let _ = write!(text, "\n[{number}] < {name}: {}", one_line(&value));
            }
            body(&mut text, number, '<', response.body().len())
        }
        Event::Response {
            response: Err(fault),
            elapsed,
            ..
        } => write!(text, "[{number}] < {fault} after {}", Short(*elapsed)),
        Event::Retry { reason, delay, .. } => {
            write!(text, "[{number}] * again in {}: {reason}", Short(*delay))
        }
        Event::End {
            attempts, elapsed, ..
        } => {
            let s = if *attempts == 1 { "" } else { "s" };
            write!(
                text,
                "[{number}] * {attempts} attempt{s}, {} in all",
                Short(*elapsed)
            )
        }
        _ => return,
    };
    note(text);
}

fn body(text: &mut String, number: u64, mark: char, length: usize) -> std::fmt::Result {
    if length == 0 {
        return Ok(());
    }
    write!(text, "\n[{number}] {mark} [body of {length} bytes]")
}
