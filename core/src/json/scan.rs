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
        let mut scan = Scan::new(self.text.as_bytes());
        self.at = scan.string(start + 1).ok_or(scan.fault)?;
        Ok(&self.text[start..self.at])
    }
}

/// The place of the first byte that is no space.
#[inline(always)]
pub(crate) fn space(bytes: &[u8], at: usize) -> usize {
    // Most of the time there is none.
    match bytes.get(at) {
        Some(..=b' ') => spaces(bytes, at),
        _ => at,
    }
}

pub(crate) fn spaces(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of the value that starts at `at`. Whether strings are UTF-8 is for the caller to check.
pub(crate) fn skip(bytes: &[u8], at: usize, depth: usize) -> Result<usize, Fault> {
    let mut scan = Scan::new(bytes);
    scan.value(at, depth).ok_or(scan.fault)
}

/// Goes over bytes. What it finds is a place, which fits into a register; what is wrong is noted
/// aside: most bytes are right.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) fault: Fault,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let fault = Fault {
            at: 0,
            what: "not a JSON value",
        };
        Self { bytes, fault }
    }

    #[cold]
    pub(crate) fn fail(&mut self, at: usize, what: &'static str) -> Option<usize> {
        self.fault = Fault { at, what };
        None
    }

    /// The end of the value that starts at `at`, in one pass without recursion: what encloses a
    /// place is one bit per level.
    pub(crate) fn value(&mut self, mut at: usize, depth: usize) -> Option<usize> {
        const _: () = assert!(MAX_DEPTH <= 128, "one bit per level");
        let bytes = self.bytes;
        // 1 for an object, 0 for an array; the innermost is the lowest bit.
        let (mut levels, mut level) = (0_u128, depth);
        loop {
            // A value starts at `at`.
            match bytes.get(at) {
                Some(b'"') => at = self.string(at + 1)?,
                Some(open @ (b'{' | b'[')) => {
                    if level == MAX_DEPTH {
                        return self.fail(at, "nested deeper than 128 levels");
                    }
                    let object = *open == b'{';
                    at = space(bytes, at + 1);
                    // The closing one is two behind the opening one: `{}`, `[]`.
                    if bytes.get(at) != Some(&(open + 2)) {
                        (levels, level) = (levels << 1 | u128::from(object), level + 1);
                        if object {
                            at = self.name(at)?;
                        }
                        continue;
                    }
                    at += 1;
                }
                Some(b'-' | b'0'..=b'9') => at = self.number(at)?,
                Some(b't') => at = self.word(at, b"true")?,
                Some(b'f') => at = self.word(at, b"false")?,
                Some(b'n') => at = self.word(at, b"null")?,
                Some(_) => return self.fail(at, "not a JSON value"),
                None => return self.fail(at, "the text ends where a value should be"),
            }
            // Behind a value: what encloses it goes on, or ends.
            loop {
                if level == depth {
                    return Some(at);
                }
                at = space(bytes, at);
                let object = levels & 1 == 1;
                match bytes.get(at) {
                    Some(b',') => {
                        at = space(bytes, at + 1);
                        if object {
                            at = self.name(at)?;
                        }
                        break;
                    }
                    Some(b'}') if object => {}
                    Some(b']') if !object => {}
                    _ if object => {
                        return self.fail(at, "a comma or the object's end should be here");
                    }
                    _ => return self.fail(at, "a comma or the array's end should be here"),
                }
                at += 1;
                (levels, level) = (levels >> 1, level - 1);
            }
        }
    }

    /// A member's name and its colon: where the value starts.
    #[inline(always)]
    fn name(&mut self, at: usize) -> Option<usize> {
        if self.bytes.get(at) != Some(&b'"') {
            return self.fail(at, "a member's name should be here");
        }
        let end = self.string(at + 1)?;
        self.colon(end)
    }

    /// Where the value behind a name starts.
    #[inline(always)]
    pub(crate) fn colon(&mut self, at: usize) -> Option<usize> {
        let at = space(self.bytes, at);
        if self.bytes.get(at) != Some(&b':') {
            return self.fail(at, "a colon should be here");
        }
        Some(space(self.bytes, at + 1))
    }

    /// The end of a string whose first character is at `at`: the place behind its closing quote.
    #[inline(always)]
    pub(crate) fn string(&mut self, mut at: usize) -> Option<usize> {
        // Eight bytes at a time, up to the first quote, backslash or control character.
        while let Some(eight) = self.bytes.get(at..at + 8) {
            let eight = <[u8; 8]>::try_from(eight).unwrap_or_default();
            let found = special(u64::from_le_bytes(eight));
            if found != 0 {
                at += (found.trailing_zeros() / 8) as usize;
                if self.bytes.get(at) == Some(&b'"') {
                    return Some(at + 1);
                }
                break;
            }
            at += 8;
        }
        self.rest_of_string(at)
    }

    fn rest_of_string(&mut self, mut at: usize) -> Option<usize> {
        loop {
            match self.bytes.get(at) {
                Some(b'"') => return Some(at + 1),
                Some(b'\\') => at = self.escape(at + 1)?,
                Some(0..=0x1f) => return self.fail(at, "a control character within a string"),
                Some(_) => at += 1,
                None => return self.fail(at, "the text ends within a string"),
            }
        }
    }

    fn escape(&mut self, at: usize) -> Option<usize> {
        match self.bytes.get(at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Some(at + 1),
            Some(b'u') => {
                let digits = self.bytes.get(at + 1..at + 5).unwrap_or_default();
                let wrong = digits.iter().position(|b| !b.is_ascii_hexdigit());
                if wrong.is_none() && digits.len() == 4 {
                    return Some(at + 5);
                }
                let wrong = at + 1 + wrong.unwrap_or(0);
                self.fail(wrong, "four hexadecimal digits should be here")
            }
            _ => self.fail(at, "no such escape"),
        }
    }

    fn digits(&mut self, from: usize) -> Option<usize> {
        let mut at = from;
        while self.bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        if at == from {
            return self.fail(at, "a digit should be here");
        }
        Some(at)
    }

    fn number(&mut self, mut at: usize) -> Option<usize> {
        at += usize::from(self.bytes.get(at) == Some(&b'-'));
        at = if self.bytes.get(at) == Some(&b'0') {
            at + 1
        } else {
            self.digits(at)?
        };
        if self.bytes.get(at) == Some(&b'.') {
            at = self.digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(at) {
            at += 1;
            at += usize::from(matches!(self.bytes.get(at), Some(b'+' | b'-')));
            at = self.digits(at)?;
        }
        Some(at)
    }

    fn word(&mut self, at: usize, word: &[u8]) -> Option<usize> {
        if self.bytes.get(at..at + word.len()) != Some(word) {
            return self.fail(at, "not a JSON value");
        }
        Some(at + word.len())
    }
}

/// The high bit of each byte that is a quote, a backslash or a control character; above the lowest
/// such byte it may be set for others too (Hacker's Delight, 6-1).
#[inline]
pub(crate) fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let below = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word;
    let quote = below(word ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    (below(word, 0x20) | quote | backslash) & HIGH
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
