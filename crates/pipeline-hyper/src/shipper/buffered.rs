use std::{fmt, pin::pin, sync::Arc, time::Duration};

use pipeline_shipper::{
    Books,
    buffer::{Buffer, BufferError, PutError},
};
use serde::Serialize;
use tokio::{task, time::timeout};

use super::{Shipper, ShipperBuilder};

pipeline_shipper::client_buffered!();

/// How often it is looked whether what was read from the disk is through.
const LOOK: Duration = Duration::from_millis(50);

impl BufferedShipper {
    /// Takes a record, as soon as there is room, and gives its number when it is on the disk: it is acknowledged. If
    /// the future is dropped before, the record may have been taken all the same.
    ///
    /// # Errors
    ///
    /// If it cannot be written as a [point](pipeline_proto::points), or it is not on the disk: that is full, or fails,
    /// or the buffer refuses what it has no room for.
    pub async fn send<T: Serialize + ?Sized>(&self, record: &T) -> Result<u64, PutError> {
        let line = self.0.shipper.line(record)?;
        self.send_line(&line).await
    }

    /// As [`send`](Self::send), with a record that is a point already.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn send_line(&self, line: &[u8]) -> Result<u64, PutError> {
        let line = line.to_owned();
        let number = self.on_disk(move |buffer| {
            let number = buffer.put(&line)?.number;
            if !buffer.is_at_once() {
                buffer.sync(number)?;
            }
            Ok(number)
        });
        Ok(number.await?)
    }

    /// Waits until every record that was taken before is accepted or a dead letter.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub async fn flush(&self) -> Result<(), BufferError> {
        let Buffered { shipper, buffer } = &*self.0;
        self.on_disk(Buffer::sync_all).await?;
        let end = buffer.stats().next;
        loop {
            let mut change = pin!(shipper.0.changed.notified());
            change.as_mut().enable();
            if buffer.is_through(end) {
                return self.on_disk(Buffer::sync_all).await;
            }
            if buffer.is_fed() {
                shipper.0.desk.flush();
            }
            // Either is a reason to look again.
            let _ = timeout(LOOK, change).await;
        }
    }

    /// Takes no further records, and sends what was read from the disk already; what is not accepted after this time
    /// stays in the buffer, as does all that was not read. To send everything, [flush](Self::flush) before.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub async fn close(&self, time: Duration) -> Result<Books, BufferError> {
        self.0.buffer.seal();
        let books = self.0.shipper.close(time).await;
        self.on_disk(Buffer::close).await?;
        Ok(books)
    }

    /// Has a thread do what waits for the disk.
    async fn on_disk<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Buffer) -> Result<T, BufferError> + Send + 'static,
    ) -> Result<T, BufferError> {
        let buffer = self.0.buffer.clone();
        match task::spawn_blocking(move || act(&buffer)).await {
            Ok(result) => result,
            // The runtime is shut down, or it has panicked.
            Err(_) => Err(self.0.buffer.not_run()),
        }
    }
}
