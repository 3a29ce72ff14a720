//! Equality of JSON values by what they mean, not by how they are spelt.

use std::collections::BTreeMap;

use crate::json::scan::{Cursor, unescape};

/// A value in one spelling only: equal values have equal texts.
///
/// Members are sorted by name, the last of a repeated one counts; numbers are digits and an
/// exponent, of any size.
pub(crate) fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    write(&mut Cursor::new(text), 0, &mut out);
    out
}

fn write(cursor: &mut Cursor<'_>, depth: usize, out: &mut String) {
    cursor.skip_space();
    match cursor.peek() {
        Some(b'{') => {
            let mut members: BTreeMap<String, String> = BTreeMap::new();
            let done = cursor.members(depth, |cursor, name, depth| {
                let mut value = String::new();
                write(cursor, depth, &mut value);
                members.insert(spelling(name), value);
                Ok(())
            });
            debug_assert!(done.is_ok(), "the text was validated");
            out.push('{');
            for (name, value) in members {
                out.push_str(&name);
                out.push(':');
                out.push_str(&value);
                out.push(',');
            }
            out.push('}');
        }
        Some(b'[') => {
            out.push('[');
            let done = cursor.elements(depth, |cursor, depth| {
                write(cursor, depth, out);
                out.push(',');
                Ok(())
            });
            debug_assert!(done.is_ok(), "the text was validated");
            out.push(']');
        }
        _ => match cursor.value(depth) {
            Ok(text) if text.starts_with('"') => out.push_str(&spelling(text)),
            Ok(text)
                if text.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) =>
            {
                out.push_str(&number(text));
            }
            Ok(text) => out.push_str(text),
            Err(fault) => debug_assert!(false, "the text was validated: {fault}"),
        },
    }
}

/// One spelling of a string; a lone surrogate is no character, and stays as it is written.
fn spelling(quoted: &str) -> String {
    unescape(quoted).map_or_else(
        || quoted.to_ascii_lowercase(),
        |t| crate::json::scan::quote(&t),
    )
}

/// One spelling of a number: significant digits, and the power of ten behind them.
fn number(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |t| ("-", t));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return "0".into();
    }
    // An exponent beyond 18 digits equals only itself: nobody writes such a number in two ways.
    let Ok(exponent) = exponent.trim_start_matches('+').parse::<i128>() else {
        return format!("{sign}{significant}E{exponent}");
    };
    let zeros = digits.len() - significant.len();
    let power = exponent + zeros as i128 - fraction.len() as i128;
    format!("{sign}{significant}e{power}")
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn values_are_equal_by_meaning() {
        for (a, b) in [
            ("1.0", "10e-1"),
            ("-0", "0.000"),
            (r#"{"a":1,"b":[ ]}"#, r#" {"b":[], "a":1.00}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#""é""#, r#""\u00e9""#),
            ("1e400", "10e399"),
        ] {
            assert_eq!(canonical(a), canonical(b));
        }
        for (a, b) in [
            ("1", "\"1\""),
            ("[1,2]", "[2,1]"),
            ("null", "{}"),
            ("12", "1.2"),
        ] {
            assert_ne!(canonical(a), canonical(b));
        }
    }
}
