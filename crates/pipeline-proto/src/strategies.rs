//! Generators for property tests, for [proptest](https://docs.rs/proptest). Only with the feature
//! `proptest`, which belongs into the `[dev-dependencies]` of whoever tests with it.
//!
//! A property test in a crate of your own: whatever the service and the network do, your code copes.
//!
//! ```
//! use pipeline_proto::{operation::Operation, resource::workflow::GetWorkflow};
//! use pipeline_proto::strategies::{response, workflow_name};
//! use proptest::prelude::*;
//!
//! proptest! {
//!     // In a test, `#[test]` stands here.
//!     fn a_name_that_is_shown_is_never_empty(name in workflow_name(), response in response()) {
//!         if let Ok(workflow) = GetWorkflow::new(name).decode(&response) {
//!             prop_assert!(!workflow.name.is_empty());
//!         }
//!     }
//! }
//! # a_name_that_is_shown_is_never_empty();
//! ```
//!
//! | you want | take |
//! |---|---|
//! | names and texts | [`name`], [`workflow_name`], [`node_name`], [`region`], [`illegal_name`], [`text`], [`raw_json`] |
//! | keys, tokens, moments | [`credentials`], [`token_descriptor`], [`now`] |
//! | how it is asked | [`endpoint`], [`call_options`], [`retry_policy`] |
//! | something to ask | [`any_operation`], or `any::<GetWorkflow>()` for one of a type |
//! | something to be told | [`workflow`], [`workflow_state`], [`log_search`], [`nodes`] |
//! | what the service says to an operation | [`success`], [`failure`] |
//! | a response, good or bad, to nothing in particular | [`response`], [`error_response`] |
//! | a transport that fails | [`fault`] |
//! | a whole exchange | [`response_script`] |
//!
//! Most of them are what `any::<WorkflowName>()`, `any::<Fault>()` and so on give for their types; strategies of
//! `nodes(1..=50)` or `workflow().status(Status::Started)` are told more.
//!
//! Values shrink towards short names, small graphs and empty bodies.

mod exchange;
mod graph;
mod json;
mod models;
mod operations;
mod responses;

use std::{
    fmt::Debug,
    time::{Duration, SystemTime},
};

use proptest::{collection::vec, option, prelude::*, sample::select, string::string_regex};

pub use exchange::{failure, success};
pub use graph::nodes;
pub use json::raw_json;
pub use models::{Shown, log_search, status, workflow, workflow_state};
pub use operations::{any_operation, schema, token_descriptor};
pub use responses::{Event, error_response, response, response_script};

use crate::{
    call::{Auth, CallOptions, ResourceOwner, RetryPolicy},
    credentials::Credentials,
    endpoint::Endpoint,
    error::{Fault, FaultKind, Phase},
    model::{LogSearch, RawJson, Status, Workflow, WorkflowState},
    name::{InPath, Kind, Name, NodeName, Region, WorkflowName},
    operation::Idempotency,
    resource::schema::Schema,
    time::Now,
    token::TokenDescriptor,
};

/// Around this moment, in seconds since 1970, lie [`now`] and the dates of responses: close enough
/// to each other that clocks agree in some cases and differ by minutes or hours in others.
const ABOUT: u64 = 784_111_777;

fn matching(regex: &str) -> impl Strategy<Value = String> + use<> {
    legal(string_regex(regex))
}

/// Legal names of a kind: mostly short, and some as long as its rule allows.
///
/// ```
/// use pipeline_proto::{name::kind, strategies::{illegal_name, name}};
/// use proptest::prelude::*;
///
/// proptest! {
///     // In a test, `#[test]` stands here.
///     fn a_plugin_is_named_as_its_class(name in name::<kind::Plugin>(), other in illegal_name::<kind::Plugin>()) {
///         prop_assert!(name.as_str().len() >= 2);
///         prop_assert_ne!(name.as_str(), other);
///     }
/// }
/// # a_plugin_is_named_as_its_class();
/// ```
pub fn name<K: Kind>() -> impl Strategy<Value = Name<K>> {
    prop_oneof![
        8 => matching(&K::RULE.regex(false)),
        1 => matching(&K::RULE.regex(true)),
    ]
    .prop_map(|text| legal(Name::new(text)))
}

/// Legal names of workflows.
pub fn workflow_name() -> impl Strategy<Value = WorkflowName> {
    name()
}

/// Legal names of nodes.
pub fn node_name() -> impl Strategy<Value = NodeName> {
    name()
}

/// Regions: mostly those that are known, and some that are not.
pub fn region() -> impl Strategy<Value = Region> {
    let known = select(vec!["nb", "jjh"]).prop_map(String::from);
    prop_oneof![4 => known, 1 => "[a-z][a-z0-9-]{0,9}"].prop_map(|text| legal(Region::new(text)))
}

/// Texts that are no name of this kind, most of them nearly one, and among them attempts to leave the
/// path.
pub fn illegal_name<K: InPath>() -> impl Strategy<Value = String> {
    let rule = &K::RULE;
    let odd = any::<char>().prop_filter("a character that no name has", |c| !rule.may_contain(*c));
    let short = || matching(&rule.regex(false));
    let too_short = "a".repeat(rule.lengths().start() - 1);
    prop_oneof![
        2 => select(vec!["", ".", "..", "a/b", "../w", "a%2Fb", "a b", "a?b", "a#b", "工作流"])
            .prop_map(String::from),
        1 => short().prop_map(|name| format!("1{name}")),
        1 => matching(&rule.too_long()),
        1 => Just(too_short),
        // In some engines `$` matches before a final newline.
        1 => short().prop_map(|name| name + "\n"),
        1 => short().prop_map(|name| name + "."),
        3 => (short(), odd, short()).prop_map(|(before, odd, after)| format!("{before}{odd}{after}")),
    ]
}

/// Keys as plain text, so that a test knows the secret too. `Debug` shows both: they were made up.
///
/// ```
/// use pipeline_proto::strategies::credentials;
/// use proptest::prelude::*;
///
/// proptest! {
///     // In a test, `#[test]` stands here.
///     fn no_secret_is_shown(keys in credentials()) {
///         prop_assume!(keys.secret_key().len() > 8);
///         let shown = format!("{:?}", keys.credentials());
///         prop_assert!(!shown.contains(keys.secret_key()));
///     }
/// }
/// # no_secret_is_shown();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    access_key: String,
    secret_key: String,
}

impl KeyPair {
    /// The access key.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret key.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// Credentials of these keys.
    pub fn credentials(&self) -> Credentials {
        legal(Credentials::new(self.access_key(), self.secret_key()))
    }
}

/// Pairs of keys. Secrets are shorter and longer than a block of the MAC, which hashes long ones.
pub fn credentials() -> impl Strategy<Value = KeyPair> {
    ("[!-9;-~]{1,40}", "[ -~]{1,80}").prop_map(|(access_key, secret_key)| KeyPair {
        access_key,
        secret_key,
    })
}

/// Moments: mostly around the day of RFC 9110's example of a date, sometimes far off, as on a
/// machine whose clock was never set.
pub fn now() -> impl Strategy<Value = Now> {
    let odd = select(vec![0, 1, 4_102_444_800, 253_402_300_799, 253_402_300_800]);
    let wall = prop_oneof![
        9 => ABOUT..ABOUT + 7200,
        1 => odd,
    ];
    (wall, 0..1_000_000_000_u32, 0..1_000_000_u64).prop_map(|(seconds, nanos, mono)| {
        let wall = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
        Now::new(wall, Duration::from_millis(mono))
    })
}

/// Policies from "once" to "eight times", with delays and budgets from nothing to minutes.
pub fn retry_policy() -> impl Strategy<Value = RetryPolicy> {
    let delay = || duration_up_to(Duration::from_secs(120));
    (1..=8_u32, delay(), delay(), delay(), delay()).prop_map(
        |(attempts, base, longest, retry_after, budget)| {
            RetryPolicy::default()
                .max_attempts(attempts)
                .base_delay(base)
                .max_delay(longest)
                .max_retry_after(retry_after)
                .budget(budget)
        },
    )
}

/// Addresses of a service: with a port and a path in front of the API's own, or without.
pub fn endpoint() -> impl Strategy<Value = Endpoint> {
    matching("https?://[a-z]{1,8}(\\.example)?(:[1-9][0-9]{0,3})?(/[a-z0-9]{1,5}){0,2}")
        .prop_map(|text| legal(text.parse()))
}

/// Options of a call: of a token, an account, a policy, two limits and a second sending, any of them or none; and a
/// seed.
pub fn call_options() -> impl Strategy<Value = CallOptions> {
    let limits = || option::of(duration_up_to(Duration::from_secs(120)));
    let again = select(vec![
        Idempotency::Safe,
        Idempotency::Idempotent,
        Idempotency::AtLeastOnce,
        Idempotency::Never,
    ]);
    let auth = (credentials(), option::of(token_descriptor())).prop_map(|(keys, descriptor)| {
        let keys = keys.credentials();
        match descriptor {
            Some(descriptor) => Auth::from(descriptor.mint(&keys)),
            None => keys.into(),
        }
    });
    let owner = matching("[1-9][0-9]{0,9}").prop_map(|text| legal(text.parse::<ResourceOwner>()));
    (
        (option::of(auth), option::of(owner)),
        (option::of(retry_policy()), option::of(again)),
        (limits(), limits(), any::<u64>()),
    )
        .prop_map(|((auth, owner), (retry, again), (attempt, total, seed))| {
            let mut options = CallOptions::new().seed(seed);
            if let Some(auth) = auth {
                options = options.auth(auth);
            }
            if let Some(owner) = owner {
                options = options.resource_owner(owner);
            }
            if let Some(retry) = retry {
                options = options.retry(retry);
            }
            if let Some(again) = again {
                options = options.idempotency(again);
            }
            if let Some(attempt) = attempt {
                options = options.attempt_timeout(attempt);
            }
            if let Some(total) = total {
                options = options.total_timeout(total);
            }
            options
        })
}

/// Faults of every kind: some that no further attempt would mend, and time-outs of every phase.
pub fn fault() -> impl Strategy<Value = Fault> {
    let phase = select(vec![
        Phase::Resolve,
        Phase::Connect,
        Phase::Proxy,
        Phase::Tls,
        Phase::Send,
        Phase::Response,
        Phase::Body,
    ]);
    let kind = select(vec![
        FaultKind::NotSent,
        FaultKind::Interrupted,
        FaultKind::BodyTooLarge,
    ]);
    prop_oneof![
        (kind, any::<bool>()).prop_map(|(kind, permanent)| {
            let fault = Fault::new(kind);
            if permanent { fault.permanent() } else { fault }
        }),
        phase.prop_map(|phase| Fault::new(FaultKind::TimedOut).timed_out(phase)),
    ]
}

impl<K: InPath> Arbitrary for Name<K> {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        name().boxed()
    }
}

/// Makes `any::<Type>()` what a strategy gives.
macro_rules! arbitrary {
    ($($type:ty = $strategy:expr;)*) => { $(
        impl Arbitrary for $type {
            type Parameters = ();
            type Strategy = BoxedStrategy<Self>;

            fn arbitrary_with((): ()) -> Self::Strategy {
                $strategy.boxed()
            }
        }
    )* };
}

arbitrary! {
    CallOptions = call_options();
    Credentials = credentials().prop_map(|keys| keys.credentials());
    Endpoint = endpoint();
    Fault = fault();
    KeyPair = credentials();
    LogSearch = log_search();
    Now = now();
    RawJson = raw_json();
    Region = region();
    RetryPolicy = retry_policy();
    Schema = schema();
    Status = status();
    TokenDescriptor = token_descriptor();
    Workflow = workflow();
    WorkflowState = workflow_state();
}

/// Any text, from nothing to a line: letters of all scripts, quotes, control characters.
pub fn text() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "\0",
        "\u{7f}",
        "\r\n",
        "\u{1b}[2J",
        "\u{202e}",
        "\"\\/<&>",
        "null",
    ]);
    prop_oneof![
        4 => "[a-zA-Z0-9 .:/_-]{0,16}",
        2 => vec(any::<char>(), 0..12).prop_map(String::from_iter),
        1 => (vec(any::<char>(), 0..4), odd).prop_map(|(some, odd)| String::from_iter(some) + odd),
    ]
    .boxed()
}

/// Zero, short, or anything up to a limit.
fn duration_up_to(limit: Duration) -> impl Strategy<Value = Duration> {
    let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    prop_oneof![
        1 => Just(0),
        4 => 0..=millis.min(300),
        2 => 0..=millis,
    ]
    .prop_map(Duration::from_millis)
}

/// Unwraps what a generator made of parts that it chose to be legal.
fn legal<T, E: Debug>(made: Result<T, E>) -> T {
    made.expect("the generators choose legal parts only")
}
