use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};

/// Trusts the roots that come with this crate, and the certificates of these texts or files: PEM, with
/// one certificate or several, or DER.
///
/// # Errors
///
/// If one of them holds no certificate, or one that cannot be read.
pub fn client_config<T: AsRef<[u8]>>(
    extra: impl IntoIterator<Item = T>,
) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    let mut known = Vec::new();
    for text in extra {
        for certificate in certificates(text.as_ref())? {
            roots
                .add(certificate.clone())
                .map_err(|_| TrustError::UNREADABLE)?;
            known.push(certificate);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let by_roots = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .map_err(|_| TrustError::UNUSABLE)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| TrustError::UNUSABLE)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { by_roots, known }))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Whether [`client_config`] takes this.
///
/// # Errors
///
/// As there.
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

/// Why extra certificates cannot be used.
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
    const UNUSABLE: Self = Self("the TLS library offers no usable version of the protocol");
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for TrustError {}

/// By the roots; and a server whose own certificate the user trusts needs nobody to vouch for it. webpki
/// takes a certificate for an authority or for a server, and so refuses a self-signed one that says it
/// is both, which is what `openssl req -x509` makes.
#[derive(Debug)]
struct Verifier {
    by_roots: Arc<WebPkiServerVerifier>,
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
