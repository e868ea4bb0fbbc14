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
    /// Send nothing: for a server that does not ask, or when each call brings its own token.
    Anonymous,
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
