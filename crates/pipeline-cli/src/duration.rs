//! Durations as people write them: `30s`, `5m`, `1h30m`, `500ms`.

use std::{fmt, time::Duration};

/// Longer time-outs are slips of the pen, and some platforms cannot count so far.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30 * 24 * 3600);

pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let malformed = || "write a number with its unit: 500ms, 30s, 5m, 1h30m, 7d".to_owned();
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(malformed());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let number: u64 = number.parse().map_err(|_| malformed())?;
        let part = match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" => Some(Duration::from_secs(number)),
            "m" => number.checked_mul(60).map(Duration::from_secs),
            "h" => number.checked_mul(3600).map(Duration::from_secs),
            "d" => number.checked_mul(86_400).map(Duration::from_secs),
            _ => return Err(malformed()),
        };
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or("that is too long")?;
        rest = tail;
    }
    Ok(total)
}

/// Reads a time-out: neither nothing nor longer than a month.
pub(crate) fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = parse(text)?;
    if timeout.is_zero() {
        return Err("it must be longer than nothing".to_owned());
    }
    if timeout > LONGEST_TIMEOUT {
        return Err("at most 30d are allowed".to_owned());
    }
    Ok(timeout)
}

/// Shows a duration to a person: `12 ms`, `0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`, `5 d 3 h`.
pub(crate) struct Short(pub(crate) Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match seconds {
            0 if self.0.as_millis() < 100 => write!(f, "{} ms", self.0.as_millis()),
            0..10 => write!(f, "{:.1} s", self.0.as_secs_f64()),
            10..60 => write!(f, "{seconds} s"),
            60..3600 => write!(f, "{minutes} min {} s", seconds % 60),
            3600..86_400 => write!(f, "{hours} h {minutes} min"),
            _ => write!(f, "{days} d {hours} h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            (" 7d ", 604_800_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_refused() {
        for text in ["", "30", "s", "5 m", "-1s", "1.5s", "1y", "30s5", "１s"] {
            assert!(parse(text).unwrap_err().contains("unit"), "{text}");
        }
        for text in ["99999999999999999999s", "999999999999999999d"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_timeout_has_limits() {
        assert!(parse_timeout("0ms").is_err());
        assert!(parse_timeout("31d").is_err());
        assert_eq!(parse_timeout("30d"), Ok(LONGEST_TIMEOUT));
    }

    #[test]
    fn durations_are_shown_in_at_most_two_units() {
        let shown = |seconds| Short(Duration::from_secs_f64(seconds)).to_string();
        assert_eq!(shown(0.012), "12 ms");
        assert_eq!(shown(0.44), "0.4 s");
        assert_eq!(shown(59.9), "59 s");
        assert_eq!(shown(185.0), "3 min 5 s");
        assert_eq!(shown(7_440.0), "2 h 4 min");
        assert_eq!(shown(442_800.0), "5 d 3 h");
    }
}
