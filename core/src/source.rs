//! A list as it comes in, read beside the list that is held.

use crate::error::Error;
use crate::order::Order;
use crate::resource::Resource;
use crate::row::LISTED;
use crate::rows::{RowRef, Rows};

/// What comes next in a list.
pub(crate) enum Next {
    /// As many held rows, from the expected one on, just as they are.
    Same(usize),
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

/// The held list from the place on at which the next item is expected.
pub(crate) struct Held<'a, R: Resource> {
    pub(crate) rows: &'a Rows<R>,
    pub(crate) order: &'a Order,
    pub(crate) named: &'a Bits,
    pub(crate) at: usize,
}

impl<'a, R: Resource> Held<'a, R> {
    /// The server's copy so many places further on; `None` where there is none, or where it was
    /// named before.
    #[inline]
    pub(crate) fn get(&self, ahead: usize) -> Option<&'a R> {
        let index = self.at + ahead;
        if self.named.get(index) {
            return None;
        }
        let place = (LISTED, i64::try_from(index).ok()?);
        self.rows.at(self.order.at(place)?).and_then(RowRef::base)
    }
}

/// A set of places.
#[derive(Debug)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    pub(crate) fn new(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(64)],
        }
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> bool {
        let word = self.words.get(index / 64).copied().unwrap_or(0);
        word >> (index % 64) & 1 == 1
    }

    pub(crate) fn set(&mut self, from: usize, count: usize) {
        let end = from + count;
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
