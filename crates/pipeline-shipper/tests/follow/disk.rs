use std::{collections::BTreeMap, time::Duration};

use pipeline_shipper::follow::{Follower, Found, Look, Mark, Seen, Settings, Step};

/// The path that is followed; what begins with it are its rotated files.
const PATH: &str = "log";

/// A file system with one folder. What was written later has a later number.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// Contents and last writing, by inode.
    files: BTreeMap<u64, (Vec<u8>, u64)>,
    names: BTreeMap<String, u64>,
    inodes: u64,
    writes: u64,
    rotations: u32,
}

impl Disk {
    fn create(&mut self, name: String, bytes: Vec<u8>) {
        self.inodes += 1;
        self.writes += 1;
        self.files.insert(self.inodes, (bytes, self.writes));
        self.names.insert(name, self.inodes);
    }

    pub(crate) fn append(&mut self, text: &str) {
        if !self.names.contains_key(PATH) {
            self.create(PATH.to_owned(), Vec::new());
        }
        self.writes += 1;
        let file = self.files.get_mut(&self.names[PATH]).unwrap();
        file.0.extend_from_slice(text.as_bytes());
        file.1 = self.writes;
    }

    /// Takes whatever stands in the file away, and leaves the file.
    pub(crate) fn truncate(&mut self) {
        if let Some(inode) = self.names.get(PATH) {
            self.writes += 1;
            *self.files.get_mut(inode).unwrap() = (Vec::new(), self.writes);
        }
    }

    fn next_name(&mut self) -> String {
        self.rotations += 1;
        format!("{PATH}.{}", self.rotations)
    }

    /// As logrotate does by itself: another name for the file, and a new one at the path.
    pub(crate) fn rotate(&mut self) {
        if let Some(inode) = self.names.remove(PATH) {
            let name = self.next_name();
            self.names.insert(name, inode);
        }
        self.create(PATH.to_owned(), Vec::new());
    }

    /// As logrotate does with `copytruncate`.
    pub(crate) fn copy_and_truncate(&mut self) {
        if let Some(inode) = self.names.get(PATH) {
            let bytes = self.files[inode].0.clone();
            let name = self.next_name();
            self.create(name, bytes);
            self.truncate();
        }
    }

    /// Another file with the same bytes, as far as readers see who unpack it, and with the time of the old one.
    pub(crate) fn compress_rotated(&mut self) {
        let rotated = self
            .names
            .keys()
            .filter(|name| *name != PATH && !name.contains("gz"));
        for name in rotated.cloned().collect::<Vec<_>>() {
            let file = self.files[&self.names.remove(&name).unwrap()].clone();
            self.inodes += 1;
            self.files.insert(self.inodes, file);
            self.names.insert(name + ".gz", self.inodes);
        }
    }

    pub(crate) fn delete(&mut self) {
        self.names.remove(PATH);
    }

    fn seen(&self, inode: u64) -> Seen {
        Seen {
            id: (1, inode),
            length: self.files[&inode].0.len() as u64,
            written: self.files[&inode].1.into(),
        }
    }

    fn read(&self, inode: u64, offset: u64, length: usize) -> &[u8] {
        let bytes = &self.files[&inode].0;
        let bytes = bytes
            .get(usize::try_from(offset).unwrap()..)
            .unwrap_or_default();
        &bytes[..length.min(bytes.len())]
    }

    fn fits(&self, inode: u64, mark: Mark) -> bool {
        let head = self.read(inode, 0, mark.head_length());
        mark.fits(head, self.read(inode, mark.tail_at(), mark.tail_length()))
    }

    /// Rotated files that were written after this time, the oldest first.
    fn rotated_after(&self, written: u64) -> Vec<u64> {
        let rotated = self.names.iter().filter(|(name, _)| *name != PATH);
        let mut rotated: Vec<u64> = rotated.map(|(_, inode)| *inode).collect();
        rotated.retain(|inode| self.files[inode].1 > written);
        rotated.sort_by_key(|inode| self.files[inode].1);
        rotated
    }
}

/// Drives a follower over the disk.
pub(crate) struct Driver {
    pub(crate) follower: Follower,
    step: Step,
    open: Option<u64>,
    now: Duration,
    pub(crate) lines: Vec<String>,
    pub(crate) other: Vec<String>,
    pub(crate) mark: Mark,
    pub(crate) searches: usize,
}

impl Driver {
    pub(crate) fn new(settings: Settings, mark: Option<Mark>) -> Self {
        let follower = Follower::new(settings, mark);
        Self {
            step: follower.begin(),
            follower,
            open: None,
            now: Duration::ZERO,
            lines: Vec::new(),
            other: Vec::new(),
            mark: mark.unwrap_or_default(),
            searches: 0,
        }
    }

    /// Takes so many steps; fewer if it is done.
    pub(crate) fn steps(&mut self, disk: &Disk, steps: usize) {
        let Self {
            follower,
            lines,
            other,
            mark,
            ..
        } = self;
        let mut found = |found: Found<'_>| match found {
            Found::Line { text, mark: end } => {
                lines.push(String::from_utf8(text.to_vec()).unwrap());
                *mark = end;
            }
            Found::TooLong { bytes, mark: end } => {
                other.push(format!("too long: {bytes}"));
                *mark = end;
            }
            Found::GivenUp { bytes } => other.push(format!("given up: {bytes}")),
        };
        for _ in 0..steps {
            self.step = match self.step {
                Step::Open => {
                    let left = self.open.map(|inode| disk.files[&inode].1);
                    let next = left.and_then(|left| disk.rotated_after(left).first().copied());
                    self.open = next.or_else(|| disk.names.get(PATH).copied());
                    follower.on_open(self.open.map(|inode| disk.seen(inode)))
                }
                Step::Look => {
                    let look = Look {
                        open: self.open.map(|inode| disk.seen(inode)),
                        path: disk.names.get(PATH).map(|inode| disk.seen(*inode)),
                        deleted: self
                            .open
                            .is_some_and(|inode| disk.names.values().all(|named| *named != inode)),
                    };
                    follower.on_look(look, self.now, &mut found)
                }
                Step::Read { offset, length } => {
                    let bytes = disk.read(self.open.unwrap(), offset, length);
                    follower.on_read(bytes, &mut found)
                }
                Step::Wait(time) => {
                    self.now += time;
                    follower.on_wake()
                }
                Step::Search => {
                    self.searches += 1;
                    let mark = follower.mark();
                    let fitting = disk
                        .rotated_after(0)
                        .into_iter()
                        .find(|inode| disk.fits(*inode, mark));
                    self.open = fitting.or(self.open);
                    follower.on_search(fitting.map(|inode| disk.seen(inode)))
                }
                Step::Done => return,
            };
        }
    }

    /// Goes on until nothing more can come, however long files must rest.
    pub(crate) fn settle(&mut self, disk: &Disk) {
        self.steps(disk, 2_000);
    }
}
