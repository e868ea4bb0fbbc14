use std::{fmt, sync::Arc};

use crate::{credentials::Credentials, token::Token};

/// How a request shows who sends it.
///
/// ```
/// use pipeline_proto::{Auth, Credentials};
///
/// let auth = Auth::from(Credentials::new("ak", "sk")?);
/// assert!(matches!(auth, Auth::Credentials(_)));
/// # Ok::<(), pipeline_proto::CredentialsError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Auth {
    /// Sign each request.
    Credentials(Credentials),
    /// Send a ready-made token. It fits one kind of request only, so it is mostly given per call.
    Token(Token),
    /// Ask for the credentials of each attempt, for keys that rotate.
    Provider(Provider),
    /// Send nothing: for a server that does not ask, or when each call brings its own token.
    Anonymous,
}

/// Gives the credentials of the moment.
#[derive(Clone)]
pub struct Provider(Arc<dyn Fn() -> Credentials + Send + Sync>);

impl Provider {
    pub(crate) fn get(&self) -> Credentials {
        (self.0)()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}

impl Auth {
    /// Asks this function for the credentials of each attempt. It runs on the thread of the call and holds
    /// it up: let it hand out what something else keeps fresh.
    ///
    /// ```
    /// use pipeline_proto::{Auth, Context, Credentials};
    /// use std::sync::{Arc, RwLock};
    ///
    /// let keys = Arc::new(RwLock::new(Credentials::new("ak", "sk")?));
    /// let current = Arc::clone(&keys);
    /// let context = Context::builder().auth(Auth::provider(move || current.read().unwrap().clone())).build();
    /// // When the keys are changed, the next attempt is signed with the new ones.
    /// *keys.write().unwrap() = Credentials::new("ak2", "sk2")?;
    /// # let _ = context;
    /// # Ok::<(), pipeline_proto::CredentialsError>(())
    /// ```
    pub fn provider(current: impl Fn() -> Credentials + Send + Sync + 'static) -> Self {
        Self::Provider(Provider(Arc::new(current)))
    }
}

impl From<Credentials> for Auth {
    fn from(credentials: Credentials) -> Self {
        Self::Credentials(credentials)
    }
}

impl From<Token> for Auth {
    fn from(token: Token) -> Self {
        Self::Token(token)
    }
}
