use std::{fmt, sync::Arc, time::Duration};

use pipeline_shipper::{
    Books,
    buffer::{BufferError, PutError},
};
use serde::Serialize;

use super::{Shipper, ShipperBuilder};

pipeline_shipper::client_buffered!();

/// How often it is looked whether what was read from the disk is through.
const LOOK: Duration = Duration::from_millis(50);

impl BufferedShipper {
    /// Takes a record, as soon as there is room, and gives its number when it is on the disk: it is acknowledged.
    ///
    /// # Errors
    ///
    /// If it cannot be written as a [point](pipeline_proto::points), or it is not on the disk: that is full, or fails,
    /// or the buffer refuses what it has no room for.
    pub fn send<T: Serialize + ?Sized>(&self, record: &T) -> Result<u64, PutError> {
        self.send_line(&self.0.shipper.line(record)?)
    }

    /// As [`send`](Self::send), with a record that is a point already.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send_line(&self, line: &[u8]) -> Result<u64, PutError> {
        let buffer = &self.0.buffer;
        let number = buffer.put(line)?.number;
        if !buffer.is_at_once() {
            buffer.sync(number)?;
        }
        Ok(number)
    }

    /// Waits until every record that was taken before is accepted or a dead letter.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn flush(&self) -> Result<(), BufferError> {
        let Buffered { shipper, buffer } = &*self.0;
        buffer.sync_all()?;
        let end = buffer.stats().next;
        loop {
            let seen = shipper.0.bell.rung();
            if buffer.is_through(end) {
                return buffer.sync_all();
            }
            if buffer.is_fed() {
                shipper.0.desk.flush();
            }
            shipper.0.bell.wait(seen, Some(LOOK));
        }
    }

    /// Takes no further records, and sends what was read from the disk already; what is not accepted after this time
    /// stays in the buffer, as does all that was not read. To send everything, [flush](Self::flush) before.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn close(&self, time: Duration) -> Result<Books, BufferError> {
        let Buffered { shipper, buffer } = &*self.0;
        buffer.seal();
        let books = shipper.close(time);
        buffer.close()?;
        Ok(books)
    }
}
