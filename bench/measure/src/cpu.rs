//! The CPU time of a process, all its threads included, those that ended too.

use std::{fs, time::Duration};

use crate::Failure;

/// The unit of the figures in `/proc`: a hundredth of a second, on every Linux of today.
const TICK: Duration = Duration::from_millis(10);

/// CPU time of a process, given by its id or as `self`.
pub(crate) fn used(process: &str) -> Result<Duration, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program stands in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(')').ok_or("unreadable /proc/…/stat")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks =
        || -> Result<u32, Failure> { Ok(fields.next().ok_or("short /proc/…/stat")?.parse()?) };
    Ok(TICK * (ticks()? + ticks()?))
}
