//! A list as it comes in, read beside the list that is held.

use crate::error::Error;
use crate::order::Order;
use crate::resource::Resource;
use crate::rows::{Rows, Slot};

/// What comes next in a list.
pub(crate) enum Next {
    /// As many held rows, from the expected one on, just as they are.
    Same(usize),
    /// The expected row is passed over: the row behind it follows.
    Skip,
    /// Something else: the source's next item, by its number.
    Item(usize),
    /// What is no resource, and why.
    Bad(String),
    End,
}

/// A list that comes in. It is read once, without anything being changed; what is new in it is
/// handed out at the end.
pub(crate) trait Source<R: Resource> {
    /// Reads on.
    ///
    /// # Errors
    ///
    /// When the list as a whole cannot be read.
    fn next(&mut self, held: &Held<'_, R>) -> Result<Next, Error>;

    /// An item's id, as it is compared.
    fn id(&self, item: usize) -> &[u8];

    /// An item's client token.
    fn token(&self, item: usize) -> Option<&str>;

    /// Whether the item is what `held` is, to the byte. It is then not handed out.
    fn is(&mut self, item: usize, held: &R) -> bool;

    /// The list's own version, and the new items, each at its number.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read after all.
    fn finish(self) -> Result<(Option<String>, Vec<Option<R>>), Error>;
}

/// How far ahead places that were named before are looked for: a list that goes to and fro must not
/// have them looked for again and again.
pub(crate) const AHEAD: usize = u64::BITS as usize;

/// The held list from the place on at which the next item is expected.
pub(crate) struct Held<'a, R: Resource> {
    rows: &'a Rows<R>,
    /// The rows from there on, up to one that was named before.
    slots: &'a [Slot],
}

impl<'a, R: Resource> Held<'a, R> {
    pub(crate) fn new(rows: &'a Rows<R>, order: &'a Order, named: &Bits, at: usize) -> Self {
        let slots = order.listed().get(at..).unwrap_or_default();
        let clear = named.clear_from(at).min(slots.len());
        Self {
            rows,
            slots: &slots[..clear],
        }
    }

    /// The server's copy so many places further on; `None` where there is none, or where it was
    /// named before.
    #[inline]
    pub(crate) fn get(&self, ahead: usize) -> Option<&'a R> {
        self.rows.base(*self.slots.get(ahead)?)
    }

    /// How many of the next `most` copies, from so many places further on, `are` what is looked for,
    /// given the number of each.
    #[inline]
    pub(crate) fn run(&self, ahead: usize, most: usize, are: impl Fn(usize, &R) -> bool) -> usize {
        let slots = self.slots.get(ahead..).unwrap_or_default();
        let slots = &slots[..most.min(slots.len())];
        for (number, slot) in slots.iter().enumerate() {
            match self.rows.base(*slot) {
                Some(base) if are(number, base) => {}
                _ => return number,
            }
        }
        slots.len()
    }
}

/// A set of places.
#[derive(Debug)]
pub(crate) struct Bits {
    words: Vec<u64>,
    /// The place behind the last of the set.
    end: usize,
}

impl Bits {
    pub(crate) fn new(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(64)],
            end: 0,
        }
    }

    /// These, of so many.
    pub(crate) fn of(members: impl Iterator<Item = Slot>, len: usize) -> Self {
        let mut bits = Self::new(len);
        members.for_each(|member| bits.insert(member as usize));
        bits
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> bool {
        let word = self.words.get(index / 64).copied().unwrap_or(0);
        word >> (index % 64) & 1 == 1
    }

    #[inline]
    pub(crate) fn insert(&mut self, index: usize) {
        self.end = self.end.max(index + 1);
        if let Some(word) = self.words.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    pub(crate) fn set(&mut self, from: usize, count: usize) {
        let end = from + count;
        self.end = self.end.max(end);
        let mut at = from;
        while at < end {
            let (word, bit) = (at / 64, at % 64);
            let here = (64 - bit).min(end - at);
            if let Some(word) = self.words.get_mut(word) {
                *word |= (u64::MAX >> (64 - here)) << bit;
            }
            at += here;
        }
    }

    /// How many places from `at` on are not in the set, as far as it is looked at.
    fn clear_from(&self, at: usize) -> usize {
        if at >= self.end {
            return usize::MAX;
        }
        let bit = at % 64;
        let word = |index: usize| self.words.get(index).copied().unwrap_or(0);
        // The 64 places from `at` on, the nearest lowest.
        let here = word(at / 64) >> bit | (word(at / 64 + 1) << 1) << (63 - bit);
        here.trailing_zeros() as usize
    }

    /// The places below `len` that are not in the set.
    pub(crate) fn unset(&self, len: usize) -> impl Iterator<Item = usize> {
        let words = self.words.iter().enumerate();
        let clear = words.filter(|(_, word)| **word != u64::MAX);
        let bits = clear.flat_map(|(i, word)| {
            let word = *word;
            (0..64)
                .filter(move |b| word >> b & 1 == 0)
                .map(move |b| i * 64 + b)
        });
        bits.take_while(move |i| *i < len)
    }
}
