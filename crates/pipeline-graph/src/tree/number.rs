//! Numbers as text, so that none loses a digit.

/// Whether the text is a number in JSON's notation.
pub(crate) fn is_json(text: &str) -> bool {
    let digits = |text: &str| {
        let length = text.bytes().take_while(u8::is_ascii_digit).count();
        (length, text.len() - length)
    };
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    let (whole, left) = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    rest = &rest[rest.len() - left..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let (length, left) = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[fraction.len() - left..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let (length, left) = digits(exponent);
        return length > 0 && left == 0;
    }
    rest.is_empty()
}

/// A number without its notation: two are equal exactly when they have the same value.
///
/// Compared as text, because neither integers above 2^53 nor `1e400` survive a float.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    /// The power of ten of the last digit, or the exponent's text if no machine integer holds it.
    scale: Result<i64, &'a str>,
}

impl<'a> Decimal<'a> {
    /// Reads a number in JSON's notation.
    pub(crate) fn new(text: &'a str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let kept = all.trim_end_matches('0');
        let digits = kept.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Self {
                negative: false,
                digits,
                scale: Ok(0),
            };
        }
        let shift = |length: usize| i64::try_from(length).ok();
        let scale = exponent.parse::<i64>().ok().and_then(|exponent| {
            exponent
                .checked_sub(shift(fraction.len())?)?
                .checked_add(shift(all.len() - kept.len())?)
        });
        Self {
            negative,
            digits,
            scale: scale.ok_or(exponent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_are_told_from_others() {
        for text in ["0", "-0", "10", "1.50", "1e400", "1E+2", "-1.5e-7"] {
            assert!(is_json(text), "{text}");
        }
        for text in [
            "", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x1", "1 ", "１", "1_0",
        ] {
            assert!(!is_json(text), "{text}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        let same = |a, b| Decimal::new(a) == Decimal::new(b);
        assert!(same("1", "1.0"));
        assert!(same("100", "1e2"));
        assert!(same("0.5", "5E-1"));
        assert!(same("0", "-0.0e9"));
        assert!(same("1200", "12e2"));
        assert!(!same("1", "-1"));
        assert!(!same("9007199254740993", "9007199254740992"));
        assert!(!same("1e400", "1e401"));
        assert!(same("1e99999999999999999999", "1e99999999999999999999"));
        assert!(!same("1e99999999999999999999", "1e99999999999999999998"));
    }
}
