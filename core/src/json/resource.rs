//! A resource that is a JSON object of the server, kept as it came.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::json::capture::{Capture, Raw};
use crate::json::patch::{Field, JsonPatch, validate};
use crate::json::pointer::{Pointer, find};
use crate::json::scan::unescape;
use crate::json::segment::{FULL, ID, Layer, Layout, Mark, Piece, Segment, TOKEN, UID, VERSION};
use crate::metadata::Metadata;
use crate::resource::Resource;

/// A JSON object of the server, kept as it came and given back as it came. Made by a
/// [`Schema`](crate::json::Schema). Two are equal when their texts are.
///
/// It shares its memory with the others of its list: a clone is 16 bytes, and keeps up to 64 KiB
/// of that list alive.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Parts")]
pub struct JsonResource {
    pub(crate) segment: Arc<Segment>,
    pub(crate) item: u32,
}

/// A resource as it is saved.
#[derive(Deserialize)]
struct Parts {
    body: String,
    /// Where what follows stands in the body, or stood when the server sent it.
    at: [Option<Pointer>; 4],
    id: String,
    uid: Option<String>,
    version: Option<String>,
    token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename = "JsonResource")]
struct PartsRef<'a> {
    body: &'a str,
    at: &'a [Option<Pointer>; 4],
    id: &'a str,
    uid: Option<&'a str>,
    version: Option<&'a str>,
    token: Option<&'a str>,
}

impl Serialize for JsonResource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = PartsRef {
            body: self.body(),
            at: &self.segment.layout.pointers,
            id: self.id(),
            uid: self.uid(),
            version: self.version(),
            token: self.token(),
        };
        parts.serialize(serializer)
    }
}

impl TryFrom<Parts> for JsonResource {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        validate(&parts.body).map_err(|fault| format!("{}: {fault}", parts.id))?;
        let scalars = [
            Some(parts.id.as_str()),
            parts.uid.as_deref(),
            parts.version.as_deref(),
            parts.token.as_deref(),
        ];
        Self::alone(&parts.body, scalars, &Layout::new(parts.at))
            .ok_or_else(|| format!("{}: longer than 4 GiB", parts.id))
    }
}

impl PartialEq for JsonResource {
    fn eq(&self, other: &Self) -> bool {
        let same = self.item == other.item && Arc::ptr_eq(&self.segment, &other.segment);
        same || self.body() == other.body() && self.id() == other.id()
    }
}

impl JsonResource {
    /// One with a segment of its own.
    fn alone(body: &str, scalars: [Option<&str>; 4], layout: &Arc<Layout>) -> Option<Self> {
        u32::try_from(body.len()).ok()?;
        let mut raw = Raw::default();
        let capture = Capture {
            bytes: body.as_bytes(),
            layout,
        };
        let _ = capture.object(0, 0, &mut raw);
        let marks = std::array::from_fn(|what| {
            let Some(text) = scalars[what] else {
                return Mark::None;
            };
            let (from, to) = match raw[what] {
                (from, to) if body.as_bytes().get(from) == Some(&b'"') => (from + 1, to - 1),
                at => at,
            };
            match body.get(from..to) {
                Some(here) if here == text => Mark::Within(from as u32, to as u32),
                _ => Mark::Own(text),
            }
        });
        Self::with_marks(body, marks, layout)
    }

    fn with_marks(body: &str, marks: [Mark<'_>; 4], layout: &Arc<Layout>) -> Option<Self> {
        u32::try_from(body.len()).ok()?;
        let piece = || Piece {
            body: body.as_bytes(),
            gap: None,
            marks,
        };
        let (count, bytes) = Layer::measure(std::iter::once(piece()));
        let mut layer = Layer::new(layout, bytes, count);
        layer.lay(&piece());
        let segment = layer.finish().ok()?;
        Some(Self { segment, item: 0 })
    }

    /// The JSON text: the server's bytes, with the fields of pending updates laid over them.
    pub fn body(&self) -> &str {
        self.segment.body(self.item)
    }

    /// The same, without what v1.0 wrote into it.
    pub(crate) fn without_meta(&self) -> Self {
        let text = self.with_meta(None);
        self.with_body(&text)
    }

    /// The same resource with another text.
    fn with_body(&self, text: &str) -> Self {
        let scalars = [Some(self.id()), self.uid(), self.version(), self.token()];
        let layout = &self.segment.layout;
        let new = match self.moved_marks(text, &scalars) {
            Some(marks) => Self::with_marks(text, marks, layout),
            None => Self::alone(text, scalars, layout),
        };
        new.unwrap_or_else(|| self.clone())
    }

    /// Where ids and the rest stand in another text that differs in one place: before it where they
    /// stood, behind it as far from the end. `None` where one of them does not stand there.
    fn moved_marks<'a>(&self, text: &str, scalars: &[Option<&'a str>; 4]) -> Option<[Mark<'a>; 4]> {
        let old = self.body();
        let start = old.as_ptr() as usize;
        let mut marks = [Mark::None; 4];
        for (mark, scalar) in marks.iter_mut().zip(scalars) {
            let Some(scalar) = *scalar else { continue };
            // Where it stands in the old text; elsewhere, if it was written with escapes.
            let from = (scalar.as_ptr() as usize).checked_sub(start)?;
            let behind = old.len().checked_sub(from)?;
            let stands = |from: &usize| text.get(*from..from + scalar.len()) == Some(scalar);
            let from = Some(from).filter(stands);
            let from = from.or_else(|| text.len().checked_sub(behind).filter(stands))?;
            *mark = Mark::Within(from as u32, (from + scalar.len()) as u32);
        }
        Some(marks)
    }

    /// How many of `resources` follow each other in one segment from the first on.
    fn run(resources: &[Self]) -> u32 {
        let Some(first) = resources.first() else {
            return 0;
        };
        let behind = resources[1..].iter().zip(first.item..);
        let behind = behind.take_while(|(r, last)| r.is_behind(first, *last));
        behind.count() as u32 + 1
    }

    /// Whether it lies behind the item `last` of the segment of `first`.
    fn is_behind(&self, first: &Self, last: u32) -> bool {
        self.item == last + 1 && Arc::ptr_eq(&self.segment, &first.segment)
    }

    /// The JSON text with a last member `_meta`, as `ResourceCache` v1.0 reads it (M1).
    pub fn with_meta(&self, meta: Option<&Metadata>) -> String {
        let own = JsonPatch::merge(r#"{"_meta":null}"#).unwrap_or_default();
        let bare = own
            .fields
            .iter()
            .fold(self.body().to_string(), |t, f| f.laid_over(&t));
        let Some(Ok(meta)) = meta.map(serde_json::to_string) else {
            return bare;
        };
        let patch = JsonPatch::top_level(&format!("{{\"_meta\":{meta}}}")).unwrap_or_default();
        patch.fields.iter().fold(bare, |t, f| f.laid_over(&t))
    }
}

impl Resource for JsonResource {
    type Patch = JsonPatch;

    fn id(&self) -> &str {
        self.segment.scalar(self.item, ID).unwrap_or_default()
    }

    fn uid(&self) -> Option<&str> {
        self.segment.scalar(self.item, UID)
    }

    fn version(&self) -> Option<&str> {
        self.segment.scalar(self.item, VERSION)
    }

    fn token(&self) -> Option<&str> {
        self.segment.scalar(self.item, TOKEN)
    }

    fn text_at(&self, pointer: &str) -> Option<Cow<'_, str>> {
        let pointer: Pointer = pointer.parse().ok()?;
        let value = &self.body()[find(self.body(), &pointer.path)?];
        match value.as_bytes().first()? {
            b'"' => unescape(value).map(Cow::Owned),
            b'{' | b'[' | b'n' => None,
            _ => Some(value.into()),
        }
    }

    fn apply(&self, patch: &JsonPatch) -> Self {
        let mut text: Option<String> = None;
        for field in &patch.fields {
            text = Some(field.laid_over(text.as_deref().unwrap_or(self.body())));
        }
        let Some(text) = text.filter(|text| text != self.body()) else {
            return self.clone();
        };
        self.with_body(&text)
    }

    fn fields(patch: &JsonPatch) -> Vec<JsonPatch> {
        let one = |field: &crate::json::patch::Field| JsonPatch {
            fields: vec![field.clone()],
        };
        patch.fields.iter().map(one).collect()
    }

    fn pick(&self, patch: &JsonPatch) -> JsonPatch {
        JsonPatch {
            fields: patch.fields.iter().map(|f| f.picked(self.body())).collect(),
        }
    }

    fn diff(&self, newer: &Self) -> JsonPatch {
        JsonPatch::between(self.body(), newer.body())
    }

    fn overlaps(a: &JsonPatch, b: &JsonPatch) -> bool {
        a.fields
            .iter()
            .any(|x| b.fields.iter().any(|y| x.overlaps(y)))
    }

    fn changes_identity(&self, patch: &JsonPatch) -> bool {
        let pointers = self.segment.layout.pointers[ID..=UID].iter().flatten();
        let touches = |pointer: &Pointer| patch.fields.iter().any(|f| f.path.overlaps(pointer));
        if !pointers.clone().any(touches) {
            return false;
        }
        let new = self.apply(patch);
        let mut pointers = pointers;
        pointers.any(|pointer| {
            let value = |r: &Self| find(r.body(), &pointer.path).map(|at| r.body()[at].to_string());
            value(self) != value(&new)
        })
    }

    fn anew(&self) -> Self {
        let layout = &self.segment.layout;
        let servers = layout.pointers[UID..].iter().flatten();
        let bare = servers.fold(self.body().to_string(), |text, pointer| {
            Field::removing(pointer.clone()).laid_over(&text)
        });
        let new = Self::alone(&bare, [Some(self.id()), None, None, None], layout);
        new.unwrap_or_else(|| self.clone())
    }

    fn field_name(patch: &JsonPatch) -> String {
        let names = patch.fields.iter().map(|field| field.path.to_string());
        names.collect::<Vec<_>>().join(", ")
    }

    fn size(&self) -> usize {
        self.body().len()
    }

    fn patch_size(patch: &JsonPatch) -> usize {
        patch.fields.iter().map(Field::size).sum()
    }

    /// More than an eighth of the texts unused, or a sixth of the resources not behind the one before.
    fn are_scattered<'a>(resources: impl Iterator<Item = &'a Self>) -> bool {
        let mut resources = resources.peekable();
        let (mut all, mut runs, mut used, mut kept) = (0, 0, 0, 0);
        while let Some(first) = resources.next() {
            let mut last = first.item;
            while let Some(next) = resources.next_if(|r| r.is_behind(first, last)) {
                last = next.item;
            }
            let count = (last - first.item) as usize + 1;
            (all, runs) = (all + count, runs + 1);
            used += first.segment.length(first.item, last);
            // Each who shares a segment answers for a part of it.
            kept += first.segment.len() * count / Arc::strong_count(&first.segment);
        }
        6 * runs > all || 8 * kept.saturating_sub(used) > kept
    }

    fn gather(resources: &mut [Self]) {
        let mut done = 0;
        while let Some(first) = resources.get(done).cloned() {
            let run = Self::run(&resources[done..]);
            let whole = first.item == 0 && run == first.segment.count();
            if whole && !first.segment.is_small() {
                done += run as usize;
                continue;
            }
            // Room for what comes, and for no more than a segment.
            let room = resources[done..].iter().map(|r| r.body().len() + 1);
            let room = room.scan(0, |sum, n| {
                *sum += n;
                Some(*sum)
            });
            let room = room.take_while(|sum| *sum <= FULL).last().unwrap_or(0);
            let mut layer = Layer::new(&first.segment.layout, room, 0);
            let mut end = done;
            while let Some(next) = resources.get(end) {
                let run = Self::run(&resources[end..]);
                let room = FULL.saturating_sub(layer.len() + 1);
                let mut count = next.segment.fitting(next.item, next.item + run - 1, room);
                if end == done {
                    count = count.max(1);
                }
                if count == 0 || next.segment.layout != first.segment.layout {
                    break;
                }
                layer.lay_run(&next.segment, next.item, count);
                end += count as usize;
            }
            // All of it was text before.
            let Ok(segment) = layer.finish() else { return };
            for (resource, item) in resources[done..end].iter_mut().zip(0..) {
                *resource = Self {
                    segment: segment.clone(),
                    item,
                };
            }
            done = end;
        }
    }
}
