//! The way of records to the service: from memory, or from a buffer on the disk.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};
use pipeline_blocking::{BufferedShipper, Shipper, shipping::Books};
use pipeline_shipper::buffer::{
    BufferError, BufferErrorKind, Full, Letter as Kept, NotKept, Settings,
};

use super::{
    books::{Desk, Entry, Id},
    letters::Letter,
    pump::Input,
};
use crate::{command::records::Layout, exit::Exit, failure::Failure, size};

/// Where records are kept until they are sent.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Folder that keeps records on the disk until they are accepted: what is left is sent by the next run. It keeps how
    /// far files were read as well. Without a FILE, what is in it is sent
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["positions", "dry_run", "again"])]
    pub(super) buffer: Option<PathBuf>,

    /// Most that the buffer takes on the disk
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value = "1GiB", requires = "buffer")]
    buffer_size: usize,

    /// What is done when the buffer is full: wait, drop the oldest records and count them, or end with an error
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "block",
        requires = "buffer"
    )]
    buffer_full: WhenFull,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WhenFull {
    Block,
    DropOldest,
    Refuse,
}

impl Place {
    pub(super) fn settings(&self) -> Option<Settings> {
        let settings = Settings::new(self.buffer.as_ref()?).limit(self.buffer_size as u64);
        Some(settings.full(match self.buffer_full {
            WhenFull::Block => Full::Block,
            WhenFull::DropOldest => Full::DropOldest,
            WhenFull::Refuse => Full::Refuse,
        }))
    }
}

impl From<BufferError> for Failure {
    fn from(error: BufferError) -> Self {
        match error.kind() {
            BufferErrorKind::InUse => Self::new(Exit::Conflict, error),
            _ => Self::usage(error),
        }
    }
}

/// Who takes records.
#[derive(Clone)]
pub(super) enum Road {
    Memory(Shipper<Id>),
    Disk(BufferedShipper),
}

/// Whether records were taken: if not, from which on, and why if it is not the end.
pub(super) type Taken = Result<(), (usize, Option<Failure>)>;

impl Road {
    pub(super) fn books(&self) -> Books {
        match self {
            Self::Memory(shipper) => shipper.books(),
            Self::Disk(shipper) => shipper.books(),
        }
    }

    /// Says that the schema of the queue has changed.
    pub(super) fn schema_changed(&self) {
        match self {
            Self::Memory(shipper) => shipper.schema_changed(),
            Self::Disk(shipper) => shipper.schema_changed(),
        }
    }

    pub(super) fn flush(&self) -> Result<(), Failure> {
        match self {
            Self::Memory(shipper) => shipper.flush(),
            Self::Disk(shipper) => shipper.flush()?,
        }
        Ok(())
    }

    pub(super) fn close(&self, time: Duration) -> Result<(), Failure> {
        match self {
            Self::Memory(shipper) => drop(shipper.close(time)),
            Self::Disk(shipper) => drop(shipper.close(time)?),
        }
        Ok(())
    }

    /// Why nothing more can be kept, if that is so.
    pub(super) fn failure(&self) -> Option<Failure> {
        match self {
            Self::Memory(_) => None,
            Self::Disk(shipper) => shipper.buffer().failure().map(Failure::from),
        }
    }

    /// Records that were taken and are not kept, after such a failure.
    pub(super) fn not_kept(&self) -> NotKept {
        match self {
            Self::Memory(_) => NotKept::default(),
            Self::Disk(shipper) => shipper.buffer().not_kept(),
        }
    }

    /// Gives records to the shipper as soon as there is room.
    pub(super) fn take<'l>(
        &self,
        desk: &Desk,
        input: &Input,
        ids: &[Id],
        waiting: &[(Entry, usize)],
        lines: impl Iterator<Item = &'l [u8]>,
    ) -> Taken {
        match self {
            Self::Memory(shipper) => {
                let mut handed = 0;
                let taken = ids.iter().copied().inspect(|_| handed += 1);
                let sent = shipper.send_lines(taken.zip(lines));
                // The last one that went out of hand came back.
                sent.map_err(|_| (handed.max(1) - 1, None))
            }
            Self::Disk(shipper) => {
                let source: Arc<str> = Arc::from(&*input.shown);
                let notes = waiting.iter().map(|(entry, _)| note(entry));
                let place = |index: usize| input.place(&waiting[index].0);
                let told = |dropped: &[_]| desk.dropped(dropped);
                let buffer = shipper.buffer();
                let put = buffer.put_all_from(&source, notes.zip(lines), place, told);
                put.map_err(|(index, error)| (index, failure_of(error)))
            }
        }
    }

    /// Keeps a dead letter in the buffer, if there is one.
    pub(super) fn bury(
        &self,
        input: &Input,
        entry: &Entry,
        reason: &str,
        record: &[u8],
        layout: Layout,
    ) -> Taken {
        let Self::Disk(shipper) = self else {
            return Ok(());
        };
        let form = serde_json::to_string(&Letter::of(b"", layout)).unwrap_or_default();
        let letter = Kept::new(&input.shown, note(entry), &form, reason, record);
        let place = input.place(entry);
        let place = place.as_ref().map(|(path, mark)| (*path, &**mark));
        let put = shipper.buffer().put_letter(letter, place);
        put.map(drop).map_err(|error| (0, failure_of(error)))
    }
}

/// That it is closed is no failure of its own.
fn failure_of(error: BufferError) -> Option<Failure> {
    (error.kind() != BufferErrorKind::Closed).then(|| error.into())
}

/// The line of a record and its bytes in the file, as the buffer keeps them.
fn note(entry: &Entry) -> u64 {
    entry.line << 24 | entry.bytes.min((1 << 24) - 1)
}

/// What was kept so.
pub(in crate::command) fn noted(note: u64) -> (u64, u32) {
    (note >> 24, (note & ((1 << 24) - 1)) as u32)
}
