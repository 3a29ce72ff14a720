//! A validating scanner over JSON text (RFC 8259): one pass, bounded depth, no allocation.

/// How deep values may nest; deeper input is refused.
pub(crate) const MAX_DEPTH: usize = 128;

/// What is wrong with a text, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

/// A place in a text that is known to be UTF-8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn fault<T>(self, what: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, what })
    }

    pub(crate) fn peek(self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes `byte` after any space; tells whether it was there.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// The end of the text, but for space.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.at == self.text.len() {
            return Ok(());
        }
        self.fault("something follows the value")
    }

    /// One value: its text, validated whole.
    pub(crate) fn value(&mut self, depth: usize) -> Result<&'a str, Fault> {
        self.skip_space();
        let start = self.at;
        self.at = skip(self.text.as_bytes(), start, depth)?;
        Ok(&self.text[start..self.at])
    }

    /// An object; `each` is called behind every colon, with the name's text in its quotes, and must
    /// take the value.
    pub(crate) fn members(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self, &'a str, usize) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if depth == MAX_DEPTH {
            return self.fault("nested deeper than 128 levels");
        }
        if !self.take(b'{') {
            return self.fault("an object should be here");
        }
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return self.fault("a member's name should be here");
            }
            let name = self.string()?;
            if !self.take(b':') {
                return self.fault("a colon should be here");
            }
            self.skip_space();
            each(self, name, depth + 1)?;
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.fault("a comma or the object's end should be here");
            }
        }
    }

    /// An array; `each` must take one value.
    pub(crate) fn elements(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self, usize) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if depth == MAX_DEPTH {
            return self.fault("nested deeper than 128 levels");
        }
        if !self.take(b'[') {
            return self.fault("an array should be here");
        }
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.skip_space();
            each(self, depth + 1)?;
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.fault("a comma or the array's end should be here");
            }
        }
    }

    /// A string: its text with the quotes.
    pub(crate) fn string(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        self.at = string(self.text.as_bytes(), start + 1)?;
        Ok(&self.text[start..self.at])
    }
}

fn fault<T>(at: usize, what: &'static str) -> Result<T, Fault> {
    Err(Fault { at, what })
}

/// The place of the first byte that is no space.
#[inline]
pub(crate) fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of the value that starts at `at`, in one pass without recursion: what encloses a place
/// is one bit per level. Whether strings are UTF-8 is for the caller to check.
pub(crate) fn skip(bytes: &[u8], mut at: usize, depth: usize) -> Result<usize, Fault> {
    const _: () = assert!(MAX_DEPTH <= 128, "one bit per level");
    // 1 for an object, 0 for an array; the innermost is the lowest bit.
    let (mut levels, mut level) = (0_u128, depth);
    loop {
        // A value starts at `at`.
        match bytes.get(at) {
            Some(b'"') => at = string(bytes, at + 1)?,
            Some(b'{') => {
                if level == MAX_DEPTH {
                    return fault(at, "nested deeper than 128 levels");
                }
                at = space(bytes, at + 1);
                if bytes.get(at) != Some(&b'}') {
                    (levels, level) = (levels << 1 | 1, level + 1);
                    at = name(bytes, at)?;
                    continue;
                }
                at += 1;
            }
            Some(b'[') => {
                if level == MAX_DEPTH {
                    return fault(at, "nested deeper than 128 levels");
                }
                at = space(bytes, at + 1);
                if bytes.get(at) != Some(&b']') {
                    (levels, level) = (levels << 1, level + 1);
                    continue;
                }
                at += 1;
            }
            Some(b'-' | b'0'..=b'9') => at = number(bytes, at)?,
            Some(b't') => at = word(bytes, at, b"true")?,
            Some(b'f') => at = word(bytes, at, b"false")?,
            Some(b'n') => at = word(bytes, at, b"null")?,
            Some(_) => return fault(at, "not a JSON value"),
            None => return fault(at, "the text ends where a value should be"),
        }
        // Behind a value: what encloses it goes on, or ends.
        loop {
            if level == depth {
                return Ok(at);
            }
            at = space(bytes, at);
            let object = levels & 1 == 1;
            match bytes.get(at) {
                Some(b',') if object => {
                    at = name(bytes, space(bytes, at + 1))?;
                    break;
                }
                Some(b',') => {
                    at = space(bytes, at + 1);
                    break;
                }
                Some(b'}') if object => {}
                Some(b']') if !object => {}
                _ if object => return fault(at, "a comma or the object's end should be here"),
                _ => return fault(at, "a comma or the array's end should be here"),
            }
            at += 1;
            (levels, level) = (levels >> 1, level - 1);
        }
    }
}

/// A member's name and its colon: where the value starts.
#[inline]
fn name(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    if bytes.get(at) != Some(&b'"') {
        return fault(at, "a member's name should be here");
    }
    colon(bytes, string(bytes, at + 1)?)
}

/// Where the value behind a name starts.
#[inline]
pub(crate) fn colon(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let at = space(bytes, at);
    if bytes.get(at) != Some(&b':') {
        return fault(at, "a colon should be here");
    }
    Ok(space(bytes, at + 1))
}

/// The end of a string whose first character is at `at`: the place behind its closing quote.
#[inline]
pub(crate) fn string(bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
    loop {
        // Eight bytes at a time, up to the first quote, backslash or control character.
        while let Some(eight) = bytes.get(at..at + 8) {
            let eight = <[u8; 8]>::try_from(eight).unwrap_or_default();
            let found = special(u64::from_le_bytes(eight));
            if found != 0 {
                at += (found.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape(bytes, at + 1)?,
            Some(0..=0x1f) => return fault(at, "a control character within a string"),
            Some(_) => at += 1,
            None => return fault(at, "the text ends within a string"),
        }
    }
}

/// The high bit of each byte that is a quote, a backslash or a control character; above the lowest
/// such byte it may be set for others too (Hacker's Delight, 6-1).
#[inline]
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let below = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word;
    let quote = below(word ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    (below(word, 0x20) | quote | backslash) & HIGH
}

fn escape(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => {
            let digits = bytes.get(at + 1..at + 5).unwrap_or_default();
            let wrong = digits.iter().position(|b| !b.is_ascii_hexdigit());
            match wrong {
                None if digits.len() == 4 => Ok(at + 5),
                wrong => fault(
                    at + 1 + wrong.unwrap_or(0),
                    "four hexadecimal digits should be here",
                ),
            }
        }
        _ => fault(at, "no such escape"),
    }
}

fn digits(bytes: &[u8], from: usize) -> Result<usize, Fault> {
    let mut at = from;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at == from {
        return fault(at, "a digit should be here");
    }
    Ok(at)
}

fn number(bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
    at += usize::from(bytes.get(at) == Some(&b'-'));
    at = if bytes.get(at) == Some(&b'0') {
        at + 1
    } else {
        digits(bytes, at)?
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        at = digits(bytes, at)?;
    }
    Ok(at)
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Fault> {
    if bytes.get(at..at + word.len()) != Some(word) {
        return fault(at, "not a JSON value");
    }
    Ok(at + word.len())
}

/// The characters of a string's text, unescaped; `None` when a surrogate stands alone.
pub(crate) fn unescape(quoted: &str) -> Option<String> {
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.to_string());
    }
    let mut units: Vec<u16> = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let unit = match c {
            '\\' => match chars.next()? {
                'b' => 8,
                'f' => 12,
                'n' => 10,
                'r' => 13,
                't' => 9,
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    u16::from_str_radix(&digits, 16).ok()?
                }
                other => u16::try_from(u32::from(other)).ok()?,
            },
            other => {
                units.extend(other.encode_utf16(&mut [0; 2]).iter());
                continue;
            }
        };
        units.push(unit);
    }
    String::from_utf16(&units).ok()
}

/// The text of a string value.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
