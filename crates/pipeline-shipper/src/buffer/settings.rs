use std::path::PathBuf;

/// What is done with a record that there is no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Full {
    /// Whoever has it waits until there is room.
    #[default]
    Block,
    /// The oldest records that are not on their way yet are dropped, and counted.
    DropOldest,
    /// It is refused.
    Refuse,
}

/// Where a buffer is, and what it promises.
///
/// ```
/// use pipeline_shipper::buffer::{Full, Settings};
///
/// let settings = Settings::new("/var/spool/clicks").limit(10 << 30).full(Full::DropOldest);
/// ```
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) folder: PathBuf,
    pub(super) limit: u64,
    pub(super) full: Full,
    pub(super) at_once: bool,
}

impl Settings {
    /// In this folder, which is made if it is not there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            limit: 1 << 30,
            full: Full::default(),
            at_once: false,
        }
    }

    /// How many bytes records and dead letters of a queue may take on the disk. The file is up to twice as large, as
    /// what was set free is used again but not given back. Default: 1 GiB.
    #[must_use]
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// What is done with a record that there is no room for. Default: whoever has it waits.
    #[must_use]
    pub fn full(mut self, full: Full) -> Self {
        self.full = full;
        self
    }

    /// Acknowledges records at once, before they are on the disk: a power failure or `kill -9` then loses those of
    /// the last tenth of a second. By default a record is acknowledged after the next sync.
    #[must_use]
    pub fn at_once(mut self, at_once: bool) -> Self {
        self.at_once = at_once;
        self
    }
}

impl<P: Into<PathBuf>> From<P> for Settings {
    fn from(folder: P) -> Self {
        Self::new(folder)
    }
}
