//! What a list costs by other means: memory's own speed, and the libraries and code that one would
//! use instead.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use serde_json::value::RawValue;
use sonic_rs::JsonValueTrait;

/// Whether two responses are the same.
pub fn memcmp(a: &[u8], b: &[u8]) -> bool {
    a == b
}

/// A copy of a response, into memory that is there.
pub fn memcpy(from: &[u8], to: &mut [u8]) {
    to.copy_from_slice(from);
}

/// Parses the list into a tree.
pub fn serde_value(bytes: &[u8]) -> usize {
    serde_json::from_slice::<Vec<Value>>(bytes).map_or(0, |items| items.len())
}

#[derive(serde::Deserialize)]
struct OnlyId<'a> {
    id: &'a str,
}

/// Splits the list into items with their ids, each item's text kept.
pub fn serde_raw(bytes: &[u8]) -> Vec<(&str, &str)> {
    let items: Vec<&RawValue> = serde_json::from_slice(bytes).unwrap_or_default();

    items
        .into_iter()
        .filter_map(|item| {
            let only: OnlyId<'_> = serde_json::from_str(item.get()).ok()?;
            Some((only.id, item.get()))
        })
        .collect()
}

/// The same by sonic-rs, which checks what it splits.
pub fn sonic_split(bytes: &[u8]) -> Vec<(String, &str)> {
    let items = sonic_rs::to_array_iter(bytes).flatten();
    let text = |item: sonic_rs::LazyValue<'_>| -> Option<(String, usize, usize)> {
        let raw = item.as_raw_str();
        let id = sonic_rs::get(raw, ["id"]).ok()?.as_str()?.to_string();
        let start = raw.as_ptr() as usize - bytes.as_ptr() as usize;
        Some((id, start, raw.len()))
    };
    let found = items.filter_map(text);
    found
        .filter_map(|(id, at, len)| Some((id, std::str::from_utf8(&bytes[at..at + len]).ok()?)))
        .collect()
}

/// A checked split by sonic-rs, joined with what is held by a hash map of ids.
pub fn sonic_join(held: &mut HashMap<String, String>, bytes: &[u8]) -> usize {
    let mut changed = 0;
    for (id, text) in sonic_split(bytes) {
        match held.get_mut(&id) {
            Some(old) if old == text => {}
            Some(old) => {
                text.clone_into(old);
                changed += 1;
            }
            None => {
                held.insert(id, text.to_string());
                changed += 1;
            }
        }
    }
    changed
}

/// A tape by simd-json, and every item's id.
pub fn simd_tape(bytes: &[u8], buffer: &mut Vec<u8>) -> usize {
    buffer.clear();
    buffer.extend_from_slice(bytes);
    let Ok(tape) = simd_json::to_tape(buffer) else {
        return 0;
    };
    let list = tape.as_value();
    let Some(items) = list.as_array() else {
        return 0;
    };
    items
        .iter()
        .filter(|item| item.as_object().is_some_and(|o| o.get("id").is_some()))
        .count()
}

/// What a good engineer writes by hand: parse everything, look up each by its id, compare, and
/// filter out what is being deleted.
pub fn by_hand(
    held: &mut HashMap<String, Value>,
    deleting: &HashSet<String>,
    bytes: &[u8],
) -> usize {
    let items: Vec<Value> = serde_json::from_slice(bytes).unwrap_or_default();
    let mut shown = 0;
    for item in items {
        let Some(id) = item.get("id").and_then(Value::as_str).map(str::to_string) else {
            continue;
        };
        if deleting.contains(&id) {
            continue;
        }
        shown += 1;
        if held.get(&id) != Some(&item) {
            held.insert(id, item);
        }
    }
    shown
}
