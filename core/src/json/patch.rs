//! What an update sets in a JSON body, field by field.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json::pointer::{Pointer, find, member, members, whole};
use crate::json::scan::{Cursor, Fault, quote, skip};
use crate::json::value::canonical;

/// What happens to the value at a path.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Op {
    /// It becomes this JSON text.
    Set(String),
    /// It goes, if it is there.
    Remove,
    /// It becomes an object, if it is none.
    Object,
}

impl PartialEq for Op {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Set(a), Self::Set(b)) => a == b || canonical(a) == canonical(b),
            (Self::Remove, Self::Remove) | (Self::Object, Self::Object) => true,
            _ => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub(crate) path: Pointer,
    pub(crate) op: Op,
}

/// Fields of a JSON body, each with a value or taken away. Made by
/// [`Schema::merge_patch`](crate::json::Schema::merge_patch) and
/// [`Schema::partial`](crate::json::Schema::partial). Two are equal when they mean the same.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct JsonPatch {
    pub(crate) fields: Vec<Field>,
}

/// A patch as it was saved, by whomever.
#[derive(Deserialize)]
struct Written {
    fields: Vec<Field>,
}

impl TryFrom<Written> for JsonPatch {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        for Field { path, op } in &written.fields {
            if path.path.is_empty() {
                return Err("a patch sets fields, never the whole resource".into());
            }
            if let Op::Set(text) = op {
                // As deep as it will stand in the body.
                let end = skip(text.as_bytes(), 0, path.path.len());
                let whole = end.is_ok_and(|end| end == text.len());
                if !whole {
                    return Err(format!("what is set at {path} is no JSON value: {text:?}"));
                }
            }
        }
        let Written { fields } = written;
        Ok(Self { fields })
    }
}

impl JsonPatch {
    fn of(text: &str, nested: bool) -> Result<Self, Error> {
        let bad = |problem: String| Error::bad_input("patch", problem);
        validate(text).map_err(|fault| bad(fault.to_string()))?;
        if members(text, &whole(text)).is_none() {
            return Err(bad("is no JSON object; name the fields that it sets".into()));
        }
        let mut patch = Self::default();
        patch.collect(text, &whole(text), &mut Vec::new(), nested);
        Ok(patch)
    }

    /// A merge patch (RFC 7396): objects go field by field, `null` takes a field away.
    pub(crate) fn merge(text: &str) -> Result<Self, Error> {
        Self::of(text, true)
    }

    /// The merge patch (RFC 7396) that does what these do one after the other, to be sent to a
    /// server; `None` where no merge patch can say it, as when an object is replaced whole. Send the
    /// body instead then.
    ///
    /// ```
    /// use resourcecache::json::{JsonPatch, Schema};
    /// let schema = Schema::default();
    /// let first = schema.merge_patch(br#"{"ttl": 300, "note": "x"}"#)?;
    /// let second = schema.merge_patch(br#"{"note": null, "soa": {"serial": 2}}"#)?;
    /// let both = JsonPatch::to_merge_patch(&[first, second]).unwrap();
    /// assert_eq!(both, r#"{"ttl":300,"note":null,"soa":{"serial":2}}"#);
    /// # Ok::<(), resourcecache::Error>(())
    /// ```
    pub fn to_merge_patch(patches: &[Self]) -> Option<String> {
        let mut text = "{}".to_string();
        for Field { path, op } in patches.iter().flat_map(|patch| &patch.fields) {
            let path = &path.path;
            let is_object = |depth: usize| Some(text[at(&text, &path[..depth])?].starts_with('{'));
            if (1..path.len()).any(|depth| is_object(depth) == Some(false)) {
                return None;
            }
            let value = match (op, is_object(path.len())) {
                (Op::Set(value), _) if value.starts_with('{') => return None,
                (Op::Set(value), _) => value,
                (Op::Remove, _) => "null",
                (Op::Object, Some(true)) => continue,
                (Op::Object, Some(false)) => return None,
                (Op::Object, None) => "{}",
            };
            text = set(&text, path, value);
        }
        Some(text)
    }

    /// The top-level fields of `text`, each replaced whole.
    pub(crate) fn top_level(text: &str) -> Result<Self, Error> {
        Self::of(text, false)
    }

    fn collect(
        &mut self,
        text: &str,
        range: &std::ops::Range<usize>,
        path: &mut Vec<String>,
        nested: bool,
    ) {
        let all = members(text, range).unwrap_or_default();
        if nested && !path.is_empty() && all.iter().all(|m| &text[m.value.clone()] == "null") {
            self.push(path, Op::Object);
        }
        for (index, member) in all.iter().enumerate() {
            if all[index + 1..].iter().any(|m| m.name == member.name) {
                continue;
            }
            let value = &text[member.value.clone()];
            path.push(member.name.clone());
            if nested && value.starts_with('{') {
                self.collect(text, &member.value, path, nested);
            } else if nested && value == "null" {
                self.push(path, Op::Remove);
            } else {
                self.push(path, Op::Set(value.to_string()));
            }
            path.pop();
        }
    }

    fn push(&mut self, path: &[String], op: Op) {
        self.fields.push(Field {
            path: Pointer {
                path: path.to_vec(),
            },
            op,
        });
    }

    /// The fields that `newer` names with other values than `older`.
    pub(crate) fn between(older: &str, newer: &str) -> Self {
        let mut patch = Self::default();
        patch.compare(older, newer, &mut Vec::new());
        patch
    }

    fn compare(&mut self, older: &str, newer: &str, path: &mut Vec<String>) {
        let all = members(newer, &whole(newer)).unwrap_or_default();
        for (index, member) in all.iter().enumerate() {
            if all[index + 1..].iter().any(|m| m.name == member.name) {
                continue;
            }
            let new = &newer[member.value.clone()];
            let old = find(older, std::slice::from_ref(&member.name)).map(|r| &older[r]);
            path.push(member.name.clone());
            match old {
                Some(old) if old.starts_with('{') && new.starts_with('{') => {
                    self.compare(old, new, path);
                }
                Some(old) if old == new || canonical(old) == canonical(new) => {}
                _ => self.push(path, Op::Set(new.to_string())),
            }
            path.pop();
        }
    }
}

impl Field {
    /// The field with the value that it has in `text`.
    pub(crate) fn picked(&self, text: &str) -> Self {
        let value = at(text, &self.path.path).map(|r| &text[r]);
        let op = match (value, &self.op) {
            (None, _) => Op::Remove,
            (Some(value), Op::Object) if value.starts_with('{') => Op::Object,
            (Some(value), _) => Op::Set(value.to_string()),
        };
        Self {
            path: self.path.clone(),
            op,
        }
    }

    /// The field of this path, taken away.
    pub(crate) fn removing(path: Pointer) -> Self {
        Self {
            path,
            op: Op::Remove,
        }
    }

    /// How many bytes it takes, about.
    pub(crate) fn size(&self) -> usize {
        let value = match &self.op {
            Op::Set(text) => text.len(),
            Op::Remove | Op::Object => 0,
        };
        let path = self.path.path.iter();
        size_of::<Self>()
            + value
            + path
                .map(|name| size_of::<String>() + name.len())
                .sum::<usize>()
    }

    /// `text` with the field laid over it; the bytes of everything else stay as they are.
    pub(crate) fn laid_over(&self, text: &str) -> String {
        let path = &self.path.path;
        match &self.op {
            Op::Remove => remove(text, path),
            Op::Object => match at(text, path) {
                Some(range) if text[range.clone()].starts_with('{') => text.to_string(),
                _ => set(text, path, "{}"),
            },
            Op::Set(value) => match at(text, path) {
                Some(range)
                    if text[range.clone()] == **value
                        || canonical(&text[range.clone()]) == canonical(value) =>
                {
                    text.to_string()
                }
                Some(range) => splice(text, range, value),
                None => set(text, path, value),
            },
        }
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.path.overlaps(&other.path)
    }
}

/// As [`find`], but through objects only: a patch never reaches into an array.
fn at(text: &str, path: &[String]) -> Option<std::ops::Range<usize>> {
    let mut range = whole(text);
    for name in path {
        range = member(text, range.start, name)?;
    }
    Some(range)
}

/// The whole text checked, nothing kept.
pub(crate) fn validate(text: &str) -> Result<(), Fault> {
    let mut cursor = Cursor::new(text);
    cursor.value(0)?;
    cursor.end()
}

fn splice(text: &str, range: std::ops::Range<usize>, new: &str) -> String {
    [&text[..range.start], new, &text[range.end..]].concat()
}

fn set(text: &str, path: &[String], value: &str) -> String {
    let mut range = whole(text);
    for (depth, name) in path.iter().enumerate() {
        let nest = |rest: &[String]| {
            rest.iter().rev().fold(value.to_string(), |inner, name| {
                format!("{{{}:{inner}}}", quote(name))
            })
        };
        if let Some(found) = member(text, range.start, name) {
            range = found;
            continue;
        }
        let Some(all) = members(text, &range) else {
            return splice(text, range, &nest(&path[depth..]));
        };
        {
            let member = format!("{}:{}", quote(name), nest(&path[depth + 1..]));
            let end = all.last().map_or(range.start + 1, |m| m.value.end);
            let comma = if all.is_empty() { "" } else { "," };
            return splice(text, end..end, &format!("{comma}{member}"));
        }
    }
    splice(text, range, value)
}

fn remove(text: &str, path: &[String]) -> String {
    let Some((name, parents)) = path.split_last() else {
        return text.to_string();
    };
    let mut text = text.to_string();
    while let Some(all) = at(&text, parents).and_then(|range| members(&text, &range)) {
        let Some(index) = all.iter().rposition(|m| m.name == *name) else {
            break;
        };
        let range = match (index.checked_sub(1), all.get(index + 1)) {
            (_, Some(next)) => all[index].start..next.start,
            (Some(before), None) => all[before].value.end..all[index].value.end,
            (None, None) => all[index].start..all[index].value.end,
        };
        text = splice(&text, range, "");
    }
    text
}
