//! Where credentials come from, and that they go nowhere else.

use crate::support::{
    ACCESS_KEY, Run as _, SECRET_KEY, Service, TemporaryFile, pipeline, run_with_input,
};
use pipeline_proto::token::TokenDescriptor;

#[test]
fn a_secret_key_comes_from_a_file_or_from_stdin() {
    let service = Service::new();
    let file = TemporaryFile::new("secret", &format!("{SECRET_KEY}\r\n"));
    let url = service.server.url();
    let command = |file: &str| {
        let keys = ["--access-key", ACCESS_KEY, "--secret-key-file", file];
        pipeline(&[&["workflow", "list", "--endpoint", &url][..], &keys].concat())
    };
    command(file.path()).ran().ok();
    run_with_input(command("-"), format!("{SECRET_KEY}\n").as_bytes()).ok();
    run_with_input(command("-"), b"\n").fails(2, ["is empty"]);
}

#[test]
fn options_come_before_the_environment() {
    let service = Service::new();
    service
        .command(&[
            "workflow",
            "list",
            "--endpoint",
            &service.server.url(),
            "--access-key",
            ACCESS_KEY,
        ])
        .env("PANDORA_ENDPOINT", "http://127.0.0.1:1")
        .env("PANDORA_ACCESS_KEY", "another")
        .env("PANDORA_TOKEN", "x:y:z")
        .ran()
        .ok();
}

#[test]
fn a_secret_is_no_argument() {
    let service = Service::new();
    for arguments in [
        &["workflow", "list", "--secret-key", SECRET_KEY][..],
        &["workflow", "list", &format!("--secret-key={SECRET_KEY}")],
        &["workflow", "list", "--token", SECRET_KEY],
        &["token", "decode", &format!("a:b:{SECRET_KEY}")],
    ] {
        service.run(arguments).failed(2);
    }
}

#[test]
fn a_token_is_taken_from_the_environment_or_a_file() {
    let service = Service::new();
    let minted = service
        .run("token mint --method get --resource /v2/workflows --ttl 5m")
        .ok();
    let token = minted.trim_end();
    let file = TemporaryFile::new("token", &minted);
    let url = service.server.url();

    let list =
        |extra: &[&str]| pipeline(&[&["workflow", "list", "--endpoint", &url], extra].concat());
    list(&[]).env("PANDORA_TOKEN", token).ran().ok();
    list(&["--token-file", file.path()]).ran().ok();
    // With or without the scheme word.
    let bare = token.strip_prefix("Pandora ").unwrap();
    list(&[]).env("PANDORA_TOKEN", bare).ran().ok();

    // It is good for this request only, and the error says why.
    let mut other = pipeline(&format!("workflow get w --endpoint {url}"));
    let line = other.env("PANDORA_TOKEN", token).ran().failed(4);
    assert!(line.contains("its resource differs"), "{line}");
    assert!(!line.contains(bare), "{line}");
}

#[test]
fn a_token_can_be_read_and_checked() {
    let service = Service::new();
    let arguments = "token mint --method POST --resource /v2/workflows/w --expires 4102444800 --content-type application/json -H 'X-Qiniu-A: 1' -o json";
    let minted = service.run(arguments).json();
    let token = minted["token"].as_str().unwrap();

    let decoded = run_with_input(pipeline("token decode - -o json"), token.as_bytes());
    let decoded = decoded.json();
    assert_eq!(decoded["resource"], "/v2/workflows/w");
    assert_eq!(decoded["expires"], 4_102_444_800_i64);
    assert_eq!(decoded["headers"], "\nx-qiniu-a:1");
    assert_eq!(
        (&decoded["method"], &decoded["expired"]),
        (&"POST".into(), &false.into())
    );

    let verify = |token: &str| service.run_with_input("token verify -", token);
    assert!(verify(token).ok().contains("good for another"));
    let changed = token
        .replacen("4102444800", "4102444801", 1)
        .replace(":eyJ", ":eyK");
    assert!(verify(&changed).failed(4).contains("signature"));
    assert!(verify("nonsense").failed(2).contains("not a token"));

    let keys = pipeline_proto::Credentials::new(ACCESS_KEY, SECRET_KEY).unwrap();
    let past = pipeline_proto::UnixTime::from_secs(1_000_000_000);
    let expired = TokenDescriptor::new(&http::Method::GET, "/v2/workflows", past).mint(&keys);
    assert!(verify(expired.as_str()).failed(4).contains("expired"));
    let others = pipeline_proto::Credentials::new("another", SECRET_KEY).unwrap();
    let others = TokenDescriptor::new(&http::Method::GET, "/v2/workflows", past).mint(&others);
    assert!(
        verify(others.as_str())
            .failed(4)
            .contains("another access key")
    );
}

#[test]
fn a_token_in_the_environment_does_not_hide_the_keys_from_what_needs_them() {
    let service = Service::new();
    let mint = "token mint list_workflows --ttl 5m";
    let token = service.run(mint).ok();
    let with_token = |line: &str| {
        let mut command = service.command(line);
        command.env("PANDORA_TOKEN", token.trim_end()).ran().ok()
    };
    assert!(with_token("token verify").contains("good for another"));
    with_token(&format!("token verify --access-key {ACCESS_KEY}"));
    with_token("sign --method GET --url /v2/workflows");
    with_token(mint);
}

#[cfg(unix)]
#[test]
fn a_secret_on_stdin_is_read_once_by_the_doctor() {
    let service = Service::new();
    let url = service.server.url();
    let keys = ["--access-key", ACCESS_KEY, "--secret-key-file", "-"];
    let command = pipeline(&[&["doctor", "--endpoint", &url][..], &keys].concat());
    run_with_input(command, SECRET_KEY.as_bytes()).ok();
}
