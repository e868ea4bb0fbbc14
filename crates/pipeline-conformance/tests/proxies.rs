//! Proxies: both clients go through each kind of them, with TLS and without, and blame them for their
//! trouble.

use std::{process::Command, time::Duration};

use pipeline_conformance::{
    Driver, Identity, Relay, Reply, Script, Speaks, Special, cases, is_like, words,
};
use pipeline_proto::{
    RetryPolicy, WorkflowName,
    resource::workflow::{ListWorkflows, StartWorkflow},
};

pipeline_conformance::suite! {
    each_kind_of_proxy_leads_to_the_service
    trouble_on_the_way_is_told_of_whose_it_is_and_nothing_was_sent
}

fn each_kind_of_proxy_leads_to_the_service<D: Driver>() {
    // `localhost`, because it is looked up on this side for socks5.
    let identity = Identity::new("localhost", Special::None);
    let basic = "Basic bWU6cEBzcw==";
    for (scheme, speaks, user, expected) in cases! {
        "http" => Speaks::Connect, "", String::new();
        "http" => Speaks::Connect, "me:p%40ss@", format!(" {basic}");
        "https" => Speaks::Connect, "me:p%40ss@", format!(" {basic}");
        "socks5h" => Speaks::Socks, "", String::new();
        "socks5h" => Speaks::Socks, "me:p%40ss@", " me p@ss".to_owned();
        "socks5" => Speaks::Socks, "", String::new();
    } {
        for service in ["http", "https"] {
            let script = Script::play(vec![Reply::json("200 OK", "[]"); 2]);
            let tls = Relay::start(Speaks::Nothing, Some(&identity), script.url());
            let behind = match service {
                "http" => script.url().to_owned(),
                _ => tls.address().to_string(),
            };
            let of_proxy = (scheme == "https").then_some(&identity);
            let proxy = Relay::start(speaks, of_proxy, &behind);
            let url = format!("{scheme}://{user}localhost:{}", proxy.address().port());
            let client = D::new(&format!("{service}://localhost:7"), |mut settings| {
                settings.extra_roots = Some(identity.pem.clone());
                settings.proxy = Some(url.clone());
                settings
            });
            for _ in 0..2 {
                client.send(ListWorkflows::new()).unwrap();
            }
            // The connection is used again, and so is its tunnel.
            let asked = proxy.asked().join(", ");
            let host = if scheme == "socks5" {
                "127.0.0.1"
            } else {
                "localhost"
            };
            assert_eq!(asked, format!("{host}:7{expected}"), "{url} {service}");
            let requests = script.requests();
            assert_eq!(requests.len(), 2, "{url} {service}");
            for request in requests {
                assert_eq!(request.target(), "/v2/workflows");
                assert_eq!(request.header("host"), Some("localhost:7"));
                assert_eq!(request.header("proxy-authorization"), None);
            }
        }
    }
}

/// What a proxy is behind its address in a table.
enum Is {
    /// A server that answers with these bytes, as often as it is asked.
    Answering(Vec<Reply>),
    /// A proxy with TLS whose certificate is not trusted.
    Stranger,
    /// A proxy to a service whose certificate is not trusted.
    BeforeStranger,
    /// Nothing listens.
    Gone,
}

fn trouble_on_the_way_is_told_of_whose_it_is_and_nothing_was_sent<D: Driver>() {
    let say = |status: &str| {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        Is::Answering(vec![Reply::Close(head.into_bytes()); 2])
    };
    let stalling = |bytes: &[u8]| Is::Answering(vec![Reply::Stall(bytes.to_vec()); 2]);
    let closing = |reply: Reply| Is::Answering(vec![reply; 2]);
    let hasty = |steps: &[&[u8]]| {
        Is::Answering(
            steps
                .iter()
                .map(|step| Reply::Hasty(step.to_vec()))
                .collect(),
        )
    };
    for (scheme, is, expected) in cases! {
        "http" => say("407 No"), "no connection (the proxy *: HTTP 407, it wants a user and a password)*after 1";
        "http" => say("403 No"), "(the proxy *: HTTP 403, it does not allow a tunnel to localhost:7)*after 1";
        "http" => say("502 No"), "(the proxy *: HTTP 502, it made no tunnel to localhost:7)*after 2";
        "http" => Is::Gone, "no connection (the proxy *: it cannot be reached: *refused*after 2";
        "https" => Is::Gone, "no connection (the proxy *: it cannot be reached: *refused*after 2";
        "socks5h" => Is::Gone, "no connection (the proxy *: it cannot be reached: *refused*after 2";
        "http" => stalling(b""), "timed out while waiting for the proxy (the proxy *after 2";
        "http" => stalling(b"HTTP/1.1 200 OK\r\nx:"), "timed out while waiting for the proxy (the proxy *after 2";
        "http" => closing(Reply::Close(Vec::new())), "no connection (the proxy *closed*after 2";
        "http" => closing(Reply::Reset(Vec::new())), "no connection (the proxy *reset*after 2";
        "http" => closing(Reply::Close(b"SSH-2.0-x\r\n".to_vec())),
            "(the proxy *: what answers there is no HTTP proxy)*after 1";
        "http" => closing(Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nlogin".to_vec())),
            "(the proxy *: it sent more than the response that was due)*after 2";
        "http" =>
            hasty(&[b"\x15\x03\x03\0\x02\x02\x28"]), "(the proxy *: what answers there is no HTTP proxy)*after 1";
        "http" => stalling(b"HTTP/1.1 200 OK\r\n\r\n"), "no connection: timed out while agreeing on TLS*after 2";
        "https" => hasty(&[b"HTTP/1.1 400 Bad Request\r\n\r\n"]),
            "(the proxy *: what answers at 127.0.0.1 does not speak TLS)*after 1";
        "https" => hasty(&[b"", b""]), "timed out while agreeing on TLS (the proxy *after 2";
        "socks5h" => hasty(&[b"", b""]), "timed out while waiting for the proxy (the proxy *after 2";
        "socks5h" =>
            hasty(&[b"\x05\0", b"", b"\x05\0", b""]), "timed out while waiting for the proxy (the proxy *after 2";
        "socks5h" => hasty(&[b"\x05\xff"]), "(the proxy *: it wants a user and a password)*after 1";
        "socks5h" => hasty(&[b"\x05\0", b"\x05\x02\0\x01\0\0\0\0\0\0"]),
            "(the proxy *: it does not allow a tunnel to localhost:7)*after 1";
        "socks5h" => hasty(&[b"\x05\0", b"\x05\x05", b"\x05\0", b"\x05\x05"]),
            "(the proxy *: it made no tunnel to localhost:7: the connection was refused)*after 2";
        "socks5h" => hasty(&[b"HTTP/1.1 400 Bad Request\r\n\r\n"]),
            "(the proxy *: what answers there is no SOCKS 5 proxy)*after 1";
        "https" => Is::Stranger, "(the proxy *: the certificate of localhost is signed by no authority*after 1";
        "http" =>
            Is::BeforeStranger, "no connection (the certificate of localhost is signed by no authority*after 1";
    } {
        let identity = Identity::new("localhost", Special::None);
        let (mut script, mut relays) = (None, Vec::new());
        let address = match is {
            Is::Answering(replies) => {
                let server = script.insert(Script::play(replies));
                server.url().replace("http://", "")
            }
            Is::Gone => Script::play([]).url().replace("http://", ""),
            Is::Stranger => {
                relays.push(Relay::start(
                    Speaks::Connect,
                    Some(&identity),
                    "127.0.0.1:1",
                ));
                format!("localhost:{}", relays[0].address().port())
            }
            Is::BeforeStranger => {
                let service = Relay::start(Speaks::Nothing, Some(&identity), "127.0.0.1:1");
                let to = service.address().to_string();
                relays.extend([service, Relay::start(Speaks::Connect, None, &to)]);
                relays[1].address().to_string()
            }
        };
        let client = D::new("https://localhost:7", |mut settings| {
            settings.proxy = Some(format!("{scheme}://{address}"));
            settings.connect_timeout = Duration::from_millis(300);
            let base = Duration::from_millis(1);
            settings.retry = RetryPolicy::default().max_attempts(2).base_delay(base);
            settings
        });
        // Which must not be sent twice, unless it was not sent.
        let start = StartWorkflow::new(WorkflowName::from_static("wf"));
        let outcome = words(&client.send(start).unwrap_err());
        assert!(
            is_like(&outcome, expected),
            "{scheme}: {outcome}\n but expected {expected}"
        );
        assert!(outcome.contains("; nothing changed"), "{outcome}");
        if expected.contains("the proxy") && !expected.contains("the certificate") {
            assert!(
                outcome.contains(&format!("{scheme}://{address}")),
                "{outcome}"
            );
        }
    }
}

/// Both clients as they are made by default, in a process with these variables; `P` is a proxy.
#[test]
fn the_environment_says_by_which_proxy() {
    let answer = Reply::json("200 OK", "[]");
    let through = "0 workflows through";
    for (variables, expected) in cases! {
        "" => "0 workflows";
        "http_proxy=P" => through;
        "http_proxy=socks5h://S" => through;
        "all_proxy=P" => through;
        "ALL_PROXY=P" => through;
        "http_proxy=P ALL_PROXY=ftp://x" => through;
        "all_proxy=P http_proxy=" => through;
        "HTTP_PROXY=P" => "0 workflows";
        "HTTP_PROXY=P REQUEST_METHOD=GET" => "0 workflows";
        "HTTPS_PROXY=P https_proxy=P" => "0 workflows";
        "http_proxy=P no_proxy=x,127.0.0.0/8" => "0 workflows";
        "http_proxy=P NO_PROXY=*" => "0 workflows";
        "http_proxy=P NO_PROXY=127.0.0.1:1" => through;
        "http_proxy=ftp://u:s3cret@x" => "no client: http_proxy cannot be used: its scheme is ftp";
        "ALL_PROXY=socks4://u:s3cret@x" => "no client: ALL_PROXY cannot be used: SOCKS 4";
        "ALL_PROXY=u:s3cret@x:port" => "no client: ALL_PROXY cannot be used: its port";
        "http_proxy=127.0.0.1:1" => "the proxy http://127.0.0.1:1 (from http_proxy): it cannot be reached";
    } {
        let script = Script::play(vec![answer.clone(); 2]);
        let proxy = Relay::start(Speaks::Connect, None, script.url());
        let socks = Relay::start(Speaks::Socks, None, script.url());
        let named = |value: &str| match value {
            "P" => proxy.address().to_string(),
            _ => value.replace('S', &socks.address().to_string()),
        };
        let pairs = variables
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='));
        let output = Command::new(env!("CARGO_BIN_EXE_list"))
            .arg(script.url())
            .env_clear()
            .envs(pairs.map(|(name, value)| {
                (
                    name,
                    if name.to_lowercase() == "no_proxy" {
                        value.to_owned()
                    } else {
                        named(value)
                    },
                )
            }))
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{variables}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(!shown.contains("s3cret"), "{shown}");
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 2, "{shown}");
        let what = expected.strip_suffix(" through").unwrap_or(expected);
        assert!(
            lines.iter().all(|line| line.contains(what)),
            "{variables}: {shown}"
        );
        let asked = proxy.asked().len() + socks.asked().len();
        assert_eq!(
            asked,
            if expected == through { 2 } else { 0 },
            "{variables}"
        );
        let direct = if expected.starts_with("0 workflows") {
            2
        } else {
            0
        };
        assert_eq!(script.requests().len(), direct, "{variables}");
    }
}
