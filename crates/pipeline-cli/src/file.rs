//! Files that the user has named: read, and written with care.

mod lock;
pub(crate) mod read;
mod target;
mod used;
mod write;

pub(crate) use target::{Target, create_folder};
pub(crate) use used::{Id, id_of, reads};
pub(crate) use write::{Readers, Stream};
