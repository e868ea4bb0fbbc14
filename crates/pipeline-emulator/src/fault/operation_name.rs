//! Names of operations that a person types.

use std::fmt;

use pipeline_graph::nearest;

use crate::route::OPERATIONS;

/// The name of an operation as the table has it.
pub(super) fn known_operation(word: &str) -> Result<&'static str, UnknownOperation> {
    let names = || OPERATIONS.iter().map(|operation| operation.name);
    names().find(|name| *name == word).ok_or_else(|| {
        // One end of the name may be all that somebody remembers: `create`, `status`.
        let part = names()
            .find(|name| name.split('_').next() == Some(word))
            .or_else(|| names().find(|name| name.rsplit('_').next() == Some(word)));
        UnknownOperation {
            name: word.to_owned(),
            meant: part.or_else(|| nearest(word, names())),
        }
    })
}

/// A name that no operation has, and the one that was most likely meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOperation {
    name: String,
    meant: Option<&'static str>,
}

impl fmt::Display for UnknownOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no operation {:?}, ", self.name)?;
        if let Some(meant) = self.meant {
            return write!(f, "did you mean {meant:?}?");
        }
        let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        write!(f, "only {}", names.join(", "))
    }
}

impl std::error::Error for UnknownOperation {}
