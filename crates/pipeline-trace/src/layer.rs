//! Ships what a program logs.

use std::{
    borrow::Cow,
    cell::Cell,
    fmt::{self, Debug, Display},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use pipeline_proto::points;
use serde::{Serialize, Serializer, ser::SerializeMap};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record as Values},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

/// Whose events are never shipped: shipping brings them about.
const OWN: &[&str] = &[
    "pipeline_blocking",
    "pipeline_hyper",
    "pipeline_proto",
    "pipeline_shipper",
    "pipeline_trace",
    "pipeline_transport",
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "rustls",
    "tokio",
    "tokio_rustls",
    "want",
];

/// What each record has. A field of the event that is called so as well gets an underscore behind its name.
const TIME: &str = "time";
const LEVEL: &str = "level";
const TARGET: &str = "target";
const SPANS: &str = "spans";

thread_local! {
    static IS_SHIPPING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a function whose events are not shipped: the one that is told of verdicts, and observers of the shipper.
/// What they log would be shipped, and lead to the next verdict.
pub fn unshipped<T>(run: impl FnOnce() -> T) -> T {
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            IS_SHIPPING.set(self.0);
        }
    }
    let _reset = Reset(IS_SHIPPING.replace(true));
    run()
}

/// A layer of `tracing-subscriber` that hands each event to a shipper as a record: see [`layer`].
pub struct EventLayer<F> {
    send: F,
    has_spans: bool,
    left_out: Vec<Cow<'static, str>>,
    dropped: Arc<AtomicU64>,
    report: Option<Report>,
}

/// How many events were dropped, of a layer that went into a subscriber.
#[derive(Debug, Clone)]
pub struct Dropped(Arc<AtomicU64>);

impl Dropped {
    /// How many so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Who is told of what was dropped.
struct Report {
    every: Duration,
    /// When it was told last, and of how many.
    last: Mutex<Option<(Instant, u64)>>,
    tell: Box<Tell>,
}

type Tell = dyn Fn(u64, &dyn Display) + Send + Sync;

/// Makes a layer that hands each event as a record to a function, which is to be `try_send` of a shipper of either
/// client.
///
/// A record has `time`, `level`, `target`, `message` if there is one, and the fields of the event. The layer never
/// waits: an event that the function refuses is dropped and [counted](EventLayer::dropped). What the clients log, and
/// hyper, h2, rustls, tokio and mio below them, is left out, so that shipping does not lead to more of it.
///
/// ```
/// use pipeline_trace::unshipped;
/// use std::time::Duration;
/// use tracing_subscriber::{filter::LevelFilter, prelude::*};
/// # struct Shipper;
/// # impl Shipper {
/// #     fn try_send<T: serde::Serialize>(&self, record: &T) -> Result<(), pipeline_proto::points::PointError> {
/// #         let mut line = Vec::new();
/// #         pipeline_proto::points::write(&mut line, record)?;
/// #         let line = String::from_utf8(line).unwrap();
/// #         assert!(line.ends_with("\tmessage=served\tstatus=200\tpath=/\n"), "{line}");
/// #         Ok(())
/// #     }
/// # }
/// # let logs = Shipper;
///
/// // let logs = client.shipper("logs").start(|verdict: Verdict| unshipped(|| note(verdict)))?;
/// let layer = pipeline_trace::layer(move |event| logs.try_send(event))
///     .on_drop(Duration::from_secs(10), |events, why| eprintln!("{events} events were not shipped: {why}"));
/// let dropped = layer.dropped();
/// let subscriber = tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO));
/// # let log = || {
/// tracing::info!(status = 200, path = "/", "served");
/// # };
/// # tracing::subscriber::with_default(subscriber, log);
/// assert_eq!(dropped.count(), 0);
/// ```
pub fn layer<E, F>(send: F) -> EventLayer<F>
where
    F: Fn(&Record<'_>) -> Result<(), E> + Send + Sync + 'static,
    E: Display,
{
    EventLayer {
        send,
        has_spans: false,
        left_out: OWN.iter().copied().map(Cow::Borrowed).collect(),
        dropped: Arc::default(),
        report: None,
    }
}

impl<F> EventLayer<F> {
    /// Whether records have the fields of the spans around the event as well, those of inner spans and of the event
    /// itself before those of outer ones with the same name, and the names of the spans in `spans`, from the outermost
    /// on. Default: no.
    #[must_use]
    pub fn spans(mut self, has_spans: bool) -> Self {
        self.has_spans = has_spans;
        self
    }

    /// Leaves out events whose target is this, or a module below it.
    #[must_use]
    pub fn without(mut self, target: impl Into<Cow<'static, str>>) -> Self {
        self.left_out.push(target.into());
        self
    }

    /// Adds a function that is told how many events were dropped since it was told last, and why the latest was: at the
    /// first one that is dropped, and no more often than this. What it logs is not shipped.
    #[must_use]
    pub fn on_drop(
        mut self,
        every: Duration,
        tell: impl Fn(u64, &dyn Display) + Send + Sync + 'static,
    ) -> Self {
        self.report = Some(Report {
            every,
            last: Mutex::default(),
            tell: Box::new(tell),
        });
        self
    }

    /// The count of the events that were dropped, to be asked for later.
    pub fn dropped(&self) -> Dropped {
        Dropped(Arc::clone(&self.dropped))
    }

    fn is_left_out(&self, target: &str) -> bool {
        self.left_out.iter().any(|left_out| {
            let below = target.strip_prefix(&**left_out);
            below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
        })
    }

    fn count_dropped(&self, why: &dyn Display) {
        let all = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        let Some(report) = &self.report else { return };
        // Who comes at the same moment is told of by the next.
        let Ok(mut last) = report.last.try_lock() else {
            return;
        };
        let told = match *last {
            Some((at, _)) if at.elapsed() < report.every => return,
            Some((_, told)) => told,
            None => 0,
        };
        *last = Some((Instant::now(), all));
        drop(last);
        (report.tell)(all.saturating_sub(told), why);
    }
}

impl<F> Debug for EventLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLayer")
            .field("spans", &self.has_spans)
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

impl<S, E, F> Layer<S> for EventLayer<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: Fn(&Record<'_>) -> Result<(), E> + Send + Sync + 'static,
    E: Display,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id).filter(|_| self.has_spans) {
            let mut members = Members::default();
            attributes.record(&mut members);
            // Another layer of this kind may have done the same.
            span.extensions_mut().replace(members);
        }
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(members) = span.extensions_mut().get_mut::<Members>()
        {
            values.record(members);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if IS_SHIPPING.get() || self.is_left_out(event.metadata().target()) {
            return;
        }
        let mut own = Members::default();
        event.record(&mut own);
        // What comes by way of the crate `log` has its target in a field.
        let target = own.logged.take();
        if target
            .as_ref()
            .is_some_and(|target| self.is_left_out(target))
        {
            return;
        }
        let spans: Vec<_> = context
            .event_scope(event)
            .map(|scope| scope.from_root().collect())
            .unwrap_or_default();
        let is_ours = |span: &SpanRef<'_, S>| self.is_left_out(span.metadata().target());
        if spans.iter().any(is_ours) {
            return;
        }
        let mut members = Members::default();
        if self.has_spans {
            for span in &spans {
                if let Some(of_span) = span.extensions().get::<Members>() {
                    members.extend(of_span.clone());
                }
            }
            let names: Vec<_> = spans.iter().map(SpanRef::name).collect();
            if !names.is_empty() {
                members.put(SPANS, Value::Text(names.join(":")));
            }
        }
        members.extend(own);
        let record = Record {
            time: SystemTime::now(),
            level: event.metadata().level().as_str(),
            target: target.as_deref().unwrap_or(event.metadata().target()),
            members: &members,
        };
        unshipped(|| {
            if let Err(why) = (self.send)(&record) {
                self.count_dropped(&why);
            }
        });
    }
}

/// An event as a record: a map for `serde`.
#[derive(Debug)]
pub struct Record<'a> {
    time: SystemTime,
    level: &'static str,
    target: &'a str,
    members: &'a Members,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Moment(SystemTime);
        impl Serialize for Moment {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                points::rfc3339(&self.0, serializer)
            }
        }
        let mut map = serializer.serialize_map(Some(3 + self.members.list.len()))?;
        map.serialize_entry(TIME, &Moment(self.time))?;
        map.serialize_entry(LEVEL, self.level)?;
        map.serialize_entry(TARGET, self.target)?;
        for (name, value) in &self.members.list {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Fields, no two with one name.
#[derive(Debug, Clone, Default)]
struct Members {
    list: Vec<(Cow<'static, str>, Value)>,
    /// The target of what was logged by the crate `log`.
    logged: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
}

impl Members {
    fn put(&mut self, name: impl Into<Cow<'static, str>>, value: Value) {
        let name = name.into();
        match self.list.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.list.push((name, value)),
        }
    }

    fn extend(&mut self, other: Self) {
        for (name, value) in other.list {
            self.put(name, value);
        }
    }

    fn field(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("log.target", Value::Text(target)) => self.logged = Some(target),
            (name, _) if name.starts_with("log.") => {}
            (name, value) => self.put(name_of(name), value),
        }
    }
}

/// A name that a field of a queue may have.
fn name_of(name: &'static str) -> Cow<'static, str> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_taken = [TIME, LEVEL, TARGET, SPANS].contains(&name);
    if !is_taken
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(is_legal)
    {
        return name.into();
    }
    let clean = name.replace(|c| !is_legal(c), "_");
    let clean = clean.trim_start_matches('_');
    match clean.chars().next() {
        _ if is_taken => format!("{clean}_"),
        Some(first) if first.is_ascii_alphabetic() => clean.to_owned(),
        _ => format!("K{clean}"),
    }
    .into()
}

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(field, Value::Text(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, Value::Text(value.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, Value::Signed(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, Value::Unsigned(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, Value::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, Value::Bool(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.field(field, Value::Text(value.to_string()));
    }
}
