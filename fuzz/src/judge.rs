//! What a response says, read in another way than the core reads it: by `serde_json`.

use std::fmt;

use resourcecache::json::{Pointer, Schema};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep the core lets values nest; `serde_json` skips values of any depth.
const MAX_DEPTH: usize = 128;

/// Whether a text is JSON by RFC 8259, nested no deeper than the core takes.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    serde_json::from_str::<IgnoredAny>(text).is_ok() && depth(bytes) <= MAX_DEPTH
}

/// How deep a JSON text nests.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The members of an object, in order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// A name with half a character, which `serde_json` cannot hold: there is no judgement.
pub(crate) struct Unreadable;

/// The value at a pointer; of members of one name, the last.
fn at<'a>(mut text: &'a str, pointer: &Pointer) -> Result<Option<&'a str>, Unreadable> {
    let pointer = pointer.to_string();
    for name in pointer.split('/').skip(1) {
        let found = if text.starts_with('{') {
            let members: Members<'a> = serde_json::from_str(text).map_err(|_| Unreadable)?;
            members.0.into_iter().rfind(|m| m.0 == name).map(|m| m.1)
        } else if text.starts_with('[') {
            let plain =
                name == "0" || !name.starts_with('0') && name.bytes().all(|b| b.is_ascii_digit());
            let index: Option<usize> = name.parse().ok().filter(|_| plain);
            let elements: Vec<&'a RawValue> = serde_json::from_str(text).map_err(|_| Unreadable)?;
            index.and_then(|i| elements.get(i).copied())
        } else {
            None
        };
        match found {
            Some(value) => text = value.get(),
            None => return Ok(None),
        }
    }
    Ok(Some(text))
}

/// The text of a string or number; the error is anything else.
fn scalar(text: Option<&str>) -> Result<Option<String>, ()> {
    match text {
        None | Some("null") => Ok(None),
        Some(text) if text.starts_with('"') => serde_json::from_str(text).map(Some).map_err(|_| ()),
        Some(text) if text.starts_with(['{', '[', 't', 'f']) => Err(()),
        Some(number) => Ok(Some(number.to_string())),
    }
}

/// An item's body, with its id, version and token; `None` when it is no resource.
pub(crate) type Item<'a> = Option<(&'a str, [Option<String>; 3])>;

/// What a list says.
pub(crate) struct List<'a> {
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) version: Option<String>,
}

/// Reads a JSON text as a list; `None` when it is none.
pub(crate) fn list<'a>(text: &'a str, schema: &Schema) -> Result<Option<List<'a>>, Unreadable> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let version = schema
        .list_version
        .as_ref()
        .map(|pointer| at(text, pointer))
        .transpose()?;
    let Ok(version) = scalar(version.flatten()) else {
        return Ok(None);
    };
    let elements: Vec<&RawValue> = match at(text, &schema.items)? {
        Some("null") => Vec::new(),
        Some(list) if list.starts_with('[') => {
            serde_json::from_str(list).map_err(|_| Unreadable)?
        }
        _ => return Ok(None),
    };
    let items = elements.into_iter().map(|item| read(item.get(), schema));
    Ok(Some(List {
        items: items.collect::<Result<_, _>>()?,
        version,
    }))
}

fn read<'a>(body: &'a str, schema: &Schema) -> Result<Item<'a>, Unreadable> {
    if !body.starts_with('{') {
        return Ok(None);
    }
    let id = at(body, &schema.id)?;
    let number = id.is_some_and(|id| id.starts_with(|c: char| c == '-' || c.is_ascii_digit()));
    let whole = !id.unwrap_or_default().contains(['.', 'e', 'E']);
    let mut scalars = [const { None }; 3];
    for (index, pointer) in [
        Some(&schema.id),
        schema.version.as_ref(),
        schema.token.as_ref(),
    ]
    .into_iter()
    .enumerate()
    {
        let value = pointer.map(|pointer| at(body, pointer)).transpose()?;
        match scalar(value.flatten()) {
            Ok(text) => scalars[index] = text,
            Err(()) => return Ok(None),
        }
    }
    let good = scalars[0].as_ref().is_some_and(|id| !id.is_empty()) && (whole || !number);
    Ok(good.then_some((body, scalars)))
}
