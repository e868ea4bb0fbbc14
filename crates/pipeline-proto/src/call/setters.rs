/// The settings that a client's builder hands on to its [`ContextBuilder`](crate::ContextBuilder),
/// which must be its field `context`. Written once, so that the clients cannot drift.
#[doc(hidden)]
#[macro_export]
macro_rules! context_setters {
    () => {
        $crate::context_setters! {
            /// Where the service is. Default: `https://pipeline.qiniu.com`.
            endpoint: $crate::Endpoint;
            /// Signs each request with these keys. Default: no credentials.
            credentials: $crate::Credentials;
            /// How requests show who sends them.
            auth: impl Into<$crate::Auth>;
            /// When a call is tried again. Default: three attempts, see
            /// [`RetryPolicy`](pipeline_proto::RetryPolicy).
            retry: $crate::RetryPolicy;
            /// How long one attempt may take, from connecting to the end of the response. Default: 30 s.
            ///
            /// With zero nothing is sent, and the call ends with a time-out that says so;
            /// [`Duration::MAX`](std::time::Duration::MAX) is no limit. This holds for the other
            /// time-outs as well.
            attempt_timeout: ::std::time::Duration;
            /// How long a call may take, attempts and waits together. Zero and no limit as in
            /// [`attempt_timeout`](Self::attempt_timeout). Default: 2 min.
            total_timeout: ::std::time::Duration;
            /// The largest response that is taken in, in bytes, also after it was decompressed.
            /// Default: 8 MiB.
            max_response_size: usize;
            /// The `User-Agent` header.
            user_agent: ::http::HeaderValue;
            /// Whether a signature that was refused because the clocks differ is made again with the
            /// service's time. Default: yes, but not over plain http to another machine.
            correct_clock: bool;
            /// How far apart the clocks may be for that. Default: 24 hours.
            max_clock_correction: ::std::time::Duration;
            /// Adds a function that is told what happens to each call; see [`observe`](pipeline_proto::observe).
            observer: impl Fn(&$crate::observe::Observed, &$crate::observe::Event<'_>)
                + ::std::marker::Send + ::std::marker::Sync + 'static;
        }
    };
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $name: $type) -> Self {
                self.context = self.context.$name($name);
                self
            }
        )*
    };
}
