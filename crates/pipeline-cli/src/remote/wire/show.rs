use std::fmt::{self, Write as _};

use bytes::Bytes;
use http::HeaderMap;
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
            content(&mut text, number, '>', request.headers(), request.body())
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
            content(&mut text, number, '<', response.headers(), response.body())
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

fn content(
    text: &mut String,
    number: u64,
    mark: char,
    headers: &HeaderMap,
    body: &Bytes,
) -> fmt::Result {
    for (name, value) in shown(headers) {
        write!(text, "\n[{number}] {mark} {name}: {}", one_line(&value))?;
    }
    if body.is_empty() {
        return Ok(());
    }
    write!(text, "\n[{number}] {mark} [body of {} bytes]", body.len())
}
