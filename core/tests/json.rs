//! Hostile and odd JSON: a defined answer, never a panic.

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, ErrorKind, JsonCache, Resource, Timestamp};
use serde_json::{Value, json};

fn schema() -> Schema {
    Schema::default()
}

fn refused(bytes: &[u8]) -> String {
    let error = schema().snapshot(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadSnapshot);
    error.to_string()
}

#[test]
fn bytes_come_back_as_they_came() {
    let odd = "{ \"id\" : \"a\",\t\"n\": 1.0e+3 , \"t\":\"\\u00e9\\n\", \"n\":2 }";
    let list = format!(" [ {odd} ,\n{{\"id\":7}}] ");
    let snapshot = schema().snapshot(list.as_bytes()).unwrap();
    assert_eq!(snapshot.items[0].body(), odd);
    assert_eq!(snapshot.items[1].id(), "7");
}

#[test]
fn ten_thousand_levels_are_refused_without_a_stack_overflow() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!(
            "[{{\"id\":\"a\",\"x\":{}1{}}}]",
            open.repeat(10_000),
            close.repeat(10_000)
        );
        assert!(
            refused(deep.as_bytes()).contains("deep"),
            "{}",
            refused(deep.as_bytes())
        );
        assert!(schema().merge_patch(deep.as_bytes()).is_err());
        refused(open.repeat(100_000).as_bytes());
    }
    let fine = format!(
        "[{{\"id\":\"a\",\"x\":{}1{}}}]",
        "[".repeat(100),
        "]".repeat(100)
    );
    assert_eq!(schema().snapshot(fine.as_bytes()).unwrap().items.len(), 1);
}

#[test]
fn what_is_no_json_is_refused_as_serde_json_refuses_it() {
    let texts = [
        "",
        "[",
        "]",
        "[,]",
        "[1,]",
        "{",
        "[{}",
        "nul",
        "tru",
        "[01]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[+1]",
        "[-]",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\n\"]",
        "[{\"id\":\"a\"} {\"id\":\"b\"}]",
        "[{\"id\" \"a\"}]",
        "[{id:1}]",
        "[1] x",
        "\u{feff}[]",
        "[{\"id\":\"a\",}]",
        "['a']",
        "[NaN]",
        "[Infinity]",
        "[0x1]",
        "[\"\u{1}\"]",
    ];
    for text in texts {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text:?}");
        refused(text.as_bytes());
    }
}

#[test]
fn what_is_json_is_taken_as_serde_json_takes_it() {
    let bodies = [
        r#"{"id":"a"}"#,
        r#"{"id":"a","x":[]}"#,
        r#"{"id":"a","x":{},"y":[{}]}"#,
        r#"{"id":"a","n":-0.0e-10}"#,
        r#"{"id":"a","s":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}"#,
        r#"{"id":"\u0061"}"#,
        r#"{"\u0069d":"a"}"#,
        r#"{"id":"é😀"}"#,
        r#"{"id":-7}"#,
        r#"{"id":"a","b":true,"c":false,"d":null}"#,
    ];
    for body in bodies {
        let value: Value = serde_json::from_str(body).unwrap();
        let id = value["id"]
            .as_str()
            .map_or_else(|| value["id"].to_string(), String::from);
        let list = format!("[{body}]");
        let snapshot = schema().snapshot(list.as_bytes()).unwrap();
        assert_eq!(snapshot.items[0].id(), id, "{body}");
        assert_eq!(snapshot.items[0].body(), body);
    }
}

#[test]
fn invalid_utf8_and_half_characters_are_refused() {
    assert!(refused(b"[{\"id\":\"\xff\"}]").contains("UTF-8"));
    let half = schema().snapshot(br#"[{"id":"\ud83d"}]"#).unwrap();
    assert!(half.bad[0].problem.contains("surrogate"), "{:?}", half.bad);
}

#[test]
fn huge_numbers_stay_as_they_are() {
    let body = format!(
        r#"{{"id":{},"n":1e999999,"m":{}}}"#,
        "9".repeat(400),
        "1".repeat(5000)
    );
    let resource = schema().resource(body.as_bytes()).unwrap();
    assert_eq!(resource.id(), "9".repeat(400));
    assert_eq!(resource.body(), body);
    let patched = resource.apply(&schema().merge_patch(br#"{"n":1e888888}"#).unwrap());
    assert!(patched.body().contains("1e888888"));
}

#[test]
fn of_duplicate_keys_the_last_counts() {
    let resource = schema()
        .resource(br#"{"id":"a","id":"b","n":1,"n":2}"#)
        .unwrap();
    let value: Value = serde_json::from_str(resource.body()).unwrap();
    assert_eq!(resource.id(), value["id"].as_str().unwrap());
    let patched = resource.apply(&schema().merge_patch(br#"{"n":3}"#).unwrap());
    assert_eq!(
        serde_json::from_str::<Value>(patched.body()).unwrap()["n"],
        3
    );
    let cleared = resource.apply(&schema().merge_patch(br#"{"n":null}"#).unwrap());
    assert_eq!(
        serde_json::from_str::<Value>(cleared.body()).unwrap()["n"],
        Value::Null
    );
}

#[test]
fn lists_stand_where_the_pointer_says() {
    let schema = Schema {
        id: "/meta~1data/na~0me/0".parse().unwrap(),
        items: "/data/zones".parse().unwrap(),
        list_version: Some("/data/v".parse().unwrap()),
        ..Schema::default()
    };
    let answer = br#"{"data":{"v":12,"zones":[{"meta/data":{"na~me":["x"]}}]}}"#;
    let snapshot = schema.snapshot(answer).unwrap();
    assert_eq!(
        (snapshot.items[0].id(), snapshot.list_version.as_deref()),
        ("x", Some("12"))
    );
    assert!(schema.snapshot(br#"{"data":{"zones":{}}}"#).is_err());
    assert!(schema.snapshot(br#"{"data":{}}"#).is_err());
    assert_eq!(
        schema
            .snapshot(br#"{"data":{"zones":null}}"#)
            .unwrap()
            .items
            .len(),
        0
    );
    assert!("no-slash".parse::<resourcecache::json::Pointer>().is_err());
}

/// RFC 7396, appendix A, on objects that have an id beside.
#[test]
fn merge_patches_are_those_of_the_rfc() {
    let cases = [
        (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
        (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
        (json!({"a":"b"}), json!({"a":null}), json!({})),
        (
            json!({"a":"b","b":"c"}),
            json!({"a":null}),
            json!({"b":"c"}),
        ),
        (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
        (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
        (
            json!({"a":{"b":"c"}}),
            json!({"a":{"b":"d","c":null}}),
            json!({"a":{"b":"d"}}),
        ),
        (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
        (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
        (
            json!({}),
            json!({"a":{"bb":{"ccc":null}}}),
            json!({"a":{"bb":{}}}),
        ),
        (
            json!({"a":1}),
            json!({"a":{"x":{"y":2}}}),
            json!({"a":{"x":{"y":2}}}),
        ),
    ];
    for (mut target, patch, mut expected) in cases {
        target["id"] = "i".into();
        expected["id"] = "i".into();
        let resource: JsonResource = schema().resource(target.to_string().as_bytes()).unwrap();
        let patched = resource.apply(&schema().merge_patch(patch.to_string().as_bytes()).unwrap());
        let got: Value = serde_json::from_str(patched.body()).unwrap();
        assert_eq!(got, expected, "{target} with {patch}");
    }
}

#[test]
fn a_meta_field_of_the_server_is_data() {
    let mut cache = JsonCache::new(Config::default());
    let list = br#"[{"id":"a","_meta":{"status":"deleting","minTtl":"x"}}]"#;
    cache
        .merge(schema().snapshot(list).unwrap(), Timestamp(0))
        .unwrap();
    assert_eq!(cache.visible().count(), 1);
}
