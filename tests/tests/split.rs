//! A list that is read by the shapes of its items is read as an independent parser reads it: the
//! same items, ids and versions, and what one refuses the other refuses (S1).

mod common;

use proptest::prelude::*;
use resourcecache::Resource;
use resourcecache::json::{JsonResource, Schema};
use serde_json::Value;
use serde_json::value::RawValue;

/// Items of a few shapes, as servers write them.
const SHAPES: [&str; 6] = [
    r#"{"id":"zone-1","m":{"v":"1001","u":"9f3c"},"l":["a",true,{"x":-1.5e3}],"n":null}"#,
    r#"{"m":{"u":"é","v":7},"id":41,"text":"a \"quoted\" é","o":{},"a":[]}"#,
    r#"{ "id" : "a" , "m" : { "v" : null , "u" : "x" } , "t" : [ 1 , 2 , "b" ] }"#,
    r#"{"id":"x","id":"zone","m":7,"k":{"id":"no","deep":[[[{"id":0}]]]}}"#,
    r#"{"w":false,"m":{"v":"1","v":"2"},"s":"\u00e9\\","id":"q-00000000000000001"}"#,
    r#"{"id":"z\u0061-1","m":{"u":"a\/1"},"text":"plain"}"#,
];

/// What is put in somewhere: whole values, and single characters that matter.
const BITS: [&str; 36] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    " ",
    "\n",
    "0",
    "7",
    "-",
    ".",
    "e",
    "a",
    "é",
    "\t",
    "\u{1}",
    "true",
    "null",
    "\"b\"",
    "12",
    "\"\"",
    "{}",
    "[1]",
    "\\n",
    "\\u0041",
    "\\u00",
    "\\q",
    "1.5",
    "-0",
    "\"a\\\"b\"",
    "\\ud800",
    "{\"v\":\"3\",\"u\":\"4\"}",
    "[1,2,{\"x\":5}]",
];

/// One change of an item's text: where, how many characters go, and what comes.
type Edit = (prop::sample::Index, usize, prop::sample::Index);

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, gone, bit) in edits {
        let at = at.index(chars.len() + 1);
        let end = (at + gone).min(chars.len());
        chars.splice(at..end, BITS[bit.index(BITS.len())].chars());
    }
    chars.into_iter().collect()
}

/// An item with its values written anew, which keeps the shape: digits and letters by others.
fn revalued(text: &str, turn: u8) -> String {
    let turned = |c: char| match c {
        '1'..='9' => char::from(b'1' + (c as u8 - b'1' + turn) % 9),
        _ => c,
    };
    text.chars().map(turned).collect()
}

/// An item with the value behind one of its colons replaced.
fn replaced(text: &str, colon: prop::sample::Index, bit: prop::sample::Index) -> String {
    let colons: Vec<usize> = text.match_indices(':').map(|(at, _)| at + 1).collect();
    let from = colons[colon.index(colons.len())];
    let to = text[from..]
        .find([',', '}', ']'])
        .map_or(text.len(), |to| from + to);
    [&text[..from], BITS[bit.index(BITS.len())], &text[to..]].concat()
}

fn items() -> impl Strategy<Value = Vec<String>> {
    let edit = (
        any::<prop::sample::Index>(),
        0..3_usize,
        any::<prop::sample::Index>(),
    );
    // Most items only have other values: a list with a fault in each would seldom be read.
    let edits = prop_oneof![12 => Just(Vec::new()), 2 => prop::collection::vec(edit, 1..3)];
    let at = any::<prop::sample::Index>;
    let other = prop::option::weighted(0.2, (at(), at()));
    let item = (0..SHAPES.len(), 0..9_u8, other, edits);
    let item = item.prop_map(|(shape, turn, other, edits)| {
        let text = revalued(SHAPES[shape], turn);
        let text = other.map_or(text.clone(), |(colon, bit)| replaced(&text, colon, bit));
        edited(&text, &edits)
    });
    prop::collection::vec(item, 1..9)
}

fn schema() -> Schema {
    Schema {
        uid: "/m/u".parse().ok(),
        version: "/m/v".parse().ok(),
        token: "/l/2/x".parse().ok(),
        ..Schema::default()
    }
}

/// A scalar as ids and versions are compared.
fn scalar(value: Option<&Value>, text: &str) -> Result<Option<String>, ()> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        // As it is written: 1.50 is not 1.5.
        Some(Value::Number(_)) => Ok(Some(text.to_string())),
        _ => Err(()),
    }
}

/// What an independent parser makes of one item: its id and version; an error for what is no
/// resource.
fn expected(item: &RawValue) -> Result<(String, Option<String>), ()> {
    let value: Value = serde_json::from_str(item.get()).map_err(drop)?;
    let raw = |name: &[&str]| -> String {
        let mut text = item.get().to_string();
        for name in name {
            let object: std::collections::HashMap<String, Box<RawValue>> =
                serde_json::from_str(&text).unwrap_or_default();
            text = object
                .get(*name)
                .map_or_else(String::new, |v| v.get().to_string());
        }
        text
    };
    let id = scalar(value.get("id"), &raw(&["id"]))?
        .filter(|id| !id.is_empty())
        .ok_or(())?;
    if value["id"].is_number() && id.contains(['.', 'e', 'E']) {
        return Err(());
    }
    let version = scalar(value.pointer("/m/v"), &raw(&["m", "v"]))?;
    scalar(value.pointer("/m/u"), "")?;
    scalar(value.pointer("/l/2/x"), "")?;
    Ok((id, version))
}

proptest! {
    #![proptest_config(common::cases(100_000))]
    #[test]
    fn a_list_is_read_as_another_parser_reads_it(items in items(), broken in prop::option::weighted(0.05, (any::<prop::sample::Index>(), any::<u8>()))) {
        let mut bytes = format!("[{}]", items.join(",")).into_bytes();
        if let Some((at, byte)) = broken {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let read = schema().snapshot(&bytes);
        let theirs: Result<Vec<&RawValue>, _> = serde_json::from_slice(&bytes);
        let Ok(theirs) = theirs else {
            prop_assert!(read.is_err(), "was taken: {}", shown);
            return Ok(());
        };
        let Ok(read) = read else {
            return Err(TestCaseError::fail(format!("was refused: {shown}")));
        };
        // Half a character, or a number that is out of their range: they check when it is looked at.
        if theirs.iter().any(|item| serde_json::from_str::<Value>(item.get()).is_err()) {
            return Ok(());
        }
        let read_by_them = theirs.iter().map(|item| (item.get(), expected(item)));
        let (good, bad): (Vec<_>, Vec<_>) = read_by_them.partition(|(_, found)| found.is_ok());
        prop_assert_eq!(read.bad.len(), bad.len(), "{}: {:?}", shown, read.bad);
        let ours: Vec<_> = read.items.iter().map(seen).collect();
        let good: Vec<_> = good.into_iter().map(|(body, found)| (body, found.unwrap())).collect();
        prop_assert_eq!(ours, good, "{}", shown);
    }
}

fn seen(item: &JsonResource) -> (&str, (String, Option<String>)) {
    let version = item.version().map(str::to_string);
    (item.body(), (item.id().to_string(), version))
}
