//! Proxies, as the environment names them.

use pipeline_conformance::{Reply, Script};
use serde_json::Value;

use crate::support::{ACCESS_KEY, Ran, Run as _, SECRET_KEY, TemporaryFile, pipeline, setting};

const LIST: &[&str] = &["workflow", "list", "-o", "name"];

fn with(arguments: &[&str], endpoint: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = pipeline(arguments);
    command
        .env("PANDORA_ENDPOINT", endpoint)
        .env("PANDORA_ACCESS_KEY", ACCESS_KEY)
        .env("PANDORA_SECRET_KEY", SECRET_KEY)
        .envs(variables.iter().copied());
    command.ran()
}

/// A proxy that opens one tunnel and is the service behind it.
fn proxy() -> Script {
    let tunnel = Reply::Bytes(b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
    Script::play([tunnel, Reply::json("200 OK", r#"[{"name":"behind"}]"#)])
}

/// Says so with a status, whatever it is asked.
fn refusing(status: &str) -> Script {
    Script::play(vec![Reply::with(status, "", ""); 3])
}

#[test]
fn a_proxy_of_the_environment_is_used_and_shown_with_the_variable() {
    let proxy = proxy();
    let url = proxy.url().replace("http://", "http://me:password@");
    let variables = [("http_proxy", &*url), ("no_proxy", "localhost")];
    assert_eq!(with(LIST, "http://x.test", &variables).ok(), "behind\n");
    let connect = &proxy.requests()[0];
    assert_eq!(
        (connect.method(), connect.target()),
        ("CONNECT", "x.test:80")
    );

    let shown = with(
        &["config", "explain", "-o", "json"],
        "http://x.test",
        &variables,
    )
    .json();
    let line = setting(&shown, "proxy");
    assert_eq!(line["value"], *proxy.url());
    assert_eq!(line["source"], "variable http_proxy");
    assert!(!shown.to_string().contains("password"));
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_and_nothing_goes_directly() {
    let proxy = proxy();
    let broken = proxy.url().replace("http://", "ftp://me:password@");
    for (endpoint, variable) in [
        ("http://x.test", "http_proxy"),
        ("https://x.test", "https_proxy"),
        ("https://x.test", "ALL_PROXY"),
    ] {
        let line = with(LIST, endpoint, &[(variable, &broken)]).failed(2);
        assert!(
            line.contains(variable) && line.contains("socks5h"),
            "{line}"
        );
        assert!(!line.contains("password@127"), "{line}");
        let doctor = with(&["doctor", "-o", "json"], endpoint, &[(variable, &broken)]);
        assert_eq!(doctor.code, Some(2), "{doctor:?}");
        assert!(doctor.stdout.contains("--no-proxy"), "{doctor:?}");
    }
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn trouble_with_a_proxy_is_told_of_the_proxy() {
    for (status, says, attempts) in [
        (
            "407 Proxy Authentication Required",
            "HTTP 407, it wants a user",
            1,
        ),
        (
            "403 Forbidden",
            "HTTP 403, it does not allow a tunnel to x.test:80",
            1,
        ),
        (
            "502 Bad Gateway",
            "HTTP 502, it made no tunnel to x.test:80",
            3,
        ),
    ] {
        let proxy = refusing(status);
        let ran = with(LIST, "http://x.test", &[("http_proxy", proxy.url())]);
        assert_eq!(ran.code, Some(8));
        let line = ran.stderr;
        let named = format!("the proxy {} (from http_proxy): {says}", proxy.url());
        assert!(line.contains(&named), "{line}");
        assert!(
            line.contains("--no-proxy") && !line.contains("(endpoint"),
            "{line}"
        );
        assert_eq!(proxy.requests().len(), attempts, "{status}");
    }
    let gone = refusing("500 No").url().to_owned();
    for proxy in [gone.clone(), gone.replace("http", "socks5h")] {
        let line = with(LIST, "https://x.test", &[("all_proxy", &*proxy)]).failed(8);
        let says = format!("{proxy} (from all_proxy): it cannot be reached: Connection refused");
        assert!(line.contains(&says), "{line}");
    }
    let proxy = refusing("403 Forbidden");
    let doctor = with(
        &["doctor", "-o", "json"],
        "http://x.test",
        &[("http_proxy", proxy.url())],
    );
    let report: Value = serde_json::from_str(&doctor.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = |name| checks.iter().find(|check| check["name"] == name).unwrap();
    assert!(
        check("proxy")["message"]
            .as_str()
            .unwrap()
            .contains("which http_proxy names")
    );
    assert!(
        check("connection")["message"]
            .as_str()
            .unwrap()
            .contains("HTTP 403")
    );
}

#[test]
fn why_there_is_no_proxy_is_shown() {
    for (endpoint, variables, option, why) in [
        (
            "https://x.test",
            &[][..],
            None,
            "no variable names a proxy for it",
        ),
        (
            "https://x.test",
            &[("http_proxy", "p")],
            None,
            "no variable names a proxy for it",
        ),
        (
            "http://x.test",
            &[("HTTP_PROXY", "p")],
            None,
            "HTTP_PROXY does not count",
        ),
        (
            "https://x.test",
            &[("ALL_PROXY", "p"), ("NO_PROXY", "a, .test")],
            None,
            "NO_PROXY has the entry .test",
        ),
        (
            "https://x.test",
            &[("https_proxy", "p")],
            Some("--no-proxy"),
            "option --no-proxy",
        ),
        (
            "https://localhost",
            &[("https_proxy", "p")],
            None,
            "the endpoint is this machine",
        ),
    ] {
        let explain = ["config", "explain", "-o", "json"];
        let arguments: Vec<_> = explain.into_iter().chain(option).collect();
        let shown = with(&arguments, endpoint, variables).json();
        let line = setting(&shown, "proxy");
        assert!(line["value"].is_null(), "{line}");
        assert!(line["source"].as_str().unwrap().starts_with(why), "{line}");
        let arguments: Vec<_> = ["doctor", "--timeout", "1s"]
            .into_iter()
            .chain(option)
            .collect();
        let doctor = with(&arguments, endpoint, variables).stdout;
        assert_eq!(
            doctor.contains(&format!("none: {why}")),
            !variables.is_empty(),
            "{doctor}"
        );
    }
}

#[test]
fn a_file_of_certificates_may_be_der_and_is_named_if_it_is_none() {
    let certified = rcgen::generate_simple_self_signed(["x.test".to_owned()]).unwrap();
    let der = std::env::temp_dir().join(format!("pipeline-der-{}", std::process::id()));
    std::fs::write(&der, certified.cert.der()).unwrap();
    let text = TemporaryFile::new("no-certificate.pem", "rubbish");
    let list = |file: &str| {
        let arguments = [LIST, &["--retries", "0", "--ca-file", file]].concat();
        with(&arguments, "https://pipeline.invalid", &[])
    };
    list(der.to_str().unwrap()).failed(8);
    std::fs::remove_file(&der).unwrap();
    let line = list(text.path()).failed(2);
    assert!(
        line.contains("no-certificate.pem (option --ca-file)"),
        "{line}"
    );
    assert!(line.contains("PEM") && line.contains("DER"), "{line}");
}
