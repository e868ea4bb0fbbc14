//! What of a program's events is shipped.

use std::{
    fmt::Display,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pipeline_proto::points;
use pipeline_trace::{Dropped, EventLayer, Record, layer, unshipped};
use tracing::{Subscriber, info, info_span, subscriber::with_default, warn};
use tracing_subscriber::prelude::*;

/// What was shipped: points, without the time.
#[derive(Clone, Default)]
struct Queue {
    points: Arc<Mutex<Vec<String>>>,
    is_full: Arc<AtomicBool>,
}

impl Queue {
    fn take(&self, record: &Record<'_>) -> Result<(), String> {
        // What is logged on the way is not shipped, or there would be no end.
        warn!("taking a record");
        if self.is_full.load(Ordering::Relaxed) {
            return Err("full".to_owned());
        }
        let mut line = Vec::new();
        points::write(&mut line, record).map_err(|error| error.to_string())?;
        let line = String::from_utf8(line).unwrap();
        let (time, rest) = line.trim_end().split_once('\t').unwrap();
        assert!(time.starts_with("time=2") && time.ends_with('Z'), "{time}");
        self.points.lock().unwrap().push(rest.to_owned());
        Ok(())
    }

    fn layer(&self) -> EventLayer<impl Fn(&Record<'_>) -> Result<(), String> + use<>> {
        let queue = self.clone();
        layer(move |record: &Record<'_>| queue.take(record))
    }

    fn shipped(
        &self,
        subscriber: impl Subscriber + Send + Sync,
        log: impl FnOnce(),
    ) -> Vec<String> {
        with_default(subscriber, log);
        std::mem::take(&mut self.points.lock().unwrap())
    }
}

#[test]
fn fields_become_members_under_names_that_a_queue_takes() {
    let queue = Queue::default();
    let subscriber = tracing_subscriber::registry().with(queue.layer());
    let error = std::io::Error::other("no disk");
    let error: &dyn std::error::Error = &error;
    let shipped = queue.shipped(subscriber, || {
        info!(target: "shop", bytes = 7_u64, change = -7, ratio = 0.5, cached = true, "served {}", "/");
        warn!(target: "shop::cart", error, http.method = ?Some("GET"), level = "high", "2nd" = 2, _x = 1);
        // Ok of a span that is not asked for.
        info_span!("request", id = 1).in_scope(|| info!(target: "shop", n = 1));
    });
    assert_eq!(
        shipped,
        [
            "level=INFO\ttarget=shop\tmessage=served /\tbytes=7\tchange=-7\tratio=0.5\tcached=true",
            "level=WARN\ttarget=shop::cart\terror=no disk\thttp_method=Some(\"GET\")\tlevel_=high\tK2nd=2\tx=1",
            "level=INFO\ttarget=shop\tn=1",
        ]
    );
}

#[test]
fn spans_lend_their_fields_if_that_is_asked_for() {
    let queue = Queue::default();
    // Two layers of the kind do not get into each other's way.
    let subscriber = tracing_subscriber::registry()
        .with(Queue::default().layer().spans(true))
        .with(queue.layer().spans(true));
    let shipped = queue.shipped(subscriber, || {
        let request = info_span!(
            "request",
            user = "ann",
            status = tracing::field::Empty,
            id = 1
        );
        let _request = request.enter();
        request.record("status", 200);
        let _part = info_span!("part", id = 2).entered();
        info!(target: "shop", user = "bob", "done");
    });
    let all =
        "level=INFO\ttarget=shop\tuser=bob\tid=2\tstatus=200\tspans=request:part\tmessage=done";
    assert_eq!(shipped, [all]);
}

#[test]
fn what_shipping_itself_logs_is_left_out() {
    let queue = Queue::default();
    let subscriber = tracing_subscriber::registry().with(queue.layer().without("noise"));
    let shipped = queue.shipped(subscriber, || {
        info!(target: "hyper::client", "left out");
        info!(target: "rustls", "left out");
        info!(target: "pipeline_shipper::desk", "left out");
        info!(target: "noise::of::mine", "left out");
        info!(target: "log", { "log.target" = "rustls::client", "log.line" = 7 }, "left out");
        info_span!(target: "pipeline_trace", "pipeline.call").in_scope(|| info!("left out"));
        unshipped(|| info!("left out"));
        info!(target: "hyperspace", "kept");
        info!(target: "log", { "log.target" = "shop", "log.line" = 7 }, "kept");
    });
    let kept =
        ["hyperspace", "shop"].map(|target| format!("level=INFO\ttarget={target}\tmessage=kept"));
    assert_eq!(shipped, kept);
}

#[test]
fn what_is_dropped_is_counted_and_told_of_now_and_then() {
    for (every, expected) in [
        (Duration::ZERO, vec!["1 full".to_owned(); 3]),
        (Duration::MAX, vec!["1 full".to_owned()]),
    ] {
        let (queue, told) = (Queue::default(), Arc::new(Mutex::new(Vec::new())));
        let notes = Arc::clone(&told);
        let layer = queue
            .layer()
            .on_drop(every, move |events, why: &dyn Display| {
                warn!("this is not shipped");
                notes.lock().unwrap().push(format!("{events} {why}"));
            });
        let dropped: Dropped = layer.dropped();
        queue.is_full.store(true, Ordering::Relaxed);
        let shipped = queue.shipped(tracing_subscriber::registry().with(layer), || {
            for _ in 0..3 {
                info!("lost");
            }
            queue.is_full.store(false, Ordering::Relaxed);
            info!(target: "shop", "kept");
        });
        assert_eq!(shipped, ["level=INFO\ttarget=shop\tmessage=kept"]);
        assert_eq!((dropped.count(), &**told.lock().unwrap()), (3, &*expected));
    }
}
