//! Tables of operations, and what is made of their rows.
//!
//! ```text
//! /// Shows one transform.                                 what it does; the documentation of type and method
//! GetTransform get_transform(                              type, and method of both clients
//!     source: RepoName, name: TransformName;               the placeholders of the path, in their order
//!     json spec: TransformSpec)                            the body, and the function that writes it
//! {
//!     /// Whether to show …
//!     with_dag "withDag": bool,                            what may be set: query parameters
//! } = GET "/v2/repos/{source}/transforms/{name}"           method and path
//!   Safe Page                                              what a second sending could do; who shows it
//!   -> Transform = json                                    the output, and the function that reads it
//!   , then |get, transform| { … }                          completes the output from the operation
//!   , done on TRANSFORM_NOT_FOUND                          the code by which an earlier attempt did the work
//!   , none on TRANSFORM_NOT_FOUND                          the code that says that there is no such thing
//!   , or GetTransform::other;                              another request, where the service lacks this one
//! ```
//!
//! Bodies are written by a function of [`RequestTemplate`](super::RequestTemplate), and responses read by one of
//! [`read`](super::read) or of the resource's module: a row names functions, and the table has no
//! language of its own. A request that is made otherwise says `, json by hand` or `, bodiless by hand`
//! behind its source, and `fn by_hand(&self) -> Result<RequestTemplate, BuildError>` stands below the table.

/// Reads a table: makes the types of its rows, their `impl Operation`, the list `OPERATIONS`, for
/// property tests an `AnyOperation`, and a macro `$export` that hands the rows to a client.
macro_rules! operations {
    ($resource:ident $export:ident; $($rows:tt)*) => {
        $crate::operation::table::operations!(@define $resource; $($rows)*);

        #[doc(hidden)]
        #[macro_export]
        macro_rules! $export {
            ($callback:path) => { $callback! { $resource; $($rows)* } };
        }
    };
    (@define $resource:ident; $(
        $(#[doc = $about:literal])+
        $Op:ident $method:ident($($key:ident: $Key:ty),* $(; $kind:ident $body:ident: $Body:ty)?)
            $({$($(#[doc = $hint:literal])+ $set:ident $($wire:literal)?: $Set:ty),* $(,)?})?
            = $VERB:ident $path:literal $idempotency:ident $source:ident $(, $hand:ident by hand)?
            -> $Out:ty = $read:expr $(, then $then:expr)? $(, done on $done:ident)? $(, none on $none:ident)? $(, or $other:expr)?;
    )*) => {
        $(
            $(#[doc = $about])+
            ///
            #[doc = concat!("`", stringify!($VERB), " ", $path, "`", $crate::operation::table::source!($source))]
            #[derive(Debug, Clone, PartialEq)]
            #[non_exhaustive]
            pub struct $Op {
                $(#[doc = concat!("The `", stringify!($key), "` of the path.")] pub $key: $Key,)*
                $(#[doc = concat!("The body, as ", stringify!($kind), ".")] pub $body: $Body,)?
                $($($(#[doc = $hint])+ pub $set: Option<$Set>,)*)?
            }

            impl $Op {
                #[allow(clippy::new_without_default, reason = "all of them have `new`")]
                /// With what it needs. What it may have is set after.
                pub fn new($($key: $Key,)* $($body: $Body)?) -> Self {
                    Self { $($key,)* $($body,)? $($($set: None,)*)? }
                }

                $($(
                    $(#[doc = $hint])+
                    #[must_use]
                    pub fn $set(mut self, $set: impl Into<$Set>) -> Self {
                        self.$set = Some($set.into());
                        self
                    }
                )*)?

                /// Method and path.
                fn target(&self) -> $crate::operation::RequestTemplate {
                    const KEYS: &[&str] = &[$(stringify!($key)),*];
                    const PATH: $crate::operation::Path<{ KEYS.len() }> =
                        $crate::operation::Path::new($path, [$(stringify!($key)),*]);
                    // Never called: lets the compiler point at a wrong placeholder in the row.
                    let _ = || {
                        let Self { $($key,)* .. } = self;
                        format_args!($path).as_str().is_some()
                    };
                    PATH.template(::http::Method::$VERB, [$($crate::operation::segment(&self.$key)),*])
                }
            }

            impl $crate::Operation for $Op {
                type Output = $Out;
                const NAME: &'static str = stringify!($method);
                const IDEMPOTENCY: $crate::Idempotency = $crate::Idempotency::$idempotency;

                fn subject(&self) -> $crate::observe::Subject {
                    $crate::observe::Subject::new(stringify!($resource), &[$(self.$key.as_str()),*])
                }

                fn template(&self) -> Result<$crate::RequestTemplate, $crate::BuildError> {
                    $crate::operation::table::operations!(@template self [$($hand)?] {
                        let template = self.target()
                            $($($(.query_some($wire, self.$set.as_ref()))?)*)?;
                        $(let template = template.$kind(&self.$body)?;)?
                        Ok(template)
                    })
                }

                fn decode(&self, response: &::http::Response<::bytes::Bytes>) -> Result<$Out, $crate::DecodeError> {
                    let output = $crate::operation::read::read::<_, $Out>(self, response, $read)?;
                    $(let output = $crate::operation::read::complete(self, output, $then)?;)?
                    Ok(output)
                }

                $(fn done_before(&self, error: &$crate::ApiError) -> Option<$Out> {
                    (error.code() == Some($crate::ErrorCode::$done)).then(Default::default)
                })?

                $(fn fallback(&self) -> Option<Self> {
                    ($other)(self)
                })?
            }

            $(impl $crate::operation::Find for $Op {
                const NONE: $crate::ErrorCode = $crate::ErrorCode::$none;
            })?

            #[cfg(feature = "proptest")]
            impl ::proptest::arbitrary::Arbitrary for $Op {
                type Parameters = ();
                type Strategy = ::proptest::strategy::BoxedStrategy<Self>;

                fn arbitrary_with((): ()) -> Self::Strategy {
                    use ::proptest::prelude::*;
                    (
                        Just(()),
                        $(<$Key as $crate::operation::table::Generate>::generate(),)*
                        $(<$Body as $crate::operation::table::Generate>::generate(),)?
                        $($(<Option<$Set> as $crate::operation::table::Generate>::generate(),)*)?
                    )
                        .prop_map(|((), $($key,)* $($body,)? $($($set,)*)?)| Self { $($key,)* $($body,)? $($($set,)*)? })
                        .boxed()
                }
            }
        )*

        /// The operations of this resource.
        pub const OPERATIONS: &[$crate::operation::OperationInfo] = &[$(
            $crate::operation::OperationInfo {
                name: <$Op as $crate::Operation>::NAME,
                type_name: stringify!($Op),
                resource: stringify!($resource),
                method: &::http::Method::$VERB,
                path: $path,
                names: &[$($crate::operation::NameInfo {
                    key: stringify!($key),
                    check: |text| <$Key>::new(text).map(drop),
                },)*],
                content_type: $crate::operation::content_type(&[$(stringify!($kind),)? $(stringify!($hand),)?]),
                idempotency: <$Op as $crate::Operation>::IDEMPOTENCY,
                done_on: $crate::operation::table::operations!(@done $($done)?),
                #[cfg(feature = "proptest")]
                response: (<$Out as $crate::describe::Described>::SHAPE, stringify!($read)),
                template: |names, body| {
                    let &[$($key),*] = names else { return Err($crate::BuildError::custom("names are missing")) };
                    let _ = body;
                    $(let $body: Result<$Body, $crate::BuildError> = $crate::operation::table::operations!(@read $kind body);)?
                    $crate::Operation::template(&$Op::new($(<$Key>::new($key)?,)* $($body?)?))
                },
                source: $crate::operation::Source::$source,
                about: concat!($($about, "\n"),+),
            },
        )*];

        /// One of the operations of this resource.
        #[cfg(feature = "proptest")]
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum AnyOperation {
            $($(#[doc = $about])+ $Op($Op),)*
        }

        #[cfg(feature = "proptest")]
        impl AnyOperation {
            /// Does something with the operation, whatever its type.
            pub fn visit<V: $crate::operation::Visitor>(self, visitor: V) -> V::Output {
                match self {
                    $(Self::$Op(operation) => visitor.visit(operation),)*
                }
            }
        }

        #[cfg(feature = "proptest")]
        impl ::proptest::arbitrary::Arbitrary for AnyOperation {
            type Parameters = ();
            type Strategy = ::proptest::strategy::BoxedStrategy<Self>;

            fn arbitrary_with((): ()) -> Self::Strategy {
                use ::proptest::prelude::*;
                prop_oneof![$(any::<$Op>().prop_map(Self::$Op)),*].boxed()
            }
        }
    };
    (@template $self:ident [] $regular:block) => { $regular };
    (@template $self:ident [$hand:ident] $regular:block) => { $self.by_hand() };
    (@read json $written:ident) => { $crate::operation::written_json($written) };
    (@read jar $written:ident) => { Ok($crate::resource::plugin::Jar($written.clone())) };
    (@read $other:ident $written:ident) => { Err($crate::BuildError::custom("its body is no JSON")) };
    (@done) => { None };
    (@done $done:ident) => { Some($crate::ErrorCode::$done) };
}
pub(crate) use operations;

/// What the documentation of an operation adds for its source.
macro_rules! source {
    (Page) => {
        ""
    };
    (Sdk) => {
        ". *Not on the API page*: from the vendor's clients."
    };
}
pub(crate) use source;

/// What a row names can be made up.
#[cfg(feature = "proptest")]
pub(crate) trait Generate: Sized {
    fn generate() -> proptest::strategy::BoxedStrategy<Self>;
}
