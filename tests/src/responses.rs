//! Responses of servers as texts, written in many ways and at times broken, and what happens to a
//! list between them: for property tests and fuzzing.

use proptest::prelude::*;
use resourcecache::Kind;
use resourcecache::json::{JsonPatch, JsonResource, Schema};

/// One item of a list as text: good, written in some way, or bad.
pub fn item() -> impl Strategy<Value = String> {
    let id = prop_oneof![
        20 => (0..12_u32).prop_map(|i| format!("\"id\":\"z{i}\"")),
        3 => (0..12_u32).prop_map(|i| format!("\"id\" : {i}")),
        2 => (0..12_u32).prop_map(|i| format!("\"id\":\"\\u007a{i}\"")),
        1 => Just("\"id\":\"é\"".to_string()),
        1 => Just("\"id\":\"a\",\"id\":\"z3\"".to_string()),
    ];
    let rest = prop_oneof![
        (0..3_u32).prop_map(|v| format!("\"m\":{{\"v\":{v},\"t\":\"t{v}\"}}")),
        (0..3_u32).prop_map(|v| format!("\"m\":{{\"v\":\"{v}\"}},\"n\":[1,{{\"v\":2}}]")),
        Just("\"text\":\"\\n \\\"quoted\\\" ünïcode \"".to_string()),
    ];
    let good = (id, rest, any::<bool>());
    let good = good.prop_map(|(id, rest, first)| {
        if first {
            format!("{{{id},{rest}}}")
        } else {
            format!("{{ {rest} , {id} }}")
        }
    });
    let bad = [
        "7",
        "{}",
        "null",
        "{\"id\":\"\"}",
        "{\"id\":1.5}",
        "{\"id\":[1]}",
        "{\"id\":\"\\ud800\"}",
    ];
    prop_oneof![60 => good, 1 => prop::sample::select(bad.to_vec()).prop_map(str::to_string)]
}

/// A response: a list, by itself or in an object, as a server writes it; at times broken.
pub fn response() -> impl Strategy<Value = Text> {
    let between = prop::sample::select(&[",", ", ", ",\n  ", " ,"][..]);
    let around = prop::sample::select(
        &[
            "{\"items\":@,\"rv\":\"5\"}",
            "{\"rv\":7,\"items\":@}",
            "{\"rv\":\"5\",\"x\":{\"items\":[1]}, \"items\" : @ }",
            "{\"items\":[],\"items\":@}",
            "{\"it\\u0065ms\":@}",
            "{\"items\":null}",
            "{\"other\":@}",
        ][..],
    );
    let broken = prop::option::weighted(0.15, (any::<prop::sample::Index>(), any::<u8>()));
    let items = prop::collection::vec(item(), 0..14);
    (items, between, around, broken).prop_map(|(items, between, around, broken)| {
        let list = format!("[{}]", items.join(between));
        let mut bytes = around.replace('@', &list).into_bytes();
        if let Some((at, byte)) = broken {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        Text(bytes)
    })
}

/// Where these responses keep their list, and its resources their version and token.
pub fn schema() -> Schema {
    let at = |pointer: &str| pointer.parse().ok();
    Schema {
        items: at("/items").unwrap_or_default(),
        version: at("/m/v"),
        token: at("/m/t"),
        list_version: at("/rv"),
        ..Schema::default()
    }
}

/// A resource as these responses have it.
pub fn body() -> impl Strategy<Value = JsonResource> + Clone {
    let schema = schema();
    (0..5_u32, 0..4_u32, 0..3_u32).prop_map(move |(id, version, text)| {
        let body = format!(
            "{{\"id\":\"z{id}\",\"m\":{{\"v\":{version},\"t\":\"t{text}\"}},\"n\":[{text}]}}"
        );
        schema.resource(body.as_bytes()).expect("a good body")
    })
}

/// A patch of one.
pub fn patch() -> impl Strategy<Value = JsonPatch> + Clone {
    let texts = [
        r#"{"m":{"v":9}}"#,
        r#"{"m":null}"#,
        r#"{"m":{}}"#,
        r#"{"n":[1,2]}"#,
        r#"{"n":null,"x":"\u00e9"}"#,
        r#"{"m":{"v":null,"t":"t1"}}"#,
        r#"{"m":{"v":{"w":1}},"n":[0]}"#,
        "{}",
        r#"{"id":"other"}"#,
    ];
    let schema = schema();
    prop::sample::select(texts.to_vec())
        .prop_map(move |text| schema.merge_patch(text.as_bytes()).expect("a good patch"))
}

/// Bytes that are shown as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(pub Vec<u8>);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// What happens to a list between two responses, and the responses.
#[derive(Clone, Debug)]
pub enum ListStep {
    /// The whole list.
    List(Text),
    /// The last whole list once more.
    Again,
    /// A page between these two.
    Page(u32, u32, Text),
    /// The user asks for a change of this one.
    Mark(u32, Kind),
    /// The user edits this one.
    Update(u32, u32),
    /// The user makes this one.
    Create(u32),
    /// The state is saved and loaded.
    Reload,
}

/// One of them.
pub fn list_step() -> impl Strategy<Value = ListStep> {
    let kind = prop::sample::select(&[Kind::Delete, Kind::Update, Kind::Process][..]);
    prop_oneof![
        6 => response().prop_map(ListStep::List),
        2 => Just(ListStep::Again),
        1 => (0..12_u32, 0..12_u32, response()).prop_map(|(a, b, r)| ListStep::Page(a, b, r)),
        2 => (0..12_u32, kind).prop_map(|(id, kind)| ListStep::Mark(id, kind)),
        2 => (0..12_u32, 0..3_u32).prop_map(|(id, value)| ListStep::Update(id, value)),
        1 => (0..12_u32).prop_map(ListStep::Create),
        1 => Just(ListStep::Reload),
    ]
}
