//! What both clients are made of that ship from a buffer, written once.

use std::fmt;

use pipeline_proto::{BuildError, points::PointError};

use super::{Buffer, BufferError, Entry};
use crate::verdict::{Outcome, Reason, Verdict};

/// Why a shipper with a buffer did not start.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum StartError {
    /// The name of the queue is not legal, or the system has no thread to give.
    Build(BuildError),
    /// The buffer cannot be opened.
    Buffer(BufferError),
}

impl From<BuildError> for StartError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<BufferError> for StartError {
    fn from(error: BufferError) -> Self {
        Self::Buffer(error)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(f),
            Self::Buffer(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// Why a record was not acknowledged.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PutError {
    /// It cannot be written as a point.
    Point(PointError),
    /// It is not on the disk.
    Buffer(BufferError),
}

impl From<PointError> for PutError {
    fn from(error: PointError) -> Self {
        Self::Point(error)
    }
}

impl From<BufferError> for PutError {
    fn from(error: BufferError) -> Self {
        Self::Buffer(error)
    }
}

impl fmt::Display for PutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(error) => error.fmt(f),
            Self::Buffer(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PutError {}

/// Has the buffer know before anybody else. Of what stays in it, because the shipper was closed, nothing is told.
pub fn teller(
    buffer: Buffer,
    tell: impl Fn(Verdict<Entry>) + Send + Sync + 'static,
) -> impl Fn(Verdict<Entry>) + Send + Sync + 'static {
    move |verdict| {
        buffer.settle(&verdict);
        if !matches!(verdict.outcome, Outcome::GivenUp(Reason::Closed(_))) {
            tell(verdict);
        }
    }
}

/// Makes a client's `BufferedBuilder`, and what needs no waiting of its `BufferedShipper`. The client's builder has
/// `begin`, which is told what else to wake.
#[doc(hidden)]
#[macro_export]
macro_rules! client_buffered {
    () => {
        /// How records are to be shipped from a buffer on the disk: see [`ShipperBuilder::buffer`].
        #[derive(Debug)]
        #[must_use = "call `start`"]
        pub struct BufferedBuilder {
            builder: ShipperBuilder,
            settings: $crate::buffer::Settings,
        }

        impl ShipperBuilder {
            /// Keeps records in a folder until they are shipped: what was [acknowledged](BufferedShipper::send) outlives
            /// the process and the machine, and what is left from the last time is shipped first. A folder, or
            /// [settings](pipeline_shipper::buffer::Settings) with its limit and what happens when it is full.
            ///
            /// Records that are refused whatever is in them, as for a missing queue, stay in the buffer; with
            /// [`hold_refused`](Self::hold_refused) they are tried again, otherwise at the next start.
            pub fn buffer(self, settings: impl Into<$crate::buffer::Settings>) -> BufferedBuilder {
                let (builder, settings) = (self, settings.into());
                BufferedBuilder { builder, settings }
            }
        }

        impl BufferedBuilder {
            /// Begins. The function is told what became of each record, by its number and what was said about it when
            /// it was put, also of those of earlier runs; of dead letters, which are kept in the buffer, as well. It
            /// should be quick, and must neither panic nor wait for the shipper.
            ///
            /// # Errors
            ///
            /// If the buffer cannot be opened, the name of the queue is not legal, or the system has no thread to give.
            pub fn start(
                self,
                tell: impl Fn($crate::Verdict<$crate::buffer::Entry>)
                + ::std::marker::Send
                + ::std::marker::Sync
                + 'static,
            ) -> Result<BufferedShipper, $crate::buffer::StartError> {
                let Self {
                    mut builder,
                    settings,
                } = self;
                let repo = match &builder.repo {
                    Ok(repo) => repo.clone(),
                    Err(error) => return Err(error.clone().into()),
                };
                let buffer = $crate::buffer::Buffer::open(settings, &repo)?;
                let (marks, woken) = (buffer.clone(), buffer.clone());
                // What cannot be written down has stopped the buffer already.
                builder.settings = builder.settings.before(move || drop(marks.sync_all()));
                let tell = $crate::buffer::client::teller(buffer.clone(), tell);
                let shipper = builder.begin(tell, move || woken.wake())?;
                let (feeding, desk) = (buffer.clone(), Arc::clone(&shipper.0.desk));
                ::std::thread::Builder::new()
                    .name("pipeline-buffer".to_owned())
                    .spawn(move || feeding.feed(&desk))
                    .map_err(|error| {
                        $crate::proto::BuildError::custom(format!(
                            "no thread to ship with: {error}"
                        ))
                    })?;
                Ok(BufferedShipper(Arc::new(Buffered { shipper, buffer })))
            }
        }

        /// Ships records into a message queue in the background, from a buffer on the disk: see
        /// [`ShipperBuilder::buffer`]. Clones are handles of the same shipper.
        ///
        /// When the last handle is dropped, what was not accepted stays in the buffer.
        #[derive(Clone)]
        pub struct BufferedShipper(Arc<Buffered>);

        struct Buffered {
            shipper: Shipper<$crate::buffer::Entry>,
            buffer: $crate::buffer::Buffer,
        }

        impl BufferedShipper {
            /// Takes a record without waiting for room, nor for the disk: it is there within a tenth of a second. Gives its
            /// number.
            ///
            /// # Errors
            ///
            /// If it cannot be written as a [point](pipeline_proto::points), there is no room, or the buffer is closed or
            /// has failed.
            pub fn try_send<T: ::serde::Serialize + ?Sized>(
                &self,
                record: &T,
            ) -> Result<u64, $crate::buffer::PutError> {
                let line = self.0.shipper.line(record)?;
                let source = Arc::from("");
                Ok(self.0.buffer.try_put_from(&source, 0, &line, None)?.number)
            }

            /// The buffer.
            pub fn buffer(&self) -> &$crate::buffer::Buffer {
                &self.0.buffer
            }

            /// What has become of the records that were read from the buffer so far.
            pub fn books(&self) -> $crate::Books {
                self.0.shipper.books()
            }

            /// As [`Shipper::schema_changed`].
            pub fn schema_changed(&self) {
                self.0.shipper.schema_changed();
            }
        }

        impl fmt::Debug for BufferedShipper {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.buffer.fmt(f)
            }
        }

        impl Drop for Buffered {
            fn drop(&mut self) {
                self.buffer.seal();
                self.shipper.0.desk.abandon();
                // There is nobody to tell. What was acknowledged is there.
                let _ = self.buffer.close();
            }
        }
    };
}
