//! The schema of the queue, which is read again when a record does not fit it.

use std::{
    cell::{Cell, OnceCell},
    time::Duration,
};

use pipeline_proto::resource::schema::SchemaEntry;

/// How often it is read again at most.
const EVERY: Duration = Duration::from_secs(10);

/// Reads it once more; none if that is not possible now.
pub(super) type ReadAgain = Box<dyn Fn() -> Option<Vec<SchemaEntry>> + Send>;

/// A schema, and the one that came after it. Those before it stay, as what reads records borrows them: they are small,
/// and as many as there were changes.
pub(super) struct Version {
    schema: Option<Vec<SchemaEntry>>,
    next: OnceCell<Box<Version>>,
}

impl Version {
    fn new(schema: Option<Vec<SchemaEntry>>) -> Self {
        let next = OnceCell::new();
        Self { schema, next }
    }

    pub(super) fn schema(&self) -> Option<&[SchemaEntry]> {
        self.schema.as_deref()
    }
}

pub(super) struct Schemas {
    first: Version,
    read_again: Option<ReadAgain>,
    read_at: Cell<Option<Duration>>,
    is_known: Cell<bool>,
}

impl Schemas {
    /// Without a schema at the beginning, records go unchecked for good.
    pub(super) fn new(schema: Option<Vec<SchemaEntry>>, read_again: Option<ReadAgain>) -> Self {
        Self {
            read_again: read_again.filter(|_| schema.is_some()),
            first: Version::new(schema),
            read_at: Cell::new(None),
            is_known: Cell::new(true),
        }
    }

    pub(super) fn latest(&self) -> &Version {
        let mut latest = &self.first;
        while let Some(next) = latest.next.get() {
            latest = next;
        }
        latest
    }

    /// Reads it again, if that was not done just now; whether it has changed.
    pub(super) fn look(&self, now: Duration) -> bool {
        let is_due = |at: Duration| now.saturating_sub(at) >= EVERY;
        let Some(read_again) = &self.read_again else {
            return false;
        };
        if !self.read_at.get().is_none_or(is_due) {
            return false;
        }
        self.read_at.set(Some(now));
        let read = read_again();
        self.is_known.set(read.is_some());
        let latest = self.latest();
        let is_new = read.is_some() && read != latest.schema;
        is_new && latest.next.set(Box::new(Version::new(read))).is_ok()
    }

    /// Whether the last look was possible.
    pub(super) fn is_known(&self) -> bool {
        self.is_known.get()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use pipeline_proto::resource::schema::Schema;

    use super::*;

    #[test]
    fn the_schema_is_read_again_every_ten_seconds_at_most_and_stays_if_it_cannot_be_read() {
        let of = |text: &str| text.parse::<Schema>().unwrap().0;
        let served = Arc::new(Mutex::new((0, Some(of("a long")))));
        let service = Arc::clone(&served);
        let read_again: ReadAgain = Box::new(move || {
            let mut service = service.lock().unwrap();
            service.0 += 1;
            service.1.clone()
        });
        let schemas = Schemas::new(Some(of("a long")), Some(read_again));
        // When, what the service has then, whether it is new; the schema, whether it is known, reads so far.
        let cases = [
            (3, Some("a long"), false, "a long", true, 1),
            (12, Some("a long, b date"), false, "a long", true, 1),
            (13, Some("a long, b date"), true, "a long, b date", true, 2),
            (23, None, false, "a long, b date", false, 3),
            (32, Some("b date"), false, "a long, b date", false, 3),
            (40, Some("b date"), true, "b date", true, 4),
        ];
        for (now, serves, is_new, schema, is_known, reads) in cases {
            served.lock().unwrap().1 = serves.map(of);
            assert_eq!(schemas.look(Duration::from_secs(now)), is_new, "{now}");
            assert_eq!(schemas.latest().schema(), Some(&of(schema)[..]), "{now}");
            assert_eq!(schemas.is_known(), is_known, "{now}");
            assert_eq!(served.lock().unwrap().0, reads, "{now}");
        }
        let read_again: ReadAgain = Box::new(|| unreachable!("there is no schema"));
        assert!(!Schemas::new(None, Some(read_again)).look(Duration::ZERO));
    }
}
