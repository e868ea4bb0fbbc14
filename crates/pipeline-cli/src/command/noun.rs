//! What the commands of every kind of thing have in common: several names, selectors, lists,
//! questions, and so many at a time. A kind of thing is a [`Noun`].

mod delete;
mod list;
mod many;
mod outcome;
mod progress;
pub(crate) mod selector;
mod targets;

use std::{
    fmt::{Debug, Display},
    hash::Hash,
    str::FromStr,
};

use serde::Serialize;

pub(crate) use self::{
    delete::Delete,
    list::List,
    many::{Many, listed},
    outcome::{Outcome, waited},
    selector::Key,
    targets::{Chosen, Targets},
};
use crate::{failure::Failure, output::Cell, remote::Remote};

/// A kind of thing that the service has many of: what it is called, and what a list tells of one.
pub(crate) trait Noun: Debug + Clone + Serialize + Send + Sync + 'static {
    /// What it is called, which is also the name of its group of commands.
    const ONE: &'static str;
    const MANY: &'static str;
    const CHINESE: &'static str;

    /// What goes along with it when it is deleted; empty if nothing does.
    const GOES_ALONG: &'static str = "";

    /// What makes one, for a list that is empty.
    const MADE_BY: &'static str;

    /// What selectors can ask; the first one is its name.
    const KEYS: &'static [Key<Self>];

    /// An example of a selector.
    const SELECTOR: &'static str;

    /// What tables show of it.
    const COLUMNS: &'static [Column<Self>];

    type Name: FromStr<Err: Display> + Display + Debug + Clone + Eq + Hash + Serialize + Send + Sync;

    /// All that the account has.
    fn list(remote: &Remote) -> Result<Vec<Self>, Failure>;

    fn delete(remote: &Remote, name: &Self::Name) -> Result<(), Failure>;

    /// The name, which need not be one that can be asked for.
    fn name(&self) -> &str {
        (Self::KEYS[0].value)(self)
    }
}

/// A column of the table that a list is shown as.
pub(crate) struct Column<T> {
    heading: &'static str,
    /// Shown by `-o wide` only.
    wide: bool,
    cell: fn(&T) -> Cell,
}

impl<T> Column<T> {
    pub(crate) const fn new(heading: &'static str, cell: fn(&T) -> Cell) -> Self {
        Self {
            heading,
            wide: false,
            cell,
        }
    }

    pub(crate) const fn wide(heading: &'static str, cell: fn(&T) -> Cell) -> Self {
        Self {
            heading,
            wide: true,
            cell,
        }
    }
}
