mod schema_free;

use std::{fmt, sync::Arc, time::Duration};

use pipeline_proto::{CallOptions, RetryPolicy, resource::push::Tags};

use crate::{
    exports::Service,
    observe::{Event, Observers},
};

pub(crate) use schema_free::SPREADING;
pub use schema_free::{SchemaFree, UnknownFields};

/// The most text that a push may hold before it is compressed.
pub(crate) const MOST_BYTES: usize = 2 << 20;

/// How a [`Shipper`](crate::Shipper) ships.
///
/// ```
/// use pipeline_shipper::Settings;
/// use std::time::Duration;
///
/// let settings = Settings::new().ordered(true).linger(Duration::from_millis(200)).memory(8 << 20);
/// ```
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) batch_bytes: usize,
    pub(crate) batch_records: usize,
    pub(crate) linger: Duration,
    pub(crate) in_flight: usize,
    pub(crate) ordered: bool,
    pub(crate) memory: usize,
    pub(crate) requests_per_second: u32,
    pub(crate) bytes_per_second: u64,
    pub(crate) deadline: Duration,
    pub(crate) back_off: RetryPolicy,
    pub(crate) hold_refused: bool,
    pub(crate) tags: Option<Tags>,
    pub(crate) gzip: Option<u32>,
    pub(crate) calls: CallOptions,
    pub(crate) observers: Observers,
    pub(crate) seed: u64,
    pub(crate) before: Before,
    pub(crate) schema_free: Option<SchemaFree>,
}

/// What is to be done before a request.
#[derive(Clone, Default)]
pub(crate) struct Before(pub(crate) Option<Arc<dyn Fn() + Send + Sync>>);

impl fmt::Debug for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Before").field(&self.0.is_some()).finish()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch_bytes: MOST_BYTES,
            batch_records: 10_000,
            linger: Duration::from_secs(1),
            in_flight: 2,
            ordered: false,
            memory: 32 << 20,
            requests_per_second: 0,
            bytes_per_second: 0,
            deadline: Duration::MAX,
            back_off: RetryPolicy::default()
                .max_delay(Duration::from_secs(30))
                .max_retry_after(Duration::from_secs(300)),
            hold_refused: false,
            tags: None,
            gzip: None,
            calls: CallOptions::new(),
            observers: Observers::default(),
            seed: 0,
            before: Before::default(),
            schema_free: None,
        }
    }
}

/// Hands the list of the settings to a macro, which makes setters of it: here, and in the builders of the clients.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_setting {
    ($make:path) => {
        $make! {
            /// The most text in a request, in bytes before compression; at most and by default the 2 MiB that the
            /// service takes. A record larger than 2 MiB is dead at once; one above this limit is sent alone.
            batch_bytes: usize;
            /// The most records in a request. Default: 10 000.
            batch_records: usize;
            /// How long records gather before they are sent, if they do not fill a request before. Default: 1 s.
            linger: ::std::time::Duration;
            /// How many requests are in flight at most. Default: 2.
            in_flight: usize;
            /// Whether records are accepted in the order in which they were pushed. Then one request is in flight
            /// at a time, and one that fails holds up what is behind it.
            ordered: bool;
            /// How much memory the records may take, in bytes, with their ids as far as these own none elsewhere.
            /// What does not fit is refused until there is room. A single record is always taken. Default: 32 MiB.
            ///
            /// While they are sent or halved, batches take as much again for a moment.
            memory: usize;
            /// The most requests in a second, retries among them; 0, the default, is no limit.
            requests_per_second: u32;
            /// The most bytes in a second, before compression, retries among them; 0, the default, is no limit.
            bytes_per_second: u64;
            /// How long a record may be held, before it is given up. It is given up no earlier, and later by no more
            /// than the time that records gather and one attempt takes; without a schema, one that waited for new fields is
            /// given up with the last one of its batch. Default: for ever.
            deadline: ::std::time::Duration;
            /// The waits after failures that may pass. Attempts and budget of the policy do not matter: it is tried
            /// for ever, or until the deadline. Default: up to 0.2 s, 0.4 s … 30 s, and `Retry-After` is obeyed up to
            /// 5 min.
            back_off: $crate::proto::RetryPolicy;
            /// Whether records are held and tried again when the service refuses pushes whatever is in them, as for a
            /// missing queue or a wrong key. By default they are dead.
            hold_refused: bool;
            /// Tags that all records get.
            tags: $crate::proto::resource::push::Tags;
            /// Compresses requests with gzip at this level, from 1, the fastest, to 9, the smallest. 3 is where more
            /// time stops to pay off in size.
            #[cfg(feature = "gzip")]
            gzip: u32;
            /// The options of each request. Those on retries do not matter.
            calls: $crate::proto::CallOptions;
            /// Ships records without a schema: JSON objects instead of points. Fields that the queue does not have are added
            /// to it, and the queue is made if it is not there.
            schema_free: $crate::SchemaFree;
            /// The seed of the waits. Clients give each shipper its own.
            seed: u64;
        }
    };
}

macro_rules! setters {
    ($($(#[$about:meta])+ $setting:ident: $Setting:ty;)+) => {
        $(
            $(#[$about])+
            #[must_use]
            #[allow(clippy::useless_conversion, reason = "some of the fields are options")]
            pub fn $setting(mut self, $setting: $Setting) -> Self {
                self.$setting = $setting.into();
                self
            }
        )+
    };
}

impl Settings {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    for_each_setting!(setters);

    /// Adds a function that is told what happens to batches. It holds the shipper up, so it should be quick, and it must
    /// not panic or call the shipper.
    #[must_use]
    pub fn observer(mut self, observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.observers.add(observe);
        self
    }

    /// Says that calls for this service can be made as well, without a schema.
    #[doc(hidden)]
    #[must_use]
    pub fn reaches(mut self, service: Service) -> Self {
        self.schema_free = self.schema_free.map(|free| free.reaches(service));
        self
    }

    /// Adds what is to be done before each request, where it may take time.
    #[doc(hidden)]
    #[must_use]
    pub fn before(mut self, act: impl Fn() + Send + Sync + 'static) -> Self {
        self.before = Before(Some(Arc::new(act)));
        self
    }

    /// How many requests can be in flight.
    pub fn requests_at_once(&self) -> usize {
        if self.ordered {
            1
        } else {
            self.in_flight.max(1)
        }
    }

    /// How long records gather: at most half of the time that they may be held.
    pub(crate) fn gather(&self) -> Duration {
        self.linger.min(self.deadline / 2)
    }
}
