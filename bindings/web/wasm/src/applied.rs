//! What a call changed, and rows, as JSON texts.

use resourcecache::json::JsonResource;
use resourcecache::{
    Applied, Badge, Conflict, Item, OperationId, Outcome, Progress, Removed, RowKey, Warning,
};
use serde::Serialize;

use crate::cache::Cache;

/// What of an answer is no row. What there is none of is left out.
#[derive(Serialize)]
struct Told<'a> {
    revision: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    operations: &'a [OperationId],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    removed: &'a [Removed],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    outcomes: &'a [Outcome],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Warning],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<ToldConflict<'a>>,
}

/// A conflict, and its words for the user.
#[derive(Serialize)]
struct ToldConflict<'a> {
    #[serde(flatten)]
    conflict: &'a Conflict,
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldProgress {
    label: String,
    percent: f64,
    expected_at: Option<i64>,
    stalled: bool,
}

/// A value that cannot but be written.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// An object: `revision`, perhaps `operations`, `removed`, `outcomes`, `warnings`, `conflicts`, and
/// `upserted`: objects of `row`, in list order, and `after`, the key of the visible row before it.
pub(crate) fn applied(cache: &Cache, applied: &Applied) -> String {
    let changes = &applied.changes;
    let conflicts = applied.conflicts.iter().map(|conflict| ToldConflict {
        conflict,
        text: conflict.to_string(),
    });
    let mut text = json(&Told {
        revision: changes.revision.0,
        operations: &applied.operations,
        removed: &changes.removed,
        outcomes: &changes.outcomes,
        warnings: &changes.warnings,
        conflicts: conflicts.collect(),
    });
    if changes.upserted.is_empty() {
        return text;
    }
    let items = changes.upserted.iter().filter_map(|upsert| {
        let item = cache.cache.row(upsert.key)?;
        Some((item, upsert.after))
    });
    let room: usize = items.clone().map(|(item, _)| room(&item)).sum();
    text.reserve(room);
    text.pop();
    text.push_str(",\"upserted\":[");
    for (at, (item, after)) in items.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str("{\"after\":");
        match after {
            Some(RowKey(key)) => text.push_str(&key.to_string()),
            None => text.push_str("null"),
        }
        text.push_str(",\"row\":");
        write_row(&mut text, cache, &item);
        text.push('}');
    }
    text.push_str("]}");
    text
}

/// An array of rows.
pub(crate) fn rows<'a>(
    cache: &Cache,
    items: impl Iterator<Item = Item<'a, JsonResource>>,
) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        write_row(&mut text, cache, &item);
    }
    text.push(']');
    text
}

/// One row.
pub(crate) fn row(cache: &Cache, item: &Item<'_, JsonResource>) -> String {
    let mut text = String::with_capacity(room(item));
    write_row(&mut text, cache, item);
    text
}

/// How long a row is, about.
fn room(item: &Item<'_, JsonResource>) -> usize {
    item.body().body().len() + 100
}

/// `key`, `id`, `state`, `visible`, perhaps `meta`, `badge` and `progress`, and the body as `value`.
fn write_row(text: &mut String, cache: &Cache, item: &Item<'_, JsonResource>) {
    text.push_str("{\"key\":");
    text.push_str(&item.key().to_string());
    text.push_str(",\"id\":");
    text.push_str(&json(&item.id()));
    text.push_str(",\"state\":\"");
    text.push_str(item.state().name());
    text.push_str(if item.is_visible() {
        "\",\"visible\":true"
    } else {
        "\",\"visible\":false"
    });
    if let Some(meta) = item.meta() {
        write_field(text, "meta", &meta);
        if let Some(badge) = Badge::of(item, &cache.labels) {
            write_field(text, "badge", &badge);
        }
        if let Some(progress) = Progress::of(item) {
            let progress = ToldProgress {
                label: progress.label,
                percent: progress.percent,
                expected_at: progress.expected_at.map(|at| at.0),
                stalled: progress.stalled,
            };
            write_field(text, "progress", &progress);
        }
    }
    text.push_str(",\"value\":");
    text.push_str(item.body().body());
    text.push('}');
}

fn write_field(text: &mut String, name: &str, value: &impl Serialize) {
    text.push_str(",\"");
    text.push_str(name);
    text.push_str("\":");
    text.push_str(&json(value));
}
