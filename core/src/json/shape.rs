//! The shape of an item that was checked whole. Items of one list mostly differ in a few values:
//! what stands between the values is compared with the shape's text, and only values that differ
//! are scanned. What is equal to checked text is checked.

use crate::json::common::{STEP, common_start};
use crate::json::scan::{Scan, spaces, special};
use crate::json::segment::{NONE, Span};

/// The longest text that is taken for a shape: beyond it, two alike are not likely.
const LONGEST: usize = 16 * 1024;

/// So many shapes are remembered: lists of several kinds of items come mixed.
const SHAPES: usize = 4;

/// A value that is neither object nor array.
#[derive(Debug)]
struct Value {
    start: usize,
    end: usize,
    /// A string without escapes.
    plain: bool,
    /// Which of the four it is that are asked of an item, by bit.
    asked: u8,
}

#[derive(Debug)]
struct Shape<'a> {
    /// The item's text, and what stands behind it: texts are compared by the step.
    text: &'a [u8],
    length: usize,
    values: Vec<Value>,
    /// For each byte of the text the value in which a text parts that first differs there; a number
    /// beyond the last value between the values.
    value_at: Vec<u16>,
    marks: [Span; 4],
}

impl<'a> Shape<'a> {
    /// The shape of an item that was checked. `raw` tells where what is asked of it stands in it.
    fn of(text: &'a [u8], length: usize, raw: &[(usize, usize); 4]) -> Option<Self> {
        let (behind, text) = (text, text.get(..length)?);
        const _: () = assert!(
            LONGEST < u16::MAX as usize,
            "values are numbered by 16 bits"
        );
        let (mut values, mut scan) = (Vec::new(), Scan::new(text));
        let mut value_at = vec![u16::MAX; text.len()];
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let start = at;
            at = match byte {
                b'"' => scan.string(at + 1)?,
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => scan.value(at, 0)?,
                _ => at + 1,
            };
            let is_name = || text.get(spaces(text, at)) == Some(&b':');
            if at == start + 1 && !byte.is_ascii_digit() || *byte == b'"' && is_name() {
                continue;
            }
            let plain = *byte == b'"' && !text.get(start..at)?.contains(&b'\\');
            // A number may go on where another ends; a string ends with its quote.
            let parts = start..at + usize::from(!plain);
            value_at.get_mut(parts)?.fill(values.len() as u16);
            values.push(Value {
                start,
                end: at,
                plain,
                asked: 0,
            });
        }
        let mut marks = [NONE; 4];
        for (what, (from, _)) in raw.iter().enumerate().filter(|(_, (from, to))| from < to) {
            let found = values.binary_search_by_key(from, |v| v.start).ok()?;
            let value = values.get_mut(found)?;
            value.asked |= 1 << what;
            marks[what] = match text.get(*from) {
                Some(b'"') if value.plain => span(value.start + 1, value.end - 1),
                Some(b'-' | b'0'..=b'9') => span(value.start, value.end),
                Some(b'n') => NONE,
                _ => return None,
            };
        }
        Some(Self {
            text: behind.get(..length + STEP).unwrap_or(behind),
            length,
            values,
            value_at,
            marks,
        })
    }

    /// The end of the item at the start of `item`, if it is of this shape; `marks` are then set.
    #[inline]
    fn read(&self, item: &[u8], marks: &mut [Span; 4]) -> Option<usize> {
        *marks = self.marks;
        // Places in the item and in the shape's text.
        let (mut here, mut there) = (0, 0);
        let mut next = 0;
        loop {
            let same = common_start(self.text.get(there..)?, item.get(here..)?);
            if there + same >= self.length {
                return Some(here + self.length - there);
            }
            (here, there) = (here + same, there + same);
            let index = usize::from(*self.value_at.get(there)?);
            let value = self.values.get(index).filter(|_| index >= next)?;
            let from = here - (there - value.start);
            let within = value.plain && there > value.start;
            let plain = if within { plain_end(item, here) } else { None };
            let to = match plain {
                Some(to) => to,
                None => self.other_end(value, item, from)?,
            };
            if value.asked != 0 {
                let mark = changed_mark(item, from, to, plain.is_some())?;
                Self::set_marks(value.asked, mark, marks);
            }
            let (old, new) = (value.end - value.start, to - from);
            if old != new {
                self.move_marks(index, new as u32, old as u32, marks);
            }
            (here, there, next) = (to, value.end, index + 1);
        }
    }

    /// The end of a value that is not read easily.
    fn other_end(&self, value: &Value, item: &[u8], from: usize) -> Option<usize> {
        let strange = matches!(item.get(from)?, b'{' | b'[');
        let mut scan = Scan::new(item);
        let to = if strange { None } else { scan.value(from, 0) };
        to.filter(|to| value.asked == 0 || !item[from..*to].contains(&b'\\'))
    }

    fn set_marks(mut asked: u8, mark: Span, marks: &mut [Span; 4]) {
        while let Some(place) = marks.get_mut(asked.trailing_zeros() as usize) {
            *place = mark;
            asked &= asked - 1;
        }
    }

    /// What stands behind a value of another length stands elsewhere.
    fn move_marks(&self, index: usize, new: u32, old: u32, marks: &mut [Span; 4]) {
        for (what, mark) in marks
            .iter_mut()
            .enumerate()
            .filter(|(_, mark)| **mark != NONE)
        {
            let asks = |value: &Value| value.asked & 1 << what != 0;
            if !self.values[..=index].iter().any(asks) {
                *mark = (mark.0 + new - old, mark.1 + new - old);
            }
        }
    }
}

/// An item that has a shape is shorter than 2^32 bytes, but for what is asked of it nothing is
/// known yet: longer texts are read without shapes.
fn span(from: usize, to: usize) -> Span {
    (from as u32, to as u32)
}

/// The end of a string from a place within it on, if it has no escapes from there on.
#[inline(always)]
fn plain_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(eight) = bytes.get(at..at + 8) {
        let eight = <[u8; 8]>::try_from(eight).unwrap_or_default();
        let found = special(u64::from_le_bytes(eight));
        if found != 0 {
            at += (found.trailing_zeros() / 8) as usize;
            return (bytes.get(at) == Some(&b'"')).then_some(at + 1);
        }
        at += 8;
    }
    None
}

/// Where the text of another value stands; `None` for one that is to be looked at more closely.
#[inline]
fn changed_mark(item: &[u8], from: usize, to: usize, plain: bool) -> Option<Span> {
    let text = item.get(from..to)?;
    let (quote, good) = match text {
        [b'"', ..] => (1, text.len() > 2 && (plain || !text.contains(&b'\\'))),
        _ => (0, text.iter().all(u8::is_ascii_digit)),
    };
    (good && u32::try_from(to).is_ok()).then(|| span(from + quote, to - quote))
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
        let item = bytes.get(start..)?;
        let likely = self.shapes.get(self.likely)?;
        if let Some(end) = likely.read(item, marks) {
            self.credit = (self.credit + 2).min(Self::CREDIT);
            return Some(start + end);
        }
        let mut others = self.shapes.iter().enumerate();
        let (index, end) = others.find_map(|(index, shape)| {
            let other = index != self.likely;
            other.then(|| Some((index, shape.read(item, marks)?)))?
        })?;
        self.likely = index;
        self.credit = (self.credit + 2).min(Self::CREDIT);
        Some(start + end)
    }

    /// Remembers the shape of an item that was checked because it fitted none. `raw` tells where
    /// what is asked of it stands in it; `text` begins with it.
    pub(crate) fn remember(&mut self, text: &'a [u8], length: usize, raw: &[(usize, usize); 4]) {
        match self.credit.checked_sub(1) {
            Some(credit) => self.credit = credit,
            None => self.rest = Self::REST,
        }
        if length > LONGEST {
            return;
        }
        let Some(shape) = Shape::of(text, length, raw) else {
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
