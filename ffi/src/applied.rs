//! What a call answers, and how rows are written.

use resourcecache::json::JsonResource;
use resourcecache::{Badge, Conflict, Item, Progress, RowKey};
use serde::Serialize;

use crate::cache::Inner;

/// Stands before each row: no JSON text has it (RFC 7464).
pub(crate) const SEPARATOR: char = '\u{1e}';

/// What an accepted call changed, and what there is to tell.
#[derive(Clone, Debug, PartialEq, Eq, Default, uniffi::Record)]
pub struct Applied {
    /// The collection's revision afterwards.
    pub revision: u64,
    /// The operations that the call began or went on with: one per part of a batch that has one.
    pub operations: Vec<u64>,
    /// How many rows are new, other than before, or elsewhere.
    pub upserted: u32,
    /// How many rows are no longer visible.
    pub removed: u32,
    /// When to call `handle_timeout` next, in milliseconds after 1970-01-01T00:00:00Z; none when
    /// nothing will be due. It saves asking `poll_timeout_ms` behind each call.
    pub due_ms: Option<i64>,
    /// The rest, to be taken apart when it is looked at: a JSON text, and behind it each upserted
    /// row as one more, in list order, each after a U+001E.
    ///
    /// The first has `removed` (of `key` and `id`), `outcomes`, `warnings` and `conflicts`; it is
    /// empty when there are none. A row has `key`, `id`, `after` (the key of the visible row before
    /// it, null at the head), `state`, `visible`, perhaps `meta`, `badge` and `progress`, and `body`.
    /// A reader that holds the list takes out every removed and upserted row, then puts each
    /// upserted one behind its `after`.
    pub text: String,
}

/// The part of [`Applied::text`] that is no row.
#[derive(Serialize)]
struct Rest<'a> {
    removed: &'a [resourcecache::Removed],
    outcomes: &'a [resourcecache::Outcome],
    warnings: &'a [resourcecache::Warning],
    conflicts: Vec<Told<'a>>,
}

/// A conflict, and its words for the user.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    conflict: &'a Conflict,
    text: String,
}

impl Applied {
    pub(crate) fn of(inner: &Inner, applied: resourcecache::Applied) -> Self {
        let changes = &applied.changes;
        let told = |conflict| Told {
            conflict,
            text: conflict.to_string(),
        };
        let rest = Rest {
            removed: &changes.removed,
            outcomes: &changes.outcomes,
            warnings: &changes.warnings,
            conflicts: applied.conflicts.iter().map(told).collect(),
        };
        let nothing = rest.removed.is_empty()
            && rest.outcomes.is_empty()
            && rest.warnings.is_empty()
            && rest.conflicts.is_empty();
        let bodies = |upsert: &resourcecache::Upsert| {
            let item = inner.cache.row(upsert.key);
            item.map_or(0, |item| item.body().body().len() + 100)
        };
        let room: usize = changes.upserted.iter().map(bodies).sum();
        let mut text = String::with_capacity(room);
        if !nothing {
            text.push_str(&json(&rest));
        }
        for upsert in &changes.upserted {
            if let Some(item) = inner.cache.row(upsert.key) {
                text.push(SEPARATOR);
                write_row(&mut text, inner, &item, Some(upsert.after));
            }
        }
        Self {
            revision: changes.revision.0,
            operations: applied.operations.iter().map(|o| o.0).collect(),
            upserted: count(changes.upserted.len()),
            removed: count(changes.removed.len()),
            due_ms: inner.cache.poll_timeout().map(|at| at.0),
            text,
        }
    }

    /// The changes alone.
    pub(crate) fn of_changes(inner: &Inner, changes: resourcecache::Changes) -> Self {
        let applied = resourcecache::Applied {
            changes,
            ..resourcecache::Applied::default()
        };
        Self::of(inner, applied)
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A value that cannot but be written.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Rows, each after a separator.
pub(crate) fn rows<'a>(
    inner: &Inner,
    items: impl Iterator<Item = Item<'a, JsonResource>>,
) -> String {
    let mut text = String::new();
    for item in items {
        text.push(SEPARATOR);
        write_row(&mut text, inner, &item, None);
    }
    text
}

/// One row.
pub(crate) fn row(inner: &Inner, item: &Item<'_, JsonResource>) -> String {
    let mut text = String::with_capacity(item.body().body().len() + 100);
    write_row(&mut text, inner, item, None);
    text
}

/// Writes a row; `after` when it is one of changes.
fn write_row(
    text: &mut String,
    inner: &Inner,
    item: &Item<'_, JsonResource>,
    after: Option<Option<RowKey>>,
) {
    text.push_str("{\"key\":");
    text.push_str(&item.key().to_string());
    text.push_str(",\"id\":");
    text.push_str(&json(&item.id()));
    if let Some(after) = after {
        text.push_str(",\"after\":");
        match after {
            Some(key) => text.push_str(&key.to_string()),
            None => text.push_str("null"),
        }
    }
    text.push_str(",\"state\":\"");
    text.push_str(item.state().name());
    text.push_str(if item.is_visible() {
        "\",\"visible\":true"
    } else {
        "\",\"visible\":false"
    });
    if let Some(meta) = item.meta() {
        text.push_str(",\"meta\":");
        text.push_str(&json(&meta));
        if let Some(badge) = Badge::of(item, &inner.labels) {
            text.push_str(",\"badge\":");
            text.push_str(&json(&badge));
        }
        if let Some(progress) = Progress::of(item) {
            text.push_str(",\"progress\":");
            text.push_str(&json(&progress));
        }
    }
    text.push_str(",\"body\":");
    text.push_str(item.body().body());
    text.push('}');
}
