//! What both clients are made of.

/// Makes the methods of a client, one for each row, and the setters of each operation on its
/// `Request`. The client has `fn request<O>(&self, Result<O, Error>) -> Request<O>`.
#[doc(hidden)]
#[macro_export]
macro_rules! client_methods {
    ($resource:ident; $(
        $(#[doc = $about:literal])+
        $Op:ident $method:ident($($key:ident: $Key:ty),* $(; $kind:ident $body:ident: $Body:ty)?)
            $({$($(#[doc = $hint:literal])+ $set:ident $($wire:literal)?: $Set:ty),* $(,)?})?
            = $VERB:ident $path:literal $idempotency:ident $source:ident $(, $hand:ident by hand)?
            -> $Out:ty = $read:expr $(, then $then:expr)? $(, done on $done:ident)? $(, none on $none:ident)? $(, or $other:expr)?;
    )*) => {
        mod $resource {
            use super::{Client, Request};
            // What the rows name.
            #[allow(unused_imports)]
            use ::bytes::Bytes;
            #[allow(unused_imports)]
            use ::std::time::SystemTime;
            #[allow(unused_imports, clippy::wildcard_imports)]
            use $crate::{model::*, name::*, resource::{plugin::Jar, $resource::*}};

            impl Client {
                $(
                    $(#[doc = $about])+
                    ///
                    #[doc = concat!("`", stringify!($VERB), " ", $path, "`, a [`", stringify!($Op), "`].")]
                    pub fn $method(
                        &self
                        $(, $key: impl TryInto<$Key, Error: Into<$crate::BuildError>>)*
                        $(, $body: impl Into<$Body>)?
                    ) -> Request<$Op> {
                        self.request((|| {
                            $(let $key = $key.try_into().map_err(|error| $crate::Error::build(stringify!($method), error))?;)*
                            Ok($Op::new($($key,)* $($body.into())?))
                        })())
                    }
                )*
            }

            $($crate::client_methods!(@setters $Op $({$($(#[doc = $hint])+ $set: $Set),*})?);)*
        }
    };
    (@setters $Op:ident) => {};
    (@setters $Op:ident {$($(#[doc = $hint:literal])+ $set:ident: $Set:ty),*}) => {
        impl Request<$Op> {
            $(
                $(#[doc = $hint])+
                pub fn $set(self, $set: impl Into<$Set>) -> Self {
                    self.into(|operation| operation.$set($set))
                }
            )*
        }
    };
}

/// What a client does with what it has read; written once, so that both have the same.
#[doc(hidden)]
#[macro_export]
macro_rules! methods_of_read {
    () => {
        impl Client {
            /// Replaces the graph of a workflow that was read, in the region where it is; by its name alone,
            /// [`update_workflow`](Self::update_workflow) says the default region. For a change of the graph that
            /// it has, change its `nodes` and give them.
            pub fn update_workflow_of(
                &self,
                workflow: &$crate::model::Workflow,
                nodes: impl Into<$crate::model::Nodes>,
            ) -> Request<$crate::resource::workflow::UpdateWorkflow> {
                let update = $crate::resource::workflow::UpdateWorkflow::of(workflow, nodes.into());
                self.request(update.map_err(|error| $crate::Error::build("update_workflow", error)))
            }
        }
    };
}

/// The options of a call on the `Request` of a client; written once, so that both have the same.
#[doc(hidden)]
#[macro_export]
macro_rules! request_options {
    ($($(#[doc = $about:literal])+ $option:ident: $Option:ty;)+) => {
        impl<O> Request<O> {
            $(
                $(#[doc = $about])+
                pub fn $option(mut self, $option: $Option) -> Self {
                    self.options = self.options.$option($option);
                    self
                }
            )+

            /// Adds a header. Headers whose names start with `X-Qiniu-` are signed. One that the call sets
            /// itself, or that is there already, is an error when it is sent.
            pub fn header(mut self, name: ::http::HeaderName, value: ::http::HeaderValue) -> Self
            where
                O: $crate::Operation,
            {
                match self.options.clone().header(name, value) {
                    Ok(options) => self.options = options,
                    Err(error) => self.operation = Err($crate::Error::build(O::NAME, error)),
                }
                self
            }

            /// `None` in place of an error where there is no such thing.
            pub fn optional(self) -> Request<$crate::operation::Optional<O>>
            where
                O: $crate::operation::Find,
            {
                self.into($crate::operation::Optional)
            }

            /// With the id of the request, and how many attempts it took.
            pub fn detailed(self) -> Request<$crate::operation::Detailed<O>> {
                self.into($crate::operation::Detailed)
            }

            /// With the body as it came, to be read into types of one's own that may borrow from it: see
            /// [`Body`](pipeline_proto::operation::Body).
            pub fn unread(self) -> Request<$crate::operation::Unread<O>> {
                self.into($crate::operation::Unread)
            }

            fn into<P>(self, f: impl FnOnce(O) -> P) -> Request<P> {
                Request {
                    client: self.client,
                    operation: self.operation.map(f),
                    options: self.options,
                }
            }
        }
    };
    () => {
        $crate::request_options! {
            /// Other credentials, or a token, for this one call.
            auth: impl Into<$crate::Auth>;
            /// Another retry policy.
            retry: $crate::RetryPolicy;
            /// Another limit for one attempt, from connecting to the last byte of the response.
            attempt_timeout: ::std::time::Duration;
            /// Another limit for the whole call, attempts and waits together.
            total_timeout: ::std::time::Duration;
            /// Acts on another account's resources.
            resource_owner: $crate::ResourceOwner;
            /// What a second sending could do, if not what the operation says: with `Never`, nothing is
            /// pushed twice, and after a lost response it stays unknown whether it was pushed at all.
            idempotency: $crate::Idempotency;
        }
    };
}

/// The options of a wait on the `Wait` of a client; written once, so that both have the same.
#[doc(hidden)]
#[macro_export]
macro_rules! wait_options {
    ($($(#[doc = $about:literal])+ $option:ident: $Option:ty;)+) => {
        $(
            $(#[doc = $about])+
            pub fn $option(mut self, $option: $Option) -> Self {
                self.options = self.options.$option($option);
                self
            }
        )+
    };
    () => {
        $crate::wait_options! {
            /// How long to wait in all. Default: five minutes.
            timeout: ::std::time::Duration;
            /// The first pause between two looks; each further one is half as long again. At least 1 ms.
            /// Default: 1 s.
            interval: ::std::time::Duration;
            /// The longest pause between two looks. Default: 10 s.
            max_interval: ::std::time::Duration;
            /// How often a settled state other than the wanted one must be seen in a row before the wait
            /// fails. Default: once; after a start or stop of its own, three times.
            settled_reads: u32;
            /// Which request to look with. Default: *get status*, which falls back to *get*.
            poll_by: $crate::resource::workflow::PollBy;
        }

        /// All of these at once.
        pub fn options(mut self, options: $crate::wait::WaitOptions) -> Self {
            self.options = options;
            self
        }

        /// The options of each of its calls.
        pub fn calls(mut self, options: $crate::CallOptions) -> Self {
            self.calls = options;
            self
        }
    };
}

/// What can be waited for through a client, and the options of its `Wait`; written once, so that both have
/// the same.
#[doc(hidden)]
#[macro_export]
macro_rules! waits {
    () => {
        impl<W: $crate::wait::Watch> Wait<'_, W> {
            $crate::wait_options!();

            fn first(&self) -> Result<$crate::wait::Step<W>, $crate::wait::WaitError> {
                let watched = self.watched.clone().map_err(|error| {
                    $crate::wait::WaitError::unnamed(self.goal, $crate::Error::build("wait", error))
                })?;
                let begin = if self.acts {
                    $crate::wait::Waiter::ensure
                } else {
                    $crate::wait::Waiter::until
                };
                Ok(begin(
                    watched,
                    self.goal,
                    self.options.clone(),
                    self.client.now(),
                ))
            }
        }

        impl<W: $crate::wait::Watch> ::std::fmt::Debug for Wait<'_, W> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct("Wait")
                    .field("watched", &self.watched)
                    .field("goal", &self.goal)
                    .field("options", &self.options)
                    .finish_non_exhaustive()
            }
        }

        impl Client {
            /// Waits until a workflow is started, stopped or gone. Only looks.
            pub fn wait_until(
                &self,
                name: impl TryInto<$crate::WorkflowName, Error: Into<$crate::BuildError>>,
                goal: $crate::wait::Goal,
            ) -> Wait<'static> {
                self.begin(named(name), goal, false)
            }

            /// Starts a workflow if need be, from whatever state it is in, and waits until it is started.
            pub fn ensure_started(
                &self,
                name: impl TryInto<$crate::WorkflowName, Error: Into<$crate::BuildError>>,
            ) -> Wait<'static> {
                self.begin(named(name), $crate::wait::Goal::Started, true)
            }

            /// Stops a workflow if need be, from whatever state it is in, and waits until it is stopped.
            pub fn ensure_stopped(
                &self,
                name: impl TryInto<$crate::WorkflowName, Error: Into<$crate::BuildError>>,
            ) -> Wait<'static> {
                self.begin(named(name), $crate::wait::Goal::Stopped, true)
            }

            /// As [`wait_until`](Self::wait_until), for whatever can be watched.
            pub fn wait<W: $crate::wait::Watch>(
                &self,
                watched: W,
                goal: $crate::wait::Goal,
            ) -> Wait<'static, W> {
                self.begin(Ok(watched), goal, false)
            }

            /// Starts or stops whatever can be watched, if need be, and waits for the goal. Nothing is deleted.
            pub fn ensure<W: $crate::wait::Watch>(
                &self,
                watched: W,
                goal: $crate::wait::Goal,
            ) -> Wait<'static, W> {
                self.begin(Ok(watched), goal, true)
            }

            fn begin<W: $crate::wait::Watch>(
                &self,
                watched: Result<W, $crate::BuildError>,
                goal: $crate::wait::Goal,
                acts: bool,
            ) -> Wait<'static, W> {
                Wait {
                    client: self.clone(),
                    watched,
                    goal,
                    acts,
                    options: $crate::wait::WaitOptions::default(),
                    calls: $crate::CallOptions::new(),
                    on_look: Box::new(|_| {}),
                }
            }
        }

        fn named(
            name: impl TryInto<$crate::WorkflowName, Error: Into<$crate::BuildError>>,
        ) -> Result<$crate::WorkflowName, $crate::BuildError> {
            name.try_into().map_err(Into::into)
        }
    };
}

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

        /// Adds a header to each request, signed if its name starts with `X-Qiniu-`. A header of the same name
        /// that an operation or a call sets goes in its place.
        ///
        /// # Errors
        ///
        /// If every call sets this header itself.
        pub fn header(
            mut self,
            name: ::http::HeaderName,
            value: ::http::HeaderValue,
        ) -> Result<Self, $crate::BuildError> {
            self.context = self.context.header(name, value)?;
            Ok(self)
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
