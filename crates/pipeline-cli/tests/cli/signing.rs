//! The signing vectors, through the command: one by one and in a batch.

use crate::support::{Ran, Run as _, Service, pipeline, run, run_with_input};
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

fn options(vector: &Value) -> Vec<String> {
    let headers = vector["headers"].as_array().unwrap();
    let pair = |header: &Value| format!("{}:{}", text_at(header, 0), text_at(header, 1));
    headers
        .iter()
        .flat_map(|header| ["-H".to_owned(), pair(header)])
        .collect()
}

fn text_at(header: &Value, at: usize) -> &str {
    header[at].as_str().unwrap()
}

fn with_keys(arguments: &[&str], vector: &Value) -> Ran {
    let mut command = pipeline(arguments);
    command
        .env("PANDORA_ACCESS_KEY", text(vector, "access_key"))
        .env("PANDORA_SECRET_KEY", text(vector, "secret_key"));
    command.ran()
}

#[test]
fn every_vector_is_signed_as_expected() {
    let vectors = vectors("sign");
    assert_eq!(vectors.len(), 20);
    for vector in &vectors {
        let headers = options(vector);
        let mut arguments = vec![
            "sign",
            "--method",
            text(vector, "method"),
            "--url",
            text(vector, "url"),
        ];
        arguments.extend(headers.iter().map(String::as_str));
        let signed = with_keys(&arguments, vector).ok();
        assert_eq!(
            signed,
            format!("{}\n", text(vector, "authorization")),
            "{}",
            vector["id"]
        );
        // No key is needed to see what would be signed.
        arguments.extend(["--show", "string-to-sign"]);
        assert_eq!(
            run(&arguments).ok(),
            text(vector, "string_to_sign"),
            "{}",
            vector["id"]
        );
    }
}

#[test]
fn every_token_is_minted_as_expected() {
    let vectors = vectors("token");
    assert_eq!(vectors.len(), 7);
    for vector in &vectors {
        let headers = options(vector);
        let expires = vector["expires"].to_string();
        let mut arguments = vec!["token", "mint", "--method", text(vector, "method")];
        arguments.extend([
            "--resource",
            text(vector, "resource"),
            "--expires",
            &expires,
        ]);
        arguments.extend(["--content-type", text(vector, "content_type")]);
        arguments.extend(["--content-md5", text(vector, "content_md5")]);
        arguments.extend(headers.iter().map(String::as_str));
        let minted = with_keys(&arguments, vector).ok();
        assert_eq!(
            minted,
            format!("{}\n", text(vector, "authorization")),
            "{}",
            vector["id"]
        );
    }
}

#[test]
fn a_batch_answers_line_by_line() {
    for (kind, command, member) in [
        ("sign", &["sign", "--batch"][..], "authorization"),
        ("token", &["token", "mint", "--batch"], "token"),
    ] {
        let vectors = vectors(kind);
        let mut input = String::new();
        let mut expected = Vec::new();
        for vector in &vectors {
            // The vectors have the members of a batch, among others, which are ignored.
            input.push_str(&vector.to_string());
            input.push('\n');
            expected.push(json!({member: vector["authorization"]}));
        }
        let answers = run_with_input(pipeline(command), input.as_bytes()).ok();
        let answers: Vec<Value> = answers
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(answers, expected);
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
    let input = lines.join("\n");
    let answers = run_with_input(pipeline("sign --batch"), input.as_bytes()).ok();
    let answers: Vec<Value> = answers
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
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
