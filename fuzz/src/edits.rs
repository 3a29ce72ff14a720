//! Small edits of a text, as a server's next answer or a damaged file has them.

use crate::input::Input;

/// What is put into a text: what JSON is made of, and what it must not hold.
const TOKENS: [&[u8]; 48] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\n\t\r ",
    b"0",
    b"-",
    b"1.5",
    b"-0",
    b"1e999",
    b"18446744073709551615",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"01",
    b"+1",
    b"null",
    b"true",
    b"nul",
    b"\"id\"",
    b"\"id\":\"a\",",
    b"{\"id\":\"z1\"},",
    b"{\"id\":7}",
    b"\"\"",
    b"[]",
    b"{}",
    b"\\u00e9",
    b"\\ud83d\\ude00",
    b"\\ud800",
    b"\\uDC00",
    b"\\u0000",
    b"\\\"",
    b"\\x",
    b"\xc3\xa9",
    b"\xc3",
    b"\xff",
    b"\xf0\x9f\x98\x80",
    b"\xed\xa0\x80",
    b"\x00",
    b"\x1f",
    b"\x7f",
    b"\xef\xbb\xbf",
    b"\"m\":{\"v\":1},",
    b"\"\\u0069d\":",
];

/// Edits `text` once: four bytes say how and where.
fn edit(text: &mut Vec<u8>, how: [u8; 4]) {
    let length = text.len();
    let at = usize::from(u16::from_le_bytes([how[1], how[2]])) % (length + 1);
    let argument = usize::from(how[3]);
    let end = (at + 1 + argument).min(length);
    match how[0] % 12 {
        0 => drop(text.splice(at..at, TOKENS[argument % TOKENS.len()].iter().copied())),
        1 => drop(text.splice(
            at..(at + 1).min(length),
            TOKENS[argument % TOKENS.len()].iter().copied(),
        )),
        2 => drop(text.drain(at..end)),
        3 => text.truncate(at),
        4 => {
            let copied = text[at..end].to_vec();
            text.splice(at..at, copied);
        }
        5 => {
            if let Some(byte) = text.get_mut(at) {
                *byte = how[3];
            }
        }
        6 => nest(text, at, argument),
        7 => number(text, at, argument),
        8 => item(text, at, argument),
        9 => text
            .iter_mut()
            .skip(at)
            .take(argument)
            .for_each(|b| b.make_ascii_uppercase()),
        10 => drop(text.splice(at..at, vec![b' '; argument])),
        _ => text.rotate_left(at),
    }
}

/// Arrays or objects, up to 255 deep, around nothing.
fn nest(text: &mut Vec<u8>, at: usize, argument: usize) {
    let (open, close) = if argument.is_multiple_of(2) {
        ("[", "]")
    } else {
        ("{\"\":", "}")
    };
    let inner = if argument.is_multiple_of(2) { "" } else { "0" };
    let nested = format!("{}{inner}{}", open.repeat(argument), close.repeat(argument));
    text.splice(at..at, nested.into_bytes());
}

/// The next number becomes another: a near one, or one at the end of some range.
fn number(text: &mut Vec<u8>, at: usize, argument: usize) {
    let Some(start) = text[at..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let start = at + start;
    let count = text[start..]
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let old: i128 = std::str::from_utf8(&text[start..start + count])
        .ok()
        .and_then(|t| t.parse().ok())
        .unwrap_or(0);
    let new = match argument % 16 {
        0 => u64::MAX.into(),
        1 => i64::MAX.into(),
        2 => i64::MIN.into(),
        3 => u32::MAX.into(),
        4 => i128::from(u64::MAX) - 1,
        5 => 0,
        6 => -1,
        7 => 253_402_300_799_999,
        more => old + i128::try_from(more).unwrap_or(8) - 10,
    };
    text.splice(start..start + count, new.to_string().into_bytes());
}

/// The next two objects of a list change places, or one is there twice, or gone.
fn item(text: &mut Vec<u8>, at: usize, argument: usize) {
    let places: Vec<usize> = (at..text.len())
        .filter(|i| text[*i] == b'{')
        .take(3)
        .collect();
    let [first, second, third] = places[..] else {
        return;
    };
    match argument % 3 {
        0 => text[first..third].rotate_left(second - first),
        1 => drop(text.drain(first..second)),
        _ => {
            let copied = text[first..second].to_vec();
            text.splice(third..third, copied);
        }
    }
}

/// Edits a text by a script: the number of edits, and four bytes for each.
pub(crate) fn edited(text: &[u8], input: &mut Input<'_>, most: u8) -> Vec<u8> {
    /// Longer texts only take longer.
    const LONGEST: usize = 1 << 16;
    let mut text = text.to_vec();
    for _ in 0..input.below(most) {
        edit(&mut text, input.four());
        text.truncate(LONGEST);
    }
    text
}
