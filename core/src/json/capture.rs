//! Checks an object and finds what a layout asks of it, in one pass.

use crate::json::pointer::find;
use crate::json::scan::{Fault, MAX_DEPTH, Scan, space, unescape};
use crate::json::segment::Layout;

/// Where a value stands; nowhere, if it is empty.
pub(crate) type Raw = [(usize, usize); 4];

pub(crate) struct Capture<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) layout: &'a Layout,
}

impl Capture<'_> {
    /// The end of the object that starts at `at`; what was found is put into `raw`.
    pub(crate) fn object(&self, at: usize, depth: usize, raw: &mut Raw) -> Result<usize, Fault> {
        let all = self.layout.pointers.iter().enumerate();
        let active = all.filter(|(_, p)| p.is_some()).map(|(i, _)| 1 << i).sum();
        let mut scan = Scan::new(self.bytes);
        let end = self.within(&mut scan, at, depth, 0, active, raw);
        end.ok_or(scan.fault)
    }

    /// Checks an object, and notes where the values stand whose pointers lead through it (`active`,
    /// by bit). The last of a repeated name counts.
    fn within(
        &self,
        scan: &mut Scan<'_>,
        at: usize,
        depth: usize,
        level: usize,
        active: u8,
        raw: &mut Raw,
    ) -> Option<usize> {
        let bytes = self.bytes;
        if depth >= MAX_DEPTH {
            return scan.fail(at, "nested deeper than 128 levels");
        }
        let mut at = space(bytes, at + 1);
        if bytes.get(at) == Some(&b'}') {
            return Some(at + 1);
        }
        loop {
            if bytes.get(at) != Some(&b'"') {
                return scan.fail(at, "a member's name should be here");
            }
            let end = scan.string(at + 1)?;
            let name = bytes.get(at + 1..end - 1).unwrap_or_default();
            let start = scan.colon(end)?;
            let (here, deeper) = self.named(name, level, active);
            for index in bits(here | deeper) {
                raw[index] = (0, 0);
            }
            at = match bytes.get(start) {
                Some(b'{') if deeper != 0 => {
                    self.within(scan, start, depth + 1, level + 1, deeper, raw)?
                }
                Some(b'[') if deeper != 0 => {
                    let end = scan.value(start, depth + 1)?;
                    self.within_array(start..end, level + 1, deeper, raw);
                    end
                }
                _ => scan.value(start, depth + 1)?,
            };
            for index in bits(here) {
                raw[index] = (start, at);
            }
            at = space(bytes, at);
            match bytes.get(at) {
                Some(b',') => at = space(bytes, at + 1),
                Some(b'}') => return Some(at + 1),
                _ => return scan.fail(at, "a comma or the object's end should be here"),
            }
        }
    }

    /// The pointers that end at this name, and those that lead on through it.
    #[inline]
    fn named(&self, name: &[u8], level: usize, active: u8) -> (u8, u8) {
        let (mut here, mut deeper) = (0, 0);
        for index in bits(active) {
            let path = match &self.layout.pointers[index] {
                Some(pointer) => &pointer.path,
                None => continue,
            };
            if path.get(level).is_some_and(|wanted| is(name, wanted)) {
                let last = path.len() == level + 1;
                here |= u8::from(last) << index;
                deeper |= u8::from(!last) << index;
            }
        }
        (here, deeper)
    }

    /// Pointers that lead into an array: rare, and so looked up.
    fn within_array(&self, array: std::ops::Range<usize>, level: usize, active: u8, raw: &mut Raw) {
        let text = self.bytes.get(array.clone()).unwrap_or_default();
        let Ok(text) = std::str::from_utf8(text) else {
            return;
        };
        for (index, pointer) in self.layout.pointers.iter().enumerate() {
            let path = pointer.as_ref().map_or(&[][..], |p| &p.path);
            if active & 1 << index != 0 {
                if let Some(found) = find(text, path.get(level..).unwrap_or_default()) {
                    raw[index] = (array.start + found.start, array.start + found.end);
                }
            }
        }
    }
}

/// The numbers of the bits that are set.
fn bits(mut set: u8) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let index = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (index < 8).then_some(index)
    })
}

/// Whether a name as it is written is `wanted`.
pub(crate) fn is(name: &[u8], wanted: &str) -> bool {
    // Written with escapes, a name is longer than it is.
    if name.len() <= wanted.len() || !name.contains(&b'\\') {
        return name == wanted.as_bytes();
    }
    let text = std::str::from_utf8(name).ok();
    let text = text.and_then(|text| unescape(&format!("\"{text}\"")));
    text.is_some_and(|text| text == wanted)
}
