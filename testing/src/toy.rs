//! The smallest resource that has everything.

use std::borrow::Cow;

use resourcecache::{Resource, Stored};
use serde::{Deserialize, Serialize};

/// How many fields a [`Toy`] has.
pub const FIELD_COUNT: usize = 3;

/// A resource with three numbers.
///
/// ```
/// use resourcecache::{Resource, Stored};
/// use resourcecache_testing::Toy;
/// let toy = Toy::new("a", [1, 2, 3]);
/// assert_eq!(toy.apply(&[None, Some(9), None]).fields, [1, 9, 3]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toy {
    /// Its id.
    pub id: String,
    /// Its numbers.
    pub fields: [i64; FIELD_COUNT],
    /// An identity that is never given out twice.
    pub uid: Option<String>,
    /// The server's version of it.
    pub version: Option<String>,
    /// A token that the client chose.
    pub token: Option<String>,
}

impl Toy {
    /// A resource with an id and numbers, and nothing else.
    pub fn new(id: impl Into<String>, fields: [i64; FIELD_COUNT]) -> Self {
        Self {
            id: id.into(),
            fields,
            uid: None,
            version: None,
            token: None,
        }
    }
}

impl Stored for Toy {}

impl Resource for Toy {
    type Patch = [Option<i64>; FIELD_COUNT];

    fn id(&self) -> &str {
        &self.id
    }

    fn uid(&self) -> Option<&str> {
        self.uid.as_deref()
    }

    fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A field's number, by its place (`0`, `1`, `2`), or by its name in JSON (`/x`, `/y`, `/z`).
    fn text_at(&self, pointer: &str) -> Option<Cow<'_, str>> {
        let named = ["/x", "/y", "/z"].iter().position(|name| *name == pointer);
        let place = named.or_else(|| pointer.parse::<usize>().ok())?;
        Some(self.fields.get(place)?.to_string().into())
    }

    fn anew(&self) -> Self {
        Self::new(self.id.clone(), self.fields)
    }

    fn apply(&self, patch: &Self::Patch) -> Self {
        let mut new = self.clone();
        for (field, value) in new.fields.iter_mut().zip(patch) {
            *field = value.unwrap_or(*field);
        }
        new
    }

    fn fields(patch: &Self::Patch) -> Vec<Self::Patch> {
        let named = (0..FIELD_COUNT).filter(|i| patch[*i].is_some());
        named
            .map(|i| {
                let mut one = [None; FIELD_COUNT];
                one[i] = patch[i];
                one
            })
            .collect()
    }

    fn pick(&self, patch: &Self::Patch) -> Self::Patch {
        std::array::from_fn(|i| patch[i].map(|_| self.fields[i]))
    }

    fn diff(&self, newer: &Self) -> Self::Patch {
        std::array::from_fn(|i| Some(newer.fields[i]).filter(|v| *v != self.fields[i]))
    }

    fn overlaps(a: &Self::Patch, b: &Self::Patch) -> bool {
        (0..FIELD_COUNT).any(|i| a[i].is_some() && b[i].is_some())
    }
}
