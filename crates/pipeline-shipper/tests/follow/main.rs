//! The follower over files that exist in memory only, and a clock that stands still.

mod disk;
mod props;
mod rules;
