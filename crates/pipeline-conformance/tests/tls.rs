//! TLS: whom the clients trust, and what they say of those whom they do not.

use pipeline_conformance::{
    Driver, Identity, Relay, Reply, Script, Speaks, Special, cases, is_like, words,
};
use pipeline_proto::{WorkflowName, resource::workflow::StartWorkflow};

pipeline_conformance::suite! {
    who_is_trusted_is_sent_to
    who_is_not_trusted_is_told_of_once_and_sent_nothing
    what_speaks_no_tls_is_told_of
}

fn start() -> StartWorkflow {
    StartWorkflow::new(WorkflowName::from_static("wf"))
}

fn who_is_trusted_is_sent_to<D: Driver>() {
    for special in [Special::None, Special::Authority] {
        let script = Script::play([Reply::json("200 OK", "{}")]);
        let identity = Identity::new("localhost", special);
        let server = Relay::start(Speaks::Nothing, Some(&identity), script.url());
        let url = format!("https://localhost:{}", server.address().port());
        let client = D::new(&url, |mut settings| {
            settings.extra_roots = Some(identity.pem.clone());
            settings
        });
        client.send(start()).unwrap();
        assert_eq!(script.requests()[0].target(), "/v2/workflows/wf/start");
    }
}

fn who_is_not_trusted_is_told_of_once_and_sent_nothing<D: Driver>() {
    let unknown = "the certificate of localhost is signed by no authority that is trusted";
    for (host, special, trusted, expected) in cases! {
        "localhost" => Special::None, false, unknown;
        "localhost" => Special::Authority, false, "is self-signed";
        "x.test" => Special::None, true, "is for another host: *x.test";
        "x.test" => Special::Authority, true, "is for another host: *x.test";
        "localhost" => Special::Old, true, "expired on Sat, 01 Jan 2000*this machine's clock shows";
        "localhost" => Special::New, true, "not valid before Wed, 01 Jan 3000*this machine's clock shows";
    } {
        let script = Script::play([]);
        let identity = Identity::new(host, special);
        let server = Relay::start(Speaks::Nothing, Some(&identity), script.url());
        let url = format!("https://localhost:{}", server.address().port());
        let client = D::new(&url, |mut settings| {
            settings.extra_roots = trusted.then(|| identity.pem.clone());
            settings
        });
        let outcome = words(&client.send(start()).unwrap_err());
        let expected = format!("no connection (*{expected}*; nothing changed after 1");
        assert!(
            is_like(&outcome, &expected),
            "{outcome}\n but expected {expected}"
        );
        assert_eq!(script.connections(), 0);
    }
}

fn what_speaks_no_tls_is_told_of<D: Driver>() {
    let script = Script::play([Reply::Hasty(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]);
    let url = script.url().replace("http://", "https://");
    let client = D::new(&url, |settings| settings);
    let outcome = words(&client.send(start()).unwrap_err());
    assert!(
        is_like(&outcome, "does not speak TLS*; nothing changed after 1"),
        "{outcome}"
    );
}

#[test]
fn what_is_no_certificate_is_refused_in_the_same_words() {
    for pem in [
        "",
        "rubbish",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let blocking = pipeline_blocking::Client::builder()
            .extra_root_certificates(pem)
            .build();
        let hyper = pipeline_hyper::Client::builder()
            .extra_root_certificates(pem)
            .build();
        let message = blocking.unwrap_err().to_string();
        assert_eq!(message, hyper.unwrap_err().to_string());
        assert!(message.contains("PEM"), "{message}");
    }
}
