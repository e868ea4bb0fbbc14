//! The signing vectors, through the command: one by one and in a batch.

use crate::support::{Run as _, Service, pipeline, run, run_with_input};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../../pipeline-proto/tests/vectors/signing.json");

fn vectors(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(VECTORS).unwrap();
    let all = all["vectors"].as_array().unwrap();
    all.iter()
        .filter(|vector| vector["kind"] == kind)
        .cloned()
        .collect()
}

fn text<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector[member].as_str().unwrap()
}

/// An answer to each of these lines.
fn batch(command: &str, lines: &str) -> Vec<Value> {
    let answers = run_with_input(pipeline(command), lines.as_bytes()).ok();
    let answers = answers.lines().map(serde_json::from_str);
    answers.collect::<Result<_, _>>().unwrap()
}

#[test]
fn every_vector_is_signed_and_every_token_minted_as_expected() {
    let sign = "sign --method method --url url";
    let mint = "token mint --method method --resource resource --expires expires \
        --content-type content_type --content-md5 content_md5";
    for (kind, count, line) in [("sign", 20, sign), ("token", 7, mint)] {
        let vectors = vectors(kind);
        assert_eq!(vectors.len(), count);
        for vector in &vectors {
            // What is no word of the command is the member of the vector that it is called after.
            let member = |word: &str| match &vector[word] {
                Value::String(text) => text.clone(),
                Value::Null => word.to_owned(),
                other => other.to_string(),
            };
            let mut words: Vec<String> = line.split_whitespace().map(member).collect();
            for header in vector["headers"].as_array().unwrap() {
                let [name, value] = [0, 1].map(|at| header[at].as_str().unwrap());
                words.extend(["-H".to_owned(), format!("{name}:{value}")]);
            }
            let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut command = pipeline(&words);
            command
                .env("PANDORA_ACCESS_KEY", text(vector, "access_key"))
                .env("PANDORA_SECRET_KEY", text(vector, "secret_key"));
            let expected = format!("{}\n", text(vector, "authorization"));
            assert_eq!(command.ran().ok(), expected, "{}", vector["id"]);
            if kind == "sign" {
                // No key is needed to see what would be signed.
                words.extend(["--show", "string-to-sign"]);
                let expected = text(vector, "string_to_sign");
                assert_eq!(run(&words).ok(), expected, "{}", vector["id"]);
            }
        }
    }
}

#[test]
fn a_batch_answers_line_by_line() {
    for (kind, command, member) in [
        ("sign", "sign --batch", "authorization"),
        ("token", "token mint --batch", "token"),
    ] {
        let vectors = vectors(kind);
        // The vectors have the members of a batch, among others, which are ignored.
        let lines: Vec<String> = vectors.iter().map(Value::to_string).collect();
        let expected = vectors
            .iter()
            .map(|it| json!({member: it["authorization"]}));
        assert_eq!(
            batch(command, &lines.join("\n")),
            expected.collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_bad_line_is_answered_and_the_batch_goes_on() {
    let keys = r#""access_key":"ak","secret_key":"canary-secret-5b1c0e""#;
    let good = format!(r#"{{"method":"GET","url":"https://host/a b","headers":[],{keys}}}"#);
    let lines = [
        String::new(),
        "nonsense".to_owned(),
        r#"{"method":"GET"}"#.to_owned(),
        r#"{"method":"GET","url":"https://host/"}"#.to_owned(),
        r#"{"method":"GET","url":"https://host/","access_key":"ak"}"#.to_owned(),
        format!(r#"{{"method":"G T","url":"https://host/",{keys}}}"#),
        format!(r#"{{"method":"GET","url":"host",{keys}}}"#),
        format!(r#"{{"method":"GET","url":"https://host/%zz",{keys}}}"#),
        format!(r#"{{"method":"GET","url":"https://host/","headers":[["a b","c"]],{keys}}}"#),
        format!(r#"{{"method":"GET","url":"https://host/","headers":[["a","b\nc"]],{keys}}}"#),
        format!(
            r#"{{"method":"GET","url":"https://host/","headers":"{}",{keys}}}"#,
            crate::support::SECRET_KEY
        ),
        "\u{fffd}".to_owned(),
        good.clone(),
    ];
    // The last line has no end.
    let answers = batch("sign --batch", &lines.join("\n"));
    assert_eq!(answers.len(), lines.len());
    let (last, bad) = answers.split_last().unwrap();
    for (answer, line) in bad.iter().zip(&lines) {
        assert!(answer["error"].is_string(), "{line}: {answer}");
    }
    assert!(
        last["authorization"]
            .as_str()
            .unwrap()
            .starts_with("Pandora ak:"),
        "{last}"
    );
}

#[test]
fn a_batch_holds_a_conversation() {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        process::Stdio,
    };
    let vector = &vectors("sign")[0];
    let mut child = pipeline("sign --batch")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        writeln!(stdin, "{vector}").unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert!(answer.contains(text(vector, "authorization")), "{answer}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn header_values_are_signed_as_bytes() {
    let line = json!({
        "method": "GET", "url": "https://host/v2/工作流?x#y", "access_key": "ak", "secret_key": "sk",
        "headers": [["x-qiniu-Name", "\t点击 "], ["X-QINIU-NAME", "second"], ["Date", "d"]],
    });
    let signed = run_with_input(pipeline("sign --batch"), line.to_string().as_bytes()).ok();
    let shown = run(
        "sign --method GET --url 'https://host/v2/工作流?x#y' --show string-to-sign -H 'X-Qiniu-Name: 点击' -H 'Date: d'",
    );
    let text = "GET\n\n\nd\n\nx-qiniu-name:点击/v2/工作流";
    assert_eq!(shown.ok(), text);
    // HMAC-SHA1 of that text with the key `sk`, by another program.
    assert_eq!(
        signed,
        "{\"authorization\":\"Pandora ak:B3qPhSJUD688UkisBHjRi4rPeto=\"}\n"
    );
}

#[test]
fn a_missing_date_is_added_and_said() {
    let service = Service::new();
    let ran = service.run("sign --method get --url /v2/workflows");
    assert!(ran.stderr.contains("Date: "), "{ran:?}");
    assert!(
        ran.stdout.starts_with("Pandora access-key-for-tests:"),
        "{ran:?}"
    );
    assert_eq!(ran.code, Some(0));
}

#[test]
fn a_curl_command_carries_everything_that_was_signed() {
    let service = Service::new();
    let command = service
        .run(&[
            "sign",
            "--method",
            "post",
            "--url",
            "/v2/workflows/w",
            "--curl",
            "-d",
            "{\"region\":\"it's\"}",
            "-H",
            "Content-Type: application/json",
            "-H",
            "Date: Sun, 06 Nov 1994 08:49:37 GMT",
        ])
        .ok();
    for part in [
        "-X POST",
        "-H 'content-type: application/json'",
        "-H 'date: Sun, 06 Nov 1994 08:49:37 GMT'",
        "-H 'Authorization: Pandora access-key-for-tests:",
        "--data-raw '{\"region\":\"it'\\''s\"}'",
        &format!("{}/v2/workflows/w", service.server.url()),
    ] {
        assert!(command.contains(part), "{part} is not in {command}");
    }
    let start = service.run("sign --method POST --url /v2/workflows/w/start --curl");
    assert!(start.ok().contains("-H 'Content-Length: 0'"));
}
