//! Texts of several resources in one piece of memory, with the places of what is asked of them.
//!
//! A resource is 16 bytes: its segment, and its number therein. Items that followed each other in a
//! list lie as they came, so that a run of them is compared with the next list at one stroke.

use std::sync::Arc;

use crate::json::pointer::Pointer;

/// What is asked of a resource, in this order.
pub(crate) const ID: usize = 0;
pub(crate) const UID: usize = 1;
pub(crate) const VERSION: usize = 2;
pub(crate) const TOKEN: usize = 3;

/// No more text than this in one segment, unless a single item is longer.
pub(crate) const FULL: usize = 64 * 1024;

/// Where ids, uids, versions and tokens stand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) pointers: [Option<Pointer>; 4],
    /// Which columns a segment has of each.
    columns: [Option<usize>; 4],
    stride: usize,
}

impl Layout {
    pub(crate) fn new(pointers: [Option<Pointer>; 4]) -> Arc<Self> {
        let mut stride = 2;
        let columns = pointers.each_ref().map(|pointer| {
            pointer.as_ref().map(|_| {
                stride += 2;
                stride - 2
            })
        });
        Arc::new(Self {
            pointers,
            columns,
            stride,
        })
    }
}

/// Where a text stands in its segment; `NONE` for none.
pub(crate) type Span = (u32, u32);
pub(crate) const NONE: Span = (u32::MAX, 0);

#[derive(Debug)]
pub(crate) struct Segment {
    text: Box<str>,
    /// By item: its start and end, then start and end of what the layout has.
    spans: Box<[u32]>,
    pub(crate) layout: Arc<Layout>,
}

impl Segment {
    #[inline]
    fn span(&self, item: u32, column: usize) -> Span {
        let at = item as usize * self.layout.stride + column;
        match self.spans.get(at..at + 2) {
            Some([start, end]) => (*start, *end),
            _ => NONE,
        }
    }

    fn text(&self, span: Span) -> &str {
        self.text
            .get(span.0 as usize..span.1 as usize)
            .unwrap_or_default()
    }

    pub(crate) fn body(&self, item: u32) -> &str {
        self.text(self.span(item, 0))
    }

    pub(crate) fn scalar(&self, item: u32, what: usize) -> Option<&str> {
        let span = self.span(item, self.layout.columns[what]?);
        (span != NONE).then(|| self.text(span))
    }

    /// How many items it holds.
    pub(crate) fn count(&self) -> u32 {
        (self.spans.len() / self.layout.stride) as u32
    }

    /// How many bytes of text it holds.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether it is too short to be worth keeping by itself.
    pub(crate) fn is_small(&self) -> bool {
        self.text.len() < FULL / 2
    }

    /// The end of all that belongs to an item, texts of its own included.
    fn end(&self, item: u32) -> u32 {
        let at = item as usize * self.layout.stride;
        let spans = self.spans.get(at..at + self.layout.stride);
        let ends = spans.unwrap_or_default().chunks_exact(2);
        ends.map(|span| span[1]).max().unwrap_or(0)
    }

    /// The items from `first` on, up to `last`, of which so many bytes hold.
    pub(crate) fn fitting(&self, first: u32, last: u32, bytes: usize) -> u32 {
        let start = self.span(first, 0).0;
        let fits = |item: &u32| (self.end(*item) - start) as usize <= bytes;
        (first..=last).take_while(fits).count() as u32
    }

    /// The text from the start of `item` to the end of the segment's items.
    #[inline]
    pub(crate) fn run(&self, item: u32) -> &[u8] {
        let start = self.span(item, 0).0 as usize;
        self.text.as_bytes().get(start..).unwrap_or_default()
    }

    /// How long the text from the start of `item` to the end of `last` is.
    #[inline]
    pub(crate) fn length(&self, item: u32, last: u32) -> usize {
        (self.span(last, 0).1 - self.span(item, 0).0) as usize
    }
}

/// One item to be laid down: its text, and what is asked of it: within the text, or of its own
/// where it was written with escapes.
pub(crate) struct Piece<'a> {
    pub(crate) body: &'a [u8],
    /// What stood between it and the one before, when that is the one laid down before.
    pub(crate) gap: Option<&'a [u8]>,
    pub(crate) marks: [Mark<'a>; 4],
}

#[derive(Clone, Copy)]
pub(crate) enum Mark<'a> {
    None,
    Within(u32, u32),
    Own(&'a str),
}

/// Lays items down one after the other.
pub(crate) struct Layer {
    layout: Arc<Layout>,
    text: Vec<u8>,
    spans: Vec<u32>,
    count: u32,
}

impl Layer {
    pub(crate) fn new(layout: &Arc<Layout>, bytes: usize, items: usize) -> Self {
        Self {
            layout: layout.clone(),
            text: Vec::with_capacity(bytes),
            spans: Vec::with_capacity(items * layout.stride),
            count: 0,
        }
    }

    /// How many bytes it holds by now.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Lays `count` items of another segment down at one stroke.
    pub(crate) fn lay_run(&mut self, segment: &Segment, first: u32, count: u32) {
        let (start, end) = (segment.span(first, 0).0, segment.end(first + count - 1));
        if self.count > 0 {
            self.text.push(b',');
        }
        // A segment is shorter than 2^32 bytes.
        let here = self.text.len() as u32;
        let text = segment.text.as_bytes().get(start as usize..end as usize);
        self.text.extend_from_slice(text.unwrap_or_default());
        let stride = segment.layout.stride;
        let spans = first as usize * stride..(first + count) as usize * stride;
        let spans = segment.spans.get(spans).unwrap_or_default();
        self.spans.extend(spans.chunks_exact(2).flat_map(|span| {
            if (span[0], span[1]) == NONE {
                [span[0], span[1]]
            } else {
                [span[0] - start + here, span[1] - start + here]
            }
        }));
        self.count += count;
    }

    /// How many of the pieces fit into one segment, and how many bytes they take.
    pub(crate) fn measure<'a>(pieces: impl Iterator<Item = Piece<'a>>) -> (usize, usize) {
        let (mut count, mut bytes) = (0, 0);
        for piece in pieces {
            let own = piece.marks.iter().map(|m| match m {
                Mark::Own(text) => text.len(),
                _ => 0,
            });
            let gap = if count == 0 {
                0
            } else {
                piece.gap.map_or(1, <[u8]>::len)
            };
            let more = gap + piece.body.len() + own.sum::<usize>();
            if count > 0 && bytes + more > FULL {
                break;
            }
            (count, bytes) = (count + 1, bytes + more);
        }
        (count, bytes)
    }

    /// Lays a whole text down that holds items one behind the other, each with its places therein.
    pub(crate) fn lay_text(
        &mut self,
        text: &[u8],
        items: impl Iterator<Item = (u32, u32, [Span; 4])>,
    ) {
        self.text.extend_from_slice(text);
        for (start, end, marks) in items {
            self.spans.extend([start, end]);
            for (_, mark) in self
                .layout
                .columns
                .iter()
                .zip(marks)
                .filter(|(c, _)| c.is_some())
            {
                let span = if mark == NONE {
                    NONE
                } else {
                    (start + mark.0, start + mark.1)
                };
                self.spans.extend([span.0, span.1]);
            }
            self.count += 1;
        }
    }

    pub(crate) fn lay(&mut self, piece: &Piece<'_>) {
        if self.count > 0 {
            self.text.extend_from_slice(piece.gap.unwrap_or(b","));
        }
        // A segment is shorter than 2^32 bytes: a single longer item was refused.
        let start = self.text.len() as u32;
        self.text.extend_from_slice(piece.body);
        let end = self.text.len() as u32;
        self.spans.extend([start, end]);
        for (column, mark) in self.layout.columns.iter().zip(piece.marks) {
            if column.is_none() {
                continue;
            }
            let span = match mark {
                Mark::None => NONE,
                Mark::Within(from, to) => (start + from, start + to),
                Mark::Own(text) => {
                    let from = self.text.len() as u32;
                    self.text.extend_from_slice(text.as_bytes());
                    (from, self.text.len() as u32)
                }
            };
            self.spans.extend([span.0, span.1]);
        }
        self.count += 1;
    }

    /// The segment.
    ///
    /// # Errors
    ///
    /// The place of the first byte that is not UTF-8.
    pub(crate) fn finish(self) -> Result<Arc<Segment>, usize> {
        let text = String::from_utf8(self.text).map_err(|e| e.utf8_error().valid_up_to())?;
        Ok(Arc::new(Segment {
            text: text.into_boxed_str(),
            spans: self.spans.into_boxed_slice(),
            layout: self.layout,
        }))
    }
}
