//! Lines for stderr that hold nobody up.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How many lines may wait for a reader who is slow.
const WAITING: usize = 4_096;

/// A longer line is cut: a target may have 32 KiB, and as many as [`WAITING`] of them are kept.
const LONGEST: usize = 2_000;

/// How long the end waits for a reader.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// How long to wait before a terminal or pipe that is busy is tried again.
const PAUSE: Duration = Duration::from_millis(10);

/// Lines on their way to stderr. A thread of its own writes them, since whoever reads them may have
/// stopped to, and the service must go on all the same. What finds no room, or cannot be written, is
/// counted, and the number is written as soon as there is room.
#[derive(Clone)]
pub(super) struct Lines {
    sender: SyncSender<String>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    /// Taken and not yet dealt with.
    waiting: AtomicU64,
    dropped: AtomicU64,
}

impl Lines {
    pub(super) fn to_stderr() -> io::Result<Self> {
        // Not through the standard library's handle: it is locked while it writes, so that anybody
        // else who has something to say would wait for the reader as well.
        Self::to(stderr()?)
    }

    fn to(mut output: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, lines) = sync_channel::<String>(WAITING);
        let counts = Arc::new(Counts::default());
        let of_thread = counts.clone();
        thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || {
                let mut is_torn = false;
                while let Ok(line) = lines.recv() {
                    of_thread.write(&mut output, &line, &mut is_torn);
                    let waiting = &of_thread.waiting;
                    if waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
                        // Nothing else may come, so this is the time to say what is missing.
                        of_thread.tell_dropped(&mut output, &mut is_torn);
                    }
                }
            })?;
        Ok(Self { sender, counts })
    }

    /// Writes a line sometime. Never waits.
    pub(super) fn say(&self, line: String) {
        self.counts.waiting.fetch_add(1, Ordering::AcqRel);
        if self.sender.try_send(line).is_err() {
            self.counts.waiting.fetch_sub(1, Ordering::AcqRel);
            self.counts.dropped.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Lets what was said be written, if somebody reads it.
    pub(super) fn finish(&self) {
        let begin = Instant::now();
        while self.counts.waiting.load(Ordering::Acquire) > 0 && begin.elapsed() < LAST_WAIT {
            thread::sleep(PAUSE);
        }
    }
}

impl Counts {
    fn write(&self, output: &mut impl Write, line: &str, is_torn: &mut bool) {
        self.tell_dropped(output, is_torn);
        let mut cut = line.len().min(LONGEST);
        while !line.is_char_boundary(cut) {
            cut -= 1;
        }
        let more = if cut < line.len() { "…" } else { "" };
        if !written(output, &format!("{}{more}\n", &line[..cut]), is_torn) {
            self.dropped.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn tell_dropped(&self, output: &mut impl Write, is_torn: &mut bool) {
        let dropped = self.dropped.swap(0, Ordering::AcqRel);
        if dropped == 0 {
            return;
        }
        let lines = if dropped == 1 { "line" } else { "lines" };
        if !written(
            output,
            &format!("({dropped} {lines} dropped here)\n"),
            is_torn,
        ) {
            self.dropped.fetch_add(dropped, Ordering::AcqRel);
        }
    }
}

/// Writes a whole line, behind an end for one that was torn before. False if it could not.
fn written(output: &mut impl Write, line: &str, is_torn: &mut bool) -> bool {
    let line = if *is_torn {
        format!("\n{line}")
    } else {
        line.to_owned()
    };
    let mut left = line.as_bytes();
    while !left.is_empty() {
        match output.write(left) {
            Ok(0) => return false,
            Ok(count) => {
                left = &left[count..];
                *is_torn = !left.is_empty();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Somebody who has the same terminal or pipe has made it so.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(_) => return false,
        }
    }
    true
}

#[cfg(unix)]
fn stderr() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd as _;

    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn stderr() -> io::Result<std::fs::File> {
    use std::os::windows::io::AsHandle as _;

    Ok(io::stderr().as_handle().try_clone_to_owned()?.into())
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex, MutexGuard,
        mpsc::{Receiver, Sender, channel},
    };

    use super::*;

    /// What an output does with a write: takes so many bytes of it, or fails.
    type Reaction = Result<usize, io::ErrorKind>;

    /// An output that waits until it is told what to do with each write.
    struct Output {
        reactions: Receiver<Reaction>,
        text: Arc<Mutex<String>>,
    }

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Told nothing more, it takes everything.
            let count = self
                .reactions
                .recv()
                .unwrap_or(Ok(usize::MAX))?
                .min(bytes.len());
            let text = str::from_utf8(&bytes[..count]).unwrap();
            self.text.lock().unwrap().push_str(text);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines() -> (Lines, Sender<Reaction>, Arc<Mutex<String>>) {
        let (sender, reactions) = channel();
        let text = Arc::<Mutex<String>>::default();
        let output = Output {
            reactions,
            text: text.clone(),
        };
        (Lines::to(output).unwrap(), sender, text)
    }

    /// From now on everything is taken. Comes back when all of it was.
    fn end(lines: &Lines, reactions: Sender<Reaction>) {
        let is_done = || lines.counts.waiting.load(Ordering::SeqCst) == 0;
        drop(reactions);
        while !is_done() {
            thread::yield_now();
        }
        // Before this is written, everything was.
        lines.say("end".to_owned());
        while !is_done() {
            thread::yield_now();
        }
    }

    fn text(text: &Mutex<String>) -> MutexGuard<'_, String> {
        text.lock().unwrap()
    }

    #[test]
    fn whoever_says_something_never_waits_and_hears_what_was_dropped() {
        let (lines, reactions, written) = lines();
        let said = 3 * WAITING;
        for number in 0..said {
            lines.say(format!("line {number}"));
        }
        assert_eq!(*text(&written), "", "nobody has read anything");
        end(&lines, reactions);
        let written = text(&written);
        let is_told = |line: &&str| line.starts_with('(');
        let told: usize = written
            .lines()
            .filter(is_told)
            .map(|line| {
                line[1..]
                    .split(' ')
                    .next()
                    .unwrap()
                    .parse::<usize>()
                    .unwrap()
            })
            .sum();
        let lines = written.lines().filter(|line| !is_told(line)).count();
        assert_eq!(told + lines, said + 1);
        assert!(told >= said - WAITING - 1, "{told}");
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_tears_no_other_line() {
        let (lines, reactions, written) = lines();
        for line in ["one", "two", "three"] {
            lines.say(line.to_owned());
        }
        for reaction in [
            Ok(usize::MAX),
            Ok(2),
            Err(io::ErrorKind::StorageFull),
            Err(io::ErrorKind::StorageFull),
            Err(io::ErrorKind::WouldBlock),
            Ok(usize::MAX),
        ] {
            // A full disk: a part of "two" fits, then nothing for a while.
            let _ = reactions.send(reaction);
        }
        end(&lines, reactions);
        let written = text(&written);
        assert!(written.starts_with("one\ntw\n"), "{written}");
        assert!(written.contains("three\n"), "{written}");
        assert!(written.contains("(1 line dropped here)\n"), "{written}");
    }

    #[test]
    fn a_line_beyond_all_measure_is_cut() {
        let (lines, reactions, written) = lines();
        lines.say("仓".repeat(LONGEST));
        end(&lines, reactions);
        assert!(text(&written).len() <= LONGEST + "…\nend\n".len());
    }
}
