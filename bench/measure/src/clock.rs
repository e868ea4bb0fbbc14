//! CPU time in nanoseconds: of a process with all its threads, those that ended too; and where it is spent.

use std::{fs, time::Duration};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    sys::resource::{Usage, UsageWho, getrusage},
    time::{ClockId, clock_getcpuclockid},
    unistd::Pid,
};

use crate::Failure;

/// Keeps a process, and the threads that it will have, on the first processor that this one may use. Client and server
/// on two processors wake each other from idling, which takes three times the CPU of a whole call; where the system puts
/// them is chance, and another chance for each connection.
pub(crate) fn on_one_processor(process: &str) -> Result<(), Failure> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let first = (0..CpuSet::count()).find(|&cpu| allowed.is_set(cpu) == Ok(true));
    let mut only = CpuSet::new();
    only.set(first.ok_or("no processor to run on")?)?;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let thread = thread?.file_name().to_string_lossy().parse()?;
        sched_setaffinity(Pid::from_raw(thread), &only)?;
    }
    Ok(())
}

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
