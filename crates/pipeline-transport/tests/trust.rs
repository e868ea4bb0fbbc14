//! Whom a client trusts, tried on handshakes in memory.

use std::sync::Arc;

use pipeline_transport::{
    TlsFailure, TlsProblem, Trust,
    rustls::{
        ClientConnection, ConfigBuilder, RootCertStore, ServerConfig, ServerConnection,
        WantsVerifier,
        crypto::ring,
        server::{WantsServerCert, WebPkiClientVerifier},
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

/// A certificate, the key to it, and the one that it is signed by.
struct Server {
    chain: Vec<Vec<u8>>,
    key: Vec<u8>,
    pem: String,
}

fn config() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).unwrap()
}

fn self_signed(params: &CertificateParams) -> Server {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Server {
        chain: vec![certificate.der().to_vec()],
        key: key.serialize_der(),
        pem: certificate.pem(),
    }
}

fn authority() -> CertificateParams {
    let mut params = params("x.test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// Signed by the authority whose certificate comes with it.
fn signed() -> (Server, String) {
    let authority =
        CertifiedIssuer::self_signed(authority(), KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params("x.test").signed_by(&key, &authority).unwrap();
    let server = Server {
        chain: vec![certificate.der().to_vec()],
        key: key.serialize_der(),
        pem: certificate.pem(),
    };
    (server, authority.pem())
}

fn trusting(certificates: &[&[u8]]) -> Trust {
    let mut trust = Trust::default();
    for certificate in certificates {
        trust.add(certificate);
    }
    trust
}

fn handshake(server: &Server, host: &str, extra: &[&[u8]]) -> Result<(), TlsFailure> {
    let config = config().with_no_client_auth();
    shake(server, config, host, &trusting(extra))
}

fn shake(
    server: &Server,
    config: ConfigBuilder<ServerConfig, WantsServerCert>,
    host: &str,
    trust: &Trust,
) -> Result<(), TlsFailure> {
    let chain = server.chain.iter().cloned().map(Into::into).collect();
    let key = server.key.clone().try_into().unwrap();
    let config = config.with_single_cert(chain, key).unwrap();
    let mut server = ServerConnection::new(Arc::new(config)).unwrap();
    let name = host.to_owned().try_into().unwrap();
    let mut client = ClientConnection::new(trust.config().unwrap(), name).unwrap();
    loop {
        while client.wants_write() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut &wire[..]).unwrap();
            let taken = server.process_new_packets();
            taken.map_err(|error| TlsFailure::new("the client", &error))?;
        }
        // The last thing that the client says may be its certificate.
        if !client.is_handshaking() {
            return Ok(());
        }
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut &wire[..]).unwrap();
        client
            .process_new_packets()
            .map_err(|error| TlsFailure::new(host, &error))?;
    }
}

#[test]
fn an_authority_or_the_server_itself_is_trusted_in_pem_or_der() {
    let (server, authority_pem) = signed();
    handshake(&server, "x.test", &[authority_pem.as_bytes()]).unwrap();
    handshake(&server, "x.test", &[server.pem.as_bytes()]).unwrap();
    handshake(&server, "x.test", &[&server.chain[0]]).unwrap();
    // As `openssl req -x509` makes them, and as others do.
    for server in [self_signed(&authority()), self_signed(&params("x.test"))] {
        handshake(&server, "x.test", &[server.pem.as_bytes()]).unwrap();
        handshake(&server, "x.test", &[&server.chain[0]]).unwrap();
        let both = [
            authority_pem.as_bytes(),
            b"text between\n",
            server.pem.as_bytes(),
        ]
        .concat();
        handshake(&server, "x.test", &[&both]).unwrap();
    }
}

#[test]
fn what_is_not_trusted_says_what_is_wrong() {
    let (server, authority_pem) = signed();
    let old = |mut params: CertificateParams| {
        params.not_before = date_time_ymd(1999, 1, 1);
        params.not_after = date_time_ymd(2000, 1, 1);
        self_signed(&params)
    };
    let mut future = authority();
    future.not_before = date_time_ymd(3000, 1, 1);
    let future = self_signed(&future);
    let (old_server, old_authority) = (old(params("x.test")), old(authority()));
    let stranger = self_signed(&authority());
    for (server, host, extra, problem, text) in [
        (&server, "x.test", "", TlsProblem::Authority, "no authority"),
        (
            &stranger,
            "x.test",
            "",
            TlsProblem::Authority,
            "self-signed",
        ),
        (
            &stranger,
            "x.test",
            &authority_pem,
            TlsProblem::Authority,
            "self-signed",
        ),
        (
            &server,
            "y.test",
            &authority_pem,
            TlsProblem::Host,
            "another host: ",
        ),
        (
            &server,
            "y.test",
            &server.pem,
            TlsProblem::Host,
            "another host: ",
        ),
        (
            &stranger,
            "y.test",
            &stranger.pem,
            TlsProblem::Host,
            "another host: ",
        ),
        (
            &old_server,
            "x.test",
            &old_server.pem,
            TlsProblem::Time,
            "expired on Sat, 01 Jan 2000",
        ),
        (
            &old_authority,
            "x.test",
            &old_authority.pem,
            TlsProblem::Time,
            "this machine's clock shows",
        ),
        (
            &future,
            "x.test",
            &future.pem,
            TlsProblem::Time,
            "not valid before Wed, 01 Jan 3000",
        ),
    ] {
        let extra: &[&[u8]] = if extra.is_empty() {
            &[]
        } else {
            &[extra.as_bytes()]
        };
        let failure = handshake(server, host, extra).unwrap_err();
        assert_eq!(failure.problem(), problem, "{failure}");
        assert!(failure.to_string().contains(text), "{failure}");
        assert!(failure.into_fault().is_permanent());
    }
}

#[test]
fn what_is_no_certificate_is_refused() {
    let key = KeyPair::generate().unwrap().serialize_pem();
    for (text, expected) in [
        ("", "neither"),
        ("rubbish", "neither"),
        (&*key, "none of it is a certificate"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cannot be read",
        ),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "cannot be read"),
        ("0\u{1}rubbish", "cannot be read"),
    ] {
        let error = trusting(&[text.as_bytes()])
            .config()
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(error.contains("PEM"), "{error}");
    }
}

#[test]
fn only_those_that_were_added_are_trusted_if_so_said() {
    let (server, authority) = signed();
    let mut trust = Trust::default();
    trust.drop_roots();
    let error = trust.config().unwrap_err().to_string();
    assert!(error.starts_with("nobody is trusted"), "{error}");
    trust.add(authority.as_bytes());
    let config = config().with_no_client_auth();
    shake(&server, config, "x.test", &trust).unwrap();
}

#[test]
fn a_certificate_is_shown_to_a_server_that_asks() {
    let (server, authority) = signed();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let mut known = RootCertStore::empty();
    known.add(own.der().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(known.into(), provider);
    let verifier = verifier.build().unwrap();
    let (certificate, key) = (own.pem(), key.serialize_pem());
    for (pem, expected) in [
        (None, false),
        (Some(format!("{certificate}{key}")), true),
        (Some(format!("{key}{certificate}")), true),
    ] {
        let mut trust = trusting(&[authority.as_bytes()]);
        if let Some(pem) = &pem {
            trust.show(pem.as_bytes());
        }
        assert!(!format!("{trust:?}").contains(&key[30..60]));
        let config = config().with_client_cert_verifier(Arc::clone(&verifier));
        let shaken = shake(&server, config, "x.test", &trust);
        assert_eq!(shaken.is_ok(), expected, "{shaken:?}");
    }
    for pem in [String::new(), certificate, key] {
        let mut trust = trusting(&[]);
        trust.show(pem.as_bytes());
        let error = trust.config().unwrap_err().to_string();
        assert!(error.starts_with("the client certificate"), "{error}");
    }
}
