use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::CryptoProvider,
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _};

/// Whom a client trusts, and what it shows of itself.
#[derive(Clone, Default)]
pub struct Trust {
    roots: Roots,
    extra: Vec<Vec<u8>>,
    own: Option<Vec<u8>>,
    ready: Option<Arc<ClientConfig>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Roots {
    /// Those that come with this crate.
    #[default]
    Compiled,
    None,
    #[cfg(feature = "system-roots")]
    System,
}

impl Trust {
    /// These certificates as well: PEM, with one certificate or several, or DER.
    pub fn add(&mut self, certificates: &[u8]) {
        self.extra.push(certificates.to_vec());
    }

    /// Only what is added.
    pub fn drop_roots(&mut self) {
        self.roots = Roots::None;
    }

    /// Whom the operating system trusts.
    #[cfg(feature = "system-roots")]
    pub fn take_system_roots(&mut self) {
        self.roots = Roots::System;
    }

    /// Shows this certificate to servers that ask: PEM, with its key and those that it is signed by.
    pub fn show(&mut self, pem: &[u8]) {
        self.own = Some(pem.to_vec());
    }

    /// Takes this configuration for all of it.
    pub fn replace(&mut self, config: Arc<ClientConfig>) {
        self.ready = Some(config);
    }

    /// The configuration that says so.
    ///
    /// # Errors
    ///
    /// If certificates or a key cannot be read.
    pub fn config(&self) -> Result<Arc<ClientConfig>, TrustError> {
        if let Some(ready) = &self.ready {
            return Ok(Arc::clone(ready));
        }
        let mut known = Vec::new();
        for text in &self.extra {
            known.extend(certificates(text)?);
        }
        let mut roots = RootCertStore::empty();
        for certificate in &known {
            let added = roots.add(certificate.clone());
            added.map_err(|_| TrustError::UNREADABLE)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let compiled = self.roots == Roots::Compiled;
        let by_roots = match self.roots {
            #[cfg(feature = "system-roots")]
            Roots::System => {
                let (known, provider) = (known.clone(), provider.clone());
                let by_system =
                    rustls_platform_verifier::Verifier::new_with_extra_roots(known, provider);
                let by_system = by_system.map_err(|_| TrustError::NO_SYSTEM_ROOTS)?;
                ByRoots::new(Box::new(|| Arc::new(by_system)))
            }
            _ if roots.is_empty() && !compiled => return Err(TrustError::NOBODY),
            _ => {
                let provider = provider.clone();
                ByRoots::new(Box::new(move || read(compiled, roots, provider)))
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| TrustError::UNUSABLE)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { by_roots, known }));
        Ok(Arc::new(match &self.own {
            None => config.with_no_client_auth(),
            Some(pem) => {
                let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
                let chain = chain.map_err(|_| TrustError::OWN)?;
                let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| TrustError::OWN)?;
                let config = config.with_client_auth_cert(chain, key);
                config.map_err(|_| TrustError::OWN)?
            }
        }))
    }
}

impl fmt::Debug for Trust {
    /// Without the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("roots", &self.roots)
            .field("extra", &self.extra.len())
            .field("shows_certificate", &self.own.is_some())
            .finish_non_exhaustive()
    }
}

/// Whether [`Trust::add`] takes this.
///
/// # Errors
///
/// As [`Trust::config`].
pub fn check(extra: &[u8]) -> Result<(), TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(extra)? {
        roots.add(certificate).map_err(|_| TrustError::UNREADABLE)?;
    }
    Ok(())
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    if text.windows(BEGIN.len()).any(|window| window == BEGIN) {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        match found {
            Ok(found) if found.is_empty() => Err(TrustError::NO_CERTIFICATE),
            Ok(found) => Ok(found),
            Err(_) => Err(TrustError::UNREADABLE),
        }
    } else if text.starts_with(&[0x30]) {
        Ok(vec![CertificateDer::from(text.to_vec())])
    } else {
        Err(TrustError::NEITHER)
    }
}

/// Why certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustError(&'static str);

impl TrustError {
    const NEITHER: Self = Self(
        "the extra root certificates are neither PEM, which has a line -----BEGIN CERTIFICATE-----, nor DER",
    );
    const NO_CERTIFICATE: Self = Self(
        "the extra root certificates are PEM, but none of it is a certificate, which starts with \
         -----BEGIN CERTIFICATE-----",
    );
    const UNREADABLE: Self = Self(
        "the extra root certificates hold one that cannot be read: take X.509 certificates in PEM or DER \
         form (`openssl pkcs7` and `openssl pkcs12` convert other forms)",
    );
    const OWN: Self = Self(
        "the client certificate is not PEM with a private key (-----BEGIN PRIVATE KEY-----) and the \
         certificates from the client's own up, or the key does not fit the certificate",
    );
    const NOBODY: Self = Self(
        "nobody is trusted: add the root certificates that count, or leave those that come with the client",
    );
    #[cfg(feature = "system-roots")]
    const NO_SYSTEM_ROOTS: Self = Self("the system's root certificates cannot be read");
    const UNUSABLE: Self = Self("the TLS library offers no usable version of the protocol");
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for TrustError {}

/// Read with the first use of TLS: for all roots this takes longer than a call over plain http.
type ByRoots =
    LazyLock<Arc<dyn ServerCertVerifier>, Box<dyn FnOnce() -> Arc<dyn ServerCertVerifier> + Send>>;

/// The roots, with those that come with this crate or without.
fn read(
    compiled: bool,
    mut roots: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Arc<dyn ServerCertVerifier> {
    if compiled {
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    }
    WebPkiServerVerifier::builder_with_provider(roots.into(), provider)
        .build()
        .expect("there are roots, and no lists of what was revoked")
}

/// By the roots; and a server whose own certificate the user trusts needs nobody to vouch for it. webpki
/// takes a certificate for an authority or for a server, and so refuses a self-signed one that says it
/// is both, which is what `openssl req -x509` makes.
#[derive(Debug)]
struct Verifier {
    by_roots: ByRoots,
    known: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let result = self.by_roots.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match result {
            // webpki looks at its time before it gets here.
            Err(Error::InvalidCertificate(
                CertificateError::UnknownIssuer
                | CertificateError::BadSignature
                | CertificateError::Other(_),
            )) if self.known.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_roots.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_roots.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_roots.supported_verify_schemes()
    }
}
