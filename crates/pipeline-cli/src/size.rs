//! Sizes as people write them: `500KiB`, `64MiB`, `1GB`.

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

#[cfg(test)]
mod tests {
    use super::*;

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
