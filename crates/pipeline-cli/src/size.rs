//! Sizes as people write them: `500KiB`, `64MiB`, `1GB`.

use std::fmt;

/// Reads a size in bytes.
pub(crate) fn parse(text: &str) -> Result<usize, String> {
    let malformed = || "write a number with its unit: 500KiB, 64MiB, 1GB".to_owned();
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: usize = number.parse().map_err(|_| malformed())?;
    let unit: usize = match unit.trim_start().to_ascii_lowercase().as_str() {
        "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return Err(malformed()),
    };
    match number.checked_mul(unit) {
        Some(0) => Err("it must be more than nothing".to_owned()),
        Some(size) => Ok(size),
        None => Err("that is too much".to_owned()),
    }
}

/// Shows a size to a person: `999 B`, `12.3 kB`, `4.0 MB`.
pub(crate) struct Short(pub(crate) u64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut whole, mut tenths, mut unit) = (self.0, 0, "B");
        for larger in ["kB", "MB", "GB", "TB"] {
            if whole < 1_000 {
                break;
            }
            (whole, tenths, unit) = (whole / 1_000, whole % 1_000 / 100, larger);
        }
        match unit {
            "B" => write!(f, "{whole} B"),
            _ => write!(f, "{whole}.{tenths} {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_shown_by_its_largest_unit() {
        for (size, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (12_345, "12.3 kB"),
            (2 << 20, "2.0 MB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(Short(size).to_string(), text);
        }
    }

    #[test]
    fn a_size_has_a_unit() {
        for (text, size) in [
            ("1b", 1),
            ("500KiB", 512_000),
            ("64MiB", 64 << 20),
            ("64m", 64 << 20),
            (" 2 GB ", 2_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(size), "{text}");
        }
        for text in [
            "",
            "8",
            "MiB",
            "-1MiB",
            "1.5MiB",
            "1TiB",
            "8 M B",
            "0MiB",
            "99999999999999999999b",
            "99999999999GiB",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
