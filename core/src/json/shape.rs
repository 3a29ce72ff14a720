//! The shape of an item that was checked whole. Items of one list mostly differ in a few values:
//! what stands between the values is compared with the shape's text, and only values that differ
//! are scanned. What is equal to checked text is checked.

use crate::json::common::common_start;
use crate::json::scan::{Scan, spaces};
use crate::json::segment::{NONE, Span};

/// The longest text that is taken for a shape: beyond it, two alike are not likely.
const LONGEST: usize = 16 * 1024;

/// So many shapes are remembered: lists of several kinds of items come mixed.
const SHAPES: usize = 4;

/// A value that is neither object nor array: its start, its end, and whether it is a string without
/// escapes.
#[derive(Debug)]
struct Value {
    start: usize,
    end: usize,
    plain: bool,
}

/// What is asked of an item: the number of the value, and which of the four it is.
#[derive(Debug)]
struct Asked {
    value: usize,
    what: usize,
    null: bool,
}

#[derive(Debug)]
struct Shape<'a> {
    text: &'a [u8],
    values: Vec<Value>,
    /// In the order of the values.
    asked: Vec<Asked>,
}

impl<'a> Shape<'a> {
    /// The shape of an item that was checked. `raw` tells where what is asked of it stands in it.
    fn of(text: &'a [u8], raw: &[(usize, usize); 4]) -> Option<Self> {
        let (mut values, mut scan) = (Vec::new(), Scan::new(text));
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let start = at;
            at = match byte {
                b'"' => {
                    let end = scan.string(at + 1)?;
                    if text.get(spaces(text, end)) == Some(&b':') {
                        at = end;
                        continue;
                    }
                    end
                }
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => scan.value(at, 0)?,
                _ => {
                    at += 1;
                    continue;
                }
            };
            let plain = *byte == b'"' && !text.get(start..at)?.contains(&b'\\');
            let end = at;
            values.push(Value { start, end, plain });
        }
        let mut asked = Vec::new();
        for (what, (from, _)) in raw.iter().enumerate().filter(|(_, (from, to))| from < to) {
            let value = values.binary_search_by_key(from, |v| v.start).ok()?;
            let found = values.get(value)?;
            let null = text.get(*from) == Some(&b'n');
            let number = matches!(text.get(*from), Some(b'-' | b'0'..=b'9'));
            if !(found.plain || number || null) {
                return None;
            }
            asked.push(Asked { value, what, null });
        }
        asked.sort_by_key(|asked| asked.value);
        Some(Self {
            text,
            values,
            asked,
        })
    }

    /// The end of the item at `start`, if it is of this shape; `marks` are then set.
    fn read(&self, bytes: &[u8], start: usize, marks: &mut [Span; 4]) -> Option<usize> {
        let mut scan = Scan::new(bytes);
        // Places in the bytes and in the shape's text; the next value, and what is asked next.
        let (mut here, mut there) = (start, 0);
        let (mut next, mut asked) = (0, self.asked.iter());
        let mut asking = asked.next();
        loop {
            let (rest, theirs) = (bytes.get(here..)?, self.text.get(there..)?);
            let same = common_start(theirs, rest);
            (here, there) = (here + same, there + same);
            // What is the same up to here stands as far behind the start as it does in the text,
            // but for what the values before differ in length.
            let shifted = |at: usize| here - start + at - there;
            if there == self.text.len() {
                while let Some(Asked { value, what, null }) = asking {
                    let value = self.values.get(*value)?;
                    let text = (shifted(value.start), shifted(value.end));
                    marks[*what] = mark(bytes.get(start..)?, text, *null)?;
                    asking = asked.next();
                }
                return Some(here);
            }
            while self.values.get(next)?.end < there {
                next += 1;
            }
            let value = self.values.get(next)?;
            if there < value.start || value.plain && there == value.end {
                return None;
            }
            let from = here - (there - value.start);
            let to = if value.plain && there > value.start {
                scan.string(here)?
            } else {
                match bytes.get(from)? {
                    b'{' | b'[' => return None,
                    _ => scan.value(from, 0)?,
                }
            };
            while let Some(Asked {
                value: index,
                what,
                null,
            }) = asking.filter(|a| a.value <= next)
            {
                marks[*what] = if *index == next {
                    changed_mark(bytes.get(start..)?, (from - start, to - start))?
                } else {
                    let value = self.values.get(*index)?;
                    let text = (shifted(value.start), shifted(value.end));
                    mark(bytes.get(start..)?, text, *null)?
                };
                asking = asked.next();
            }
            (here, there, next) = (to, value.end, next + 1);
        }
    }
}

/// Where the text of a value stands that was marked before.
fn mark(item: &[u8], (from, to): (usize, usize), null: bool) -> Option<Span> {
    if null {
        return Some(NONE);
    }
    let quote = usize::from(item.get(from) == Some(&b'"'));
    Some((
        u32::try_from(from + quote).ok()?,
        u32::try_from(to - quote).ok()?,
    ))
}

/// The same of another value; `None` for one that is to be looked at more closely.
fn changed_mark(item: &[u8], (from, to): (usize, usize)) -> Option<Span> {
    let value = item.get(from..to)?;
    let plain = match value {
        [b'"', text @ .., b'"'] => !text.is_empty() && !text.contains(&b'\\'),
        _ => value.iter().all(u8::is_ascii_digit),
    };
    if plain {
        mark(item, (from, to), false)
    } else {
        None
    }
}

/// The shapes of the items that were read last.
#[derive(Debug)]
pub(crate) struct Shapes<'a> {
    shapes: Vec<Shape<'a>>,
    /// The one that fitted last, and the one that is replaced next.
    likely: usize,
    oldest: usize,
    /// Falls with each item that fits none. When it is used up, `rest` items pass untried: a list
    /// without shapes is not to cost more.
    credit: u32,
    rest: u32,
}

impl<'a> Shapes<'a> {
    const CREDIT: u32 = 16;
    const REST: u32 = 64;

    pub(crate) fn new() -> Self {
        Self {
            shapes: Vec::new(),
            likely: 0,
            oldest: 0,
            credit: Self::CREDIT,
            rest: 0,
        }
    }

    /// Whether the next item is worth a try.
    #[inline]
    pub(crate) fn are_likely(&mut self) -> bool {
        self.rest = self.rest.saturating_sub(1);
        self.rest == 0
    }

    /// The end of the item at `start`, if it is of a shape that is known.
    #[inline]
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        start: usize,
        marks: &mut [Span; 4],
    ) -> Option<usize> {
        for ahead in 0..self.shapes.len() {
            let index = (self.likely + ahead) % self.shapes.len();
            if let Some(end) = self.shapes[index].read(bytes, start, marks) {
                self.likely = index;
                self.credit = (self.credit + 2).min(Self::CREDIT);
                return Some(end);
            }
        }
        None
    }

    /// Remembers the shape of an item that was checked because it fitted none. `raw` tells where
    /// what is asked of it stands in `text`.
    pub(crate) fn remember(&mut self, text: &'a [u8], raw: &[(usize, usize); 4]) {
        match self.credit.checked_sub(1) {
            Some(credit) => self.credit = credit,
            None => self.rest = Self::REST,
        }
        if text.len() > LONGEST {
            return;
        }
        let Some(shape) = Shape::of(text, raw) else {
            return;
        };
        self.likely = self.oldest;
        match self.shapes.get_mut(self.oldest) {
            Some(old) => *old = shape,
            None => self.shapes.push(shape),
        }
        self.oldest = (self.oldest + 1) % SHAPES;
    }
}
