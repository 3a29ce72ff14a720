//! A merge patch that was made of several does at a server what they do here, one after the other.

mod common;

use proptest::prelude::*;
use resourcecache::Resource;
use resourcecache::json::{JsonPatch, Schema};
use serde_json::{Map, Value};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        (0..3_i64).prop_map(Value::from),
        Just(Value::from(vec![1, 2])),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| object(inner).boxed())
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let members = proptest::collection::btree_map("[a-c]", inner, 0..3);
    members.prop_map(|m| Value::Object(m.into_iter().collect::<Map<_, _>>()))
}

/// RFC 7396, section 2.
fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = match target {
        Value::Object(target) => target,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let old = target.remove(name).unwrap_or(Value::Null);
            target.insert(name.clone(), merged(old, value));
        }
    }
    Value::Object(target)
}

proptest! {
    #![proptest_config(common::cases(5_000))]

    #[test]
    fn several_patches_make_one(body in object(value()), patches in proptest::collection::vec(object(value()), 1..4)) {
        let schema = Schema::default();
        let mut body = body;
        body["id"] = "x".into();
        let resource = schema.resource(body.to_string().as_bytes()).expect("a resource");
        let ours: Vec<JsonPatch> = patches
            .iter()
            .map(|patch| schema.merge_patch(patch.to_string().as_bytes()).expect("a patch"))
            .collect();
        let here = ours.iter().fold(resource, |resource, patch| resource.apply(patch));
        let here: Value = serde_json::from_str(here.body()).expect("JSON");
        let one = JsonPatch::to_merge_patch(&ours);
        prop_assert!(one.is_some() || patches.len() > 1, "one of these is one");
        if let Some(one) = one {
            let one: Value = serde_json::from_str(&one).expect("JSON");
            prop_assert_eq!(merged(body, &one), here, "by {}", one);
        }
    }
}
