//! `docs/errors.md`: the error codes of the service.

use pipeline_proto::{CodeInfo, ErrorCode, ErrorKind};

pub(super) fn document() -> String {
    let known = ErrorCode::known();
    let on_page = known.iter().filter(|row| row.on_api_page).count();
    format!(
        "\
# Error codes

<!-- Generated from crates/pipeline-proto/src/error/table.rs by `cargo xtask docs`. Do not edit. -->

When the service refuses a request, its response carries a message that starts with a code, as in
`{{\"error\": \"{example}: ...\"}}`. This page lists the {all} codes that are known: {on_page} from the vendor's
API page, {rest} more from the constants of the vendor's Go SDK. A code that is not listed is kept as
it came and judged by the HTTP status. The meanings are in this project's own words; the message of
the service may say more.

`pipeline explain {example}` prints one row in the terminal. In Rust, `ErrorCode::info` looks one up
and `ErrorCode::known` gives the whole table.

## How to read the table

- **HTTP** is the status that comes with the code. The API page states it; the Go SDK does not, so
  codes that only the SDK has say `unknown`. A status below 400 is still an error.
- **Kind** is what the error means to a program, whatever its number. It is the thing to branch on.
- **API page** says whether the vendor's API page has the code. The others may be out of date.

## Kinds

{kinds}
## Kinds without a code

A response without a known code gets its kind from its HTTP status. These kinds belong to no code:
they come from the status alone, as `unauthorized` does from 401, or from the client itself, without a
word from the service.

{codeless}
## Codes

{rows}",
        example = ErrorCode::WORKFLOW_NOT_FOUND,
        all = known.len(),
        rest = known.len() - on_page,
        kinds = kinds(known, true),
        codeless = kinds(known, false),
        rows = rows(known),
    )
}

/// A table of the kinds that some code has, or of those that none has.
fn kinds(known: &[CodeInfo], with_codes: bool) -> String {
    let (head, dashes) = if with_codes {
        ("| kind | codes |", "|---|---:|")
    } else {
        ("| kind |", "|---|")
    };
    let row = |kind: ErrorKind| {
        let count = known.iter().filter(|row| row.kind == kind).count();
        let counted = if with_codes {
            format!(" {count} |")
        } else {
            String::new()
        };
        let row = format!("| `{kind}` |{counted} {} |\n", meaning(kind));
        ((count > 0) == with_codes).then_some(row)
    };
    let head = format!("{head} what it means |\n{dashes}---|\n");
    head + &ErrorKind::ALL
        .into_iter()
        .filter_map(row)
        .collect::<String>()
}

fn meaning(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidArgument => {
            "The request says something the service cannot accept. Sent again, it fails again: change it first."
        }
        ErrorKind::Unauthorized => {
            "The signature or the token was refused: wrong keys, an expired token, or a clock more than 15 minutes off."
        }
        ErrorKind::Permission => "The caller is known but may not do this.",
        ErrorKind::NotFound => "What the request names does not exist.",
        ErrorKind::Conflict => {
            "The request is at odds with what is there: a name that is taken, a state that forbids it."
        }
        ErrorKind::InProgress => {
            "Something the request needs is still being made or removed. Later it may succeed."
        }
        ErrorKind::Limit => "A size, a count or a rate is above what the service allows.",
        ErrorKind::Internal => "The service failed.",
        ErrorKind::Unavailable => {
            "The service, or something behind it, cannot be reached at the moment. Later it may succeed."
        }
        ErrorKind::InvalidRequest => "The request could not be built. Nothing was sent.",
        ErrorKind::UnexpectedResponse => {
            "The response is not one that this service gives: not JSON, not the expected shape, a redirect."
        }
        ErrorKind::Network => "The connection could not be made, or it broke.",
        ErrorKind::Timeout => "A time-out or the deadline of the call passed.",
        _ => "",
    }
}

fn rows(known: &[CodeInfo]) -> String {
    let head = "| code | HTTP | kind | meaning | 中文 | API page |\n|---|---|---|---|---|---|\n";
    head.to_owned() + &known.iter().map(row).collect::<String>()
}

fn row(info: &CodeInfo) -> String {
    let status = info
        .http_status
        .map_or("unknown".into(), |status| status.to_string());
    let on_page = if info.on_api_page { "yes" } else { "no" };
    let (code, kind) = (info.code, info.kind);
    let (meaning, meaning_zh) = (cell(info.meaning), cell(info.meaning_zh));
    format!("| {code} | {status} | `{kind}` | {meaning} | {meaning_zh} | {on_page} |\n")
}

/// A text as the content of a cell of a Markdown table.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '\\' | '*' | '_' | '`' | '<' | '[') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[test]
fn each_code_and_each_kind_has_one_row() {
    let text = document();
    for row in ErrorCode::known() {
        assert_eq!(
            text.matches(&format!("\n| {} | ", row.code)).count(),
            1,
            "{}",
            row.code
        );
    }
    for kind in ErrorKind::ALL {
        assert_eq!(
            text.matches(&format!("\n| `{kind}` |")).count(),
            1,
            "{kind}"
        );
        assert_ne!(meaning(kind), "", "{kind}");
    }
    assert!(text.contains("\n| E18641 | 404 | `not-found` | the workflow does not exist | "));
    assert!(text.contains("\n| E18643 | unknown | `conflict` | "));
    assert_eq!(cell("a | content_md5"), r"a \| content\_md5");
}
