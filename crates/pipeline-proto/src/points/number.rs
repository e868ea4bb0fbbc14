//! Numbers as Go's `%v` prints them.

use std::{
    fmt::{Display, LowerExp},
    io::Write as _,
};

/// Writes a finite number by its shortest digits: with an exponent of at least two digits if that is below -4
/// or above 5, and without a fraction if there is none.
pub(super) fn push_float<T>(out: &mut Vec<u8>, number: T)
where
    T: zmij::Float + Copy + Display + LowerExp + Into<f64>,
{
    let size = number.into().abs();
    if size == 0.0 || (1e-4..1e15).contains(&size) {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(number).as_bytes();
        let text = text.strip_suffix(b".0").unwrap_or(text);
        if size < 1e6 {
            out.extend_from_slice(text);
        } else {
            push_shifted(out, text);
        }
        return;
    }
    let start = out.len();
    write!(out, "{number:e}").expect("a vector takes everything");
    if let Some(at) = out[start..].iter().rposition(|byte| *byte == b'e') {
        let at = start + at + 1;
        let negative = out[at] == b'-';
        let digits = out.len() - at - usize::from(negative);
        let zero = if digits == 1 { &b"0"[..] } else { b"" };
        let sign = if negative { &b""[..] } else { b"+" };
        let first = at + usize::from(negative);
        out.splice(first..first, sign.iter().chain(zero).copied());
    }
}

/// Moves the point of a number without an exponent behind its first digit.
fn push_shifted(out: &mut Vec<u8>, text: &[u8]) {
    let (sign, text) = match text {
        [b'-', digits @ ..] => (&b"-"[..], digits),
        digits => (&b""[..], digits),
    };
    let whole = text.iter().position(|byte| *byte == b'.');
    let whole = whole.unwrap_or(text.len());
    out.extend_from_slice(sign);
    out.push(text[0]);
    let point = out.len();
    out.push(b'.');
    out.extend_from_slice(&text[1..whole]);
    out.extend_from_slice(text.get(whole + 1..).unwrap_or_default());
    while let [.., b'0'] = out[point..] {
        out.pop();
    }
    if out.len() == point + 1 {
        out.pop();
    }
    out.extend_from_slice(b"e+");
    let exponent = whole - 1;
    for digit in [exponent / 10, exponent % 10] {
        out.push(b"0123456789"[digit % 10]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed<T: zmij::Float + Copy + Display + LowerExp + Into<f64>>(number: T) -> String {
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
            prop_assert_eq!(digits(&text), digits(&format!("{number:e}")));
            let exponent: i32 = format!("{number:e}").split_once('e').unwrap().1.parse().unwrap();
            prop_assert_eq!(text.contains('e'), !(-4..6).contains(&exponent));
        }
    }
}
