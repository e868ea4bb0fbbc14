//! Lines of a web server's log, as varied as real ones: gzip makes a fifth of them, not a tenth.

use std::io::{self, BufWriter, Write as _};

use serde::Serialize;

use crate::Failure;

/// How many bytes a line has as JSON, about; those that a queue counts, as a point, are fewer.
#[derive(Clone, Serialize)]
pub(crate) struct Line {
    time: String,
    host: String,
    client: String,
    method: &'static str,
    path: String,
    status: u16,
    bytes: u64,
    seconds: f64,
    agent: String,
    referrer: Option<String>,
    request: String,
    user: Option<u32>,
    cached: bool,
}

/// The fields of such a line, as the queue declares them.
pub(crate) const SCHEMA: &str = "time date, host string, client ip, method string, path string, \
    status long, bytes long, seconds float, agent string, referrer string, request string, user long, \
    cached boolean";

const WORDS: [&str; 32] = [
    "account",
    "api",
    "archive",
    "article",
    "basket",
    "comment",
    "coupon",
    "delivery",
    "detail",
    "download",
    "favourite",
    "file",
    "group",
    "history",
    "image",
    "index",
    "invoice",
    "item",
    "login",
    "message",
    "order",
    "payment",
    "picture",
    "price",
    "product",
    "profile",
    "rating",
    "report",
    "search",
    "session",
    "stream",
    "video",
];

const SYSTEMS: [&str; 6] = [
    "X11; Linux x86_64",
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "iPhone; CPU iPhone OS 17_4 like Mac OS X",
    "Linux; Android 14; Pixel 8",
    "Linux; Android 13; SM-S911B",
];

/// Chance that is the same in each run.
pub(crate) struct Lines {
    chance: fastrand::Rng,
    made: u64,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self {
            chance: fastrand::Rng::with_seed(17),
            made: 0,
        }
    }

    /// A few of them far more often than the others, as it is with visitors and pages.
    fn often_the_same(&mut self, many: u32) -> u32 {
        let part = self.chance.f64();
        // Below `many`, which is far below what a float holds exactly.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let at = (f64::from(many) * part * part * part * part) as u32;
        at
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.often_the_same(32) as usize]
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        self.made += 1;
        let ms = 7 * self.made + self.chance.u64(0..7);
        let (s, ms) = (ms / 1000, ms % 1000);
        let (hour, minute, s) = (s / 3600 % 24, s / 60 % 60, s % 60);
        let visitor = self.often_the_same(20_000);
        // Whatever belongs to a visitor follows from the number.
        let mixed = visitor.wrapping_mul(2_654_435_761);
        let [a, b, c, d] = mixed.to_be_bytes();
        let (browser, system) = (110 + mixed % 17, SYSTEMS[mixed as usize % SYSTEMS.len()]);
        let agent = format!(
            "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{browser}.0.0.0 Safari/537.36"
        );
        let page = self.often_the_same(50_000);
        let path = match self.chance.u8(0..4) {
            0 => format!("/{}/{page}", self.word()),
            1 => format!("/{}/{}/{page}?page={}", self.word(), self.word(), page % 9),
            2 => format!("/static/{:08x}.js", page.wrapping_mul(2_246_822_519)),
            _ => format!("/{}?q={}+{}", self.word(), self.word(), self.word()),
        };
        let referrer = self.chance.u8(0..3) == 0;
        let referrer = referrer.then(|| format!("https://www.example.com/{}", self.word()));
        Some(Line {
            time: format!("2026-11-28T{hour:02}:{minute:02}:{s:02}.{ms:03}+08:00"),
            host: format!("web{:02}.example.com", self.chance.u8(0..24)),
            client: format!("{a}.{b}.{c}.{d}"),
            method: ["GET", "GET", "GET", "GET", "POST", "PUT", "HEAD"][self.chance.usize(0..7)],
            path,
            status: [200, 200, 200, 200, 200, 200, 204, 301, 304, 304, 404, 500]
                [self.chance.usize(0..12)],
            bytes: u64::from(self.often_the_same(400_000)),
            seconds: f64::from(self.often_the_same(2_000_000)) / 1e6,
            agent,
            referrer,
            request: format!("{:024x}", self.chance.u128(..) >> 32),
            user: mixed.is_multiple_of(3).then_some(visitor),
            cached: self.chance.bool(),
        })
    }
}

/// Writes so many lines as JSON to stdout; every `bad`-th has a number that only the service refuses, unless `bad` is 0.
pub(crate) fn write(count: &str, bad: &str) -> Result<(), Failure> {
    let (count, bad): (u64, u64) = (count.parse()?, bad.parse()?);
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    for (number, line) in (1..=count).zip(Lines::new()) {
        if bad > 0 && number.is_multiple_of(bad) {
            let text = serde_json::to_string(&line)?;
            let seconds = format!("\"seconds\":{}", serde_json::to_string(&line.seconds)?);
            out.write_all(text.replace(&seconds, "\"seconds\":1e999").as_bytes())?;
        } else {
            serde_json::to_writer(&mut out, &line)?;
        }
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}
