//! CPU time in nanoseconds: of a process with all its threads, those that ended too.

use std::time::Duration;

use nix::{
    sys::resource::{Usage, UsageWho, getrusage},
    time::{ClockId, clock_getcpuclockid},
    unistd::Pid,
};

use crate::Failure;

/// Of this process, since it started.
pub(crate) fn own() -> Duration {
    let now = ClockId::CLOCK_PROCESS_CPUTIME_ID.now();
    now.expect("every Linux has this clock").into()
}

/// Of another process, by its id.
pub(crate) fn of(process: &str) -> Result<Duration, Failure> {
    let clock = clock_getcpuclockid(Pid::from_raw(process.parse()?))?;
    Ok(clock.now()?.into())
}

/// Of the processes that this one has started and waited for, and the most memory that one of them had, in bytes.
pub(crate) fn children() -> Result<(Duration, i64), Failure> {
    let usage: Usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = |time: nix::sys::time::TimeVal| {
        let part = u64::try_from(time.tv_usec()).unwrap_or(0);
        Duration::from_secs(u64::try_from(time.tv_sec()).unwrap_or(0)) + Duration::from_micros(part)
    };
    let time = micros(usage.user_time()) + micros(usage.system_time());
    Ok((time, usage.max_rss() * 1024))
}
