use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Length of an encoded signature: 20 bytes in URL-safe base64 with its padding.
const SIGNATURE_LENGTH: usize = 28;

/// An access key and what is needed of its secret key.
///
/// The secret itself is not kept: only the state of the MAC that it was turned into, once, and that
/// state is wiped when the last clone is dropped. Cheap to clone.
///
/// ```
/// use pipeline_proto::Credentials;
///
/// let credentials = Credentials::new("my-access-key", "my-secret-key")?;
/// assert_eq!(
///     format!("{credentials:?}"),
///     r#"Credentials { access_key: "my-access-key", secret_key: [hidden] }"#,
/// );
/// # Ok::<(), pipeline_proto::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct Credentials(Arc<Keys>);

struct Keys {
    access_key: Box<str>,
    mac: Hmac<Sha1>,
}

impl Credentials {
    /// Makes the keyed MAC state. The caller's copy of the secret is the caller's to wipe.
    ///
    /// # Errors
    ///
    /// If a key is empty, or the access key cannot stand in a header: it must be visible ASCII
    /// without `:`, which separates it from the signature.
    pub fn new(
        access_key: impl Into<Box<str>>,
        secret_key: impl AsRef<[u8]>,
    ) -> Result<Self, CredentialsError> {
        let access_key = access_key.into();
        let secret_key = secret_key.as_ref();
        if access_key.is_empty() {
            return Err(CredentialsError("the access key is empty"));
        }
        if !access_key
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b':')
        {
            return Err(CredentialsError(
                "the access key may hold visible ASCII characters without ':' only",
            ));
        }
        if secret_key.is_empty() {
            return Err(CredentialsError("the secret key is empty"));
        }
        let mac = Hmac::<Sha1>::new_from_slice(secret_key)
            .map_err(|_| CredentialsError("the secret key cannot be used as a key"))?;
        Ok(Self(Arc::new(Keys { access_key, mac })))
    }

    /// The access key, which is no secret.
    pub fn access_key(&self) -> &str {
        &self.0.access_key
    }

    /// The MAC, keyed and ready.
    pub(crate) fn mac(&self) -> Hmac<Sha1> {
        self.0.mac.clone()
    }
}

/// URL-safe base64 of a finished MAC.
pub(crate) fn encode_signature(mac: Hmac<Sha1>) -> [u8; SIGNATURE_LENGTH] {
    let mut encoded = [0; SIGNATURE_LENGTH];
    // Cannot fail: 20 bytes make exactly 28 characters.
    let written = URL_SAFE.encode_slice(mac.finalize().into_bytes(), &mut encoded);
    debug_assert_eq!(written, Ok(SIGNATURE_LENGTH));
    encoded
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key())
            .field("secret_key", &format_args!("[hidden]"))
            .finish()
    }
}

/// Why a pair of keys cannot be used. Never repeats a key.
///
/// ```
/// let error = pipeline_proto::Credentials::new("ak", "").unwrap_err();
/// assert!(error.to_string().contains("secret key"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsError(&'static str);

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for CredentialsError {}
