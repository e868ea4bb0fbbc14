//! Looks into a buffer that nobody uses, checks and repairs it.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _, Seek as _},
    path::{Path, PathBuf},
};

use super::{
    Stats,
    done::Done,
    error::{BufferError, Reason},
    frame::{Kind, scan},
    place::{FILE, Place},
    store::Store,
    value::{Letter, Page, State, read_place},
};
use crate::books::Count;

/// What is read of a damaged file at a time, and the longest value that is found in it.
const WINDOW: u64 = 8 << 20;
const LONGEST: usize = 64 << 20;
/// What is written into the new one at a time: each time is a sync.
const AT_ONCE: usize = 8 << 20;

/// What a buffer has of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueLook {
    /// Its name.
    pub name: String,
    /// How much there is.
    pub stats: Stats,
    /// When the oldest record that is pending was put, in seconds since 1970.
    pub oldest: Option<u64>,
    /// The first dead letters.
    pub letters: Vec<Letter>,
}

/// What a repair has saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// The old file.
    pub copy: PathBuf,
    /// Records that are pending.
    pub records: Count,
    /// Dead letters.
    pub letters: u64,
    /// Records that are known to be lost. There may be more that nothing is known of.
    pub lost: u64,
}

/// Says what there is, with no more than so many dead letters of each queue.
///
/// # Errors
///
/// If it cannot be opened, or it is damaged.
pub fn look(folder: &Path, letters: usize) -> Result<Vec<QueueLook>, BufferError> {
    opened(folder, false, |store| {
        let mut queues = Vec::new();
        for (name, state) in store.states()? {
            let mut oldest = None;
            store.each_chunk(&name, 0, |_, bytes| {
                let page = Page::read(bytes);
                let page = page.filter(|page| page.left(&state.done).records > 0);
                oldest = page.map(|page| page.at);
                oldest.is_none()
            })?;
            queues.push(QueueLook {
                letters: store.letters(&name, letters)?,
                stats: Stats::of(&state),
                oldest,
                name,
            });
        }
        Ok(queues)
    })
}

/// Looks at every page of the file and at every value in it.
///
/// # Errors
///
/// If it cannot be opened, or it is damaged.
pub fn check(folder: &Path) -> Result<(), BufferError> {
    opened(folder, true, |store| {
        for (name, state) in store.states()? {
            let (mut found, mut damaged) = (Count::default(), 0);
            store.each_chunk(&name, 0, |_, bytes| {
                match Page::read(bytes) {
                    Some(page) => found += page.left(&state.done),
                    None => damaged += 1,
                }
                true
            })?;
            store.each_letter(&name, |_, bytes| {
                damaged += u64::from(Letter::read(bytes).is_none());
                true
            })?;
            store.places(&name)?;
            if damaged > 0 {
                let what = format!("{damaged} of its values for {name} are not whole");
                return Err(Reason::Damaged(what));
            }
            if found != state.pending {
                let (has, says) = (found.records, state.pending.records);
                let what = format!("it has {has} records for {name}, and says {says}");
                return Err(Reason::Damaged(what));
            }
        }
        Ok(())
    })
}

fn opened<T>(
    folder: &Path,
    looks: bool,
    act: impl FnOnce(&Store) -> Result<T, Reason>,
) -> Result<T, BufferError> {
    let open = || {
        let mut place = Place::open(folder, false)?;
        place.identify()?;
        let store = Store::open(place.backend()?, looks)?;
        act(&store)
    };
    let path = folder.to_owned();
    open().map_err(|reason| BufferError { path, reason })
}

/// Makes a new file of every value that is whole, whatever has become of the rest, and keeps the old one beside it.
/// What was shipped shortly before may be shipped once more.
///
/// # Errors
///
/// If it cannot be read or written. The old file is there as it was then.
pub fn repair(folder: &Path) -> Result<Repaired, BufferError> {
    let path = folder.to_owned();
    rebuild(folder).map_err(|reason| BufferError { path, reason })
}

/// Values of a damaged file; of several that belong to the same, the newest.
#[derive(Default)]
struct Found {
    states: BTreeMap<String, State>,
    places: BTreeMap<(String, String), (u64, Vec<u8>)>,
}

impl Found {
    fn see(&mut self, kind: Kind, bytes: &[u8]) {
        match kind {
            Kind::State => {
                let Some((queue, state)) = State::read(bytes) else {
                    return;
                };
                let known = self.states.entry(queue.to_owned()).or_default();
                let age = |state: &State| (state.next, state.done.mark());
                if age(&state) >= age(known) {
                    *known = state;
                }
            }
            Kind::Place => {
                let Some((queue, path, _, next)) = read_place(bytes) else {
                    return;
                };
                let key = (queue.to_owned(), path.to_owned());
                let known = self.places.entry(key).or_default();
                if next >= known.0 {
                    *known = (next, bytes.to_owned());
                }
            }
            Kind::Chunk | Kind::Letter => {}
        }
    }
}

fn rebuild(folder: &Path) -> Result<Repaired, Reason> {
    let old = Place::open(folder, false)?;
    let mut found = Found::default();
    each_value(&old, |kind, bytes| {
        found.see(kind, bytes);
        Ok(())
    })?;
    let unused = folder.join(format!("{FILE}.repaired"));
    // That of a repair that was cut off.
    match fs::remove_file(&unused) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let new = Place::make(unused)?;
    let store = Store::open(new.backend()?, false)?;
    let none = (BTreeMap::new(), BTreeMap::new());
    let (mut rows, mut size) = (Vec::new(), 0);
    let mut seen: BTreeMap<String, Done> = BTreeMap::new();
    let mut sums: BTreeMap<String, State> = BTreeMap::new();
    let unknown = State::default();
    each_value(&old, |kind, bytes| {
        let row = match kind {
            Kind::Chunk => Page::read(bytes).map(|page| (page.queue, page.first, page.end())),
            Kind::Letter => {
                Letter::read(bytes).map(|(queue, it)| (queue, it.number, it.number + 1))
            }
            Kind::Place | Kind::State => None,
        };
        let Some((queue, first, end)) = row else {
            return Ok(());
        };
        let state = found.states.get(queue).unwrap_or(&unknown);
        let sum = sums.entry(queue.to_owned()).or_default();
        sum.next = sum.next.max(end);
        if let Some(page) = Page::read(bytes) {
            let left = page.left(&state.done);
            let seen = seen.entry(queue.to_owned()).or_default();
            // An old copy of the same, or one that was shipped.
            if left.records == 0 || seen.has(first) {
                return Ok(());
            }
            seen.add(first..end);
            sum.pending += left;
            sum.held += bytes.len() as u64;
        }
        size += bytes.len();
        rows.push((kind, queue.to_owned(), first, bytes.to_owned()));
        if size >= AT_ONCE {
            store.restore(&rows, &none.0, &none.1)?;
            (rows, size) = (Vec::new(), 0);
        }
        Ok(())
    })?;
    store.restore(&rows, &none.0, &none.1)?;
    let mut repaired = Repaired::default();
    let mut states = found.states;
    for (queue, sum) in sums {
        states.entry(queue.clone()).or_default().next =
            states.get(&queue).map_or(0, |it| it.next).max(sum.next);
        let state = states.entry(queue.clone()).or_default();
        (state.pending, state.held) = (sum.pending, sum.held);
    }
    for (queue, state) in &mut states {
        state.dead = Count::default();
        store.each_letter(queue, |_, bytes| {
            if let Some((_, letter)) = Letter::read(bytes) {
                state.dead += Count::of(1, letter.record.len());
            }
            true
        })?;
        state.held += state.dead.bytes;
        repaired.records += state.pending;
        repaired.letters += state.dead.records;
        // What is in no chunk will not be waited for.
        let seen = seen.remove(queue).unwrap_or_default();
        let mut known = state.done.clone();
        seen.ranges().for_each(|range| known.add(range));
        let mut at = 0;
        for range in known
            .ranges()
            .chain(std::iter::once(state.next..state.next))
        {
            if at < range.start {
                repaired.lost += range.start - at;
                state.done.add(at..range.start);
            }
            at = range.end;
        }
    }
    let places = found.places.into_iter().map(|(key, (_, it))| (key, it));
    store.restore(&[], &places.collect(), &states)?;
    drop(store);
    new.file.sync_all()?;
    repaired.copy = keep(&old)?;
    new.put_in_place(folder.join(FILE))?;
    Ok(repaired)
}

/// Gives the old file a second name.
fn keep(old: &Place) -> Result<PathBuf, Reason> {
    for number in 1..=u32::MAX {
        let copy = old.path.with_file_name(format!("{FILE}.damaged-{number}"));
        let kept = fs::hard_link(&old.path, &copy);
        match kept {
            Ok(()) => return Ok(copy),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists).into())
}

/// Every whole value of a file, in the order in which they stand there.
fn each_value(
    place: &Place,
    mut see: impl FnMut(Kind, &[u8]) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let mut file = &place.file;
    file.rewind()?;
    let mut window = Vec::new();
    loop {
        let read = file.take(WINDOW).read_to_end(&mut window)?;
        let mut end = 0;
        for (kind, bytes, behind) in scan(&window) {
            end = behind;
            see(kind, bytes)?;
        }
        if read == 0 {
            return Ok(());
        }
        // What follows may be the beginning of a value.
        window.drain(..end.max(window.len().saturating_sub(LONGEST)));
    }
}
