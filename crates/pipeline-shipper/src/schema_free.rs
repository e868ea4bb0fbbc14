//! Records without a schema, up to the point where there is one for them.

mod keeper;
mod maker;

use std::{
    collections::{BTreeSet, VecDeque},
    mem, str,
    sync::Arc,
    time::Duration,
};

use pipeline_proto::{
    Error,
    points::{Encoder, Inference, PointError, clean_keys, union},
    resource::{push::Tags, schema::SchemaEntry},
};

pub(crate) use self::{
    keeper::{Keeper, Turn},
    maker::News,
};
use crate::{
    books::Count,
    settings::{SchemaFree, Settings, UnknownFields},
    verdict::Reason,
};

/// A record that waits for the queue to have its fields.
#[derive(Debug)]
pub(crate) struct Waiting<I> {
    pub(crate) id: I,
    pub(crate) number: u64,
    pub(crate) line: Box<[u8]>,
    pub(crate) taken: Duration,
    /// How much of the memory is counted for it.
    pub(crate) memory: usize,
}

impl<I> Waiting<I> {
    /// With the line feed that it gets if it is handed back.
    pub(crate) fn count(&self) -> Count {
        Count::of(1, self.line.len() + 1)
    }
}

/// What a record is at this moment.
#[derive(Debug)]
pub(crate) enum Fit {
    /// A point that the queue takes.
    Point(Vec<u8>),
    /// One for which the queue has to be read, made or changed. With what it lacks, if it is read.
    New(Option<PointError>),
    /// None.
    Bad(Reason),
}

/// What is known of a queue that was found to be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    None,
    /// Nothing can be pushed until it is made again.
    Lost,
    /// It cannot be made again.
    Final,
}

/// What stands before the batches of a shipper that takes records without a schema.
#[derive(Debug)]
pub(crate) struct Front<I> {
    pub(crate) options: SchemaFree,
    pub(crate) keeper: Keeper,
    pub(crate) waiting: VecDeque<Waiting<I>>,
    pub(crate) count: Count,
    pub(crate) dropped_fields: u64,
    /// How many of those that wait, from the first on, the present round is about.
    round: usize,
    /// Whether the queue has all that it can have for them when the round ends.
    is_last: bool,
    /// How many the next round is about, if not all: the service has refused the fields of more.
    most: Option<usize>,
    /// Whether no more is gathered before the next round.
    pub(crate) is_hurried: bool,
    pub(crate) loss: Loss,
    /// What the last call ended with, if it failed.
    pub(crate) last: Option<Arc<Error>>,
    /// Whether records did not fit a schema that was read long ago.
    is_doubted: bool,
    tags: Option<Tags>,
}

impl<I> Front<I> {
    pub(crate) fn new(options: SchemaFree, tags: Option<Tags>, keeper: Keeper) -> Self {
        Self {
            options,
            keeper,
            waiting: VecDeque::new(),
            count: Count::default(),
            dropped_fields: 0,
            round: 0,
            is_last: false,
            most: None,
            is_hurried: false,
            loss: Loss::None,
            last: None,
            is_doubted: false,
            tags,
        }
    }

    /// The same of a record that was not looked at before. Where it does not fit what was read long ago, the queue may have
    /// been made again since, with other types.
    pub(crate) fn first_fit(&mut self, line: &[u8], now: Duration) -> Fit {
        match self.fit(line) {
            Fit::Bad(Reason::Unfit(error)) if error.is_misfit() && self.keeper.is_old(now) => {
                self.is_doubted = true;
                Fit::New(Some(error))
            }
            fit => fit,
        }
    }

    /// Makes a point of a record, if the queue that is known takes it.
    pub(crate) fn fit(&mut self, line: &[u8]) -> Fit {
        match self.keeper.schema() {
            None => Fit::New(None),
            Some(schema) => {
                let mut encoder = encoder(&self.options, schema);
                let fit = fit(&mut encoder, line);
                self.dropped_fields += encoder.dropped();
                fit
            }
        }
    }

    pub(crate) fn wait(&mut self, waiting: Waiting<I>) {
        self.count += waiting.count();
        self.waiting.push_back(waiting);
    }

    /// Takes those that wait, to see which of them still have to. Those that are not put back have an end.
    pub(crate) fn take_waiting(&mut self) -> VecDeque<Waiting<I>> {
        self.count = Count::default();
        mem::take(&mut self.waiting)
    }

    /// Takes the first that waits.
    pub(crate) fn stop_waiting(&mut self) -> Option<Waiting<I>> {
        let waiting = self.waiting.pop_front()?;
        self.count -= waiting.count();
        self.round = self.round.saturating_sub(1);
        Some(waiting)
    }

    /// How many records, from the first on, the round that has ended was about, and whether there will be no other for
    /// them.
    pub(crate) fn end_round(&mut self) -> (usize, bool) {
        (mem::take(&mut self.round), mem::take(&mut self.is_last))
    }

    /// When what waits is worth a round.
    pub(crate) fn round_at(&self, settings: &Settings) -> Option<Duration> {
        let first = self.waiting.front().filter(|_| !self.keeper.is_busy())?;
        let is_full = self.waiting.len() >= settings.batch_records
            || self.count.bytes >= Count::of(0, settings.batch_bytes).bytes;
        let is_unread = self.keeper.schema().is_none() && !self.is_absent();
        Some(
            if self.is_hurried || is_full || is_unread || self.most.is_some() {
                Duration::ZERO
            } else {
                first.taken.saturating_add(settings.gather())
            },
        )
    }

    fn is_absent(&self) -> bool {
        self.keeper.schema_to_make(&self.options).is_some()
    }

    /// Finds what those that wait need, and wants it. Gives those that are dead whatever there is.
    pub(crate) fn begin_round(&mut self) -> Vec<(Waiting<I>, Reason)> {
        let to_make = self.keeper.schema_to_make(&self.options);
        let to_make = to_make.map(|schema| without_tags(schema, self.tags.as_ref()));
        let known = to_make.or_else(|| self.keeper.schema().map(<[_]>::to_vec));
        let adds = self.options.unknown_fields == UnknownFields::Add;
        let is_doubted = mem::take(&mut self.is_doubted);
        let Some(known) = known.filter(|_| adds && !is_doubted) else {
            self.round = self.waiting.len();
            self.is_last = !adds;
            self.keeper.read();
            return Vec::new();
        };
        // Of a record that is dead for one field, no other is added. Whatever is new fits all that have it, so that what
        // does not fit is found at the first time, and all that is left at the second.
        let (mut fields, mut dead) = (Vec::new(), Vec::new());
        self.round = self.most.take().unwrap_or(usize::MAX);
        for _ in 0..2 {
            fields = self.infer(&known);
            let all = union(&known, &fields);
            let mut encoder = encoder(&self.options, &all);
            let round = mem::take(&mut self.round);
            for (place, waiting) in self.take_waiting().into_iter().enumerate() {
                if place >= round {
                    self.wait(waiting);
                    continue;
                }
                match fit(&mut encoder, &waiting.line) {
                    Fit::Point(_) | Fit::New(None) => {
                        self.round += 1;
                        self.wait(waiting);
                    }
                    Fit::New(Some(error)) => dead.push((waiting, Reason::Unfit(error))),
                    Fit::Bad(reason) => dead.push((waiting, reason)),
                }
            }
            if dead.is_empty() {
                break;
            }
        }
        self.is_last = true;
        if self.round > 0 {
            self.keeper.want(fields);
        }
        dead
    }

    /// Makes the next round smaller, after the service has refused fields that not all records of this one need. Gives
    /// whether it can be.
    pub(crate) fn split(&mut self) -> bool {
        let needs = self.waiting.iter().take(self.round);
        let needs: Vec<_> = needs.map(|waiting| self.needs(waiting)).collect();
        let all: BTreeSet<_> = needs.iter().flatten().collect();
        let mut some = BTreeSet::new();
        let half = needs.iter().position(|needs| {
            let is_first = some.is_empty();
            let before = some.len();
            some.extend(needs);
            !is_first && some.len() > before.max(all.len() / 2)
        });
        // Where the first needs all of them, others may need less.
        let place = half.or_else(|| needs.iter().position(|it| *it != needs[0]));
        if let Some(place) = place {
            (self.round, self.is_last, self.most) = (0, false, Some(place));
        }
        place.is_some()
    }

    /// The keys of the fields that the first records need and the queue does not have.
    pub(crate) fn needs_of(&self, records: usize) -> BTreeSet<String> {
        let records = self.waiting.iter().take(records);
        records.flat_map(|waiting| self.needs(waiting)).collect()
    }

    /// Whether a record needs all of these, and some.
    pub(crate) fn needs_all(&self, waiting: &Waiting<I>, keys: &BTreeSet<String>) -> bool {
        !keys.is_empty() && self.needs(waiting).is_superset(keys)
    }

    fn needs(&self, waiting: &Waiting<I>) -> BTreeSet<String> {
        let known = self.keeper.schema().unwrap_or_default();
        let fields = self.infer_of([waiting], known).into_iter();
        fields.map(|entry| entry.key).collect()
    }

    fn infer(&self, known: &[SchemaEntry]) -> Vec<SchemaEntry> {
        self.infer_of(self.waiting.iter().take(self.round), known)
    }

    fn infer_of<'w>(
        &self,
        records: impl IntoIterator<Item = &'w Waiting<I>>,
        known: &[SchemaEntry],
    ) -> Vec<SchemaEntry>
    where
        I: 'w,
    {
        let options = &self.options;
        let inference = Inference::new().dates(options.dates).floats(options.floats);
        let mut inference = inference.beside(known);
        for waiting in records {
            let clean = str::from_utf8(&waiting.line).ok().map(clean_keys);
            if let Some(Ok(clean)) = clean {
                // What cannot be added does not fit either.
                let _ = inference.add_json(&clean);
            }
        }
        inference.schema()
    }
}

/// A tag takes the place of a field that a record must have.
fn without_tags(mut schema: Vec<SchemaEntry>, tags: Option<&Tags>) -> Vec<SchemaEntry> {
    for entry in &mut schema {
        if tags.is_some_and(|tags| tags.has(&entry.key)) {
            entry.required = Some(false);
        }
    }
    schema
}

fn encoder<'s>(options: &SchemaFree, schema: &'s [SchemaEntry]) -> Encoder<'s> {
    Encoder::checked(schema)
        .lossless(!options.truncate)
        .drop_unknown(options.unknown_fields == UnknownFields::Drop)
}

fn fit(encoder: &mut Encoder<'_>, line: &[u8]) -> Fit {
    let Ok(line) = str::from_utf8(line) else {
        return Fit::Bad(Reason::NotOneLine);
    };
    let mut point = Vec::with_capacity(line.len());
    let written = clean_keys(line).and_then(|clean| encoder.write_json(&mut point, &clean));
    match written {
        Ok(()) => Fit::Point(point),
        Err(error) if error.is_unknown_field() => Fit::New(Some(error)),
        Err(error) => Fit::Bad(Reason::Unfit(error)),
    }
}
