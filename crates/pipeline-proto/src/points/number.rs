//! Numbers as Go's `%v` prints them.

use std::io::Write as _;

/// Writes a finite number by its shortest digits, the even ones of two equally near: with an exponent of at least
/// two digits if that is below -4 or above 5, and without a fraction if there is none.
pub(super) fn push_float<T>(out: &mut Vec<u8>, number: T)
where
    T: zmij::Float + Copy + Into<f64>,
{
    let size = number.into().abs();
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(number).as_bytes();
    if size == 0.0 || (1e-4..1e6).contains(&size) {
        out.extend_from_slice(text.strip_suffix(b".0").unwrap_or(text));
    } else {
        push_with_exponent(out, text);
    }
}

/// Writes a number that is not zero with its point behind its first digit, wherever the text has it.
fn push_with_exponent(out: &mut Vec<u8>, text: &[u8]) {
    let (sign, text) = match text {
        [b'-', digits @ ..] => (&b"-"[..], digits),
        digits => (&b""[..], digits),
    };
    let end = text.iter().position(|byte| *byte == b'e');
    let (mantissa, exponent) = text.split_at(end.unwrap_or(text.len()));
    let whole = mantissa.iter().position(|byte| *byte == b'.');
    let whole = whole.unwrap_or(mantissa.len());
    // In "0.0000123" the first digit is behind the point.
    let first = mantissa
        .iter()
        .position(|byte| (b'1'..=b'9').contains(byte));
    let first = first.unwrap_or_default();
    let [places, first_at] = [whole, first].map(|at| i32::try_from(at).expect("floats are short"));
    let moved = exponent_of(exponent) + places - first_at - i32::from(first < whole);

    out.extend_from_slice(sign);
    out.push(mantissa[first]);
    let point = out.len();
    out.push(b'.');
    out.extend(mantissa[first + 1..].iter().filter(|byte| **byte != b'.'));
    while let [.., b'0'] = out[point..] {
        out.pop();
    }
    if out.len() == point + 1 {
        out.pop();
    }
    let sign = if moved < 0 { '-' } else { '+' };
    write!(out, "e{sign}{:02}", moved.unsigned_abs()).expect("a vector takes everything");
}

/// The number of a text as `e-7`, 0 of none.
fn exponent_of(text: &[u8]) -> i32 {
    let digits = std::str::from_utf8(text.get(1..).unwrap_or_default());
    digits
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed<T: zmij::Float + Copy + Into<f64>>(number: T) -> String {
        let mut out = Vec::new();
        push_float(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_printed_as_go_does_it() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (100_000.0, "100000"),
            (999_999.5, "999999.5"),
            (1e6, "1e+06"),
            (-1_234_567.89, "-1.23456789e+06"),
            (1.5e9, "1.5e+09"),
            (123_456_789_012_345.6, "1.234567890123456e+14"),
            (1e15, "1e+15"),
            (1e21, "1e+21"),
            (f64::MAX, "1.7976931348623157e+308"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (-2.5e-7, "-2.5e-07"),
            (5e-324, "5e-324"),
            // It is …004.25: both …042 and …043 are the shortest, and equally near.
            (-680_557_427_549_004.2, "-6.805574275490042e+14"),
        ] {
            assert_eq!(printed(number), expected);
        }
        assert_eq!(printed(0.1_f32), "0.1");
        assert_eq!(printed(16_777_216_f32), "1.6777216e+07");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_the_number_in_its_shortest_digits(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let text = printed(number);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
            let digits = |text: &str| {
                let mantissa = text.split('e').next().unwrap().replace(['.', '-'], "");
                mantissa.trim_matches('0').to_owned()
            };
            // Of two that are equally near the library takes the other one at times.
            prop_assert_eq!(digits(&text).len(), digits(&format!("{number:e}")).len());
            let exponent: i32 = format!("{number:e}").split_once('e').unwrap().1.parse().unwrap();
            prop_assert_eq!(text.contains('e'), !(-4..6).contains(&exponent));
        }
    }
}
