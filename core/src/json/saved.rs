//! JSON resources as a store keeps them: the server's bytes, behind the places of what is asked of
//! them, so that loading them scans nothing.
//!
//! A version (1); the four pointers, each as its length (u16, little-endian; `0xffff` for none) and
//! its text; for each of the four texts that they lead to, a tag (0 for none, 1 within the body, 2 of
//! its own), and its start and end (u32 each) or its length (u32) and its bytes; the body.

use std::sync::Arc;

use crate::error::Error;
use crate::json::pointer::Pointer;
use crate::json::resource::JsonResource;
use crate::json::segment::{FULL, Layer, Layout, Mark, Piece};
use crate::resource::Resource;
use crate::stored::Stored;

const VERSION: u8 = 1;
const NO_POINTER: u16 = u16::MAX;

impl Stored for JsonResource {
    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let body = self.body();
        let mut bytes = Vec::with_capacity(body.len() + 64);
        bytes.push(VERSION);
        for pointer in &self.segment.layout.pointers {
            let Some(pointer) = pointer else {
                bytes.extend(NO_POINTER.to_le_bytes());
                continue;
            };
            let text = pointer.to_string();
            let length = u16::try_from(text.len()).ok().filter(|n| *n != NO_POINTER);
            let too_long = || Error::bad_input(self.id(), "a pointer of its schema is too long");
            bytes.extend(length.ok_or_else(too_long)?.to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        // A body is shorter than 2^32 bytes.
        for scalar in [Some(self.id()), self.uid(), self.version(), self.token()] {
            let Some(scalar) = scalar else {
                bytes.push(0);
                continue;
            };
            let from = (scalar.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
            if from
                .checked_add(scalar.len())
                .is_some_and(|end| end <= body.len())
            {
                bytes.push(1);
                bytes.extend((from as u32).to_le_bytes());
                bytes.extend(((from + scalar.len()) as u32).to_le_bytes());
            } else {
                bytes.push(2);
                bytes.extend((scalar.len() as u32).to_le_bytes());
                bytes.extend(scalar.as_bytes());
            }
        }
        bytes.extend(body.as_bytes());
        Ok(bytes)
    }

    fn from_bytes(bodies: &[&[u8]]) -> Result<Vec<Self>, Error> {
        let mut all = Vec::with_capacity(bodies.len());
        let mut rest = bodies;
        let mut layout: Option<(&[u8], Arc<Layout>)> = None;
        while let Some(first) = rest.first() {
            let known = layout.take();
            let (head, of_head) = read_layout(first, known).ok_or_else(damaged)?;
            let mut laid = 0;
            let mut layer = Layer::new(
                &of_head,
                rest.iter().map(|b| b.len()).sum::<usize>().min(FULL),
                rest.len(),
            );
            for body in rest {
                let Some(behind) = body.strip_prefix(head) else {
                    break;
                };
                let piece = read_piece(behind).ok_or_else(damaged)?;
                if laid > 0 && layer.len() + behind.len() > FULL {
                    break;
                }
                layer.lay(&piece);
                laid += 1;
            }
            let segment = layer.finish().map_err(|_| damaged())?;
            all.extend((0..laid as u32).map(|item| Self {
                segment: segment.clone(),
                item,
            }));
            layout = Some((head, of_head));
            rest = &rest[laid..];
        }
        if all.iter().any(|resource| resource.id().is_empty()) {
            return Err(damaged());
        }
        Ok(all)
    }
}

fn damaged() -> Error {
    Error::bad_input(
        "saved body",
        "is no JSON resource; the saved state is damaged",
    )
}

/// The version and the pointers that a saved body begins with, and their layout; the same one as
/// before where they are the same.
fn read_layout<'a>(
    bytes: &'a [u8],
    known: Option<(&'a [u8], Arc<Layout>)>,
) -> Option<(&'a [u8], Arc<Layout>)> {
    if let Some((head, layout)) = known.filter(|(head, _)| bytes.starts_with(head)) {
        return Some((head, layout));
    }
    let (version, mut rest) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    let mut pointers: [Option<Pointer>; 4] = Default::default();
    for pointer in &mut pointers {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        rest = behind;
        let length = u16::from_le_bytes(*length);
        if length != NO_POINTER {
            let (text, behind) = rest.split_at_checked(length.into())?;
            *pointer = Some(std::str::from_utf8(text).ok()?.parse().ok()?);
            rest = behind;
        }
    }
    Some((
        bytes.get(..bytes.len() - rest.len())?,
        Layout::new(pointers),
    ))
}

fn read_piece(mut rest: &[u8]) -> Option<Piece<'_>> {
    let mut marks = [Mark::None; 4];
    for mark in &mut marks {
        let (tag, behind) = rest.split_first()?;
        rest = behind;
        match tag {
            0 => {}
            1 => *mark = Mark::Within(number(&mut rest)?, number(&mut rest)?),
            2 => {
                let length = number(&mut rest)?;
                let (text, behind) = rest.split_at_checked(length as usize)?;
                *mark = Mark::Own(std::str::from_utf8(text).ok()?);
                rest = behind;
            }
            _ => return None,
        }
    }
    let length = u32::try_from(rest.len()).ok()?;
    let within = |mark: &Mark<'_>| match mark {
        Mark::Within(from, to) => from <= to && *to <= length,
        _ => true,
    };
    marks.iter().all(within).then_some(Piece {
        body: rest,
        gap: None,
        marks,
    })
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    Some(u32::from_le_bytes(*bytes))
}
