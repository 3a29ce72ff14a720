//! About how much memory a collection takes. Cost follows the change: it is weighed anew when what was
//! written or went since is a good part of it.

use resourcecache::Stored;

use super::StoredCache;

/// What a row takes beside the bytes of its body, its place and its marks, about: measured by
/// `storage/tests/collections_memory.rs`.
const ROW: usize = 120;
/// The same for a collection.
const COLLECTION: usize = 2_048;

/// How large a collection is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Size {
    pub(crate) resources: usize,
    pub(crate) bytes: usize,
}

/// The bytes of what is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Weight {
    /// When it was weighed last.
    weighed: usize,
    /// Those written or read since, some of them in place of others.
    since: usize,
    /// How many rows there were when it was weighed, once that was asked.
    rows: Option<usize>,
}

impl Weight {
    pub(super) fn of(bytes: usize) -> Self {
        Self {
            weighed: bytes,
            since: 0,
            rows: None,
        }
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.since = self.since.saturating_add(bytes);
    }
}

impl<R: Stored> StoredCache<R> {
    /// How large it is, about.
    pub(crate) fn size(&mut self) -> Size {
        let resources = self.cache.row_count();
        let rows = *self.weight.rows.get_or_insert(resources);
        let grown = self.weight.since > self.weight.weighed / 2 + COLLECTION;
        if grown || resources < rows / 2 {
            // Bodies are what there is much of.
            let bytes = self.cache.all().map(|item| match item.body().to_bytes() {
                Ok(bytes) => bytes.len(),
                Err(_) => 0,
            });
            self.weight = Weight::of(bytes.sum());
            self.weight.rows = Some(resources);
        }
        let Weight { weighed, since, .. } = self.weight;
        let bytes = COLLECTION + weighed + since + resources * ROW;
        Size { resources, bytes }
    }
}
