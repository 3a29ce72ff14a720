//! Reads a response item by item: what is as it was held is passed over by comparing bytes, what
//! is not is checked whole and kept.

use std::cell::Cell;
use std::sync::Arc;

use crate::error::Error;
use crate::json::capture::Capture;
use crate::json::common::common;
use crate::json::pointer::find;
use crate::json::resource::JsonResource;
use crate::json::scan::{Fault, Scan, skip, space, unescape};
use crate::json::segment::{FULL, ID, Layer, Layout, Mark, NONE, Piece, Span};
use crate::json::shape::Shapes;
use crate::source::{Held, Next, Source};

/// A mark whose text was written with escapes; its second number tells which.
const ESCAPED: u32 = u32::MAX - 1;

/// The longest text between two items that is kept as it came.
const GAP: usize = 8;

/// An item that was read: where it stands, and what is asked of it therein.
struct Found {
    start: usize,
    length: u32,
    marks: [Span; 4],
    /// The same as what is held: not to be kept again.
    held: bool,
}

/// A response in the course of being read.
pub(crate) struct Split<'a> {
    bytes: &'a [u8],
    layout: Arc<Layout>,
    /// Where the list's array starts, and where the next item is expected.
    start: usize,
    at: usize,
    depth: usize,
    begun: bool,
    ended: bool,
    items: Vec<Found>,
    escaped: Vec<String>,
    shapes: Shapes<'a>,
    /// What looks at the text around the list, once that is read.
    envelope: Envelope<'a>,
}

/// Looks at the text around the list.
pub(crate) struct Envelope<'a> {
    pub(crate) items: &'a [String],
    pub(crate) list_version: Option<String>,
    pub(crate) read: &'a dyn Fn(&str) -> Result<Option<String>, String>,
    /// Set when the response cannot be read in one pass, and is to be read the slow way.
    pub(crate) again: &'a Cell<bool>,
    /// The response as a whole was checked before.
    pub(crate) checked: bool,
}

impl<'a> Split<'a> {
    pub(crate) fn new(
        bytes: &'a [u8],
        layout: Arc<Layout>,
        start: usize,
        envelope: Envelope<'a>,
    ) -> Self {
        Self {
            bytes,
            layout,
            start,
            at: start,
            depth: envelope.items.len(),
            begun: false,
            ended: false,
            items: Vec::new(),
            escaped: Vec::new(),
            shapes: Shapes::new(),
            envelope,
        }
    }

    /// Where the list starts in a response that is not checked yet; `None` where it is not plain.
    pub(crate) fn locate(bytes: &[u8], path: &[String]) -> Option<usize> {
        let (mut scan, mut at) = (Scan::new(bytes), space(bytes, 0));
        for (level, wanted) in path.iter().enumerate() {
            if bytes.get(at) != Some(&b'{') {
                return None;
            }
            at = space(bytes, at + 1);
            loop {
                if bytes.get(at) != Some(&b'"') {
                    return None;
                }
                let end = scan.string(at + 1)?;
                let name = bytes.get(at + 1..end - 1)?;
                at = scan.colon(end)?;
                if name == wanted.as_bytes() {
                    break;
                }
                at = space(bytes, scan.value(at, level + 1)?);
                if bytes.get(at) != Some(&b',') {
                    return None;
                }
                at = space(bytes, at + 1);
            }
        }
        (bytes.get(at) == Some(&b'[')).then_some(at)
    }

    /// The next item, whatever it is.
    pub(crate) fn next_item(&mut self) -> Result<Next, Fault> {
        if !self.begin()? {
            return Ok(Next::End);
        }
        let start = self.at;
        let mut marks = [NONE; 4];
        let (end, problem) = if self.bytes.get(start) == Some(&b'{') {
            self.object(start, &mut marks)?
        } else {
            let end = skip(self.bytes, start, self.depth + 1)?;
            (end, Some("is no JSON object".into()))
        };
        self.behind(end)?;
        if let Some(problem) = problem {
            return self.bad(start..end, problem);
        }
        let Ok(length) = u32::try_from(end - start) else {
            return self.bad(start..end, "is longer than 4 GiB".into());
        };
        self.items.push(Found {
            start,
            length,
            marks,
            held: false,
        });
        Ok(Next::Item(self.items.len() - 1))
    }

    /// An item that is no resource. What is kept is checked for UTF-8 when it is laid down; this is
    /// not kept.
    fn bad(&self, item: std::ops::Range<usize>, problem: String) -> Result<Next, Fault> {
        let (at, what) = (item.start, "not UTF-8");
        match std::str::from_utf8(self.bytes.get(item).unwrap_or_default()) {
            Ok(_) => Ok(Next::Bad(problem)),
            Err(error) => Err(Fault {
                at: at + error.valid_up_to(),
                what,
            }),
        }
    }

    /// The end of the object at `start`, and why it is no resource, if it is none.
    fn object(
        &mut self,
        start: usize,
        marks: &mut [Span; 4],
    ) -> Result<(usize, Option<String>), Fault> {
        let likely = self.shapes.are_likely();
        if likely {
            if let Some(end) = self.shapes.read(self.bytes, start, marks) {
                return Ok((end, None));
            }
        }
        let mut raw = [(0, 0); 4];
        let capture = Capture {
            bytes: self.bytes,
            layout: &self.layout,
        };
        let end = capture.object(start, self.depth + 1, &mut raw)?;
        *marks = [NONE; 4];
        if let Err(problem) = self.marks(start, &raw, marks) {
            return Ok((end, Some(problem)));
        }
        if likely {
            let text = self.bytes.get(start..).unwrap_or_default();
            let raw = raw.map(|(from, to)| (from.saturating_sub(start), to.saturating_sub(start)));
            self.shapes.remember(text, end - start, &raw);
        }
        Ok((end, None))
    }

    /// Enters the list; tells whether an item follows.
    fn begin(&mut self) -> Result<bool, Fault> {
        if !self.begun {
            self.begun = true;
            if self.bytes.get(self.start) == Some(&b'n') {
                // `null`, as Kubernetes writes an empty list.
                (self.at, self.ended) = (self.start + 4, true);
                return Ok(false);
            }
            self.at = space(self.bytes, self.start + 1);
            if self.bytes.get(self.at) == Some(&b']') {
                (self.at, self.ended) = (self.at + 1, true);
            }
        }
        Ok(!self.ended)
    }

    /// Passes over what separates two items, or ends the list.
    fn behind(&mut self, end: usize) -> Result<(), Fault> {
        let at = space(self.bytes, end);
        match self.bytes.get(at) {
            Some(b',') => self.at = space(self.bytes, at + 1),
            Some(b']') => (self.at, self.ended) = (at + 1, true),
            _ => {
                let what = "a comma or the array's end should be here";
                return Err(Fault { at, what });
            }
        }
        Ok(())
    }

    /// What the values that were found mean; why the item is no resource, otherwise.
    fn marks(
        &mut self,
        start: usize,
        raw: &[(usize, usize); 4],
        marks: &mut [Span; 4],
    ) -> Result<(), String> {
        const WHAT: [&str; 4] = ["the id", "the uid", "the version", "the token"];
        for (index, (from, to)) in raw.iter().copied().enumerate() {
            let value = self.bytes.get(from..to).unwrap_or_default();
            let within = |from: usize, to: usize| {
                let span = (u32::try_from(from - start), u32::try_from(to - start));
                (span.0.unwrap_or(0), span.1.unwrap_or(0))
            };
            marks[index] = match value.first() {
                None | Some(b'n') => NONE,
                Some(b'"') if value.contains(&b'\\') => {
                    let quoted = std::str::from_utf8(value).map_err(|e| e.to_string())?;
                    let text = unescape(quoted).ok_or_else(|| {
                        format!("{} holds half a character (a lone surrogate)", WHAT[index])
                    })?;
                    self.escaped.push(text);
                    (ESCAPED, (self.escaped.len() - 1) as u32)
                }
                Some(b'"') => within(from + 1, to - 1),
                Some(b'-' | b'0'..=b'9') => {
                    let whole = !value.iter().any(|b| matches!(b, b'.' | b'e' | b'E'));
                    if index == ID && !whole {
                        let id = String::from_utf8_lossy(value);
                        return Err(format!("its id {id} is neither a string nor an integer"));
                    }
                    within(from, to)
                }
                Some(_) => return Err(format!("{} is neither a string nor a number", WHAT[index])),
            };
        }
        match self.text(start, marks[ID]) {
            None => {
                let pointer = self.layout.pointers[ID].clone().unwrap_or_default();
                Err(format!("has no id under {:?}", pointer.to_string()))
            }
            Some([]) => Err("its id is empty".into()),
            Some(_) => Ok(()),
        }
    }

    fn text(&self, start: usize, mark: Span) -> Option<&[u8]> {
        match mark {
            NONE => None,
            (ESCAPED, which) => Some(self.escaped.get(which as usize)?.as_bytes()),
            (from, to) => self.bytes.get(start + from as usize..start + to as usize),
        }
    }

    fn piece(&self, before: Option<&Found>, item: &Found) -> Piece<'_> {
        let end = item.start + item.length as usize;
        let gap = before.and_then(|b| self.bytes.get(b.start + b.length as usize..item.start));
        Piece {
            body: self.bytes.get(item.start..end).unwrap_or_default(),
            gap: gap.filter(|gap| separates(gap)),
            marks: item.marks.map(|mark| match mark {
                NONE => Mark::None,
                (ESCAPED, which) => {
                    let text = self.escaped.get(which as usize);
                    text.map_or(Mark::None, |text| Mark::Own(text))
                }
                (from, to) => Mark::Within(from, to),
            }),
        }
    }

    /// The first of the items in one segment, if they stand side by side in the response and fill it:
    /// how many they are.
    fn side_by_side(&self, kept: &[&Found]) -> Option<(usize, Layer)> {
        let first = kept.first().filter(|_| self.escaped.is_empty())?;
        let end = |item: &Found| item.start + item.length as usize;
        let fits = |item: &&&Found| end(item) - first.start <= FULL;
        let fit = kept.iter().take_while(fits).count().max(1);
        let follows = |pair: &&[&Found]| {
            let gap = self.bytes.get(end(pair[0])..pair[1].start);
            gap.is_some_and(separates)
        };
        let items = kept.get(..fit)?;
        if items.windows(2).take_while(follows).count() + 1 < fit {
            return None;
        }
        let text = self.bytes.get(first.start..end(items.last()?))?;
        let mut layer = Layer::new(&self.layout, text.len(), fit);
        // A segment is shorter than 2^32 bytes.
        let place = |at: usize| (at - first.start) as u32;
        let places = items
            .iter()
            .map(|i| (place(i.start), place(end(i)), i.marks));
        layer.lay_text(text, places);
        Some((fit, layer))
    }

    /// Checks what stands around the list, and reads the list's version from it.
    fn close(&mut self) -> Result<(), String> {
        let (before, behind) = (self.bytes.get(..self.start), self.bytes.get(self.at..));
        let parts = [
            before.unwrap_or_default(),
            b"[]",
            behind.unwrap_or_default(),
        ];
        let text = String::from_utf8(parts.concat()).map_err(|e| e.to_string())?;
        if !self.envelope.checked {
            crate::json::patch::validate(&text).map_err(|e| e.to_string())?;
            let list = find(&text, self.envelope.items);
            if list != Some(self.start..self.start + 2) {
                return Err("the list stands there more than once".into());
            }
        }
        self.envelope.list_version = (self.envelope.read)(&text)?;
        Ok(())
    }

    /// Checks what is left to check of a response that is not kept; how many items it has.
    pub(crate) fn checked(mut self) -> Result<usize, Error> {
        let text = std::str::from_utf8(self.bytes).map_err(|error| error.to_string());
        match text.and_then(|_| self.close()) {
            Ok(()) => Ok(self.items.len()),
            Err(problem) => self.give_up(problem),
        }
    }

    /// The response is to be read the slow way, which tells what is wrong.
    pub(crate) fn give_up<T>(&self, problem: String) -> Result<T, Error> {
        self.envelope.again.set(true);
        Err(Error::BadSnapshot {
            position: None,
            problem,
        })
    }

    /// Whether a held segment's places are those of this response. From then on it is known by its
    /// address.
    fn is_alike(&mut self, layout: &Arc<Layout>) -> bool {
        if Arc::ptr_eq(layout, &self.layout) {
            return true;
        }
        let alike = **layout == *self.layout;
        if alike {
            self.layout = layout.clone();
        }
        alike
    }

    /// Whether the row behind the expected one comes next: where one was taken out or moved away,
    /// nothing need be read.
    fn follows_one(&mut self, held: &Held<'_, JsonResource>) -> bool {
        let Some(second) = held.get(1).filter(|_| !self.ended) else {
            return false;
        };
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.starts_with(second.body().as_bytes()) && self.is_alike(&second.segment.layout)
    }

    /// The held rows, from the expected one on, that the response repeats.
    fn repeated(&mut self, held: &Held<'_, JsonResource>) -> Result<usize, Fault> {
        // The first item alone tells most of what differs; runs grow from there.
        let (mut same, mut most) = (0_usize, 1_usize);
        while !self.ended {
            let Some(first) = held.get(same) else { break };
            let segment = &first.segment;
            if !self.is_alike(&segment.layout) {
                break;
            }
            let second = first.item as usize + 1;
            let follows = |number: usize, next: &JsonResource| {
                next.item as usize == second + number && Arc::ptr_eq(&next.segment, segment)
            };
            let last = first.item + held.run(same + 1, most - 1, follows) as u32;
            most = (most * 4).min(256);
            let stored = segment.run(first.item);
            let stored = &stored[..segment.length(first.item, last).min(stored.len())];
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let equal = common(stored, rest);
            // Those that end within what is equal.
            let (mut some, mut all) = (0, last - first.item + 1);
            if equal < stored.len() {
                while some < all {
                    let middle = some + (all - some) / 2;
                    if segment.length(first.item, first.item + middle) <= equal {
                        some = middle + 1;
                    } else {
                        all = middle;
                    }
                }
                if all == 0 {
                    break;
                }
            }
            let end = self.at + segment.length(first.item, first.item + all - 1);
            self.behind(end)?;
            same += all as usize;
        }
        Ok(same)
    }
}

/// Whether a text is what separates two items that follow each other, and short.
fn separates(gap: &[u8]) -> bool {
    if gap == b"," {
        return true;
    }
    if gap.len() > GAP {
        return false; // other items stood in between
    }
    let commas = gap.iter().filter(|b| **b == b',').count();
    commas == 1 && gap.iter().all(|b| b", \t\n\r".contains(b))
}

impl Source<JsonResource> for Split<'_> {
    fn next(&mut self, held: &Held<'_, JsonResource>) -> Result<Next, Error> {
        let next = self.begin().and_then(|_| self.repeated(held));
        let next = next.and_then(|same| match same {
            0 if self.follows_one(held) => Ok(Next::Skip),
            0 => self.next_item(),
            same => Ok(Next::Same(same)),
        });
        match next {
            Ok(next) => Ok(next),
            Err(fault) => self.give_up(fault.to_string()),
        }
    }

    fn id(&self, item: usize) -> &[u8] {
        let item = self.items.get(item);
        let id = item.and_then(|item| self.text(item.start, item.marks[ID]));
        id.unwrap_or_default()
    }

    fn token(&self, item: usize) -> Option<&str> {
        let item = self.items.get(item)?;
        let token = self.text(item.start, item.marks[crate::json::segment::TOKEN])?;
        std::str::from_utf8(token).ok()
    }

    fn is(&mut self, item: usize, held: &JsonResource) -> bool {
        let alike = self.is_alike(&held.segment.layout);
        let Some(item) = self.items.get_mut(item).filter(|_| alike) else {
            return false;
        };
        let end = item.start + item.length as usize;
        let body = self.bytes.get(item.start..end);
        item.held = body == Some(held.body().as_bytes());
        item.held
    }

    fn finish(mut self) -> Result<(Option<String>, Vec<Option<JsonResource>>), Error> {
        if let Err(problem) = self.close() {
            return self.give_up(problem);
        }
        let mut bodies: Vec<Option<JsonResource>> = Vec::with_capacity(self.items.len());
        let kept: Vec<&Found> = self.items.iter().filter(|item| !item.held).collect();
        let piece = |at: usize| {
            let before = at.checked_sub(1).and_then(|before| kept.get(before));
            self.piece(before.copied(), kept[at])
        };
        let mut resources: Vec<JsonResource> = Vec::with_capacity(kept.len());
        while resources.len() < kept.len() {
            let (count, layer) = match self.side_by_side(&kept[resources.len()..]) {
                Some(found) => found,
                None => {
                    let rest = resources.len()..kept.len();
                    let (count, bytes) = Layer::measure(rest.map(piece));
                    let mut layer = Layer::new(&self.layout, bytes, count);
                    let from = resources.len();
                    (from..from + count).for_each(|at| layer.lay(&piece(at)));
                    (count, layer)
                }
            };
            match layer.finish() {
                Ok(segment) => resources.extend((0..count).map(|item| JsonResource {
                    segment: segment.clone(),
                    item: item as u32,
                })),
                Err(at) => return self.give_up(format!("not UTF-8, {at} bytes behind")),
            }
        }
        let mut resources = resources.into_iter();
        bodies.extend(self.items.iter().map(
            |item| {
                if item.held { None } else { resources.next() }
            },
        ));
        Ok((self.envelope.list_version, bodies))
    }
}
